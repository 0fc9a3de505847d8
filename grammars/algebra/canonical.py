"""One form for expressions that rewriting shows to be equal, and the id that it gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

import numpy

from grammars.algebra.signs import is_total, never_negative, never_positive
from grammars.algebra.sums import (
    FoldingError,
    Product,
    Sum,
    as_product,
    as_sum,
    build_product,
    build_sum,
    chain,
    constant,
    sort_key,
)
from grammars.expressions.expression import Call, Constant, Expression, expanded
from grammars.numerics.compilation import evaluate
from grammars.primitives import PRIMITIVES, Primitive

_ZERO: Final = Constant(0.0)

# Nearly all expressions need one; three have been seen.
_MOST_PASSES: Final = 8


def canonical(expression: Expression) -> Expression:
    """Rewrites an expression to the form that its equals share.

    Sound: the result has the same value wherever the expression has one, up to rounding, and is NaN
    where it is NaN. Idempotent. It knows the algebra of sums, products, extrema and signs; that
    `2 * sigmoid(x) - 1` is `tanh(x / 2)` is found by `grammars.numerics.fingerprint`.

    Args:
        expression: Any expression.

    Returns:
        An equal expression: constants folded, operands ordered, identities removed.
    """
    text = str(expression)
    form = _FORMS.get(text)
    if form is None:
        form = _canonical(expanded(expression))
        if len(_FORMS) >= _KEPT_FORMS:
            _FORMS.clear()
        _FORMS[text] = form
    return form


# A search asks for the form of a candidate, or for the id that follows from it, some four times.
# By text, which says all of it: 0 and -0 are equal as numbers and not as functions.
_FORMS: Final[dict[str, Expression]] = {}
_KEPT_FORMS: Final = 4096


def _canonical(expression: Expression) -> Expression:
    form = _pass(expression)
    for _number in range(_MOST_PASSES):
        # What one pass puts together, the rules for its parts may now take further.
        again = _pass(form)
        if again == form:
            break
        form = again
    return form


def _pass(expression: Expression) -> Expression:
    """Rewrites from the leaves to the root, once."""
    if not isinstance(expression, Call):
        return expression
    return _rewritten(expression.primitive, tuple(map(_pass, expression.operands)))


def expression_id(expression: Expression) -> str:
    """The first twelve hexadecimal digits of the SHA-256 of the canonical form's text."""
    return hashlib.sha256(str(canonical(expression)).encode()).hexdigest()[:12]


def _rewritten(primitive: str, operands: tuple[Expression, ...]) -> Expression:
    """A call of canonical operands in canonical form."""
    plain = Call(primitive, operands)
    try:
        if all(isinstance(operand, Constant) for operand in operands):
            return constant(float(evaluate(plain, numpy.zeros(()))))
        rule = _RULES.get(primitive)
        return plain if rule is None else rule(*operands)
    except FoldingError:
        if PRIMITIVES[primitive].commutative:
            return Call(primitive, tuple(sorted(operands, key=sort_key)))
        return plain


def _add(left: Expression, right: Expression) -> Expression:
    return _combined(left, right, sign=1.0)


def _subtract(left: Expression, right: Expression) -> Expression:
    return _combined(left, right, sign=-1.0)


def _combined(left: Expression, right: Expression, *, sign: float) -> Expression:
    first, second = as_sum(left), as_sum(right)
    terms = dict(first.terms)
    for term, coefficient in second.terms.items():
        terms[term] = terms.get(term, 0.0) + sign * coefficient
    return build_sum(Sum(terms, first.constant + sign * second.constant))


def _negate(operand: Expression) -> Expression:
    return _multiply(Constant(-1.0), operand)


def _multiply(left: Expression, right: Expression) -> Expression:
    return build_product(as_product(Call("mul", (left, right))))


def _divide(dividend: Expression, divisor: Expression) -> Expression:
    return build_product(as_product(Call("div", (dividend, divisor))))


