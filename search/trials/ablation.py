"""Which part of a function matters: each is replaced by a simple stand-in, and the rest scored."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.steps.moments import mean
from grammars import Call, Constant, Expression, Parameter, Variable, canonical, expression_id
from search.trials.measuring import Measurements, measurement_key

# The largest parts come first, so what is left out of an ablation are details of a long formula.
MOST_VARIANTS: Final = 24

_MEAN_DIGITS: Final = 3
_LEAST_MEAN: Final = 1e-9  # of an odd function nothing but rounding is left

# What a number may be replaced by without any trace: what leaves the operation's other side alone.
_NEUTRAL: Final = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0, "pow": 1.0}


@dataclass(frozen=True)
class Variant:
    """A function with one part replaced.

    Attributes:
        path: Where the part was: the position of the operand on each level, from the root.
        part: What was there.
        stand_in: What is there now: `x`, the mean of the part for x from N(0, 1), or for a number
            the one that has no effect there.
        expression: The function that results, in canonical form.
    """

    path: tuple[int, ...]
    part: Expression
    stand_in: Expression
    expression: Expression


@dataclass(frozen=True)
class Effect:
    """What replacing one part did.

    Attributes:
        variant: The replacement.
        outcome: How training the rest ended; a rest that a probe rejects cannot learn at all.
        reason: Why it was not scored; None if it was.
        changes: For each seed, the score of the rest minus that of the whole function; below 0 the
            part is worth having. Empty unless scored.
    """

    variant: Variant
    outcome: Outcome
    reason: str | None
    changes: tuple[float, ...]

    @property
    def change(self) -> float | None:
        """Mean over the seeds; None unless scored."""
        return statistics.fmean(self.changes) if self.changes else None


@dataclass(frozen=True)
class Ablation:
    """The parts of a function, what matters most first.

    Attributes:
        expression: The whole function, in canonical form.
        fidelity: What each variant was granted, as in the race.
        score: Of the whole function at that fidelity.
        effects: One for each variant that was measured.
    """

    expression: Expression
    fidelity: Fidelity
    score: float
    effects: tuple[Effect, ...]

    @property
    def noise(self) -> float | None:
        """The standard error of a change: what the luck of the seeds alone may make of it.

        The median over the variants, since two seeds say little about one of them; None with
        fewer than two seeds.
        """
        spreads = [statistics.stdev(e.changes) for e in self.effects if len(e.changes) > 1]
        seeds = len(self.fidelity.seeds)
        return statistics.median(spreads) / seeds**0.5 if spreads else None


def variants(expression: Expression) -> list[Variant]:
    """Every function that replacing one part by its stand-ins gives, the largest parts first.

    The mean as a stand-in tells whether it matters that a part varies, `x` whether it matters how
    (after Meyes, Lu, de Puiseux, Meisen, Ablation Studies in Artificial Neural Networks, 2019).

    Args:
        expression: The function; its canonical form is taken apart.

    Returns:
        At most `MOST_VARIANTS`, none of them equal to another or to the function itself.
    """
    whole = canonical(expression)
    seen, found = {expression_id(whole)}, []
    for path, part, above in _parts(whole):
        for stand_in in _stand_ins(part, above):
            rest = canonical(_replaced(whole, path, stand_in))
            if expression_id(rest) not in seen:
                seen.add(expression_id(rest))
                found.append(Variant(path, part, stand_in, rest))
    return found[:MOST_VARIANTS]


def to_measure(expression: Expression) -> list[Expression]:
    """What an ablation needs scores of: the canonical form itself, then its variants."""
    return [canonical(expression), *(variant.expression for variant in variants(expression))]


def ablation(
    expression: Expression, fidelity: Fidelity, *, measured: Measurements
) -> Ablation | None:
    """What was measured of a function's parts.

    Returns:
        None where the function itself was not measured, or could not be scored.
    """
    whole = measured.get(measurement_key(expression, fidelity))
    if whole is None or whole.score is None:
        return None
    effects = [
        _effect(variant, whole, measured[key])
        for variant in variants(expression)
        if (key := measurement_key(variant.expression, fidelity)) in measured
    ]
    # What cannot even be trained is what matters most.
    effects.sort(key=lambda effect: float("-inf") if effect.change is None else effect.change)
    return Ablation(canonical(expression), fidelity, whole.score, tuple(effects))


def _effect(variant: Variant, whole: Evaluation, rest: Evaluation) -> Effect:
    changes = tuple(
        after.score - before.score
        for before, after in zip(whole.per_seed, rest.per_seed, strict=False)
    )
    return Effect(variant, rest.outcome, rest.reason, changes)


def _parts(whole: Expression) -> Iterator[tuple[tuple[int, ...], Expression, str]]:
    """Path, part and the operation above of every node but the root, level by level."""
    pending: deque[tuple[tuple[int, ...], Expression]] = deque([((), whole)])
    while pending:
        path, node = pending.popleft()
        for place, argument in enumerate(node.arguments):
            assert isinstance(node, Call)
            yield (*path, place), argument, node.primitive
            pending.append(((*path, place), argument))


def _stand_ins(part: Expression, above: str) -> tuple[Expression, ...]:
    if isinstance(part, Constant | Parameter):
        return (Constant(_NEUTRAL.get(above, 0.0)),)
    average = mean(part)
    number = float(f"{average:.{_MEAN_DIGITS}g}") if abs(average) > _LEAST_MEAN else 0.0
    stand_in = Constant(number)
    return (stand_in,) if isinstance(part, Variable) else (Variable(), stand_in)


def _replaced(node: Expression, path: tuple[int, ...], stand_in: Expression) -> Expression:
    if not path:
        return stand_in
    assert isinstance(node, Call)
    operands = list(node.operands)
    operands[path[0]] = _replaced(operands[path[0]], path[1:], stand_in)
    return Call(node.primitive, tuple(operands))
