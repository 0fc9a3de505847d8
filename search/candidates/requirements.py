"""Whether a function is what a campaign requires, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from grammars import Activation, Expression, evaluate, functions_of
from grammars.analysis.properties import UNKNOWN, properties
from search.candidates.objectives import cost_of
from search.settings import RequireSettings

# Where analysis cannot tell whether a function is bounded: out there, against the middle.
_MIDDLE = np.linspace(-100.0, 100.0, 20_001)
_FAR = np.concatenate([-np.geomspace(1e4, 100.0, 400), np.geomspace(100.0, 1e4, 400)])
_ROOM = 1e-3


def unmet(activation: Activation, require: RequireSettings) -> str | None:
    """What a function lacks, in words; None if nothing.

    Answers come from `grammars.analysis.properties`; where analysis cannot tell, from values.

    Args:
        activation: One function or several, each of which must be as required.
        require: What is required; a cost of the mean over the functions.
    """
    if (limit := require.max_relative_cost) is not None and (cost := cost_of(activation)) > limit:
        return f"required: a cost of at most {limit:g} times ReLU's, and it is about {cost:.3g}"
    for function in functions_of(activation):
        for sentence in _lacking(function, require):
            return f"required: {sentence}"
    return None


def _lacking(function: Expression, require: RequireSettings) -> Iterator[str]:
    """All that a function lacks, what is quickly seen first."""
    asked = require.model_dump(exclude={"max_relative_cost"}, exclude_none=True)
    if not asked:
        return
    known = {name: each.value for name, each in properties(function).items()}
    if require.symmetry is not None and known["symmetry"] != require.symmetry:
        yield f"an {require.symmetry} function, and it is {_symmetry_word(known)}"
    if require.zero_at_zero and not known["zero_at_zero"]:
        yield f"f(0) = 0, and it is {float(evaluate(function, np.zeros(()))):.3g}"
    if require.monotone and known["monotone"] == "no":
        yield "a monotone function, and it both rises and falls"
    if require.smooth and known["smooth"] is not True:
        places = [*known["kinks"], *known["jumps"]]
        yield f"a smooth function, and it {_break_words(places)}"
    if (slopes := require.slopes) is not None:
        yield from _steep(slopes, known)
    for asked_for, name, sign in (
        (require.bounded_below or require.bounded, "bounded_below", 1.0),
        (require.bounded, "bounded_above", -1.0),
    ):
        if asked_for and not _is_bounded(function, known[name], sign):
            yield f"a function {name.replace('_', ' ')}, and it is not"


def _steep(slopes: tuple[float, float], known: Mapping[str, Any]) -> Iterator[str]:
    ends = known["derivative_range"]
    low, high = (None if end == UNKNOWN else float(end) for end in ends)
    within = f"slopes from {slopes[0]:g} to {slopes[1]:g}"
    if low is None or high is None:
        yield f"{within}, and its own could not be bounded"
    elif low < slopes[0] - 1e-9 or high > slopes[1] + 1e-9:
        yield f"{within}, and it has slopes from {low:.3g} to {high:.3g}"


def _is_bounded(function: Expression, answer: Any, sign: float) -> bool:
    """By analysis; where that cannot tell, by whether it goes further out there than here."""
    if answer != UNKNOWN:
        return bool(answer)
    with np.errstate(all="ignore"):
        middle, far = (sign * evaluate(function, points) for points in (_MIDDLE, _FAR))
    least = float(np.nanmin(middle))
    return bool((far >= least - _ROOM * (1.0 + abs(least))).all())


def _symmetry_word(known: Mapping[str, Any]) -> str:
    word = known["symmetry"]
    return "neither odd nor even" if word == "neither" else str(word)


def _break_words(places: list[float]) -> str:
    if not places:
        return "cannot be shown to be one"
    return f"breaks at {', '.join(f'{place:g}' for place in places[:3])}"
