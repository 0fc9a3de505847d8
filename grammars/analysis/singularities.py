"""Where a function has a value at all, between which bounds, and what happens where it has none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy

from grammars.algebra.canonical import canonical
from grammars.algebra.sums import as_sum
from grammars.expressions.expression import Call, Constant, Expression, Parameter, Variable, X
from grammars.expressions.intervals import EVERYWHERE, Interval, multiply
from grammars.numerics.compilation import evaluate
from grammars.primitives import PRIMITIVES

# How near to a singularity its two sides are looked at.
_STEPS: Final = 10.0 ** -numpy.arange(2.0, 11.0, 2.0)
# A value that grows like the logarithm of the distance does so by this from the first step to the
# last; less is a value that comes to rest.
_GROWTH: Final = 4.0
_JUMP: Final = 1e-3
# Where singularities are looked for that no formula tells.
_GRID: Final = numpy.arange(-10_000, 10_001) / 1000.0
_MOST_ROOTS: Final = 20


def bounds(expression: Expression, *, domain: Interval = EVERYWHERE) -> Interval:
    """Between which numbers all values lie, by interval arithmetic; wider than need be.

    Args:
        expression: The function, parameters at their start values.
        domain: Between which numbers `x` lies.
    """
    return _bounds(expression, domain, {})


def _bounds(node: Expression, domain: Interval, known: dict[Expression, Interval]) -> Interval:
    """As `bounds`, with what is known of subtrees, which slopes have many times over."""
    match node:
        case Variable():
            return domain
        case Constant(value) | Parameter(_, value):
            return value, value
        case Call():
            if node not in known:
                within = [_bounds(operand, domain, known) for operand in node.operands]
                known[node] = _common(
                    _bounds_of_call(node, within), PRIMITIVES[node.primitive].range
                )
            return known[node]
        case _:
            raise TypeError(f"expected an Expression, got {type(node).__name__}")


def _bounds_of_call(node: Call, within: list[Interval]) -> Interval:
    row = PRIMITIVES[node.primitive]
    if node.primitive == "mul" and node.operands[0] == node.operands[1]:
        return _common(multiply(*within), PRIMITIVES["square"].range)
    if row.bounds is not None:
        return row.bounds(*within)
    if row.monotone is not None:
        return _monotone_bounds(node.primitive, within[0])
    if row.lowering is not None and row.arity == 1:
        # Of x between the bounds of the operand: a lowering may repeat an operand many times.
        return bounds(row.lowering(X), domain=within[0])
    return row.range


def _monotone_bounds(primitive: str, operand: Interval) -> Interval:
    row = PRIMITIVES[primitive]
    low, high = (min(max(end, row.domain[0]), row.domain[1]) for end in operand)
    ends = numpy.array([low, high])
    values = evaluate(Call(primitive, (Variable(),)), ends)
    first, last = sorted(float(value) for value in values)
    # Guards hold back what grows without bound.
    return (
        row.range[0] if math.isinf(low if row.monotone == "rising" else high) else first,
        row.range[1] if math.isinf(high if row.monotone == "rising" else low) else last,
    )


def _common(first: Interval, second: Interval) -> Interval:
    return max(first[0], second[0]), min(first[1], second[1])


@dataclass(frozen=True)
class Singularities:
    """Where a function may have no value, or none that is finite.

    Attributes:
        domain: Between which numbers `x` must lie, as far as analysis tells.
        places: Of singularities, as far as they are known.
        are_all: Whether there are no others.
    """

    domain: Interval
    places: tuple[float, ...]
    are_all: bool


@dataclass(frozen=True)
class _Limited:
    """A call with an operand that must not be a number, or not below it.

    Attributes:
        node: The call.
        operand: The operand.
        least: The number.
        is_one_sided: Whether smaller operands have no value either.
        is_taken: Whether the call is computed for every x, and not in a branch of a `where`.
    """

    node: Call
    operand: Expression
    least: float
    is_one_sided: bool
    is_taken: bool


def singularities(expression: Expression) -> Singularities:
    """Looks for divisors that may be 0, and for arguments outside of a primitive's domain.

    Args:
        expression: The function, parameters at their start values.
    """
    domain, places, are_all = EVERYWHERE, [], True
    known: dict[Expression, Interval] = {}
    for limited in _limited(expression):
        if _is_free(limited, known):
            continue
        for operand in _zero_with(limited.operand) if limited.least == 0 else [limited.operand]:
            if (straight := line(canonical(operand))) is None:
                are_all = False
                places += _roots(operand, limited.least)
                continue
            slope, start = straight
            place = (limited.least - start) / slope
            places.append(place)
            is_itself = operand is limited.operand
            if limited.is_one_sided and limited.is_taken and is_itself:
                side = (place, math.inf) if slope > 0 else (-math.inf, place)
                domain = _common(domain, side)
    return Singularities(domain, tuple(dict.fromkeys(places)), are_all)


def breaks(expression: Expression, found: Singularities) -> bool:
    """Whether a function has no finite value at a known singularity within its domain, or jumps."""
    low, high = found.domain
    inner = numpy.array([place for place in found.places if low < place < high])
    beside = _STEPS[-1] * numpy.maximum(1.0, numpy.abs(inner))
    values, left, right = (evaluate(expression, inner + side * beside) for side in (0, -1, 1))
    is_whole = numpy.isfinite(values) & (numpy.abs(right - left) <= _JUMP * (1 + numpy.abs(left)))
    return not bool(is_whole.all())


def blow_ups(
    expression: Expression, found: Singularities, *, domain: Interval
) -> dict[float, set[float]]:
    """The known singularities at which a function goes to infinity, and to which of the two."""
    infinities: dict[float, set[float]] = {}
    for place in found.places:
        for side in (-1.0, 1.0):
            near = place + side * _STEPS * max(1.0, abs(place))
            if not domain[0] <= near[0] <= domain[1]:
                continue
            values = evaluate(expression, near)
            sizes = numpy.abs(values)
            grows = bool((numpy.diff(sizes) > 0).all()) and sizes[-1] - sizes[0] > _GROWTH
            if numpy.isfinite(sizes).all() and grows:
                infinities.setdefault(place, set()).add(math.copysign(math.inf, values[-1]))
    return infinities


def _limited(expression: Expression, *, is_taken: bool = True) -> Iterator[_Limited]:
    if not isinstance(expression, Call):
        return
    match expression:
        case Call("div", (_, divisor)):
            yield _Limited(expression, divisor, 0.0, is_one_sided=False, is_taken=is_taken)
        case Call("pow", (base, Constant(exponent))) if exponent.is_integer():
            if exponent < 0:
                yield _Limited(expression, base, 0.0, is_one_sided=False, is_taken=is_taken)
        case Call("pow", (base, _)):
            yield _Limited(expression, base, 0.0, is_one_sided=True, is_taken=is_taken)
        case Call(primitive, (operand,)) if PRIMITIVES[primitive].domain != EVERYWHERE:
            least = PRIMITIVES[primitive].domain[0]
            yield _Limited(expression, operand, least, is_one_sided=True, is_taken=is_taken)
    for index, operand in enumerate(expression.operands):
        is_branch = expression.primitive == "where" and index > 0
        yield from _limited(operand, is_taken=is_taken and not is_branch)


def _is_free(limited: _Limited, known: dict[Expression, Interval]) -> bool:
    """Whether the operand never is what it must not be."""
    low, high = _bounds(limited.operand, EVERYWHERE, known)
    if low > limited.least or (high < limited.least and not limited.is_one_sided):
        return True
    if limited.is_one_sided and low >= limited.least and _is_finite_at(limited):
        return True
    match limited.operand:
        case Call("where", (Call("sub", (Call("abs", (a,)), Constant(b))), c, Constant(d))):
            # As in sin(a) / a: the divisor is a only where that is not near 0.
            if a == c and b > 0 and d != 0 and limited.least == 0:
                return not limited.is_one_sided
    return limited.least == 0 and _stays_above_zero(limited.operand)


def _zero_with(operand: Expression) -> list[Expression]:
    """What is 0 where an operand is."""
    match operand:
        case Call("neg" | "abs" | "square" | "cube", (inner,)):
            return _zero_with(inner)
        case Call("mul", (left, right)):
            parts = (left, right)
            return [part for each in parts if not _is_number(each) for part in _zero_with(each)]
        case _:
            return [operand]


def _is_number(expression: Expression) -> bool:
    return isinstance(expression, Constant) and expression.value != 0


def _roots(operand: Expression, least: float) -> list[float]:
    """Where an operand comes to a number within the reach of a grid."""
    values = evaluate(operand, _GRID) - least
    with numpy.errstate(invalid="ignore"):
        crossings = numpy.flatnonzero(values[:-1] * values[1:] < 0)[:_MOST_ROOTS]
    ends = [(float(_GRID[i]), float(_GRID[i + 1])) for i in crossings]
    touching = _GRID[values == 0][:_MOST_ROOTS]
    return [*map(float, touching), *(_bisected(operand, least, low, high) for low, high in ends)]


def _bisected(operand: Expression, least: float, low: float, high: float) -> float:
    sign = float(evaluate(operand, numpy.array(low))) - least
    for _ in range(60):
        middle = (low + high) / 2
        if (float(evaluate(operand, numpy.array(middle))) - least) * sign > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _is_finite_at(limited: _Limited) -> bool:
    """Whether the call has a finite value where the operand is the least that it may be."""
    others = limited.node.operands[1:]
    at = Call(limited.node.primitive, (Constant(limited.least), *others))
    return not at.uses_input and math.isfinite(float(evaluate(at, numpy.zeros(()))))


def _stays_above_zero(expression: Expression) -> bool:
    """Whether every value is positive, and none is 0; conservative."""
    match expression:
        case Constant(value):
            return value > 0
        case Call("add" | "mul" | "div" | "max" | "min" as primitive, (left, right)):
            sure = _stays_above_zero(left), _stays_above_zero(right)
            if primitive == "max":
                return any(sure)
            if primitive == "add" and any(sure):
                return all(bounds(operand)[0] >= 0 for operand in (left, right))
            return all(sure)
        case Call("square" | "cube" | "sqrt" | "abs", (operand,)):
            return _stays_above_zero(operand)
        case Call(primitive, _):
            row = PRIMITIVES[primitive]
            # What always rises never comes to the end of its range.
            return row.total and row.smooth and row.monotone == "rising" and row.range[0] >= 0
        case _:
            return False


def line(form: Expression) -> tuple[float, float] | None:
    """The slope and the start of a straight line that is not level, None for all else.

    Args:
        form: A sum, a difference or a product of what is in canonical form, or that itself.
    """
    parts = as_sum(form)
    match list(parts.terms.items()):
        case [(Variable(), slope)] if slope != 0:
            return slope, parts.constant
    return None
