"""What a campaign was given to start from and is published, it has not discovered."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from actsearch import Campaign, Site
from grammars import BASELINES, expression_id, parse
from search.candidates.hall_of_fame import FILE_NAME as HALL_OF_FAME
from search.history import History, read_history
from search.journal.journal import FILE_NAME, Journal
from search.launching.identity import known_as
from search.standings.leaderboard import find_standing, leaderboard

from .here import SimulatedPool

# Scored by their distance to Swish: the second is Swish, and the first is nearer than the last.
PUBLISHED, EQUAL, OWN = "x * tanh(exp(x))", "x * sigmoid(x)", "x * sigmoid(x + 0.2)"
SCALED = "x * sigmoid(1.8 * x)"


def campaign(runs_dir: Path, *, generations: int = 1, **search: Any) -> Campaign:
    return Campaign(
        {"seed": 3, "task": "digits-mlp", "tracking": {"mlflow": False}},
        name="given",
        search={"population": 12, "start_from": [PUBLISHED, EQUAL, OWN, SCALED], **search},
        scoring={"rungs": [{"steps": 10}, {"steps": 40, "seeds": 2}], "reduction_factor": 3.0},
        stop={"generations": generations},
        site=Site(runs_dir, announce=lambda text: None),
    )


def run(which: Campaign) -> History:
    with mock.patch("search.executors.starting.ProcessPool", SimulatedPool):
        which.run(progress=False)
    with Journal(which.folder / FILE_NAME, read_only=True) as journal:
        return read_history(journal)


def test_it_is_to_be_beaten_and_bred_from(tmp_path: Path) -> None:
    history = run(campaign(tmp_path, generations=3))
    found = {each.candidate.text: each.candidate for each in history.candidates.values()}
    assert [found[text].origin for text in (PUBLISHED, EQUAL, OWN, SCALED)] == [
        "baseline",
        "baseline",
        "discovered",
        "baseline",
    ]
    assert found[SCALED].variation == "0.555555556 * swish(1.8 * x)"
    assert found[PUBLISHED].variation == "tanhexp"
    assert found[EQUAL].variation == "swish"
    assert history.generations[0].summary.best_id == found[OWN].id
    assert find_standing(history).candidate.origin == "discovered"
    following = leaderboard(history, top=0, baselines=True)
    assert {row.name for row in following} == set(BASELINES)
    parents = {parent for each in found.values() for parent in each.parents}
    assert found[PUBLISHED].id in parents


def test_a_catalogue_that_grows_changes_no_campaign(tmp_path: Path) -> None:
    alone = run(campaign(tmp_path / "alone", generations=2))
    run(campaign(tmp_path / "grown"))
    published = expression_id(parse(OWN))
    with mock.patch(
        "search.launching.identity.known_as",
        lambda seed: ("own",) if expression_id(seed) == published else known_as(seed),
    ):
        grown = run(campaign(tmp_path / "grown", generations=2))
        anew = run(campaign(tmp_path / "anew"))
    assert [each.candidate for each in grown.candidates.values()] == [
        each.candidate for each in alone.candidates.values()
    ]
    assert anew.candidates[published].candidate.variation == "own"


@pytest.mark.parametrize(
    ("shape", "seed", "whole", "name"),
    [
        ({"template": "x * _"}, "tanh(exp(x))", "x * tanh(exp(x))", "tanhexp"),
        ({"template": "x * _"}, "softsign", None, None),
        ({"require": {"zero_at_zero": True}}, "softplus(x) + 1", None, None),
    ],
)
def test_the_whole_decides_and_not_what_fills_a_template(
    tmp_path: Path, shape: dict[str, Any], seed: str, whole: str | None, name: str | None
) -> None:
    which = campaign(tmp_path, start_from=[seed], **shape)
    history = run(which)
    (given,) = [
        each.candidate
        for each in history.candidates.values()
        if each.candidate.is_given or each.candidate.text == whole
    ]
    assert (given.origin, given.variation) == (
        ("discovered", "seed") if name is None else ("baseline", name)
    )
    assert (given.id in (which.folder / HALL_OF_FAME).read_text()) is (name is None)
