"""The record that an evaluation yields, failures included."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from evaluators.evaluation.diagnostics import Diagnostics
from evaluators.evaluation.fidelity import Fidelity

# A perfect fit has no logarithm; no data set that we train on comes near this loss.
SMALLEST_LOSS = 1e-12


class Outcome(StrEnum):
    """How an evaluation ended."""

    SCORED = "scored"
    REJECTED = "rejected"
    """A probe found it unfit before any training."""
    DIVERGED = "diverged"
    """Training reached a loss that is not a finite number."""
    FAILED = "failed"
    """Something outside the function's mathematics: time, memory, the compiler, the worker."""


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What one training run came to.

    Attributes:
        seed: Of the initial weights and the order of the data.
        validation_loss: Mean cross-entropy in nats over the validation split.
        validation_accuracy: Share of the validation split that is classified rightly, 0 to 1.
        parameters: What became of each trainable parameter, by its name in the expression: the mean
            over the channels of each hidden layer. Empty without any, in records of old, where one
            is not finite, and for functions of single layers.
        metrics: What an objective of a user's own has told besides.
    """

    seed: int
    validation_loss: float
    validation_accuracy: float
    parameters: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Minus the logarithm of the validation loss, higher is better.

        On a logarithmic scale the noise of the seed is about the same for good and bad functions,
        and the loss separates functions four times better than the accuracy does.
        """
        return -math.log(max(self.validation_loss, SMALLEST_LOSS))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SeedResult:
        """Restores what `to_json` wrote."""
        learnt = document.get("parameters")
        return cls(
            document["seed"],
            document["validation_loss"],
            document["validation_accuracy"],
            {name: tuple(layers) for name, layers in learnt.items()} if learnt else {},
            document.get("metrics", {}),
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal result."""
        return {
            "seed": self.seed,
            "validation_loss": self.validation_loss,
            "validation_accuracy": self.validation_accuracy,
            "parameters": {name: list(layers) for name, layers in self.parameters.items()},
            **({"metrics": dict(self.metrics)} if self.metrics else {}),
        }


@dataclass(frozen=True, slots=True)
class OnTask:
    """What a candidate came to on one of several tasks, at its own best learning rate.

    Attributes:
        task: Name of the task.
        dataset: Name of the data set that was really used.
        learning_rate: The candidate's best; None where the recipe's is the only one.
        score: Minus the mean logarithm of the validation loss; None if every training diverged.
        advantage: Over the task's reference, in units of the task's spread; see
            `search.appraisal.yardstick`.
    """

    task: str
    dataset: str
    learning_rate: float | None
    score: float | None
    advantage: float

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> OnTask:
        """Restores what `OverTasks.to_json` made of one."""
        return cls(*(document[name] for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class OverTasks:
    """What a candidate came to on all tasks of a rung.

    Attributes:
        score: The aggregate of the advantages; what candidates are compared by.
        tasks: One by one, in the order of the rung.
    """

    score: float
    tasks: tuple[OnTask, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal record."""
        return {"score": self.score, "tasks": [asdict(task) for task in self.tasks]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> OverTasks:
        """Restores what `to_json` made of one."""
        return cls(document["score"], tuple(map(OnTask.from_json, document["tasks"])))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One candidate at one fidelity.

    Attributes:
        candidate_id: The expression id, equal for equal canonical forms.
        expression: As it was written.
        canonical: In canonical form.
        task: Name of the task.
        dataset: Name of the data set that was really used, a fallback included.
        fidelity: What was granted.
        outcome: How it ended.
        reason: Why it was not scored, in words; None if it was.
        per_seed: One result for each seed, in the order of the seeds; empty unless scored.
        seconds: Wall time of its training, a batch's compilation shared evenly.
        diagnostics: Of the last seed's run; None unless scored, where a figure overflowed, and in
            records of old.
        relative_cost: Time of f with f' in units of ReLU's, the mean over the hidden layers; None
            where it was not measured. Like `seconds` it tells of the machine too, and decides
            nothing.
        over_tasks: What it came to on all tasks of its rung, where there are several tasks or
            learning rates. The fields above are then those of the rung's first task that it did not
            diverge on, at the candidate's best rate there.
    """

    candidate_id: str
    expression: str
    canonical: str
    task: str
    dataset: str
    fidelity: Fidelity
    outcome: Outcome
    reason: str | None = None
    per_seed: tuple[SeedResult, ...] = ()
    seconds: float = 0.0
    diagnostics: Diagnostics | None = None
    relative_cost: float | None = None
    over_tasks: OverTasks | None = None

    @property
    def validation_loss(self) -> float | None:
        """Mean over the seeds; None unless scored."""
        return _mean([result.validation_loss for result in self.per_seed])

    @property
    def validation_accuracy(self) -> float | None:
        """Mean over the seeds; None unless scored."""
        return _mean([result.validation_accuracy for result in self.per_seed])

    @property
    def score(self) -> float | None:
        """What candidates are compared by, higher is better; None unless scored.

        The aggregate over several tasks or learning rates, else the plain score.
        """
        return self.plain_score if self.over_tasks is None else self.over_tasks.score

    @property
    def plain_score(self) -> float | None:
        """Mean over the seeds, higher is better; None unless scored."""
        return _mean([result.score for result in self.per_seed])

    @property
    def parameters(self) -> dict[str, tuple[float, ...]]:
        """What training made of each trainable parameter by hidden layer, the mean over the seeds.

        Empty without any, and where a seed's are not on record.
        """
        if not self.per_seed:
            return {}
        seeds = [result.parameters for result in self.per_seed]
        shared = [name for name in seeds[0] if all(name in seed for seed in seeds)]
        return {
            name: tuple(
                sum(values) / len(values)
                for values in zip(*(seed[name] for seed in seeds), strict=True)
            )
            for name in shared
        }

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal record."""
        # Field by field: `dataclasses.asdict` takes ten times as long, once for each evaluation.
        diagnostics = self.diagnostics
        return {
            "candidate_id": self.candidate_id,
            "expression": self.expression,
            "canonical": self.canonical,
            "task": self.task,
            "dataset": self.dataset,
            "fidelity": self.fidelity.to_json(),
            "outcome": str(self.outcome),
            "reason": self.reason,
            "per_seed": [result.to_json() for result in self.per_seed],
            "seconds": self.seconds,
            "diagnostics": None if diagnostics is None else diagnostics.to_json(),
            "relative_cost": self.relative_cost,
            **({"over_tasks": self.over_tasks.to_json()} if self.over_tasks else {}),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Evaluation:
        """Restores a record; fields that it does not know are passed over.

        Raises:
            KeyError, TypeError, ValueError: If the document is not one that `to_json` wrote.
        """
        diagnostics, over_tasks = document.get("diagnostics"), document.get("over_tasks")
        return cls(
            document["candidate_id"],
            document["expression"],
            document["canonical"],
            document["task"],
            document["dataset"],
            _fidelity(document["fidelity"]),
            _OUTCOMES[document["outcome"]],
            document.get("reason"),
            tuple(map(SeedResult.from_json, document["per_seed"])),
            document.get("seconds", 0.0),
            None if diagnostics is None else Diagnostics.from_json(diagnostics),
            document.get("relative_cost"),
            None if over_tasks is None else OverTasks.from_json(over_tasks),
        )


# Looking one up takes a tenth of the time of `Outcome(...)`.
_OUTCOMES = {str(outcome): outcome for outcome in Outcome}


def _fidelity(document: Mapping[str, Any]) -> Fidelity:
    if document.keys() == {"steps", "seeds"}:
        return _shared_fidelity(document["steps"], tuple(document["seeds"]))
    return Fidelity.from_json(document)


# Thousands of records share a few.
_shared_fidelity = lru_cache(maxsize=64)(Fidelity)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
