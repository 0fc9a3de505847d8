"""Rungs and promotion: candidates earn longer training by doing well in a shorter one."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Sequence
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


@dataclass
class _Rung:
    """Everything that was granted one fidelity, and what came of it."""

    number: int
    promise: Promise
    tried: set[str] = field(default_factory=set)
    scored: dict[str, Candidate] = field(default_factory=dict)
    # Worst first; kept in order, since sorting thousands anew each generation took most of it.
    ranking: list[tuple[float, str]] = field(default_factory=list)

    def run(self, candidates: Sequence[Candidate], evaluate: Evaluate) -> list[Standing]:
        evaluations = zip(candidates, evaluate(candidates, self.number), strict=True)
        standings = [
            Standing(candidate, self.number, evaluation)
            for candidate, evaluation in evaluations
            if evaluation.outcome is Outcome.SCORED
        ]
        self.tried.update(candidate.id for candidate in candidates)
        for standing, promise in zip(standings, self.promise(standings), strict=True):
            candidate = standing.candidate
            self.scored[candidate.id] = candidate
            insort(self.ranking, (promise, candidate.id))
        return standings

    def best(self, share: float) -> list[Candidate]:
        """The best `share` of all that were scored here, ties broken by id.

        In the order in which they were scored: who was compiled together then stays together.
        """
        count = int(len(self.ranking) * share)
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
    """

    def __init__(self, *, rungs: int, reduction_factor: float, promise: Promise = scores) -> None:
        """An empty ladder.

        Args:
            rungs: How many there are.
            reduction_factor: One in so many climbs.
            promise: By what those who climb are chosen.
        """
        self._rungs = [_Rung(number, promise) for number in range(rungs)]
        self._share = 1.0 / reduction_factor

    def run(self, candidates: Sequence[Candidate], evaluate: Evaluate) -> list[Standing]:
        """Evaluates new candidates on the lowest rung, then whoever climbs, rung by rung.

        Args:
            candidates: New ones that passed the probes.
            evaluate: Does the work.

        Returns:
            Each candidate whose standing is new or has changed, once, at its highest rung.
        """
        changed: dict[str, Standing] = {}
        climbing = candidates
        for rung, above in zip(self._rungs, [*self._rungs[1:], None], strict=True):
            if climbing:
                changed.update((s.candidate.id, s) for s in rung.run(climbing, evaluate))
            if above is not None:
                climbing = [c for c in rung.best(self._share) if c.id not in above.tried]
        return list(changed.values())
