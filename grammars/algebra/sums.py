"""Sums and products taken apart into terms and factors, and put together in one order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from grammars.algebra.signs import is_total
from grammars.expressions.expression import Call, Constant, Expression, text_of

# Beyond these a chain of operations is built as a balanced tree, so that a wide sum does not become
# a tree deeper than the parser reads.
_LONGEST_CHAIN: Final = 8

_LARGEST_POWER: Final = 64

_ONE: Final = Constant(1.0)


class FoldingError(ArithmeticError):
    """A constant that would not be finite, so that the rewriting must not happen."""


@dataclass(frozen=True)
class Sum:
    """`constant` plus the sum of coefficient times term; no term has a coefficient of its own."""

    terms: Mapping[Expression, float]
    constant: float


@dataclass(frozen=True)
class Product:
    """`coefficient` times factors to whole powers, over factors to whole powers.

    Numerator and denominator never cancel: `x / x` is undefined at 0, and stays so.
    """

    coefficient: float
    numerator: Mapping[Expression, int]
    denominator: Mapping[Expression, int]


def as_sum(expression: Expression) -> Sum:
    """Takes a canonical expression apart into terms."""
    terms: dict[Expression, float] = {}
    constant = _collect_terms(expression, 1.0, terms)
    return Sum(terms, constant)


def _collect_terms(expression: Expression, scale: float, terms: dict[Expression, float]) -> float:
    """Adds `scale` times the expression to `terms`; returns its constant part."""
    match expression:
        case Constant(value):
            return scale * value
        case Call("add", (left, right)):
            return _collect_terms(left, scale, terms) + _collect_terms(right, scale, terms)
        case Call("sub", (left, right)):
            return _collect_terms(left, scale, terms) + _collect_terms(right, -scale, terms)
        case Call("neg", (operand,)):
            return _collect_terms(operand, -scale, terms)
        case Call("mul"):
            number, factor = _leading(expression)
            if number is not None:
                return _collect_terms(factor, scale * number, terms)
            terms[expression] = terms.get(expression, 0.0) + scale
            return 0.0
        case Call("div", (dividend, Constant(value))) if value != 0:
            return _collect_terms(dividend, scale * (1.0 / value), terms)
        case Call("div", (Constant(value), divisor)) if value not in (0, 1):
            return _collect_terms(Call("div", (_ONE, divisor)), scale * value, terms)
        case _:
            terms[expression] = terms.get(expression, 0.0) + scale
            return 0.0


def _leading(expression: Expression) -> tuple[float | None, Expression]:
    """The number that a product starts with, if it does, and the product without it."""
    match expression:
        case Call("mul", (Constant(value), factor)):
            return value, factor
        case Call("mul", (left, right)):
            number, rest = _leading(left)
            return number, expression if number is None else Call("mul", (rest, right))
        case _:
            return None, expression


def as_product(expression: Expression) -> Product:
    """Takes a canonical expression apart into factors."""
    numerator: dict[Expression, int] = {}
    denominator: dict[Expression, int] = {}
    coefficient = _collect_factors(expression, 1, numerator, denominator)
    return Product(coefficient, numerator, denominator)


def _collect_factors(
    expression: Expression,
    power: int,
    numerator: dict[Expression, int],
    denominator: dict[Expression, int],
) -> float:
    """Multiplies the expression to a whole power into the factors; returns its coefficient."""

    def collect(factor: Expression, times: int) -> float:
        return _collect_factors(factor, power * times, numerator, denominator)

    match expression:
        case Constant(value):
            return to_power(value, power)
        case Call("mul", (left, right)):
            return collect(left, 1) * collect(right, 1)
        case Call("neg", (operand,)):
            return (-1.0) ** power * collect(operand, 1)
        case Call("square", (operand,)):
            return collect(operand, 2)
        case Call("cube", (operand,)):
            return collect(operand, 3)
        case Call("pow", (base, Constant(exponent))) if _is_whole_power(exponent):
            return collect(base, int(exponent))
        case Call("div", (dividend, divisor)):
            return collect(dividend, 1) * _collect_divisor(divisor, power, numerator, denominator)
        case _:
            numerator[expression] = numerator.get(expression, 0) + power
            return 1.0


def _collect_divisor(
    divisor: Expression,
    power: int,
    numerator: dict[Expression, int],
    denominator: dict[Expression, int],
) -> float:
    inner = as_product(divisor)
    if inner.denominator or inner.coefficient == 0:
        # A fraction below a fraction is undefined where either is; it stays whole.
        denominator[divisor] = denominator.get(divisor, 0) + power
        return 1.0
    for factor, count in inner.numerator.items():
        denominator[factor] = denominator.get(factor, 0) + count * power
    return to_power(1.0 / inner.coefficient, power)


def _is_whole_power(exponent: float) -> bool:
    return exponent.is_integer() and 1 <= exponent <= _LARGEST_POWER


def to_power(base: float, exponent: int) -> float:
    """A whole power of a number; FoldingError if it is not finite."""
    try:
        return float(base**exponent)
    except (OverflowError, ZeroDivisionError) as error:
        raise FoldingError(f"{base} ** {exponent}") from error


def constant(value: float) -> Constant:
    """A constant without a negative zero; FoldingError if it is not finite."""
    if not math.isfinite(value):
        raise FoldingError(f"{value} is not a constant")
    return Constant(value + 0.0)


def build_sum(parts: Sum) -> Expression:
    """Puts terms together: those that are added first, then those that are taken away."""
    terms = _without_zeros(parts.terms)
    if not terms:
        return constant(parts.constant)
    sizes = {abs(c) for c in (*terms.values(), parts.constant) if c != 0}
    shared = sizes.pop() if len(sizes) == 1 and len(terms) + (parts.constant != 0) > 1 else 1.0
    if shared != 1.0 and 0 not in terms.values():
        inside = Sum({t: c / shared for t, c in terms.items()}, parts.constant / shared)
        return scaled(build_sum(inside), shared)
    signed = [
        (coefficient < 0, scaled(term, abs(coefficient)))
        for term, coefficient in sorted(terms.items(), key=lambda item: sort_key(item[0]))
    ]
    if parts.constant:
        signed.append((parts.constant < 0, constant(abs(parts.constant))))
    added = [term for negative, term in signed if not negative]
    taken = [term for negative, term in signed if negative]
    if added:
        total = chain("add", added)
    else:
        total, taken = _negated(taken[0]), taken[1:]
    if len(taken) > _LONGEST_CHAIN:
        return Call("sub", (total, chain("add", taken)))
    for term in taken:
        total = Call("sub", (total, term))
    return total


def _without_zeros(terms: Mapping[Expression, float]) -> dict[Expression, float]:
    """Drops what is taken zero times, except where that would hide a NaN."""
    kept = {term: coefficient for term, coefficient in terms.items() if coefficient != 0}
    for term, coefficient in terms.items():
        if coefficient != 0 or is_total(term):
            continue
        parts = as_product(term)
        hidden = {f: count for f, count in parts.numerator.items() if not is_total(f)}
        if not parts.denominator and hidden:
            term = chain("mul", _powers(hidden))
        kept.setdefault(term, 0.0)
    return kept


def build_product(parts: Product) -> Expression:
    """Puts factors together, the coefficient first."""
    if parts.denominator:
        return _build_quotient(parts)
    coefficient = parts.coefficient
    numerator = parts.numerator
    if coefficient == 0:
        numerator = {base: count for base, count in numerator.items() if not is_total(base)}
    factors = _powers(numerator)
    if not factors:
        return constant(coefficient)
    if len(factors) > 1 or coefficient == 1:
        return scaled(chain("mul", factors), coefficient)
    # A number times a sum is the sum of the scaled terms.
    inner = as_sum(factors[0])
    terms = {term: number * coefficient for term, number in inner.terms.items()}
    return build_sum(Sum(terms, inner.constant * coefficient))


def _build_quotient(parts: Product) -> Expression:
    """Puts a fraction together; its divisor is a product in canonical form."""
    divisors = _powers(parts.denominator)
    divisor = divisors[0]
    if divisor not in parts.denominator or len(divisors) > 1:
        divisor = build_product(as_product(chain("mul", divisors)))
    coefficient = parts.coefficient
    if not parts.numerator:
        return Call("div", (constant(coefficient), divisor))
    return scaled(Call("div", (chain("mul", _powers(parts.numerator)), divisor)), coefficient)


def _powers(factors: Mapping[Expression, int]) -> list[Expression]:
    return [powered(base, count) for base, count in sorted(factors.items(), key=_by_base)]


def _by_base(item: tuple[Expression, int]) -> tuple[bool, int, str]:
    # Sums go last, since a number in front of one would be multiplied in.
    return _is_sum(item[0]), *sort_key(item[0])


def powered(base: Expression, exponent: int) -> Expression:
    """A factor to a positive whole power, written the shortest way."""
    if isinstance(base, Constant):
        return constant(to_power(base.value, exponent))
    match exponent:
        case 1:
            return base
        case 2:
            return Call("square", (base,))
        case 3:
            return Call("cube", (base,))
        case _ if exponent <= _LARGEST_POWER:
            return Call("pow", (base, Constant(float(exponent))))
        case _:
            raise FoldingError(f"a power of {exponent}")


def scaled(factor: Expression, coefficient: float) -> Expression:
    """A number times a factor that has no coefficient; as a quotient where that is shorter."""
    number = constant(coefficient)
    if coefficient == 1:
        return factor
    match factor:
        case Call("div", (Constant(1.0), divisor)):
            return Call("div", (number, divisor))
    if coefficient == -1:
        return _negated(factor)
    if coefficient != 0:
        inverse = 1.0 / coefficient
        exact = math.isfinite(inverse) and 1.0 / inverse == coefficient
        if exact and len(repr(inverse)) < len(repr(coefficient)):
            return Call("div", (factor, constant(inverse)))
    return multiplied(number, factor)


def multiplied(number: Constant, factor: Expression) -> Expression:
    """A product with the number in front of the first factor, as one writes it: 0.5 * x * y."""
    match factor:
        case Call("mul", (left, right)) if not _is_sum(_first_factor(left)):
            return Call("mul", (multiplied(number, left), right))
        case _:
            return Call("mul", (number, factor))


def _first_factor(expression: Expression) -> Expression:
    match expression:
        case Call("mul", (left, _)):
            return _first_factor(left)
        case _:
            return expression


def _is_sum(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.primitive in ("add", "sub")


def _negated(expression: Expression) -> Expression:
    coefficient, factor = _leading(expression)
    if coefficient is not None:
        return multiplied(Constant(-coefficient), factor)
    match expression:
        case Constant(value):
            return Constant(-value + 0.0)
        case Call("div", (dividend, Constant(value))) if value != 0:
            return Call("div", (dividend, Constant(-value)))
        case Call("div", (Constant(value), divisor)):
            return Call("div", (Constant(-value + 0.0), divisor))
        case _:
            return Call("neg", (expression,))


def chain(primitive: str, operands: list[Expression]) -> Expression:
    """Combines operands from the left, or as a balanced tree where there are many."""
    if len(operands) > _LONGEST_CHAIN:
        half = len(operands) // 2
        sides = chain(primitive, operands[:half]), chain(primitive, operands[half:])
        return Call(primitive, sides)
    combined = operands[0]
    for operand in operands[1:]:
        combined = Call(primitive, (combined, operand))
    return combined


def sort_key(expression: Expression) -> tuple[int, str]:
    """The order of operands where mathematics leaves it open: small before large."""
    text = text_of(expression)
    return len(text), text
