"""Cuts texts that are too long for where they stand."""

from __future__ import annotations


def shorten(text: str, longest: int) -> str:
    """The text, or its beginning with an ellipsis; at most `longest` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
