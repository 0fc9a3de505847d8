from collections.abc import Iterable, Iterator, Sequence

import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from grammars import parse
from search.candidates.candidate import Candidate
from search.candidates.racing import Racing

from .simulation import BENCH


def candidates(count: int, *, start: int = 0) -> list[Candidate]:
    """Distinct functions, each a little better than the one before."""
    return [
        Candidate.of(parse(f"{1 + number} * tanh(x)"), generation=0)
        for number in range(start, start + count)
    ]


class Scores:
    """Evaluates by rank: the larger the factor before tanh, the smaller the loss."""

    def __init__(self, *, diverging_above: int | None = None) -> None:
        self.calls: list[tuple[int, int]] = []
        self.diverging_above = diverging_above

    def __call__(self, group: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
        self.calls.append((rung, len(group)))
        for candidate in group:
            factor = float(str(candidate.expression).split(" ")[0])
            if rung and self.diverging_above is not None and factor > self.diverging_above:
                yield BENCH.record(
                    candidate.expression, Fidelity(10, (0,)), Outcome.DIVERGED, reason="test"
                )
                continue
            result = SeedResult(0, 1.0 / factor, 0.5)
            yield BENCH.record(
                candidate.expression, Fidelity(10, (0,)), Outcome.SCORED, per_seed=(result,)
            )


def test_one_in_reduction_factor_climbs_each_rung() -> None:
    scores = Scores()
    racing = Racing(rungs=3, reduction_factor=4.0)
    standings = racing.run(candidates(32), scores)
    assert scores.calls == [(0, 32), (1, 8), (2, 2)]
    assert sorted(s.rung for s in standings) == [0] * 24 + [1] * 6 + [2] * 2


def test_the_best_climb() -> None:
    group = candidates(8)
    standings = Racing(rungs=2, reduction_factor=4.0).run(group, Scores())
    climbed = {s.candidate.id for s in standings if s.rung == 1}
    assert climbed == {group[6].id, group[7].id}


def test_who_climbs_stays_in_the_order_of_the_rung_below() -> None:
    # So that neighbours, who were compiled into one program, climb together.
    asked: list[list[Candidate]] = []

    def evaluate(group: Sequence[Candidate], rung: int) -> Iterable[Evaluation]:
        asked.append(list(group))
        return Scores()(group, rung)

    group = candidates(8)
    shuffled = [group[n] for n in (6, 0, 7, 1, 4, 2, 5, 3)]
    Racing(rungs=2, reduction_factor=2.0).run(shuffled, evaluate)
    assert asked[1] == [group[n] for n in (6, 7, 4, 5)]


def test_an_earlier_candidate_climbs_once_there_is_room_above_and_only_once() -> None:
    scores = Scores()
    racing = Racing(rungs=2, reduction_factor=4.0)
    best = candidates(3, start=100)
    assert all(s.rung == 0 for s in racing.run(best, scores))
    standings = racing.run(candidates(5), scores)
    assert {s.candidate.id for s in standings if s.rung == 1} == {best[1].id, best[2].id}
    again = racing.run(candidates(1, start=50), scores)
    assert best[2].id not in {s.candidate.id for s in again}


def test_what_diverges_above_keeps_its_standing_and_is_not_tried_again() -> None:
    scores = Scores(diverging_above=7)
    racing = Racing(rungs=2, reduction_factor=4.0)
    group = candidates(8)
    standings = {s.candidate.id: s.rung for s in racing.run(group, scores)}
    assert standings[group[7].id] == 0
    assert standings[group[6].id] == 1
    racing.run([], scores)
    assert scores.calls == [(0, 8), (1, 2)]


def test_nothing_to_run_is_no_work() -> None:
    scores = Scores()
    assert Racing(rungs=2, reduction_factor=2.0).run([], scores) == []
    assert scores.calls == []


@pytest.mark.parametrize("order", [1, -1])
def test_promotion_does_not_depend_on_the_order_of_candidates(order: int) -> None:
    group = candidates(12)[::order]
    standings = Racing(rungs=2, reduction_factor=3.0).run(group, Scores())
    climbed = sorted(str(s.candidate.expression) for s in standings if s.rung == 1)
    assert climbed == ["10 * tanh(x)", "11 * tanh(x)", "12 * tanh(x)", "9 * tanh(x)"]
