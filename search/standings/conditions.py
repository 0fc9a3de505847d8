"""Under which conditions a function was scored: scores of equal ones may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluators.evaluation.evaluation import Evaluation
from evaluators.tasks import Task, task_title
from search.appraisal.yardstick import weights_of
from search.settings import Settings


@dataclass(frozen=True)
class Conditions:
    """All that decides on what a function scores on one task.

    Attributes:
        task: Name of the task, for people.
        dataset: Name of its data set.
        digest: Of the task's content: data, network and recipe.
        steps: Optimiser steps of each training run.
        seeds: Of the training runs.
        rates: Learning rates to choose from; empty for the recipe's own.
        explores: Whether each function was scored at its own best rate, and not at the field's.
        rate_seeds: How many of the seeds chose that rate, and did not count; 0 if all did both.
    """

    task: str = field(compare=False)
    dataset: str
    digest: str
    steps: int
    seeds: tuple[int, ...]
    rates: tuple[float, ...] = ()
    explores: bool = False
    rate_seeds: int = 0

    @property
    def budget(self) -> tuple[int, bool]:
        """Steps of all training runs, and whether the rate was its own; more is nearer the end."""
        return self.steps * len(self.seeds), self.explores

    @property
    def trained(self) -> str:
        """Steps and seeds in words."""
        return f"{self.steps} x {len(self.seeds)}"


@dataclass(frozen=True)
class RungConditions:
    """All that decides on what a function scores on a rung.

    Attributes:
        tasks: Of the rung, in order.
        weights: Of the tasks; None where the worst of them counts.
        is_appraised: Whether a score is an advantage over the baselines, or the plain one.
    """

    tasks: tuple[Conditions, ...]
    weights: tuple[float, ...] | None
    is_appraised: bool

    def was_kept(self, evaluation: Evaluation) -> bool:
        """Whether an evaluation on this rung was made on the data of its tasks."""
        over = evaluation.over_tasks
        used = [evaluation.dataset] if over is None else [on.dataset for on in over.tasks]
        return used == [each.dataset for each in self.tasks]

    def scores(self, evaluation: Evaluation) -> list[tuple[Conditions, float, float | None]]:
        """What an evaluation on this rung says of each task: conditions, score, learning rate.

        A task is left out on which the function learnt nothing, or other data were used.
        """
        over = evaluation.over_tasks
        if over is None:
            (only,) = self.tasks
            score = evaluation.plain_score
            is_its_own = score is not None and evaluation.dataset == only.dataset
            return [(only, score, None)] if is_its_own and score is not None else []
        return [
            (each, on.score, on.learning_rate)
            for each, on in zip(self.tasks, over.tasks, strict=True)
            if on.score is not None and on.dataset == each.dataset
        ]


def rung_conditions(settings: Settings, tasks: Mapping[str, Task]) -> tuple[RungConditions, ...]:
    """Those of each rung of a campaign.

    Args:
        settings: Of the campaign.
        tasks: That are really trained, by the names in the settings.
    """
    scoring = settings.scoring
    found = []
    for number, (rung, fidelity) in enumerate(zip(scoring.rungs, scoring.fidelities, strict=True)):
        names = scoring.tasks_of(rung) or settings.search_tasks
        legs = tuple(
            Conditions(
                task=task_title(tasks[name].name, tasks[name].data.name),
                dataset=tasks[name].data.name,
                digest=tasks[name].digest,
                steps=fidelity.steps,
                seeds=fidelity.seeds,
                rates=scoring.learning_rates,
                explores=scoring.explores(number),
                rate_seeds=rung.rate_seeds or 0,
            )
            for name in names
        )
        weights = weights_of(scoring.aggregate, names)
        found.append(RungConditions(legs, weights, scoring.is_appraised))
    return tuple(found)
