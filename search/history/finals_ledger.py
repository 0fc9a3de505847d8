"""The fold of a campaign's finals: plans, training runs with their scores, looks, openings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from search.history.events import (
    FinalistScored,
    FinalistTrained,
    FinalsEnded,
    FinalsLooked,
    FinalsPlanned,
    TestDataOpened,
    Told,
)
from search.history.finals_plan import Plan, Stage
from search.history.finals_steps import Look, Opening, Run, run_key


@dataclass(frozen=True, slots=True)
class FinalsEnding:
    """Why finals ended, and when, in seconds since the epoch."""

    reason: str
    time: float


@dataclass
class Ledger:
    """The finals of a campaign; `add` takes its events in order.

    Attributes:
        plans: By the number of the finals, counted from 1.
        begun: Seconds since the epoch at which they were planned, by their number.
        runs: By `Run.key`, with their test scores once there are any.
        looks: By the number of the finals and the task.
        openings: Of test data.
        endings: By the number of the finals; those that go on are missing.
    """

    plans: dict[int, Plan] = field(default_factory=dict)
    begun: dict[int, float] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    looks: dict[tuple[int, str], list[Look]] = field(default_factory=dict)
    openings: list[Opening] = field(default_factory=list)
    endings: dict[int, FinalsEnding] = field(default_factory=dict)

    def add(self, told: Told) -> None:
        """Takes the next event; others than those of finals are passed over.

        Raises:
            ValueError: If it is of finals that were not planned, or scores a run that was not made.
        """
        match told.event:
            case FinalsPlanned(plan):
                self.plans[plan.number], self.begun[plan.number] = plan, told.time
            case FinalistTrained(run):
                self.runs[run.key] = run
            case FinalsLooked(finals, task, _, look):
                self._check_planned(finals)
                self.looks.setdefault((finals, task), []).append(look)
            case TestDataOpened(finals, dataset, runs):
                self._check_planned(finals)
                self.openings.append(Opening(finals, dataset, runs, told.time))
            case FinalistScored(key) as score:
                if key not in self.runs:
                    raise ValueError(f"test data were scored with a run that was not made, {key!r}")
                self.runs[key] = _scored(self.runs[key], score)
            case FinalsEnded(finals, reason):
                self._check_planned(finals)
                self.endings[finals] = FinalsEnding(reason, told.time)

    def _check_planned(self, finals: int) -> None:
        if finals not in self.plans:
            raise ValueError(f"finals {finals!r} were not planned")

    @property
    def last_plan(self) -> Plan | None:
        """Of the finals that were planned last, finished or not."""
        return self.plans.get(max(self.plans, default=0))

    def run(self, stage: Stage, candidate_id: str, seed: int) -> Run | None:
        """A training run, None if it has not been made."""
        rate, steps = stage.rate(candidate_id), stage.steps_of(candidate_id)
        key = run_key(candidate_id, stage.task, stage.dataset, steps, seed, rate)
        return self.runs.get(key)

    def looks_at(self, plan: Plan, stage: Stage) -> tuple[Look, ...]:
        """The looks at a stage so far."""
        return tuple(self.looks.get((plan.number, stage.task), ()))

    def is_open(self, plan: Plan, dataset: str) -> bool:
        """Whether these finals have opened the test data of a data set."""
        return any((o.finals, o.dataset) == (plan.number, dataset) for o in self.openings)


def opened_before(plan: Plan, openings: Iterable[Opening]) -> set[int]:
    """Numbers of the earlier finals that had opened test data which a plan's claim is about."""
    datasets = {stage.dataset for stage in plan.own}
    return {o.finals for o in openings if o.finals < plan.number and o.dataset in datasets}


def _scored(run: Run, score: FinalistScored) -> Run:
    return replace(
        run,
        test_outcome=score.outcome,
        reason=score.reason or run.reason,
        test_loss=score.test_loss,
        test_accuracy=score.test_accuracy,
    )
