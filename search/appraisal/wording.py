"""Several tasks in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluators.statistics.comparison import listed
from search.appraisal.yardstick import weights_of


def tasks_by_weight(tasks: Sequence[str], aggregate: str | Mapping[str, float]) -> str:
    """Names the tasks of a score, and says how they count where they don't count alike.

    Args:
        tasks: Their names.
        aggregate: What becomes of the advantages on them; see `combined`.
    """
    weights = weights_of(aggregate, tasks)
    if weights is None:
        return f"the worst of {listed(tasks)}"
    if len(set(weights)) == 1:
        return listed(tasks)
    return listed([f"{task} (weight {w:g})" for task, w in zip(tasks, weights, strict=True)])
