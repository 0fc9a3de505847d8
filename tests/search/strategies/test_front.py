"""The picture of a front, of a search that weighs score against cost and size."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.candidates.racing import Standing
from search.drawing import PictureError, draw_front

from .battery import generations, standing


@pytest.fixture(scope="module")
def scored() -> list[Standing]:
    asked = generations("nsga2", count=10, population=16, offspring=16)
    return [s for group in asked for c in group if (s := standing(c)) is not None]


def test_a_search_for_tradeoffs_draws_a_front_of_distinct_functions(
    scored: list[Standing], tmp_path: Path
) -> None:
    front = draw_front(scored, tmp_path / "front.png")
    assert len({member.candidate.id for member in front}) == len(front) >= 5
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


def test_only_scores_of_one_rung_are_compared(scored: list[Standing], tmp_path: Path) -> None:
    promoted = [Standing(s.candidate, 1, s.evaluation) for s in scored[:3]]
    front = draw_front([*promoted, *scored[3:]], tmp_path / "front.svg")
    assert {member.rung for member in front} == {1}


def test_a_picture_that_cannot_be_drawn_says_so(scored: list[Standing], tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no scored candidate"):
        draw_front([], tmp_path / "front.png")
    with pytest.raises(PictureError, match=r"cannot write .*front\.xyz"):
        draw_front(scored, tmp_path / "front.xyz")
