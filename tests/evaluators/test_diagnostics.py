import numpy as np
import pytest

from evaluators.evaluation.diagnostics import Diagnostics, diagnose

# Ten examples, two layers of two units: one unit is dead, one is flat on all examples but lives.
SUMS = {
    "units": (2, 2),
    "outputs": np.array([10.0, -20.0]),
    "zeros": np.array([10.0, 0.0]),
    "live": np.array([[0.0, 10.0], [3.0, 10.0]]),
    "flat": np.array([[10.0, 0.0], [10.0, 9.0]]),
}


def test_sums_become_shares_and_means() -> None:
    found = diagnose(examples=10, gradient_norms=(0.5, 1.0, 2.0), **SUMS)
    assert found == Diagnostics(
        dead_units=0.25,
        saturated_units=0.25,
        output_sparsity=0.25,
        mean_output=(0.5, -1.0),
        gradient_norms=(0.5, 1.0, 2.0),
    )
    assert found.gradient_ratio == 0.25


@pytest.mark.parametrize("norm", [float("inf"), float("nan")])
def test_what_overflowed_is_no_diagnosis(norm: float) -> None:
    assert diagnose(examples=10, gradient_norms=(norm, 1.0), **SUMS) is None
