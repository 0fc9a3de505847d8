import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from grammars import parse
from search.candidates.candidate import Candidate
from search.candidates.racing import RaceBrokenError, Racing, Standing

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


def test_one_of_exactly_as_many_as_the_reduction_factor_climbs() -> None:
    for factor in (2, 3, 10, 49, 98):
        scores = Scores()
        Racing(rungs=2, reduction_factor=float(factor)).run(candidates(factor), scores)
        assert scores.calls == [(0, factor), (1, 1)]


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


def test_races_at_once_promote_whom_races_one_after_the_other_promote() -> None:
    order = Random(5)
    groups = [
        order.sample(group, len(group))
        for group in (candidates(9, start=s) for s in (0, 30, 9, 18))
    ]
    calm = Racing(rungs=3, reduction_factor=3.0)
    expected = [_told(calm.run(group, Scores())) for group in groups]

    class Delayed(Scores):
        """The first race is the slowest."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self._seconds = 0.02 * (len(groups) - number)

        def __call__(self, group: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
            time.sleep(self._seconds)
            yield from super().__call__(group, rung)

    racing = Racing(rungs=3, reduction_factor=3.0)
    numbers = [racing.announce() for _ in groups]
    with ThreadPoolExecutor(len(groups)) as pool:
        races = [
            pool.submit(racing.run, group, Delayed(number), number=number)
            for number, group in zip(numbers, groups, strict=True)
        ]
        assert [_told(race.result(timeout=20)) for race in races] == expected


def test_a_race_that_is_cut_short_ends_those_behind_it() -> None:
    racing, begun = Racing(rungs=2, reduction_factor=2.0), threading.Event()

    def cut(group: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
        begun.wait(timeout=20)
        raise KeyboardInterrupt
        yield

    first, second = racing.announce(), racing.announce()
    with ThreadPoolExecutor(2) as pool:
        races = [
            pool.submit(racing.run, candidates(4), cut, number=first),
            pool.submit(racing.run, candidates(4, start=4), Scores(), number=second),
        ]
        begun.set()
        with pytest.raises(KeyboardInterrupt):
            races[0].result(timeout=20)
        with pytest.raises(RaceBrokenError):
            races[1].result(timeout=20)


def test_a_race_that_is_cut_short_ends_none_before_it() -> None:
    racing, is_cut = Racing(rungs=2, reduction_factor=2.0), threading.Event()

    def cut(group: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
        raise KeyboardInterrupt
        yield

    def late(group: Sequence[Candidate], rung: int) -> Iterator[Evaluation]:
        assert is_cut.wait(timeout=20)
        yield from Scores()(group, rung)

    first, second = racing.announce(), racing.announce()
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(racing.run, candidates(4), late, number=first)
        with pytest.raises(KeyboardInterrupt):
            pool.submit(racing.run, candidates(4, start=4), cut, number=second).result(timeout=20)
        is_cut.set()
        assert len(before.result(timeout=20)) == 4


def _told(standings: Sequence[Standing]) -> list[tuple[str, int]]:
    return [(standing.candidate.text, standing.rung) for standing in standings]