def _square(operand: Expression) -> Expression:
    return build_product(as_product(Call("square", (operand,))))


def _cube(operand: Expression) -> Expression:
    return build_product(as_product(Call("cube", (operand,))))


def _power(base: Expression, exponent: Expression) -> Expression:
    if not isinstance(exponent, Constant):
        return Call("pow", (base, exponent))
    match exponent.value:
        case 0.0 if is_total(base):
            return Constant(1.0)
        case 0.5:
            return _rewritten("sqrt", (base,))
        case value if value.is_integer() and 1 <= value <= 64:
            return build_product(as_product(Call("pow", (base, exponent))))
        case value if value.is_integer() and -64 <= value <= -1:
            return _divide(Constant(1.0), _power(base, Constant(-value)))
        case _:
            return Call("pow", (base, exponent))


def _square_root(operand: Expression) -> Expression:
    match operand:
        case Call("square", (inner,)):
            return _rewritten("abs", (inner,))
        case _:
            return Call("sqrt", (operand,))


def _absolute(operand: Expression) -> Expression:
    if never_negative(operand):
        return operand
    positive = _positive(operand)[1]
    parts = as_product(positive)
    size = abs(parts.coefficient)
    if size in (0.0, 1.0):
        return positive if never_negative(positive) else Call("abs", (positive,))
    unit = build_product(Product(1.0, parts.numerator, parts.denominator))
    return build_product(as_product(Call("mul", (Constant(size), _rewritten("abs", (unit,))))))


def _positive(operand: Expression) -> tuple[bool, Expression]:
    """Whether the sign that leads an expression is a minus, and the expression without it.

    Of `a - b` and `b - a` one leads with a minus, whichever way they are written.
    """
    parts = as_sum(operand)
    ordered = sorted(parts.terms, key=sort_key)
    negative = bool(ordered) and parts.terms[ordered[0]] < 0
    return negative, _negate(operand) if negative else operand


def _odd(primitive: str) -> Callable[[Expression], Expression]:
    def rule(operand: Expression) -> Expression:
        negative, positive = _positive(operand)
        call = Call(primitive, (positive,))
        return _negate(call) if negative else call

    return rule


def _even(primitive: str) -> Callable[[Expression], Expression]:
    return lambda operand: Call(primitive, (_positive(operand)[1],))


def _softplus(operand: Expression) -> Expression:
    negative, positive = _positive(operand)
    return _negate(Call("log_sigmoid", (positive,))) if negative else Call("softplus", (operand,))


def _log_sigmoid(operand: Expression) -> Expression:
    negative, positive = _positive(operand)
    return _negate(Call("softplus", (positive,))) if negative else Call("log_sigmoid", (operand,))


def _relu(operand: Expression) -> Expression:
    return _extremum("max", (operand, _ZERO))


def _maximum(left: Expression, right: Expression) -> Expression:
    return _extremum("max", (left, right))


def _minimum(left: Expression, right: Expression) -> Expression:
    return _extremum("min", (left, right))


def _extremum(primitive: str, operands: tuple[Expression, ...]) -> Expression:
    """A maximum or minimum of any number of operands: distinct, in order, one number at most."""
    members = dict.fromkeys(m for operand in operands for m in _members(primitive, operand))
    numbers = [member.value for member in members if isinstance(member, Constant)]
    others = [member for member in members if not isinstance(member, Constant)]
    bound = (max(numbers) if primitive == "max" else min(numbers)) if numbers else None
    if bound == 0 and all(map(is_total, others)):
        dominated = never_positive if primitive == "max" else never_negative
        others = [other for other in others if not dominated(other)]
    if bound is None:
        return chain(primitive, sorted(others, key=sort_key))
    if not others:
        return constant(bound)
    if bound == 0 and primitive == "max" and any(map(never_negative, others)):
        return chain(primitive, sorted(others, key=sort_key))
    return _bounded(primitive, chain(primitive, sorted(others, key=sort_key)), bound)


