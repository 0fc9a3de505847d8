"""The user's wish to stop and the clock are two things: neither is taken for the other."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import BASELINES, Activation
from search.executors import Interrupted, Stopping
from search.executors.site import Site
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.launching.launch import Launch, launch
from search.launching.signals import stopped_by_signals
from search.library.reporting import report
from search.settings import Settings

from .conftest import WriteCampaign
from .finals_simulation import SimulatedTraining, journal_in, plan_of
from .simulation import Simulation
from .test_finals import FINALISTS, held

Act = Callable[[threading.Event], None]

MINUTES: Final = 60.0  # more than any test takes, so that it says itself when they are over


def sent(number: signal.Signals) -> Act:
    """Sends this process a signal, and waits until it is heeded."""

    def act(stopping: threading.Event) -> None:
        os.kill(os.getpid(), number)
        assert stopping.wait(20.0)

    return act


WAYS_TO_STOP: Final[dict[str, Act]] = {
    "q": threading.Event.set,
    "Ctrl-C": sent(signal.SIGINT),
    "SIGTERM": sent(signal.SIGTERM),
    "SIGHUP": sent(signal.SIGHUP),
}


@pytest.fixture(autouse=True)
def heeding_hangups() -> Iterator[None]:
    """Also where these tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


class Outlasting(Simulation):
    """In its first batch of the search the minutes run out; somebody acts before or after that."""

    def __init__(self, stopping: threading.Event, act: Act, *, late: bool) -> None:
        super().__init__(batch=len(BASELINES))
        self._stopping, self._act, self._late = stopping, act, late

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        for batch in super().evaluate(expressions, fidelity, stopping=stopping):
            if len(self.done) > 2 * len(BASELINES):
                if not self._late:
                    self._act(self._stopping)
                self.run_out_of_time(stopping)
                if self._late:
                    self._act(self._stopping)
                yield batch
                raise Interrupted
            yield batch

    def run_out_of_time(self, stopping: Any) -> None:
        """As the clock does when the minutes are over, whatever the user wishes."""
        _, time_is_up = stopping._events
        time_is_up.set()


def outlasting(folder: Path, act: Act, monkeypatch: pytest.MonkeyPatch, *, late: bool) -> Launch:
    """Launches a campaign whose minutes run out in a batch, and whose finals would follow."""
    stopping = threading.Event()
    monkeypatch.setattr(
        "search.executors.site.start_executor",
        lambda *how, **more: Outlasting(stopping, act, late=late),
    )
    settings = Settings.model_validate(
        {
            "name": "stopped",
            "task": "digits-mlp",
            "search": {"population": 12},
            "scoring": {"rungs": [{"steps": 10}, {"steps": 40}]},
            "tracking": {"mlflow": False},
            "stop": {"minutes": MINUTES},
            "finals": {"top": 1, "first_seed": 1000},
        }
    )
    return launch(settings, Site(folder, workers=1), campaign_file="", stopping=stopping)


@pytest.mark.parametrize("late", [False, True], ids=["before the time is up", "after"])
@pytest.mark.parametrize("way", WAYS_TO_STOP)
def test_a_wish_in_the_batch_in_which_the_time_runs_out_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, late: bool
) -> None:
    result = outlasting(tmp_path, WAYS_TO_STOP[way], monkeypatch, late=late)
    assert (result.reason, result.interrupted) == ("stopped on request", True)
    with Journal(tmp_path / "stopped" / FILE_NAME, read_only=True) as journal:
        kinds = {event.kind for event in journal.events()}
        kept = sum(1 for _ in journal.events("evaluation"))
    assert not kinds & {"finished", "finals_plan", "test_opening"}
    assert kept > 2 * len(BASELINES)  # the batch was not lost


def test_without_a_wish_finals_follow_the_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a wish in the last batch of their validation opens no test data."""
    begun = []
    monkeypatch.setattr(
        "search.launching.finishing.Finishing.hold",
        lambda self, plan, **limits: begun.append(plan) or True,
    )
    result = outlasting(tmp_path, lambda stopping: None, monkeypatch, late=True)
    assert (result.reason, result.interrupted) == ("its 60 minutes are over", False)
    assert len(begun) == 1


@pytest.mark.parametrize("before_last", [0, 1, 5])
def test_a_wish_before_test_data_are_opened_leaves_them_closed(
    tmp_path: Path, before_last: int
) -> None:
    plan = plan_of(FINALISTS, seeds=2, max_seeds=2)
    whole = SimulatedTraining()
    held(tmp_path / "whole", plan, whole)
    trained = sum(split == "validation" for split, *_ in whole.done)
    training = SimulatedTraining(stop_after=trained - before_last)
    with pytest.raises(Interrupted):
        held(tmp_path / "cut", plan, training)
    with journal_in(tmp_path / "cut") as journal:
        assert read_history(journal).finals.openings == []
    held(tmp_path / "cut", plan)
    with journal_in(tmp_path / "cut") as journal:
        assert len(read_history(journal).finals.openings) == 1


def test_a_wish_before_the_ablation_trains_nothing(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    stopping = threading.Event()
    stopping.set()
    result = report(folder, Site(), output=folder / "elsewhere", stopping=stopping)
    assert result.interrupted
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        assert not list(journal.events("measurement"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_ends(number: signal.Signals) -> None:
    stopping, said = threading.Event(), list[str]()
    with stopped_by_signals(stopping, announce=said.append) as notice:
        os.kill(os.getpid(), number)
        assert stopping.is_set()
        assert notice.is_given == (number == signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert len(said) == 1


def test_a_terminal_that_is_closed_asks_once_however_often_it_says_so() -> None:
    stopping = threading.Event()
    with stopped_by_signals(stopping, announce=lambda text: None) as notice:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
        assert stopping.is_set()
        assert notice.is_given


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stopping = threading.Event()
        with stopped_by_signals(stopping, announce=lambda text: None):
            os.kill(os.getpid(), signal.SIGHUP)
        assert not stopping.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)
