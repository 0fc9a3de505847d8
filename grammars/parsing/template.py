"""Expressions with a hole, which a search fills: `x * _`."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import Final

from grammars.expressions.expression import Call, Expression, Parameter
from grammars.expressions.parameters import rename_parameters
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
        """The expression with a function of `x` in place of each hole.

        A trainable parameter of the function gets another name where the template has one so named.
        """
        own = {each.name for each in self.form.parameters} - {_STAND_IN}
        return _filled(self.form, rename_parameters(function, _names_beside(own, function)))

    def inside(self, expression: Expression) -> Expression | None:
        """What fills the hole of an expression that was made so; None if it was not."""
        found: list[Expression] = []
        if not _is_filled(self.form, expression, found):
            return None
        return found[0] if all(each == found[0] for each in found) else None


def _names_beside(taken: set[str], function: Expression) -> list[str]:
    """Names for the parameters of a function: their own, with a number where they are taken."""
    names: list[str] = []
    used = taken | {each.name for each in function.parameters}
    for parameter in function.parameters:
        free = (f"{parameter.name}{number}" for number in itertools.count(2))
        is_taken = parameter.name in taken
        names.append(
            next(each for each in free if each not in used) if is_taken else parameter.name
        )
        used.add(names[-1])
    return names


def _is_filled(form: Expression, expression: Expression, found: list[Expression]) -> bool:
    match form, expression:
        case Parameter(name=name), _ if name == _STAND_IN:
            found.append(expression)
            return True
        case Call(), Call():
            return (
                form.primitive == expression.primitive
                and len(form.operands) == len(expression.operands)
                and all(
                    _is_filled(each, other, found)
                    for each, other in zip(form.operands, expression.operands, strict=True)
                )
            )
        case _:
            return form == expression


def _filled(node: Expression, function: Expression) -> Expression:
    match node:
        case Parameter(name=name) if name == _STAND_IN:
            return function
        case Call(operands=operands):
            return replace(node, operands=tuple(_filled(each, function) for each in operands))
        case _:
            return node