def _members(primitive: str, operand: Expression) -> list[Expression]:
    match operand:
        case Call(name, (left, right)) if name == primitive:
            return _members(primitive, left) + _members(primitive, right)
        case Call("relu", (inner,)) if primitive == "max":
            return [*_members(primitive, inner), _ZERO]
        case _:
            return [operand]


def _bounded(primitive: str, inner: Expression, bound: float) -> Expression:
    """The larger or smaller of an expression and a number."""
    match primitive, inner:
        case "min", _ if bound >= 0 and (free := _rectified(inner)) is not None:
            return _clipped(free, 0.0, bound)
        case "min", Call("max", (free, Constant(low))) if bound >= low:
            return _clipped(free, low, bound)
        case "max", Call("min", (free, Constant(high))) if bound <= high:
            return _clipped(free, bound, high)
        case _, Call("clip", (free, Constant(low), Constant(high))) if low <= bound <= high:
            return _clipped(free, *((bound, high) if primitive == "max" else (low, bound)))
        case _, Call("clip", (_, Constant(low), Constant(high))) if low <= high:
            kept = bound < low if primitive == "max" else bound > high
            return inner if kept else Call(primitive, (inner, constant(bound)))
        case "max", _ if bound == 0:
            return _scaled_relu(inner)
        case _:
            return Call(primitive, (inner, constant(bound)))


def _rectified(expression: Expression) -> Expression | None:
    """The argument f of relu(f), or of c relu(f / c) with a positive c; None for all others."""
    parts = as_product(expression)
    match list(parts.numerator.items()):
        case [(Call("relu", (argument,)), 1)] if parts.coefficient > 0 and not parts.denominator:
            return _multiply(Constant(parts.coefficient), argument)
        case _:
            return None


def _clipped(free: Expression, low: float, high: float) -> Expression:
    if low == high and is_total(free):
        return constant(low)
    return Call("clip", (free, constant(low), constant(high)))


def _scaled_relu(inner: Expression) -> Expression:
    """relu(c f) = c relu(f) for a positive c."""
    parts = as_product(inner)
    size = abs(parts.coefficient)
    if size in (0.0, 1.0):
        return Call("relu", (inner,))
    sign = 1.0 if parts.coefficient > 0 else -1.0
    unit = build_product(Product(sign, parts.numerator, parts.denominator))
    return build_product(as_product(Call("mul", (Constant(size), _relu(unit)))))


def _clip(operand: Expression, low: Expression, high: Expression) -> Expression:
    return _minimum(_maximum(operand, low), high)


def _where(condition: Expression, positive: Expression, negative: Expression) -> Expression:
    if positive == negative and is_total(condition):
        return positive
    if isinstance(condition, Constant):
        return positive if condition.value >= 0 else negative
    if never_negative(condition) and is_total(condition):
        return positive
    # Where the condition is NaN the second branch is taken, 0, and a rectifier would be NaN.
    if condition == positive and negative == _ZERO and is_total(condition):
        return _relu(condition)
    return Call("where", (condition, positive, negative))


def _by_parity(row: Primitive) -> Callable[[Expression], Expression]:
    return _odd(row.name) if row.parity == "odd" else _even(row.name)


_RULES: Final[Mapping[str, Callable[..., Expression]]] = {
    # Where a row has nothing but its parity to go by; those below know more.
    **{row.name: _by_parity(row) for row in PRIMITIVES.values() if row.parity is not None},
    "add": _add,
    "sub": _subtract,
    "neg": _negate,
    "mul": _multiply,
    "div": _divide,
    "square": _square,
    "cube": _cube,
    "pow": _power,
    "sqrt": _square_root,
    "softplus": _softplus,
    "log_sigmoid": _log_sigmoid,
    "relu": _relu,
    "max": _maximum,
    "min": _minimum,
    "clip": _clip,
    "where": _where,
    "abs": _absolute,
}
