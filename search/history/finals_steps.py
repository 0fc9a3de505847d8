"""What finals come to step by step: training runs, looks, openings of test data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evaluators.evaluation.diagnostics import Diagnostics
from evaluators.evaluation.evaluation import Outcome


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
        outcome: Of the training: scored, diverged or failed.
        reason: Why it was not scored, there or on the test split.
        curve: Validation at the stage's checkpoints, as far as it came.
        diagnostics: After the last step.
        seconds: Wall time of training.
        test_loss: Mean cross-entropy in nats over the test split; None before it was opened.
        test_accuracy: Share of the test split that is classified rightly, 0 to 1.
        learning_rate: The function's own; None for the task's.
        test_outcome: How scoring it on the test split ended; None before that. It is apart from
            that of the training, by which finalists are chosen.
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
    learning_rate: float | None = None
    test_outcome: Outcome | None = None

    @property
    def ended(self) -> Outcome:
        """How training ended, or else how scoring it on the test split did."""
        is_trained = self.outcome is Outcome.SCORED
        return self.test_outcome or self.outcome if is_trained else self.outcome

    @property
    def key(self) -> str:
        """Under which the journal knows it: the same in all finals of a campaign."""
        return run_key(
            self.candidate_id, self.task, self.dataset, self.steps, self.seed, self.learning_rate
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON document without the test score, which is an event of its own."""
        document = asdict(self)
        del document["test_loss"], document["test_accuracy"], document["test_outcome"]
        if self.learning_rate is None:
            del document["learning_rate"]
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


def run_key(
    candidate_id: str, task: str, dataset: str, steps: int, seed: int, rate: float | None
) -> str:
    """Key of a training run and of its test score."""
    at = "" if rate is None else f"/{rate!r}"
    return f"{candidate_id}/{task}/{dataset}/{steps}/{seed}{at}"
