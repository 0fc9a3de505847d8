"""Finals that cannot be what a journal says of them are named, with the event that says so."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from search.cli.mistakes import explain
from search.journal.journal import FILE_NAME, Journal, JournalError
from search.report.claim import lead
from search.report.findings import read_findings

from .conftest import DISCOVERED, campaign_events
from .finals_events import JournalEvent, finals_events, plan

Place = tuple[str | int, ...]
ABSENT: Any = object()


def forged(kind: str, place: Place, value: Any) -> list[JournalEvent]:
    """A campaign's events, one document of finals of which holds another value at a place."""
    events = list(finals_events(plan(DISCOVERED[-2:])))
    position = next(number for number, event in enumerate(events) if event[0] == kind)
    document = json.loads(json.dumps(events[position][2]))
    part = document
    for key in place[:-1]:
        part = part[key]
    if value is ABSENT:
        del part[place[-1]]
    else:
        part[place[-1]] = copy.deepcopy(value)
    events[position] = (*events[position][:2], document)
    return [*campaign_events("demo"), *events]


def written(folder: Path, events: Sequence[JournalEvent]) -> Path:
    folder.mkdir()
    with Journal(folder / FILE_NAME) as journal:
        # An event happens once: the first of a key.
        once: dict[Any, JournalEvent] = {}
        for event in events:
            once.setdefault(event[:2], event)
        journal.append_all(once.values())
    return folder


FORGED: list[tuple[str, Place, Any]] = [
    ("finals_plan", ("entrants", 0, "expression"), "import os"),
    ("finals_plan", ("entrants", 0, "written"), "relu(x"),
    ("finals_plan", ("entrants", 1, "expression"), None),
    ("finals_plan", ("entrants", 0, "candidate_id"), ["a"]),
    ("finals_plan", ("entrants", 0, "candidate_id"), "somebody else"),
    ("finals_plan", ("entrants", 0, "role"), "judge"),
    ("finals_plan", ("entrants", 0, "rank"), "first"),
    ("finals_plan", ("entrants", 0), ABSENT),
    ("finals_plan", ("entrants",), []),
    ("finals_plan", ("rivals", 0), "somebody"),
    ("finals_plan", ("rivals",), []),
    ("finals_plan", ("stages",), []),
    ("finals_plan", ("stages", 0, "entrants", 0), "nobody"),
    ("finals_plan", ("stages", 1, "entrants", 0), ABSENT),
    ("finals_plan", ("stages", 0, "looks"), [20, 10]),
    ("finals_plan", ("stages", 0, "steps"), 0),
    ("finals_plan", ("stages", 0, "learning_rate"), "fast"),
    ("finals_plan", ("error_rate",), 1.5),
    ("finals_plan", ("half_width_points",), -1.0),
    ("finals_plan", ("tried",), {}),
    ("finals_plan", ("tried", "considered"), "many"),
    ("finals_plan", ("number",), 7),
    ("finals_run", ("curve",), []),
    ("finals_run", ("curve", 0, "validation_loss"), "low"),
    ("finals_run", ("outcome",), "won"),
    ("finals_run", ("seed",), None),
    ("finals_run", ("diagnostics", "gradient_norms"), []),
    ("finals_run", ("diagnostics", "dead_units"), {}),
    ("finals_look", ("finals",), [1]),
    ("finals_look", ("seeds",), None),
    ("test_opening", ("dataset",), 5),
    ("test_opening", ("finals",), 9),
    ("finals_score", ("test_accuracy",), "all"),
    ("finals_end", ("finals",), {}),
    ("finals_end", ("reason",), None),
]


@pytest.mark.parametrize(
    ("kind", "place", "value"), FORGED, ids=[f"{k} {'.'.join(map(str, p))}" for k, p, _ in FORGED]
)
def test_what_cannot_be_is_named(tmp_path: Path, kind: str, place: Place, value: Any) -> None:
    folder = written(tmp_path / "demo", forged(kind, place, value))
    with pytest.raises(JournalError, match=r"journal.sqlite holds an event that .*") as caught:
        lead(read_findings(folder))
    said = explain(caught.value)
    assert said is not None
    assert "restore a copy" in said


def test_a_score_of_nobody_is_named(tmp_path: Path) -> None:
    events = [event for event in finals_events(plan(DISCOVERED[-2:])) if event[0] != "finals_run"]
    folder = written(tmp_path / "demo", [*campaign_events("demo"), *events])
    with pytest.raises(JournalError, match="scored with a run that was not made"):
        read_findings(folder)


def test_honest_finals_are_read(tmp_path: Path) -> None:
    honest = [*campaign_events("demo"), *finals_events(plan(DISCOVERED[-2:]))]
    assert lead(read_findings(written(tmp_path / "demo", honest))).sentences
