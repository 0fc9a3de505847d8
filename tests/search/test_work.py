"""How long a campaign has worked: launches count, whatever the pauses, kills and batches."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from search.history import SEARCH, read_history
from search.history.work import BEAT_SECONDS, Work
from search.journal.journal import FILE_NAME, Journal, JournalError

from .here import actsearch
from .test_mutations import CAMPAIGN


class Clock:
    """Set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / FILE_NAME)


def seconds_worked(journal: Journal, *, of: str = SEARCH) -> float:
    return read_history(journal).work.seconds(of)


def search_event(journal: Journal, key: str) -> None:
    """One without a meaning here, at the time that it is."""
    journal.append("finished", key, {"reason": "a test", "generations": 0})


def work(journal: Journal, clock: Clock, *seconds: float, of: str = SEARCH) -> None:
    """One launch, whose batches take so long."""
    with Work(journal, of, clock=clock) as recorded:
        for batch in seconds:
            clock.now += batch
            recorded.on_progress(0, 1, 1)


def test_a_pause_between_launches_does_not_count(journal: Journal) -> None:
    clock = Clock()
    work(journal, clock, 30.0)
    clock.now += 550.0
    work(journal, clock, 12.0)
    assert seconds_worked(journal) == 42.0


def test_a_long_batch_counts(journal: Journal) -> None:
    work(journal, Clock(), 1.0, 5_000.0)
    assert seconds_worked(journal) == 5_001.0


def test_of_a_killed_launch_all_counts_but_its_last_batch(journal: Journal) -> None:
    clock = Clock()
    killed = Work(journal, SEARCH, clock=clock)
    killed.__enter__()
    for _ in range(7):
        clock.now += 30.0
        killed.on_generation(None)
    clock.now += 10_000.0
    work(journal, clock, 5.0)
    assert seconds_worked(journal) == 215.0


def test_short_batches_add_few_events(journal: Journal) -> None:
    work(journal, Clock(), *[BEAT_SECONDS / 8] * 80)
    assert sum(1 for _ in journal.events("work")) == 2 + 10
    assert seconds_worked(journal) == 10 * BEAT_SECONDS


def test_finals_have_a_time_of_their_own(journal: Journal) -> None:
    clock = Clock()
    work(journal, clock, 10.0)
    for number in (1, 1, 2):
        work(journal, clock, 3.0, of=f"finals {number}")
    assert [seconds_worked(journal, of=f"finals {n}") for n in (1, 2)] == [6.0, 3.0]
    assert seconds_worked(journal) == 10.0


def test_a_journal_of_old_goes_on_as_it_counted(journal: Journal) -> None:
    """There the gaps between events are work, up to ten minutes each."""
    with mock.patch("search.journal.journal.time.time") as time:
        for time.return_value in (100.0, 130.0, 1_000.0, 1_020.0):
            search_event(journal, str(time.return_value))
        assert seconds_worked(journal) == 50.0
        clock = Clock()
        time.return_value = 1_100.0
        with Work(journal, SEARCH, clock=clock):
            clock.now += 7.0
            time.return_value = 1_107.0
            search_event(journal, "new")
    assert seconds_worked(journal) == 57.0


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_setting_the_time_of_day_changes_nothing(journal: Journal, jump: float) -> None:
    clock = Clock()
    with mock.patch("search.journal.journal.time.time") as time:
        time.return_value = 1e9
        with Work(journal, SEARCH, clock=clock):
            search_event(journal, "before")
            clock.now += 4.0
            time.return_value += jump
            search_event(journal, "after")
    assert seconds_worked(journal) == 4.0


def on_a_journal_that_fails(journal: Journal, error: Exception | None) -> None:
    with Work(journal, SEARCH, clock=Clock()):
        journal.close()
        if error is not None:
            raise error


def test_what_ends_a_launch_is_said_and_not_that_its_end_is_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        on_a_journal_that_fails(Journal(tmp_path / FILE_NAME), ZeroDivisionError())
    with pytest.raises(JournalError, match="not a readable journal"):
        on_a_journal_that_fails(Journal(tmp_path / FILE_NAME), None)


def test_every_launch_records_its_begin_and_its_end(tmp_path: Path) -> None:
    file = tmp_path / "whole.toml"
    file.write_text(CAMPAIGN)
    for generations in (2, 3, 3):  # the last has nothing left to search
        budget = f"stop.generations={generations}"
        assert actsearch("launch", file, "--set", budget, "--runs-dir", tmp_path).status == 0
    with Journal(tmp_path / "whole" / FILE_NAME, read_only=True) as journal:
        told = [
            (e.payload["of"], e.payload["launch"], e.payload["state"])
            for e in journal.events("work")
        ]
    assert told == [(SEARCH, n, state) for n in (1, 2) for state in ("begun", "ended")]
