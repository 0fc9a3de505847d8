"""The strategy that breeds on a model of scores."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from evaluators.probing.shapes import shape
from grammars import BASELINES, evaluate, load_grammar, parse
from search.candidates.candidate import Candidate
from search.candidates.lesson import Lesson
from search.candidates.racing import Standing
from search.settings import SearchSettings, SettingsError
from search.strategies import Learner, begin
from search.strategies.inner_evolution import Expectation, InnerEvolution, Origin, key_of
from search.strategies.score_model import ScoreModel
from search.strategies.spread import spread_out
from search.strategies.surrogate import Surrogate

from .battery import admitting_by_layer, distance, generations, standing


def searching(*, seed: int = 3, **settings: Any) -> Surrogate:
    chosen = SearchSettings.model_validate({"strategy": "surrogate", "brood": 300, **settings})
    strategy = begin(load_grammar("core"), chosen, seed=seed)
    assert isinstance(strategy, Surrogate)
    return strategy


def scored(candidates: list[Candidate], *, upside_down: bool = False) -> list[Standing]:
    found = [s for c in candidates if (s := standing(c)) is not None]
    if not upside_down:
        return found
    losses = [s.evaluation.validation_loss for s in found]
    turned = [1.0 / loss for loss in losses if loss is not None]
    again = [standing(s.candidate, loss=loss) for s, loss in zip(found, turned, strict=True)]
    return [s for s in again if s is not None]


def test_it_begins_with_shapes_that_are_far_apart() -> None:
    (first, *_) = generations("surrogate", count=1)
    (drawn, *_) = generations("random", count=1)

    def apart(candidates: list[Candidate]) -> float:
        shapes = np.array([shape(c.expression) for c in candidates])
        places = spread_out(shapes)
        assert len(set(places)) == len(places)
        gaps = np.linalg.norm(shapes[:, None] - shapes[None], axis=2)
        return float(np.median(gaps[np.triu_indices(len(shapes), 1)]))

    assert {c.variation for c in first} == {"spread"}
    assert apart(first) > apart(drawn)


def test_most_of_what_is_trained_was_bred_on_the_model() -> None:
    asked = generations("surrogate", population=24, offspring=20)
    bred = [c for group in asked[1:] for c in group if c.variation == "forecast"]
    assert len(bred) >= 0.8 * 5 * 20
    known = {c.id for c in asked[0]}
    for group in asked[1:]:
        for candidate in group:
            assert set(candidate.parents) <= known
            assert len(candidate.parents) <= 2
        known |= {c.id for c in group}
    assert any(len(c.parents) == 2 for c in bred)


def test_it_is_nearer_after_a_few_generations_than_plain_breeding() -> None:
    def best(strategy: str, seed: int) -> float:
        run = generations(strategy, seed=seed, count=8)
        return min(distance(c.expression) for group in run for c in group)

    seeds = range(4)
    ours = fmean(best("surrogate", seed) for seed in seeds)
    assert ours < fmean(best("genetic", seed) for seed in seeds)


def test_it_tells_what_its_model_is_worth() -> None:
    strategy, admit = searching(), admitting_by_layer()
    for generation in range(4):
        strategy.tell(scored(strategy.ask(16, generation=generation, admit=admit)))
    forecasting = strategy.vitals.forecasting
    assert forecasting is not None
    assert forecasting.considered > 100
    assert forecasting.correlation is not None
    assert -1.0 <= forecasting.correlation <= 1.0


def test_a_model_that_is_worse_than_chance_is_left_for_a_generation() -> None:
    strategy, admit = searching(seed=4), admitting_by_layer()
    strategy.tell(scored(strategy.ask(64, generation=0, admit=admit)))
    # What the model has learnt to expect is turned upside down.
    strategy.tell(scored(strategy.ask(32, generation=1, admit=admit), upside_down=True))
    judged = strategy.vitals.forecasting
    assert judged is not None
    assert judged.correlation is not None
    assert judged.correlation < 0.0
    assert not judged.is_followed
    plain = strategy.ask(16, generation=2, admit=admit)
    assert "forecast" not in {c.variation for c in plain}
    assert any(c.parents for c in plain)
    strategy.tell(scored(plain))
    assert any(c.variation == "forecast" for c in strategy.ask(16, generation=3, admit=admit)), (
        "the model has another chance"
    )


def test_it_learns_from_baselines_that_it_did_not_propose() -> None:
    strategy, admit = searching(), admitting_by_layer()
    assert isinstance(strategy, Learner)
    baselines = [
        Candidate.of(parse(name), generation=0, origin="baseline", variation=name)
        for name in BASELINES
    ]
    # Ahead of all that is drawn at random.
    ahead = [standing(each, loss=0.01 * place) for place, each in enumerate(baselines, 1)]
    strategy.learn([each for each in ahead if each is not None])
    first = strategy.ask(16, generation=0, admit=admit)
    assert {c.variation for c in first} == {"spread"}, "baselines alone teach too little"
    strategy.tell(scored(first))
    bred = strategy.ask(16, generation=1, admit=admit)
    ancestors = {parent for c in bred for parent in c.parents}
    assert ancestors & {c.id for c in baselines}


def test_the_model_ranks_functions_by_their_like() -> None:
    taught = [parse(f"{a / 10:.1f} * x + tanh({b} * x)") for a in range(20) for b in (1, 2, 3)]
    asked = [parse(f"{a / 10 + 0.05:.2f} * x + tanh(2 * x)") for a in range(19)]

    def score(function: Any) -> float:
        return -abs(float(evaluate(function, np.array([2.0]))[0]) - 3.0)

    model = ScoreModel(
        np.array([shape(each) for each in taught]), [0] * 60, [score(each) for each in taught]
    )
    expected = model.expected(np.array([shape(each) for each in asked]))
    best = max(range(19), key=lambda number: score(asked[number]))
    assert abs(int(np.argmax(expected.mean)) - best) <= 1
    assert (expected.spread >= 0.0).all()


def test_who_climbed_stands_above_who_did_not() -> None:
    functions = [parse(f"tanh({a / 10:.1f} * x)") for a in range(1, 41)]
    shapes = np.array([shape(each) for each in functions])
    # On the second rung, with another task, the best score is below all of the first.
    rungs = [0] * 20 + [1] * 20
    scores = [*np.linspace(-3.0, 0.0, 20), *np.linspace(-9.0, -6.0, 20)]
    expected = ScoreModel(shapes, rungs, scores).expected(shapes).mean
    assert expected[21:].min() > expected[:20].max()
    assert int(np.argmax(expected)) >= 37


def test_scores_of_the_highest_rung_are_what_is_expected() -> None:
    functions = [parse(f"tanh({a / 10:.1f} * x)") for a in range(1, 41)]
    shapes = np.array([shape(each) for each in functions])
    steep = np.arange(40.0)
    # On the first rung the steepest lead, on the second the flattest.
    model = ScoreModel(
        np.concatenate([shapes, shapes]), [0] * 40 + [1] * 40, [*steep, *(100.0 - steep)]
    )
    assert int(np.argmin(model.expected(shapes).mean)) > int(np.argmax(model.expected(shapes).mean))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"layers": "each"}, "the model of the strategy 'surrogate' knows single functions"),
        ({"islands": 2}, "the strategy 'surrogate' has no population"),
        ({"brood": 10}, "greater than or equal to 100"),
    ],
)
def test_what_it_cannot_do_is_said(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        searching(**settings)


def test_starting_points_come_first_and_are_within_the_grammar() -> None:
    first, second, *_ = generations("surrogate", start_from=("swish", "x * tanh(x)"))[0]
    assert [str(first.expression), str(second.expression)] == ["x * sigmoid(x)", "x * tanh(x)"]
    with pytest.raises(SettingsError, match="cannot write"):
        searching(start_from=("log(x)",))


def test_only_the_best_of_many_are_bred_from(monkeypatch: pytest.MonkeyPatch) -> None:
    bred_from: list[list[str]] = []
    found: list[Expectation] = []

    class Watched(InnerEvolution):
        def run(self, origins: Sequence[Origin], *others: Any) -> list[Expectation]:
            bred_from.append([each.candidate_id for each in origins])
            found.extend(super().run(origins, *others))
            return found

    monkeypatch.setattr("search.strategies.surrogate.InnerEvolution", Watched)
    monkeypatch.setattr("search.strategies.surrogate._MOST_ORIGINS", 10)
    strategy, admit = searching(), admitting_by_layer()
    known = scored(strategy.ask(64, generation=0, admit=admit))
    strategy.tell(known)
    strategy.ask(16, generation=1, admit=admit)
    known.sort(key=lambda each: each.rank_key, reverse=True)
    assert bred_from == [sorted(each.candidate.id for each in known[:10])]
    # What is known and not bred from is not found again.
    keys = {each.key for each in strategy._known.values()}
    assert keys.isdisjoint(key_of(each.shape) for each in found)


def test_lessons_lead_the_first_generation() -> None:
    drawn = [c for group in generations("random", count=8) for c in group]
    lessons = [
        Lesson(s.candidate.id, s.candidate.text, s.rung, s.rank_key[1], "earlier")
        for s in scored(drawn)
    ]

    def first(taught: list[Lesson]) -> float:
        settings = SearchSettings(strategy="surrogate", brood=600)
        strategy = begin(load_grammar("core"), settings, seed=3, lessons=taught)
        asked = strategy.ask(24, generation=0, admit=admitting_by_layer())
        bred = {c.id for c in asked if c.variation == "forecast"}
        assert bred.isdisjoint(lesson.candidate_id for lesson in taught)
        assert bool(bred) is bool(taught)
        return fmean(sorted(distance(c.expression) for c in asked)[:6])

    assert first(lessons) < 0.8 * first([])
