"""Compares functions on seeds that nothing was chosen by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.statistics.comparison import Comparison, compare, verdict
from evaluators.tasks import Task
from grammars import Activation, parse_activation
from search.executors.site import Site
from search.trials.protocol import score

# Above those of any search and of finals, unless their settings say otherwise.
_FIRST_SEED: Final = 3_000_000
_UNIT: Final = "of score"


@dataclass(frozen=True, repr=False)
class Compared:
    """Functions trained on the same fresh seeds, and how far apart they are.

    The score is compared: minus the logarithm of the validation loss. These are validation data;
    what may be claimed on test data comes from finals.

    Attributes:
        fidelity: Of every training run.
        evaluations: By the function as it was named.
        comparisons: Of each function with each rival, differences in the score.
    """

    fidelity: Fidelity
    evaluations: Mapping[str, Evaluation]
    comparisons: tuple[Comparison, ...]

    def __repr__(self) -> str:
        lines = [f"Compared by {self.fidelity}:"]
        for name, evaluation in self.evaluations.items():
            own = [each for each in self.comparisons if each.function == name]
            reason = f"{evaluation.outcome}: {evaluation.reason}"
            came_to = reason if evaluation.score is None else f"score {evaluation.score:.4f}"
            said = verdict(own, titles={}, unit=_UNIT) if own else ""
            lines.append(f"  {name}: {came_to}{'; ' if said else ''}{said}")
        return "\n".join(lines)


def compare_functions(
    functions: Sequence[str | Activation],
    *,
    rivals: Sequence[str],
    task: Task,
    steps: int,
    seeds: int,
    used: Sequence[int],
    site: Site,
) -> Compared:
    """Trains functions under one protocol and compares each with each rival.

    Args:
        functions: Expressions or catalogue names.
        rivals: Expressions or catalogue names of those to compare with.
        task: What to train on.
        steps: Of each training run.
        seeds: How many of them.
        used: Seeds by which something was chosen; none of them is used again.
        site: Where to train.

    Raises:
        ParseError: If a text is no expression.
        DatasetUnavailable: If there are no data to train on.
    """
    first = max(_FIRST_SEED, *(seed + 1 for seed in used))
    fidelity = Fidelity(steps, tuple(range(first, first + seeds)))
    parsed = {
        str(each): parse_activation(each) if isinstance(each, str) else each
        for each in [*functions, *rivals]
    }
    records = score([*parsed.values()], fidelity, task=task, site=site)
    evaluations = dict(zip(parsed, records, strict=True))
    values = {name: _scores(record, seeds) for name, record in evaluations.items()}
    return Compared(fidelity, evaluations, compare(values, rivals=rivals))


def _scores(record: Evaluation, seeds: int) -> list[float]:
    """One a seed; NaN, which no pair takes in, of what was rejected or diverged."""
    return [each.score for each in record.per_seed] or [float("nan")] * seeds
