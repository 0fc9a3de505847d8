"""Campaigns killed at random instants end as if nothing had happened.

Three kills by default; ACTSEARCH_FULL_TESTS=1 makes it fifty, in ten campaigns, as many in
campaigns of two tasks, two learning rates and a watch, and fifteen each in those of a task of one's
own, from files and from Python.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from search.candidates.hall_of_fame import FILE_NAME as HALL_OF_FAME
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.standings.leaderboard import leaderboard

from .own_tasks import SCRIPT, written
from .processes import start, start_script, workers_of
from .store import MEASURED, artifacts, contents

FULL: Final = bool(os.environ.get("ACTSEARCH_FULL_TESTS"))
CAMPAIGNS: Final = range(10) if FULL else range(1)
KILLS: Final = 5 if FULL else 3
CAMPAIGNS_OF_OWN: Final = 3

TOLD_OF_A_REPORT: Final = {"mlflow.loggedArtifacts", "mlflow.note.content"}

CAMPAIGN: Final = """
name = "killed"
seed = 7
task = "digits-mlp"

[search]
population = 4

[scoring]
rungs = [{ steps = 20, seeds = 1 }, { steps = 40, seeds = 2 }]
reduction_factor = 3.0
batch = 4

[tracking]
candidate_runs = "all"

[stop]
generations = 2
"""

SEVERAL: Final = (
    CAMPAIGN.replace('task = "digits-mlp"\n', "").replace(
        "[scoring]\n",
        '[scoring]\ntasks = ["digits-mlp", "mnist1d-mlp"]\nlearning_rates = [0.002, 0.004]\n',
    )
    + '\n[watch]\ntasks = ["breast-cancer-mlp"]\nevery = 1\nsteps = 20\n'
)


@dataclass(frozen=True)
class Uninterrupted:
    """The campaign that nobody killed.

    Attributes:
        text: Of its file, or the script that runs it.
        runs_dir: Where it is.
        events: In its journal.
        starting_seconds: Until it had its first evaluation.
        ending_seconds: From its last event to its end.
        campaigns: As many are killed.
    """

    text: str | Path
    runs_dir: Path
    events: int
    starting_seconds: float
    ending_seconds: float
    campaigns: int


def launch(runs_dir: Path, text: str | Path = CAMPAIGN) -> subprocess.Popen[str]:
    """Starts a campaign: the text of its file, or the script that runs it."""
    if isinstance(text, Path):
        return start_script(text, runs_dir)
    campaign_file = runs_dir.with_suffix(".toml")
    campaign_file.write_text(text)
    return start("launch", campaign_file, "--runs-dir", runs_dir, "--workers", "2")


def finish(runs_dir: Path, text: str | Path) -> None:
    process = launch(runs_dir, text)
    _, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert "events behind" not in stderr


MANY: Final = pytest.mark.skipif(not FULL, reason="ACTSEARCH_FULL_TESTS=1 kills these too")


def _told(what: str, folder: Path) -> str | Path:
    """A campaign's text or script."""
    if what == "files":
        return CAMPAIGN.replace("digits-mlp", str(written(folder)))
    if what == "Python":
        (folder / "script.py").write_text(SCRIPT)
        return folder / "script.py"
    return what


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(CAMPAIGN, id="one task"),
        pytest.param(
            SEVERAL,
            id="two tasks",
            marks=MANY,
        ),
        pytest.param("files", id="a task from files", marks=MANY),
        pytest.param("Python", id="a task from Python", marks=MANY),
    ],
)
def uninterrupted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> Uninterrupted:
    runs_dir = tmp_path_factory.mktemp("uninterrupted") / "runs"
    runs_dir.mkdir()
    shutil.copy(empty_store, runs_dir)
    text = _told(request.param, runs_dir.parent)
    begun = time.time()
    finish(runs_dir, text)
    ended = time.time()
    with Journal(runs_dir / "killed" / FILE_NAME, read_only=True) as journal:
        first = min(event.time for event in journal.events("evaluation"))
        last = max(event.time for event in journal.events() if event.kind != "work")
    campaigns = len(CAMPAIGNS) if request.param in (CAMPAIGN, SEVERAL) else CAMPAIGNS_OF_OWN
    return Uninterrupted(
        text, runs_dir, events_of(runs_dir), first - begun, ended - last, campaigns
    )


def journal_of(runs_dir: Path) -> list[Any]:
    """Every event in order, without times and what tells how often the campaign was launched."""
    with Journal(runs_dir / "killed" / FILE_NAME, read_only=True) as journal:
        return [
            (e.kind, e.key, {k: v for k, v in e.payload.items() if k not in MEASURED})
            for e in journal.events()
            if e.kind != "work"
        ]


def leaderboard_of(runs_dir: Path) -> list[dict[str, Any]]:
    with Journal(runs_dir / "killed" / FILE_NAME, read_only=True) as journal:
        return [asdict(row) for row in leaderboard(read_history(journal))]


