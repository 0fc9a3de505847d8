"""What training the whole network takes with each function, against ReLU."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import Task
from grammars import Activation, activation_id, parse
from search.executors import Executor, Interrupted, Stopping
from search.history import Memory, Plan, remembered
from search.journal.journal import Journal
from search.launching.tuning import OpenExecutor, when_needed

_STEPS: Final = 400
_REPEATS: Final = 5
_REFERENCE: Final = "relu"
# Comes first in each round, and counts for nothing: what a seed needs, such as the order of the
# data, is made for the first that asks. Were that ReLU, all others would seem cheaper by a tenth.
_BYSTANDER: Final = "cos(x) - 2"
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
        in_turn = (parse(_BYSTANDER), reference, *functions)
        timed = list({activation_id(each): each for each in in_turn}.values())
        with when_needed(lambda: self._warmed(task, timed)) as worker:
            rounds = [
                self._seconds(task, timed, number, worker) for number in range(1, _REPEATS + 1)
            ]
        usual = [each[activation_id(reference)] for each in rounds]
        ratios = {
            key: [each[key] / other for each, other in zip(rounds, usual, strict=True)]
            for key in map(activation_id, functions)
        }
        return {key: _usual(timed) for key, timed in ratios.items()}

    @contextmanager
    def _warmed(self, task: Task, functions: Sequence[Activation]) -> Iterator[Executor]:
        """A worker that has compiled all of them into one program, which is not timed."""
        with self.open_executor(task) as executor:
            for _ in executor.evaluate(functions, Fidelity(1, (0,)), stopping=self.stopping):
                pass
            yield executor

    def _seconds(
        self,
        task: Task,
        functions: Sequence[Activation],
        number: int,
        worker: Callable[[], Executor],
    ) -> dict[str, float]:
        """What the training of each takes, one after the other; NaN where it came to nothing."""

        def train(
            missing: Sequence[tuple[Fidelity, Sequence[Activation]]],
        ) -> Iterator[tuple[Fidelity, list[Evaluation]]]:
            for fidelity, some in missing:
                for function in some:
                    if self.stopping.is_set():
                        raise Interrupted
                    for batch in worker().evaluate([function], fidelity, stopping=self.stopping):
                        yield fidelity, batch

        def key(identity: str, _: Fidelity) -> str:
            return f"step/{identity}@{task.digest}@{_STEPS}@{number}"

        # A seed of its own each time: nothing is known of it before.
        asked = [(Fidelity(_STEPS, (number,)), functions)]
        memory = Memory.of_measurements(self.journal, key)
        (found,) = remembered(asked, memory=memory, train=train)
        return {each.candidate_id: each.seconds if each.per_seed else math.nan for each in found}


def _usual(ratios: Sequence[float]) -> float:
    """The median of those that are known; 1 without any, and where none can be meant."""
    known = [ratio for ratio in ratios if math.isfinite(ratio)]
    usual = median(known) if known else 1.0
    return usual if 1 / _MOST < usual < _MOST else 1.0


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
