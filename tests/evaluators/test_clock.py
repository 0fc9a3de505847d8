"""The clock that stands still while its process is stopped."""

from __future__ import annotations

import threading

import pytest

from evaluators.training import clock
from evaluators.training.clock import LONGEST_TICK_SECONDS, AwakeClock


class System:
    """The system's clock, set by hand; nobody is woken by it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        threading.Event().wait()


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.setattr(clock, "time", system := System())
    return system


@pytest.mark.parametrize(
    ("gaps", "seconds"),
    [
        ([0.5, 0.5, 0.25], 1.25),
        ([0.5, 3600.0, 0.5], 1.0 + LONGEST_TICK_SECONDS),
        ([600.0] * 10, 10 * LONGEST_TICK_SECONDS),
        ([0.0, 4.0], 4.0),
    ],
)
def test_a_pause_of_any_length_counts_little(
    system: System, gaps: list[float], seconds: float
) -> None:
    awake = AwakeClock()
    assert awake() == 0.0
    for gap in gaps:
        system.now += gap
        latest = awake()
    assert latest == pytest.approx(seconds)


def test_it_goes_on_while_nobody_reads_it() -> None:
    awake = AwakeClock()
    awake()
    # Its thread looks; without, ten seconds of work between two readings would count as five.
    assert [each.name for each in threading.enumerate()].count("clock") >= 1
