"""Which parts of a network share a trainable parameter, and so its gradient."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.steps.activations import tied
from grammars.expressions.expression import SCOPES, Scope

# Two layers of four units with one parameter: first two channels at two positions, then four.
GRADIENTS = np.array([[[1.0, 2.0, 4.0, 8.0]], [[16.0, 32.0, 64.0, 128.0]]], np.float32)
CHANNELS = (2, 4)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("channel", [[5, 10, 5, 10], [16, 32, 64, 128]]),
        ("layer", [[15] * 4, [240] * 4]),
        ("network", [[255] * 4, [255] * 4]),
    ],
)
def test_copies_of_a_parameter_meet_the_same_gradient(
    scope: Scope, expected: list[list[float]]
) -> None:
    scopes = np.full((2, 1), SCOPES.index(scope), np.int32)
    same = np.zeros(2, np.int32)
    shared = tied(GRADIENTS, scopes, same, channels=CHANNELS)  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.asarray(shared)[:, 0], expected)


def test_functions_of_different_layers_share_nothing() -> None:
    scopes = np.full((2, 1), SCOPES.index("network"), np.int32)
    shared = tied(GRADIENTS, scopes, np.arange(2), channels=CHANNELS)  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.asarray(shared)[:, 0], [[15] * 4, [240] * 4])