def mirrored(runs_dir: Path) -> tuple[list[Any], list[str]]:
    """Rows and artifacts of MLflow, without the report: it is written when a launch has ended.

    So the next launch or `sync` mirrors it, and who was killed after the end has one more of them.
    """
    rows = [row for row in contents(runs_dir, with_times=False) if not set(row) & TOLD_OF_A_REPORT]
    return rows, [name for name in artifacts(runs_dir) if "/report/" not in name]


def table_of(runs_dir: Path) -> list[dict[str, str]]:
    """The table of candidates in MLflow, without times."""
    (text,) = [t for name, t in artifacts(runs_dir).items() if name.endswith("candidates.csv")]
    return [
        {**row, **dict.fromkeys(MEASURED)} for row in csv.DictReader(text.decode().splitlines())
    ]


def events_of(runs_dir: Path) -> int:
    """How many there are by now."""
    try:
        return len(journal_of(runs_dir))
    except FileNotFoundError:
        return 0


def rest(process: subprocess.Popen[str], seconds: float) -> None:
    """Lets it live for so long, if it does."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def until(process: subprocess.Popen[str], runs_dir: Path, events: int) -> None:
    """Lets it live until it has so many events, if it comes to that."""
    latest = time.monotonic() + 600.0
    while process.poll() is None and events_of(runs_dir) < events:
        assert time.monotonic() < latest, f"{events_of(runs_dir)} events of {events}"
        time.sleep(0.02)


def moments(
    process: subprocess.Popen[str],
    runs_dir: Path,
    whole: Uninterrupted,
    chance: random.Random,
    goal: int | None,
) -> Iterator[None]:
    """Two of them, at random, for a worker and for the campaign; see `live_and_be_killed`."""
    if goal is None:
        seconds, share = chance.uniform(0.0, whole.starting_seconds), chance.random()
        rest(process, share * seconds)
        yield
        rest(process, (1.0 - share) * seconds)
        yield
    else:
        until(process, runs_dir, chance.randint(events_of(runs_dir), min(goal, whole.events)))
        yield
        until(process, runs_dir, min(goal, whole.events))
        # Not just when it has written, and after its last event at any time to its end.
        rest(process, chance.uniform(0.0, 0.2 if goal <= whole.events else whole.ending_seconds))
        yield


def live_and_be_killed(
    runs_dir: Path, whole: Uninterrupted, chance: random.Random, *, goal: int | None
) -> bool:
    """Launches the campaign, maybe kills one of its workers, and kills it.

    Args:
        runs_dir: Where it is.
        whole: What it comes to.
        chance: At random.
        goal: How many events it has then; more than there are once it has all, None for while it
            starts.

    Returns:
        Whether that was in the middle: with some of its events, before it had ended by itself.
    """
    process = launch(runs_dir, whole.text)
    try:
        killing = moments(process, runs_dir, whole, chance, goal)
        next(killing)
        if chance.random() < 0.5 and (workers := workers_of(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
        next(killing)
    finally:
        process.kill()
        _, stderr = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), stderr
    events = events_of(runs_dir)
    print(f"aim {goal}, status {process.returncode} with {events} events of {whole.events}")
    return process.returncode == -signal.SIGKILL and 0 < events < whole.events


@pytest.mark.parametrize("seed", CAMPAIGNS)
def test_a_campaign_killed_again_and_again_ends_as_the_uninterrupted_one(
    uninterrupted: Uninterrupted, empty_store: Path, tmp_path: Path, seed: int
) -> None:
    if seed >= uninterrupted.campaigns:
        pytest.skip(f"{uninterrupted.campaigns} campaigns of this kind are enough")
    runs_dir = tmp_path / "runs"
    runs_dir.mkdir()
    shutil.copy(empty_store, runs_dir)
    chance = random.Random(seed)
    in_the_middle = 0
    for kill in range(KILLS):
        if kill % 3 == 0:  # while it starts, for the first time and again
            live_and_be_killed(runs_dir, uninterrupted, chance, goal=None)
            continue
        lowest = events_of(runs_dir) + 1
        # In its first half until one has hit it there, then at any time to its end.
        highest = uninterrupted.events * 3 // 2 if in_the_middle else uninterrupted.events // 2
        goal = chance.randint(lowest, max(lowest, highest))
        in_the_middle += live_and_be_killed(runs_dir, uninterrupted, chance, goal=goal)
    assert in_the_middle, "no kill was in the middle of the campaign"
    finish(runs_dir, uninterrupted.text)
    whole = uninterrupted.runs_dir
    assert journal_of(runs_dir) == journal_of(whole)
    hall_of_fame = Path("killed") / HALL_OF_FAME
    assert (runs_dir / hall_of_fame).read_bytes() == (whole / hall_of_fame).read_bytes()
    assert leaderboard_of(runs_dir) == leaderboard_of(whole)
    assert mirrored(runs_dir) == mirrored(whole)
    assert table_of(runs_dir) == table_of(whole)
