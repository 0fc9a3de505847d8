"""What finals leave in the journal: training runs, looks, openings of test data, scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from evaluators.diagnostics import Diagnostics
from evaluators.evaluation import Outcome
from search.finals.plan import Plan, Stage
from search.journal import Event, Journal, Kind

FINALS_KINDS: Final[tuple[Kind, ...]] = (
    "finals_plan",
    "finals_run",
    "finals_look",
    "test_opening",
    "finals_score",
    "finals_end",
)


@dataclass(frozen=True)
class Point:
    """Of a training curve: what the validation split said after so many steps."""

    steps: int
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class Run:
    """One function trained with one seed, apart from its test score.

    Attributes:
        candidate_id: Whose.
        task: On which, a learning rate of its own included.
        dataset: On whose data.
        steps: Optimiser steps.
        seed: Of the initial weights and the order of the data.
        outcome: Scored, diverged or failed.
        reason: Why it was not scored.
        curve: Validation at the stage's checkpoints, as far as it came.
        diagnostics: After the last step.
        seconds: Wall time of training.
        test_loss: Mean cross-entropy in nats over the test split; None before it was opened.
        test_accuracy: Share of the test split that is classified rightly, 0 to 1.
    """

    candidate_id: str
    task: str
    dataset: str
    steps: int
    seed: int
    outcome: Outcome
    reason: str | None = None
    curve: tuple[Point, ...] = ()
    diagnostics: Diagnostics | None = None
    seconds: float = 0.0
    test_loss: float | None = None
    test_accuracy: float | None = None

    @property
    def key(self) -> str:
        """Under which the journal knows it: the same in all finals of a campaign."""
        return run_key(self.candidate_id, self.task, self.dataset, self.steps, self.seed)

    def to_json(self) -> dict[str, Any]:
        """A JSON document without the test score, which is an event of its own."""
        document = asdict(self)
        del document["test_loss"], document["test_accuracy"]
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Run:
        """Restores a run."""
        diagnostics = document["diagnostics"]
        return cls(
            **{
                **document,
                "outcome": Outcome(document["outcome"]),
                "curve": tuple(Point(**point) for point in document["curve"]),
                "diagnostics": None if diagnostics is None else Diagnostics.from_json(diagnostics),
            }
        )


@dataclass(frozen=True)
class Look:
    """A pause to see whether there are seeds enough; it sees validation data only.

    Attributes:
        seeds: How many were done.
        half_width_points: Of the widest interval of a finalist against a rival; None unless all
            of them have an interval.
        is_last: Whether the stage ended here.
        decision: In words.
    """

    seeds: int
    half_width_points: float | None
    is_last: bool
    decision: str


@dataclass(frozen=True)
class Opening:
    """Test data were opened.

    Attributes:
        finals: Number of the finals that did.
        dataset: Whose test split.
        runs: How many trained networks were to be scored on it.
        time: Seconds since the epoch.
    """

    finals: int
    dataset: str
    runs: int
    time: float


@dataclass
class Ledger:
    """The fold of a journal's finals; `add` takes its events in order."""

    plans: dict[int, Plan] = field(default_factory=dict)
    begun: dict[int, Event] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    looks: dict[tuple[int, str], list[Look]] = field(default_factory=dict)
    openings: list[Opening] = field(default_factory=list)
    endings: dict[int, str] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Takes the next event; others than those of finals are passed over."""
        payload = dict(event.payload)
        match event.kind:
            case "finals_plan":
                plan = Plan.from_json(payload)
                self.plans[plan.number], self.begun[plan.number] = plan, event
            case "finals_run":
                self.runs[event.key] = Run.from_json(payload)
            case "finals_look":
                place = (payload.pop("finals"), payload.pop("task"))
                self.looks.setdefault(place, []).append(Look(**payload))
            case "test_opening":
                self.openings.append(Opening(**payload, time=event.time))
            case "finals_score":
                payload["outcome"] = Outcome(payload["outcome"])
                self.runs[event.key] = replace(self.runs[event.key], **payload)
            case "finals_end":
                self.endings[payload["finals"]] = payload["reason"]

    def run(self, stage: Stage, candidate_id: str, seed: int) -> Run | None:
        """A training run, None if it has not been made."""
        return self.runs.get(run_key(candidate_id, stage.task, stage.dataset, stage.steps, seed))

    def looks_at(self, plan: Plan, stage: Stage) -> tuple[Look, ...]:
        """The looks at a stage so far."""
        return tuple(self.looks.get((plan.number, stage.task), ()))


def read_ledger(journal: Journal) -> Ledger:
    """All that the journal tells of finals."""
    ledger = Ledger()
    for event in journal.events(*FINALS_KINDS):
        ledger.add(event)
    return ledger


def run_key(candidate_id: str, task: str, dataset: str, steps: int, seed: int) -> str:
    """Key of a training run and of its test score."""
    return f"{candidate_id}/{task}/{dataset}/{steps}/{seed}"
