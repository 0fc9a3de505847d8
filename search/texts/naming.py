"""How a function is written for people."""

from __future__ import annotations


def titled(expression: str, name: str | None) -> str:
    """The expression, behind its name in the catalogue where it has one."""
    return expression if name is None else f"{name} = {expression}"
