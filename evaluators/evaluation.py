"""The record that an evaluation yields, failures included."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from evaluators.diagnostics import Diagnostics
from evaluators.fidelity import Fidelity

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
        """Restores what `dataclasses.asdict` made of one."""
        learnt = document.get("parameters", {})
        by_layer = {name: tuple(layers) for name, layers in learnt.items()}
        return cls(**{**document, "parameters": by_layer})


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
        document = asdict(self)
        for result in document["per_seed"]:
            if not result["metrics"]:
                del result["metrics"]
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Evaluation:
        """Restores a record.

        Raises:
            KeyError, TypeError, ValueError: If the document is not one that `to_json` wrote.
        """
        fields = dict(document)
        fidelity, diagnostics = fields.pop("fidelity"), fields.pop("diagnostics", None)
        return cls(
            **{
                **fields,
                "fidelity": Fidelity(int(fidelity["steps"]), tuple(fidelity["seeds"])),
                "outcome": Outcome(fields["outcome"]),
                "per_seed": tuple(map(SeedResult.from_json, fields["per_seed"])),
                "diagnostics": None if diagnostics is None else Diagnostics.from_json(diagnostics),
            }
        )


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
