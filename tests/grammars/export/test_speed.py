"""Exported functions are timed beside those of the framework."""

from __future__ import annotations

import pytest

from grammars import parse
from grammars.export import ExportError, measure_speed


def test_all_functions_are_timed_eagerly_and_compiled() -> None:
    timings = measure_speed(parse("x * sigmoid(2 * x)"), "jax", shape=(8, 4))
    assert {(timing.mode, timing.function) for timing in timings} == {
        (mode, function)
        for mode in ("eager", "compiled")
        for function in ("exported", "relu", "gelu", "swish")
    }
    assert all(timing.nanoseconds > 0 for timing in timings)


def test_targets_without_a_timer_are_refused() -> None:
    with pytest.raises(ExportError, match="cannot time the target 'c'; expected one of"):
        measure_speed(parse("x"), "c")
