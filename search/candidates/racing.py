"""Rungs and promotion: candidates earn longer training by doing well in a shorter one."""

from __future__ import annotations

import math
import threading
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from evaluators.evaluation.evaluation import Evaluation, Outcome
from search.candidates.candidate import Candidate

Promise = Callable[[Sequence["Standing"]], Sequence[float]]
"""How good standings on one rung promise to be in the end; greater is better."""

Evaluate = Callable[[Sequence[Candidate], int], Iterable[Evaluation]]
"""Evaluates candidates at the fidelity of a rung, in order."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a scored candidate stands on the ladder of rungs.

    Attributes:
        candidate: Whose.
        rung: The highest that it was scored on, counted from 0.
        evaluation: Its record there.
    """

    candidate: Candidate
    rung: int
    evaluation: Evaluation

    @property
    def rank_key(self) -> tuple[int, float]:
        """Rung, then score; a greater key is better.

        Scores of different rungs can't be compared, but what climbed was among the best below.
        """
        score = self.evaluation.score
        return self.rung, float("-inf") if score is None else score


def ranked(standings: Iterable[Standing]) -> list[Standing]:
    """Best first: by rung, then score; equals by id, so that their order is always the same."""
    return sorted(standings, key=_best_first)


def _best_first(standing: Standing) -> tuple[int, float, str]:
    rung, score = standing.rank_key
    return -rung, -score, standing.candidate.id


def scores(standings: Sequence[Standing]) -> list[float]:
    """The plainest promise: what they scored."""
    return [standing.rank_key[1] for standing in standings]


class RaceBrokenError(RuntimeError):
    """A race cannot go on, since one before it has not come to its end."""


@dataclass
class _Rung:
    """Everything that was granted one fidelity, and what came of it."""

    number: int
    promise: Promise
    tried: set[str] = field(default_factory=set)
    scored: dict[str, Candidate] = field(default_factory=dict)
    # Worst first; kept in order, since sorting thousands anew each generation took most of it.
    ranking: list[tuple[float, str]] = field(default_factory=list)
    turn: int = 0

    def evaluated(self, candidates: Sequence[Candidate], evaluate: Evaluate) -> list[Standing]:
        evaluations = zip(candidates, evaluate(candidates, self.number), strict=True)
        return [
            Standing(candidate, self.number, evaluation)
            for candidate, evaluation in evaluations
            if evaluation.outcome is Outcome.SCORED
        ]

    def enter(self, standings: Sequence[Standing]) -> None:
        for standing, promise in zip(standings, self.promise(standings), strict=True):
            candidate = standing.candidate
            self.scored[candidate.id] = candidate
            insort(self.ranking, (promise, candidate.id))

    def best(self, factor: float) -> list[Candidate]:
        """The best 1 / `factor` of all that were scored here, ties broken by id.

        In the order in which they were scored: who was compiled together then stays together.
        """
        count = int(len(self.ranking) / factor)
        best = {key for _, key in self.ranking[len(self.ranking) - count :]}
        return [candidate for key, candidate in self.scored.items() if key in best]


class Racing:
    """Successive halving over everything seen so far.

    A candidate climbs once it is among the best 1 / `reduction_factor` of all that were scored on
    its rung, in this generation or an earlier one. That is the promotion rule of ASHA (Li,
    Jamieson, Rostamizadeh and others, A System for Massively Parallel Hyperparameter Tuning, 2020),
    applied at the end of a generation instead of at any time, which makes it independent of the
    order in which results arrive. A candidate that diverges or fails up there keeps the standing
    that it climbed from, and is not tried again.

    Races of several generations may be run at once, each in a thread of its own. On every rung they
    take turns in the order in which they were announced, so that who climbs is the same as if one
    had been run after the other.
    """

    def __init__(self, *, rungs: int, reduction_factor: float, promise: Promise = scores) -> None:
        """An empty ladder.

        Args:
            rungs: How many there are.
            reduction_factor: One in so many climbs.
            promise: By what those who climb are chosen.
        """
        self._rungs = [_Rung(number, promise) for number in range(rungs)]
        self._factor = reduction_factor
        self._turns = threading.Condition()
        self._announced = 0
        self._broken: float = math.inf

    def announce(self) -> int:
        """The number of the next race."""
        self._announced += 1
        return self._announced - 1

    def run(
        self, candidates: Sequence[Candidate], evaluate: Evaluate, *, number: int | None = None
    ) -> list[Standing]:
        """Evaluates new candidates on the lowest rung, then whoever climbs, rung by rung.

        Args:
            candidates: New ones that passed the probes.
            evaluate: Does the work.
            number: Of the race, as announced; by default it is announced now.

        Returns:
            Each candidate whose standing is new or has changed, once, at its highest rung.

        Raises:
            RaceBrokenError: If a race before this one has not come to its end.
        """
        number = self.announce() if number is None else number
        changed: dict[str, Standing] = {}
        climbing = candidates
        try:
            for rung, above in zip(self._rungs, [*self._rungs[1:], None], strict=True):
                standings = rung.evaluated(climbing, evaluate) if climbing else []
                changed.update((standing.candidate.id, standing) for standing in standings)
                with self._in_turn(rung, number):
                    rung.enter(standings)
                    if above is not None:
                        climbing = [c for c in rung.best(self._factor) if c.id not in above.tried]
                        above.tried.update(candidate.id for candidate in climbing)
        except BaseException:
            with self._turns:
                self._broken = min(self._broken, number)
                self._turns.notify_all()
            raise
        return list(changed.values())

    @contextmanager
    def _in_turn(self, rung: _Rung, number: int) -> Iterator[None]:
        with self._turns:
            self._turns.wait_for(lambda: rung.turn == number or self._broken < number)
            if self._broken < number:
                raise RaceBrokenError("a race before this one has not come to its end")
            yield
            rung.turn += 1
            self._turns.notify_all()
