"""Whether finals can be what a journal says of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from evaluators.evaluation.diagnostics import Diagnostics
from evaluators.evaluation.evaluation import Outcome
from grammars import parse_activation
from search.history.events import FinalistScored, FinalsEnded, FinalsLooked, TestDataOpened
from search.history.finals_plan import PROTOCOLS, Plan, Stage
from search.history.finals_steps import Run

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Step = FinalsLooked | TestDataOpened | FinalistScored | FinalsEnded

_TRIED: Final = ("considered", "distinct", "trained")


def check_plan(document: Mapping[str, Any], plan: Plan) -> None:
    """Makes sure that finals could be held so.

    Args:
        document: As the journal holds it.
        plan: What was read from it.

    Raises:
        ValueError: If a part has another type, or says what no plan can say.
    """
    _adapter(Plan).validate_python(document)
    if problems := list(_contradictions(plan)):
        raise ValueError("; ".join(problems))


def check_run(document: Mapping[str, Any]) -> None:
    """Makes sure that a training run has what every run has.

    Raises:
        ValueError: If a part has another type, or a scored run was never validated.
    """
    # What was diagnosed is read by its own rules, of which older journals need some.
    run = _adapter(Run).validate_python({**document, "diagnostics": None})
    if document["diagnostics"] is not None:
        found = _adapter(Diagnostics).validate_python(document["diagnostics"])
        if not found.gradient_norms or not found.mean_output:
            raise ValueError("diagnostics of no layer")
    if run.outcome is Outcome.SCORED and not run.curve:
        raise ValueError("a scored run without a curve")


def check_step(of: type[Step], document: Mapping[str, Any]) -> None:
    """Makes sure that another step of finals has what every such step has.

    Args:
        of: What step.
        document: As the journal holds it.

    Raises:
        ValueError: If a part has another type.
    """
    _adapter(of).validate_python(document)


_ADAPTERS: Final[dict[type[Any], Any]] = {}


def _adapter(of: type[Any]) -> TypeAdapter[Any]:
    """Most journals are read before they hold finals: pydantic comes with the first of them."""
    if of not in _ADAPTERS:
        from pydantic import TypeAdapter

        _ADAPTERS[of] = TypeAdapter(of)
    adapter: TypeAdapter[Any] = _ADAPTERS[of]
    return adapter


def _contradictions(plan: Plan) -> Iterator[str]:
    ids = [entrant.candidate_id for entrant in plan.entrants]
    for entrant in plan.entrants:
        for text in (entrant.expression, entrant.written):
            parse_activation(text)
    if len(set(ids)) < len(ids) or not plan.finalists:
        yield "its entrants are not distinct functions with a finalist among them"
    if plan.protocol not in (known := [each.number for each in PROTOCOLS]):
        yield f"its protocol is {plan.protocol}; this version knows {', '.join(map(str, known))}"
    if not set(plan.rivals) <= plan.titles.keys():
        yield "a rival does not take part"
    if not 0.0 < plan.error_rate < 1.0 or not _is_positive(plan.half_width_points):
        yield "its error rate or half width is beyond all measure"
    if not set(_TRIED) <= set(plan.tried):
        yield f"it does not say how many functions were {', '.join(_TRIED)}"
    if not plan.stages or not plan.rivals:
        yield "it has no stage or no rival"
    finalists = {entrant.candidate_id for entrant in plan.finalists}
    for stage in plan.stages:
        if not finalists <= set(stage.entrants) <= set(ids):
            yield f"on {stage.task!r} others take part than its finalists and entrants"
        for own in (stage.rates, stage.own_steps):
            if own and own.keys() != set(stage.entrants):
                yield f"on {stage.task!r} others have learning rates or steps than take part"
        yield from _of_stage(stage)
    if not plan.own or plan.stages[: len(plan.own)] != plan.own:
        yield "the stages that it claims something about do not come first"


def _of_stage(stage: Stage) -> Iterator[str]:
    if not _ascends(stage.looks) or not _ascends(stage.checkpoints):
        yield f"on {stage.task!r} looks and checkpoints must be positive and ascend"
    rates = (stage.learning_rate, *stage.rates.values())
    steps = (stage.steps, *stage.own_steps.values())
    if min(steps) < 1 or stage.classes < 0 or not all(map(_is_positive, rates)):
        yield f"on {stage.task!r} steps and learning rate must be positive"


def _ascends(numbers: Sequence[int]) -> bool:
    return bool(numbers) and numbers[0] > 0 and all(a < b for a, b in pairwise(numbers))


def _is_positive(number: float) -> bool:
    return math.isfinite(number) and number > 0.0
