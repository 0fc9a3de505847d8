"""What training the whole network takes with each function, against ReLU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import Task
from grammars import Activation, activation_id, parse
from search.executors import Executor, Interrupted, Stopping
from search.history import Measured, Plan, find_measurement, write
from search.journal.journal import Journal
from search.launching.tuning import OpenExecutor

_STEPS: Final = 400
_REPEATS: Final = 5
_REFERENCE: Final = "relu"
# Measured on a busy machine, more than this is an accident.
_MOST: Final = 100.0


@dataclass(frozen=True)
class Timekeeper:
    """Times trainings of single functions in turn with ReLU's; the journal is its memory.

    Attributes:
        journal: Of the campaign.
        open_executor: Gives one worker of a task, once there is anything to time.
        stopping: Ends it after the running training.
    """

    journal: Journal
    open_executor: OpenExecutor
    stopping: Stopping

    def costs(self, task: Task, functions: Sequence[Activation]) -> dict[str, float]:
        """Seconds of training over those of ReLU's by id, the median of some; 1 if it failed.

        Raises:
            Interrupted: If `stopping` was set; what was timed by then is kept.
        """
        reference = parse(_REFERENCE)
        timed = list({activation_id(each): each for each in (reference, *functions)}.values())
        wanted = [(each, n) for n in range(1, _REPEATS + 1) for each in timed]
        if missing := [pair for pair in wanted if self._found(task, *pair) is None]:
            with self.open_executor(task) as executor:
                # All are compiled into one program first, and that is not timed.
                for _ in executor.evaluate(timed, Fidelity(1, (0,)), stopping=self.stopping):
                    pass
                for function, number in missing:
                    self._time(executor, task, function, number)
        seconds = {
            activation_id(each): [self._seconds(task, each, n) for n in range(1, _REPEATS + 1)]
            for each in timed
        }
        usual = seconds[activation_id(timed[0])]
        ratios = {
            key: median(own / other for own, other in zip(each, usual, strict=True))
            for key, each in seconds.items()
        }
        return {key: ratio if 1 / _MOST < ratio < _MOST else 1.0 for key, ratio in ratios.items()}

    def _time(self, executor: Executor, task: Task, function: Activation, number: int) -> None:
        if self.stopping.is_set():
            raise Interrupted
        # A seed of its own each time: nothing is known of it before.
        fidelity = Fidelity(_STEPS, (number,))
        batches = executor.evaluate([function], fidelity, stopping=self.stopping)
        key = _key(task, function, number)
        write(self.journal, (Measured(key, each) for batch in batches for each in batch))

    def _found(self, task: Task, function: Activation, number: int) -> Evaluation | None:
        return find_measurement(self.journal, _key(task, function, number))

    def _seconds(self, task: Task, function: Activation, number: int) -> float:
        found = self._found(task, function, number)
        return found.seconds if found is not None and found.per_seed else math.nan


def with_equal_time(plan: Plan, timekeeper: Timekeeper) -> Plan:
    """The plan with each entrant's own steps where all are to take the time of ReLU's.

    Raises:
        Interrupted: See `Timekeeper`.
    """
    stages = []
    for stage in plan.stages:
        if stage.purpose == "equal time":
            functions = [plan.entrant(identity).activation for identity in stage.entrants]
            costs = timekeeper.costs(stage.trained, functions)
            steps = {each: max(1, round(stage.steps / costs[each])) for each in stage.entrants}
            stages.append(replace(stage, own_steps=steps))
        else:
            stages.append(stage)
    return replace(plan, stages=tuple(stages))


def _key(task: Task, function: Activation, number: int) -> str:
    return f"cost/{activation_id(function)}@{task.digest}@{_STEPS}@{number}"
