"""Text to expression: a recursive-descent parser with errors that point, and never `eval`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from grammars.expressions.expression import NAMED_CONSTANTS, Expression, expanded
from grammars.parsing.descent import MAX_DEPTH, MAX_SIZE, Parser
from grammars.primitives import PRIMITIVES
from grammars.reading.cursor import MAX_TEXT_LENGTH
from grammars.reading.tokens import ParseError, cut

__all__ = [
    "MAX_DEPTH",
    "MAX_SIZE",
    "MAX_TEXT_LENGTH",
    "ParseError",
    "define",
    "parse",
    "parse_list",
]

_NAME: Final = re.compile(r"[A-Za-z_]\w{0,39}", re.ASCII)
_DEFINITION: Final = re.compile(
    rf"\s*(?P<name>{_NAME.pattern})\s*\(\s*x\s*\)\s*=(?P<body>.*)", re.ASCII | re.DOTALL
)
# Beside words of the language, the hole of a template.
_RESERVED: Final = frozenset({"x", "param", "per", "_", *NAMED_CONSTANTS})


def parse(
    text: str,
    *,
    definitions: Mapping[str, Expression] | None = None,
    defined: Mapping[str, Expression] | None = None,
) -> Expression:
    """Reads an expression.

    What a grammar has defined may follow the expression: `bump(x) + 1; bump(x) = exp(-x ** 2)`.

    Args:
        text: Infix notation, such as `x * sigmoid(1.5 * x)` or `where(x >= 0, x, 0.1 * x)`, and
            what papers and frameworks write, such as `|x|·σ(−x)` or `torch.nn.functional.silu(x)`,
            where its meaning is certain.
        definitions: Further functions of `x` by name, callable like primitives; the catalogue
            by default. They are written out where they are called.
        defined: What a grammar defines, by name; such a call stays one node.

    Returns:
        The tree as it was written; nothing is simplified.

    Raises:
        ParseError: With the position, what was expected and what was probably meant.
    """
    head, known = _split(text, defined)
    return Parser(head, _published() if definitions is None else definitions, known).whole()


def parse_list(
    text: str, *, defined: Mapping[str, Expression] | None = None
) -> tuple[Expression, ...]:
    """Reads expressions in brackets, such as `[relu(x), tanh(x)]`; without brackets, a single one.

    Args:
        text: The expressions.
        defined: What a grammar defines, by name.

    Raises:
        ParseError: See `parse`.
    """
    head, known = _split(text, defined)
    return Parser(head, _published(), known).whole_list()


def _published() -> Mapping[str, Expression]:
    from grammars.catalogue import definitions

    return definitions()


def _split(
    text: str, defined: Mapping[str, Expression] | None
) -> tuple[str, Mapping[str, Expression]]:
    """What comes before the definitions in a text, and these added to those that are known."""
    if ";" not in text or len(text) > MAX_TEXT_LENGTH:
        return text, defined or {}
    head, *tail = text.split(";")
    known = dict(defined or {})
    position = len(head) + 1
    for part in tail:
        match = _DEFINITION.fullmatch(part)
        if match is None:
            problem = "expected a definition such as 'bump(x) = exp(-x ** 2)' after ';'"
            raise ParseError(problem, text, position)
        try:
            known[match["name"]] = define(match["name"], match["body"])
        except ParseError as error:
            raise ParseError(error.problem, text, position + match.start("name")) from None
        position += len(part) + 1
    return head, known


def define(name: str, text: str, *, defined: Mapping[str, Expression] | None = None) -> Expression:
    """Reads what a grammar defines under a name: a function of `x` made of known ones.

    Args:
        name: Under which it will be called.
        text: The function.
        defined: Earlier definitions, which are written out.

    Returns:
        The function, in primitives of the language.

    Raises:
        ParseError: If the name could not be read in an expression or has another meaning, the text
            cannot be read, or it is no function of `x` alone.
    """
    if not _NAME.fullmatch(name):
        problem = (
            f"{cut(name)!r} cannot be called in an expression; a name is a letter or '_', then "
            "letters without accents, digits and '_', at most 40 characters in all"
        )
        raise ParseError(problem, name, 0)
    if name in PRIMITIVES or name in _RESERVED:
        raise ParseError(f"{name!r} is a name of the language; choose another", name, 0)
    function = expanded(parse(text, defined=defined))
    if not function.uses_input or function.parameters:
        problem = f"{name!r} must be a function of x without trainable parameters, got {function}"
        raise ParseError(problem, text, 0)
    return function
