"""What a campaign has considered, listed with what became of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from actsearch import Campaign

from .here import captured

WriteCampaign = Callable[..., Path]


def listed(folder: Path, *options: str) -> str:
    answer = captured("candidates", folder.name, "--runs-dir", folder.parent, *options)
    assert answer.status == 0, answer.stderr
    return answer.stdout


def test_everybody_is_listed_in_the_order_of_the_search(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    rows = json.loads(listed(folder, "--json"))
    assert [row["outcome"] for row in rows] == ["scored"] * 4 + ["rejected"] + ["scored"] * 3 + [
        "rejected"
    ]
    assert [row["generation"] for row in rows] == [0] * 5 + [1] * 4
    assert [row["rung"] for row in rows if row["outcome"] == "scored"] == [0, 0, 0, 1, 0, 0, 1]
    assert len(list(csv.DictReader(io.StringIO(listed(folder, "--csv"))))) == len(rows)
    frame = Campaign.load(folder).candidates()
    assert list(frame.index) == [row["candidate_id"] for row in rows]
    assert frame.fitness.isna().tolist() == [row["outcome"] == "rejected" for row in rows]


def test_those_of_one_outcome_are_listed_with_their_reasons(
    write_campaign: WriteCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_campaign()
    monkeypatch.setenv("COLUMNS", "100")
    answer = captured(
        *("candidates", folder.name, "--runs-dir", folder.parent, "--outcome", "rejected")
    )
    assert answer.stdout.count("it is affine: -x + 3") == 2
    assert "fitness" not in answer.stdout
    assert "trained" not in answer.stdout
    assert answer.stderr == "9 candidates: 7 scored, 2 rejected\n"
    failed = captured(
        *("candidates", folder.name, "--runs-dir", folder.parent, "--outcome", "failed")
    )
    assert (failed.stdout, failed.stderr) == ("", answer.stderr)


def test_what_was_not_trained_yet_is_listed_as_such(write_campaign: WriteCampaign) -> None:
    folder = write_campaign(count=5)
    rows = json.loads(listed(folder, "--json", "--outcome", "untrained"))
    assert len(rows) == 2
    assert all(row["outcome"] is None and row["fitness"] is None for row in rows)
