"""Expressions with a hole, which a search fills: `x * _`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from grammars.expressions.expression import Call, Expression, Parameter
from grammars.parsing.parser import ParseError, parse

_HOLE: Final = re.compile(r"(?<![\w.])_(?!\w)")
# The parser reads the hole as a parameter; no grammar gives one this name.
_STAND_IN: Final = "_"


class TemplateError(ValueError):
    """A template that cannot be filled; the message says what it lacks."""


@dataclass(frozen=True)
class Template:
    """An expression in which `_` stands for the function that is looked for.

    Attributes:
        text: As it was written.
        form: The expression, with a parameter in place of each hole.
    """

    text: str
    form: Expression

    @classmethod
    def read(cls, text: str) -> Template:
        """Reads a template such as `"x * _"` or `"relu(x) + _"`.

        Raises:
            TemplateError: If it has no hole, or is no expression.
        """
        if not _HOLE.search(text):
            raise TemplateError(
                f"a template has a hole, written _, that the search fills, got {text!r}; write "
                "for example 'x * _'"
            )
        if text.strip() == "_":
            raise TemplateError(
                "a template says what stands around the hole, got the hole alone; leave it out"
            )
        try:
            form = parse(_HOLE.sub(f'param("{_STAND_IN}", 0)', text))
        except ParseError as error:
            raise TemplateError(f"the template {text!r} is no expression: {error}") from None
        return cls(text, form)

    def filled(self, function: Expression) -> Expression:
        """The expression with a function of `x` in place of each hole."""
        return _filled(self.form, function)


def _filled(node: Expression, function: Expression) -> Expression:
    match node:
        case Parameter(name=name) if name == _STAND_IN:
            return function
        case Call(operands=operands):
            return replace(node, operands=tuple(_filled(each, function) for each in operands))
        case _:
            return node
