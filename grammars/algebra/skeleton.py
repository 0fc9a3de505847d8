"""The form of an expression without its constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from grammars.algebra.canonical import canonical
from grammars.expressions.expression import Call, Constant, Expression, Parameter
from grammars.primitives import PRIMITIVES

_CONSTANT: Final = "c"
_CONSTANTS: Final = (Constant, Parameter)
_SUMS: Final = ("add", "sub", "neg")
_PRODUCTS: Final = ("mul", "div")


def skeleton(expression: Expression) -> str:
    """What functions have in common that differ in constants alone, as a text to compare by.

    It is that of the canonical form. Constant factors, signs among them, are left out, and so is
    what is added to the whole: a function and what comes of scaling it share a skeleton. All other
    constants and all trainable parameters are written alike (the term is that of symbolic
    regression: Biggio and others, Neural Symbolic Regression that Scales, 2021).

    Args:
        expression: Any expression.
    """
    form = canonical(expression)
    varying = [term for term in _members(form, _SUMS) if not isinstance(term, _CONSTANTS)]
    return _sum(varying) if varying else _CONSTANT


def _skeleton(expression: Expression) -> str:
    match expression:
        case Constant() | Parameter():
            return _CONSTANT
        case Call(primitive) if primitive in _SUMS:
            return _sum(_members(expression, _SUMS))
        case Call(primitive) if primitive in _PRODUCTS:
            factors = [factor for factor in _factors(expression) if factor != _CONSTANT]
            return _joined(" * ", factors) or _CONSTANT
        case Call(primitive, operands):
            if not PRIMITIVES[primitive].commutative:
                return f"{primitive}({', '.join(map(_skeleton, operands))})"
            members = sorted(map(_skeleton, _members(expression, (primitive,))))
            return f"{primitive}({', '.join(members)})"
    return str(expression)


def _members(expression: Expression, primitives: tuple[str, ...]) -> Iterator[Expression]:
    """What a tree of these primitives joins, such as the summands of a sum of sums."""
    if isinstance(expression, Call) and expression.primitive in primitives:
        for operand in expression.operands:
            yield from _members(operand, primitives)
    else:
        yield expression


def _factors(expression: Expression, *, below: bool = False) -> Iterator[str]:
    """The factors of a product of products; those of a divisor as such."""
    match expression:
        case Call("mul", operands):
            for operand in operands:
                yield from _factors(operand, below=below)
        case Call("div", (dividend, divisor)):
            yield from _factors(dividend, below=below)
            yield from _factors(divisor, below=not below)
        case Call("neg", (operand,)):
            yield from _factors(operand, below=below)
        case _:
            text = _skeleton(expression)
            yield f"1 / {text}" if below and text != _CONSTANT else text


def _sum(terms: Iterable[Expression]) -> str:
    return _joined(" + ", map(_skeleton, terms))


def _joined(sign: str, parts: Iterable[str]) -> str:
    ordered = sorted(parts)
    return f"({sign.join(ordered)})" if len(ordered) > 1 else "".join(ordered)
