"""Campaigns side by side: only scores of one kind are compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from search.standings.side_by_side import SideBySide, side_by_side

from .here import captured, launched

SEVERAL = 'scoring.tasks=["digits-mlp", "breast-cancer-mlp"]'


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Campaigns that differ in one thing each."""
    folder = tmp_path_factory.mktemp("beside") / "runs"
    for name, *settings in (
        ("one",),
        ("again", "seed=8"),
        ("longer", "scoring.rungs=[{steps=20},{steps=80,seeds=2}]"),
        ("cosine", 'scoring.schedule="cosine"'),
        ("mean", SEVERAL),
        ("worst", SEVERAL, 'scoring.aggregate="worst"'),
        ("weighted", SEVERAL, "scoring.aggregate={digits-mlp=1.0,breast-cancer-mlp=2.0}"),
        ("rated", SEVERAL, "scoring.learning_rates=[0.001,0.003]"),
    ):
        launched(folder, name, *settings)
    return folder


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("one", "again", None),
        ("one", "longer", "the rungs differ (one: 20 steps from seeds 0, 40 steps from seeds"),
        ("one", "cosine", "tasks of one name differ in their data, network, recipe or schedule"),
        ("one", "mean", "the scores are made up of different tasks"),
        ("mean", "worst", "(mean: the mean, weights 1, 1; worst: the worst)"),
        ("mean", "weighted", "weights 1, 1; weighted: the mean, weights 1, 2)"),
        ("mean", "rated", "(mean: the recipe's; rated: best of 0.001, 0.003)"),
    ],
)
def test_what_differs_in_scoring_is_said(
    runs: Path, first: str, second: str, why: str | None
) -> None:
    found = side_by_side([runs / first, runs / second]).incomparable
    assert found is None if why is None else why in str(found)


def test_scores_of_different_scales_are_not_ranked_without_a_word(runs: Path) -> None:
    shown = captured("compare", "mean", "worst", "--runs-dir", runs)
    assert "Do not compare across: the scores are made up differently" in shown.stdout
    document = json.loads(captured("compare", "mean", "worst", "--json", "--runs-dir", runs).stdout)
    assert "made up differently" in document["incomparable"]


def test_what_another_version_scored_by_is_not_known(runs: Path) -> None:
    one, again = side_by_side([runs / "one", runs / "again"]).campaigns
    assert SideBySide((one, replace(again, rungs=()))).incomparable == (
        "it is not known how again scored: another version wrote that"
    )


def test_a_higher_rung_comes_first_though_it_trained_no_longer(runs: Path) -> None:
    (one,) = side_by_side([runs / "one"]).campaigns
    low, high = (
        replace(one.rows[0], candidate_id=identity, rung=rung, score=score, steps=20, seeds=1)
        for identity, rung, score in (("low", 0, 4.0), ("high", 1, -2.0))
    )
    found = SideBySide((replace(one, rows=(low, high)),))
    assert [row.candidate_id for row, _ in found.rows()] == ["high", "low"]
