"""What a training run tells about its activation, beside the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# A unit is saturated if so large a share of the examples finds it flat.
SATURATED_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Measured after the last step of one training run, on the whole validation split.

    Attributes:
        dead_units: Share of the hidden units that have no gradient on any example.
        saturated_units: Share that are not dead but whose slope is below 0.05 on at least 95 % of
            the examples.
        output_sparsity: Share of hidden outputs within 0.001 of 0.
        mean_output: Of each hidden layer; a mean far from 0 shifts the inputs of the next layer
            (Clevert, Unterthiner, Hochreiter, ELU, 2016).
        gradient_norms: Euclidean norm of the loss's gradient by each layer's weights, the logits'
            layer last, on the first training batch.
    """

    dead_units: float
    saturated_units: float
    output_sparsity: float
    mean_output: tuple[float, ...]
    gradient_norms: tuple[float, ...]

    @property
    def gradient_ratio(self) -> float:
        """First layer's gradient over the last's: far below 1 it vanishes, far above it explodes.

        The norms are not per weight, so the ratio compares activations on one task.
        """
        first, last = self.gradient_norms[0], self.gradient_norms[-1]
        return first / last if last else float("inf" if first else "nan")

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores equal figures."""
        return {
            "dead_units": self.dead_units,
            "saturated_units": self.saturated_units,
            "output_sparsity": self.output_sparsity,
            "mean_output": list(self.mean_output),
            "gradient_norms": list(self.gradient_norms),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Diagnostics:
        """Restores what `to_json` wrote."""
        return cls(
            document["dead_units"],
            document["saturated_units"],
            document["output_sparsity"],
            tuple(document["mean_output"]),
            tuple(document["gradient_norms"]),
        )


def diagnose(
    *,
    examples: int,
    outputs: np.ndarray,
    zeros: np.ndarray,
    live: np.ndarray,
    flat: np.ndarray,
    units: Sequence[int],
    gradient_norms: tuple[float, ...],
) -> Diagnostics | None:
    """Reduces sums over examples, as in `evaluators.steps.stepping.Sums`, to diagnostics.

    Units may differ in number from layer to layer; then `live` and `flat` have all of them in one
    row.

    None where a figure is not finite, as a gradient that overflows: records go to JSON, which has
    no such numbers; and where there are no units, as in a network that calls its activation inside
    of a loop alone.
    """
    if not units or not np.isfinite([*outputs, *gradient_norms]).all():
        return None
    dead = live == 0
    saturated = ~dead & (flat >= SATURATED_SHARE * examples)
    return Diagnostics(
        dead_units=float(dead.mean()),
        saturated_units=float(saturated.mean()),
        output_sparsity=float(zeros.sum() / (examples * sum(units))),
        mean_output=tuple(
            float(total) / (examples * count) for total, count in zip(outputs, units, strict=True)
        ),
        gradient_norms=gradient_norms,
    )
