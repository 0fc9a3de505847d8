"""Breeds on what a model expects: most functions are considered, and few are trained."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, final

import numpy as np

from evaluators.probing.survey import Survey
from grammars import Expression, Grammar
from search.candidates.candidate import GIVEN, Candidate
from search.candidates.lesson import Lesson
from search.candidates.racing import Standing
from search.candidates.vitals import Forecasting, Vitals
from search.settings import SearchSettings
from search.strategies.breeding import Breeder
from search.strategies.genetic import Genetic
from search.strategies.inner_evolution import Expectation, InnerEvolution, Origin, key_of
from search.strategies.newcomers import DEPTH, newcomer
from search.strategies.rates import Rates
from search.strategies.score_model import ScoreModel
from search.strategies.spread import Standard, spread_out
from search.strategies.starting_points import read_starting_points
from search.strategies.strategy import Admit
from search.strategies.variation import applicable

# Before so many functions are scored, there is nothing to learn from.
_LEAST_SCORED: Final = 12
# Random functions that the first ones are chosen from, and that join each inner evolution.
_DRAWN: Final = 1_000
_STRANGERS: Final = 100
# The best of what is known are bred from; asking the model about all of a long search would take
# most of it. A campaign of 2,000 functions breeds from all, with baselines and a thousand lessons.
_MOST_ORIGINS: Final = 3_100
# Root mean square of the standardised differences below which two shapes are too much alike to
# train both: the one says little beyond the other, and constants are tuned at the end.
_ALIKE: Final = 0.2
# Fewer expectations than this say nothing about the model.
_LEAST_COMPARED: Final = 5


@dataclass(frozen=True, slots=True)
class _Known:
    """A function that the model learns from.

    Attributes:
        expression: The function.
        rung: On which it was scored.
        score: What it came to there.
        is_baseline: Whether it is a published one that every campaign scores.
        shape: See `evaluators.probing.shapes` [features].
        key: Of the shape, if the grammar can write the function; None if not.
    """

    expression: Expression
    rung: int
    score: float
    is_baseline: bool
    shape: np.ndarray
    key: bytes | None


@final
class Surrogate:
    """A model of scores is bred on, and the most promising functions are trained.

    Each generation learns a model of all scores so far, lets an inner evolution maximise what it
    expects, and proposes the best of what was bred, no two of them much alike. So a training run is
    paid for one function in a hundred (Bingham, Miikkulainen, Efficient Activation Function
    Optimization through Surrogate Modeling, 2023, rank a fixed set of functions so; breeding on a
    model: Jin, A Comprehensive Survey of Fitness Approximation in Evolutionary Computation, 2005).
    Where its expectations were worse than chance, the next generation is bred from the truth, as
    `Genetic` does.
    """

    def __init__(self, grammar: Grammar, settings: SearchSettings, *, seed: int | str) -> None:
        """Nothing is known yet.

        Raises:
            SettingsError: If a function to start from cannot be had or not be written.
        """
        self._grammar, self._settings, self._seed = grammar, settings, seed
        # Those that have not had their turn; the first generation may have no room for all.
        self._waiting = deque(read_starting_points(settings.start_from, grammar))
        self._breeder = Breeder(
            grammar, Rates(applicable(grammar), adaptive=False), settings.crossover
        )
        self._plain = Genetic(grammar, settings, seed=seed, starting_points=())
        self._survey = Survey()
        self._known: dict[str, _Known] = {}
        self._expected: dict[str, float] = {}
        self._forecasting = Forecasting(considered=0, correlation=None, is_followed=True)

    def ask(self, count: int, *, generation: int, admit: Admit) -> list[Candidate]:
        """Proposes what promises most; see `Strategy.ask`."""
        generator = Random(f"{self._seed}/{generation}")
        is_beginning = sum(not each.is_baseline for each in self._known.values()) < _LEAST_SCORED
        follows = self._forecasting.is_followed and not is_beginning
        strangers = round(count * self._settings.immigrants) if follows else 0
        candidates = _admitted(self._starts(generation), count - strangers, admit)
        left = count - strangers - len(candidates)
        if not is_beginning and not follows:
            return candidates + self._plain.ask(left, generation=generation, admit=admit)
        if left:
            propose = self._first if is_beginning else self._promising
            candidates += _admitted(propose(generator, generation=generation), left, admit)
        return candidates + self._newcomers(
            count - len(candidates), generator, generation=generation, admit=admit
        )

    def tell(self, standings: Iterable[Standing]) -> None:
        """Compares with what was expected, and remembers; see `Strategy.tell`."""
        told = sorted(standings, key=lambda standing: standing.candidate.id)
        self._judge([standing for standing in told if standing.candidate.id in self._expected])
        self._plain.tell(told)
        self.learn(told)

    def learn(self, standings: Iterable[Standing]) -> None:
        """Remembers what was scored, by whomever it was proposed."""
        for standing in standings:
            candidate = standing.candidate
            assert isinstance(candidate.expression, Expression)
            is_baseline = candidate.origin == "baseline"
            self._keep(
                candidate.id, candidate.expression, standing.rank_key, is_baseline=is_baseline
            )

    def remember(self, lessons: Iterable[Lesson]) -> None:
        """Learns from what earlier campaigns scored, until it is scored by this one too."""
        for each in lessons:
            self._keep(each.candidate_id, each.expression, (each.rung, each.score))

    def _keep(
        self,
        candidate_id: str,
        expression: Expression,
        rank_key: tuple[int, float],
        *,
        is_baseline: bool = False,
    ) -> None:
        """Remembers a function, with what every generation asks of it and what never changes."""
        before = self._known.get(candidate_id)
        shape = self._survey([expression]).shapes[0] if before is None else before.shape
        key = key_of(shape) if self._grammar.violation(expression) is None else None
        self._known[candidate_id] = _Known(expression, *rank_key, is_baseline, shape, key)

    @property
    def vitals(self) -> Vitals:
        """Diversity of the best, and what the model is worth."""
        plain = self._plain.vitals
        return Vitals(plain.diversity, plain.rates, self._forecasting)

    def _judge(self, compared: Sequence[Standing]) -> None:
        """Ranks what came beside what was expected; worse than chance, it is not followed."""
        followed = self._forecasting.is_followed
        correlation = None
        if len(compared) >= _LEAST_COMPARED:
            # What climbed was among the best below: rung and score are one order of all.
            order = sorted({standing.rank_key for standing in compared})
            came = [order.index(standing.rank_key) for standing in compared]
            expected = [self._expected[standing.candidate.id] for standing in compared]
            correlation = _rank_correlation(expected, came)
        # A generation that was bred from the truth gives the model another chance.
        is_followed = not followed or correlation is None or correlation >= 0.0
        considered = self._forecasting.considered if followed else 0
        self._forecasting = Forecasting(considered, correlation, is_followed)

    def _starts(self, generation: int) -> Iterator[Candidate]:
        """Functions to start from; one that is looked at, and not taken up, keeps its turn."""
        while self._waiting:
            yield Candidate.of(self._waiting[0], generation=generation, variation=GIVEN)
            self._waiting.popleft()

    def _first(self, generator: Random, *, generation: int) -> Iterator[Candidate]:
        """Random functions whose shapes are far apart."""
        drawn = _sampled(self._grammar, generator, _DRAWN)
        fit, shapes = self._survey(drawn)
        fitting = [drawn[number] for number in np.flatnonzero(fit).tolist()]
        for number in spread_out(shapes[fit]):
            yield Candidate.of(fitting[number], generation=generation, variation="spread")

    def _promising(self, generator: Random, *, generation: int) -> Iterator[Candidate]:
        """What was bred, the most appealing first, nothing much like another or what is known."""
        ids = sorted(self._known)
        known = [self._known[identity] for identity in ids]
        shapes = np.stack([each.shape for each in known])
        model = ScoreModel(shapes, [each.rung for each in known], [each.score for each in known])
        inner = InnerEvolution(
            model,
            self._survey,
            self._breeder,
            self._settings,
            known=(each.key for each in known if each.key is not None),
        )
        origins = [
            Origin(ids[number], known[number].expression, known[number].shape)
            for number in _best_written(known)
        ]
        found = inner.run(origins, _sampled(self._grammar, generator, _STRANGERS), generator)
        self._forecasting = Forecasting(
            len(found), self._forecasting.correlation, self._forecasting.is_followed
        )
        for each in _apart(found, known=shapes):
            candidate = Candidate.of(
                each.expression,
                generation=generation,
                parents=each.ancestors,
                variation="forecast",
            )
            self._expected[candidate.id] = each.mean
            yield candidate

    def _newcomers(
        self, count: int, generator: Random, *, generation: int, admit: Admit
    ) -> list[Candidate]:
        drawn = (newcomer(self._grammar, generator, admit) for _ in range(count))
        return [Candidate.of(each, generation=generation) for each in drawn if each is not None]


def _best_written(known: Sequence[_Known]) -> list[int]:
    """Numbers, ascending, of the best functions among those that the grammar can write."""
    written = [number for number, each in enumerate(known) if each.key is not None]
    written.sort(key=lambda number: (known[number].rung, known[number].score), reverse=True)
    return sorted(written[:_MOST_ORIGINS])


def _sampled(grammar: Grammar, generator: Random, count: int) -> list[Expression]:
    """Random functions, by ramped half-and-half (Koza 1992)."""
    return [
        grammar.sample(
            generator, depth=DEPTH, method="full" if generator.random() < 0.5 else "grow"
        )
        for _ in range(count)
    ]


def _apart(found: Sequence[Expectation], *, known: np.ndarray) -> Iterator[Expectation]:
    """Leaves out whatever is much like one before it, or like a function that is known."""
    standard = Standard.of(known)
    taken = standard(known)
    for each in found:
        place = standard(each.shape[None])
        if np.mean((taken - place) ** 2, axis=1).min() >= _ALIKE**2:
            taken = np.concatenate([taken, place])
            yield each


def _admitted(proposed: Iterable[Candidate], count: int, admit: Admit) -> list[Candidate]:
    """The first `count` whose functions are new."""
    candidates: list[Candidate] = []
    for candidate in proposed:
        if len(candidates) == count:
            break
        assert isinstance(candidate.expression, Expression)
        if admit(candidate.expression):
            candidates.append(candidate)
    return candidates


def _rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's; None where all of one are equal."""
    from scipy.stats import spearmanr

    if len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(spearmanr(first, second).statistic)
