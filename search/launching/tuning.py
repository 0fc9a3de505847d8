"""Finds each function's own learning rate before finals: on validation data, with own seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import Task
from grammars import Activation, activation_id
from search.appraisal.rates import or_worst, refined, wanted_rates
from search.executors import Executor, Interrupted, Stopping
from search.executors.at_once import trained_at_once
from search.finals import FinalsError
from search.history import Memory, Plan, remembered
from search.journal.journal import Journal

# Each function meets so many rates on either side of the recipe's, a factor of two apart.
_AT_LEAST: Final = 2
# A best rate further away is no learning rate of a network that trains.
_AT_MOST: Final = 10

# Of a training in the journal; the function, the task by its content and the fidelity follow.
_PREFIX: Final = "rates/"

_Scores = Callable[[Mapping[float, Sequence[Activation]]], dict[float, dict[str, float]]]
"""Minus the mean log validation loss by rate and id; minus infinity where nothing was learnt."""

OpenExecutor = Callable[[Task], AbstractContextManager[Executor]]
"""Workers that train on a task and score on its validation split."""


@dataclass(frozen=True)
class Tuner:
    """Trains functions at several rates; the journal is its memory.

    Attributes:
        journal: Of the campaign.
        open_executor: Gives the workers of a task, once there is anything to train.
        stopping: Ends it after the running batches.
        seeds: Of each training that a learning rate is chosen by.
        meeting_seeds: Of each at which contenders meet.
        announce: Receives sentences for people.
    """

    journal: Journal
    open_executor: OpenExecutor
    stopping: Stopping
    seeds: tuple[int, ...]
    meeting_seeds: tuple[int, ...]
    announce: Callable[[str], None]

    def own_rates(
        self, task: Task, functions: Sequence[Activation], steps: int
    ) -> dict[str, float]:
        """Each function's own best rate on a task, see `refined`, by its id.

        At least five rates are tried, and further ones outwards while they are better. The rate of
        a function that learns at none is the recipe's.

        Raises:
            Interrupted: If `stopping` was set; what was trained by then is kept.
        """
        usual = task.recipe.learning_rate
        grid = [usual * 2.0**power for power in range(-_AT_MOST, _AT_MOST + 1)]
        tried: dict[str, dict[float, float]] = {activation_id(each): {} for each in functions}
        wanted = {
            rate: list(functions) for rate in grid[_AT_MOST - _AT_LEAST : _AT_MOST + _AT_LEAST + 1]
        }
        with self._trainer(task, steps, self.seeds) as scores:
            while wanted:
                for rate, by_function in scores(wanted).items():
                    for identity, score in by_function.items():
                        tried[identity][rate] = score
                learning = [each for each in functions if _learns(tried[activation_id(each)])]
                missing = wanted_rates([tried[activation_id(each)] for each in learning], grid)
                wanted = {
                    rate: [learning[number] for number in numbers]
                    for rate, numbers in missing.items()
                }
        return {
            identity: refined(known) if _learns(known) else usual
            for identity, known in tried.items()
        }

    def at_usual(self, task: Task, functions: Sequence[Activation], steps: int) -> dict[str, float]:
        """Scores at the recipe's rate, with the first of the seeds, by id.

        Raises:
            Interrupted: As `own_rates`.
        """
        with self._trainer(task, steps, self.seeds[:1]) as scores:
            usual = task.recipe.learning_rate
            return scores({usual: functions})[usual]

    def meet(
        self, task: Task, functions: Sequence[Activation], steps: int, rates: Mapping[str, float]
    ) -> dict[str, float]:
        """Scores with the further seeds, by id, each function at its own of `rates`.

        Raises:
            Interrupted: As `own_rates`.
        """
        wanted: dict[float, list[Activation]] = {}
        for each in functions:
            wanted.setdefault(rates[activation_id(each)], []).append(each)
        with self._trainer(task, steps, self.meeting_seeds) as scores:
            found = scores(wanted).values()
        return {identity: score for by_function in found for identity, score in by_function.items()}

    @contextmanager
    def _trainer(self, task: Task, steps: int, seeds: tuple[int, ...]) -> Iterator[_Scores]:
        """Gives what trains on a task."""
        named = ",".join(map(str, seeds))

        def key(identity: str, how: Fidelity) -> str:
            return f"{_PREFIX}{identity}@{task.digest}@{steps}@{named}@{how.learning_rate!r}"

        memory = Memory.of_measurements(self.journal, key)

        def opened() -> AbstractContextManager[Executor]:
            self.announce(f"finals: looking for learning rates on {task.name}")
            return self.open_executor(task)

        with when_needed(opened) as workers:

            def working() -> Executor:
                if self.stopping.is_set():
                    raise Interrupted
                return workers()

            def scores(
                wanted: Mapping[float, Sequence[Activation]],
            ) -> dict[float, dict[str, float]]:
                rates = sorted(wanted)
                trainings = remembered(
                    [(Fidelity(steps, seeds, rate), wanted[rate]) for rate in rates],
                    memory=memory,
                    train=lambda missing: trained_at_once(
                        working(), missing, stopping=self.stopping
                    ),
                )
                return {
                    rate: {each.candidate_id: or_worst(each.plain_score) for each in some}
                    for rate, some in zip(rates, trainings, strict=True)
                }

            yield scores


def whose_rates(key: str) -> str | None:
    """The id of the function that a measurement was made of for its learning rate, else None."""
    return key[len(_PREFIX) :].partition("@")[0] if key.startswith(_PREFIX) else None


def check_rates(tasks: Iterable[Task]) -> None:
    """Makes sure that functions can have learning rates of their own on all of them.

    Raises:
        FinalsError: If a task decides on learning rates by itself.
    """
    for task in tasks:
        if task.objective is not None:
            raise FinalsError(
                f"finals.own_rates: {task.name} is an objective of its own, which decides on "
                "learning rates by itself; leave own_rates out"
            )


def with_own_rates(plan: Plan, tuner: Tuner) -> Plan:
    """The plan with each entrant's own learning rate on each of its tasks.

    Raises:
        FinalsError: If a task decides on learning rates by itself.
        Interrupted: See `Tuner`.
    """
    check_rates(stage.trained for stage in plan.stages)
    stages = []
    for stage in plan.stages:
        functions = [plan.entrant(identity).activation for identity in stage.entrants]
        rates = tuner.own_rates(stage.trained, functions, stage.steps)
        stages.append(replace(stage, rates=rates))
    return replace(plan, stages=tuple(stages), rate_seeds=len(tuner.seeds))


def _learns(tried: Mapping[float, float]) -> bool:
    return max(tried.values()) > -math.inf


@contextmanager
def when_needed(
    opened: Callable[[], AbstractContextManager[Executor]],
) -> Iterator[Callable[[], Executor]]:
    """Gives workers that start when they are asked for, and stay to the end."""
    with ExitStack() as workers:
        yield cache(lambda: workers.enter_context(opened()))
