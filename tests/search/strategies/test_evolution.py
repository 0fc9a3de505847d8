"""Who breeds, who survives, and what a population does when it becomes too much alike."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from grammars import FunctionIndex, load_grammar, parse
from search.candidates.candidate import Candidate
from search.candidates.objectives import cost_of, pareto_front, static_cost, values_of
from search.candidates.racing import Standing
from search.settings import SearchSettings
from search.strategies.diversity import diversity, structural_distance
from search.strategies.evolution import Evolution
from search.strategies.genetic import Genetic
from search.strategies.nsga2 import NSGA2
from search.strategies.rates import Rates
from search.strategies.regularized_evolution import RegularizedEvolution

from .battery import admitting, generations, standing


def ranked(text: str, *, rung: int = 0, loss: float = 1.0) -> Standing:
    return ranked_as(Candidate.of(parse(text), generation=0), rung=rung, loss=loss)


def ranked_as(candidate: Candidate, *, rung: int = 0, loss: float = 1.0) -> Standing:
    found = standing(candidate, rung=rung)
    assert found is not None
    (result,) = found.evaluation.per_seed
    record = Evaluation(
        candidate_id=candidate.id,
        expression=str(candidate.expression),
        canonical=str(candidate.canonical),
        task="digits-mlp",
        dataset="digits",
        fidelity=Fidelity(1, (0,)),
        outcome=Outcome.SCORED,
        per_seed=(type(result)(0, loss, 0.5),),
    )
    return Standing(candidate, rung, record)


def evolution(kind: type[Evolution], **settings: Any) -> Evolution:
    chosen = SearchSettings.model_validate({"population": 4, **settings})
    return kind(load_grammar("core"), chosen, seed=0)


def ids(searching: Evolution) -> set[str]:
    return {individual.candidate_id for individual in searching.population}


TEXTS = ("sin(x)", "x * tanh(x)", "relu(x)", "softplus(x)", "x * sigmoid(x)", "max(x, sin(x))")


def test_the_best_survive_and_a_higher_rung_is_better() -> None:
    searching = evolution(Genetic)
    told = [ranked(text, loss=1.0 + n) for n, text in enumerate(TEXTS)]
    told[5] = ranked(TEXTS[5], loss=99.0, rung=1)
    searching.tell(told)
    assert ids(searching) == {told[n].candidate.id for n in (0, 1, 2, 5)}


def test_a_promotion_changes_the_standing_of_who_is_there() -> None:
    searching = evolution(Genetic)
    searching.tell([ranked(text, loss=1.0 + n) for n, text in enumerate(TEXTS[:4])])
    searching.tell([ranked(TEXTS[3], loss=0.5, rung=1)])
    assert len(searching.population) == 4
    assert str(searching.population[0][0].name) == "softplus"


def test_better_parents_are_chosen_more_often() -> None:
    searching = evolution(Genetic, tournament=2, parsimony=1.0)
    told = [ranked(text, loss=1.0 + n) for n, text in enumerate(TEXTS[:4])]
    searching.tell(told)
    chosen = [searching.parent().candidate_id for _ in range(400)]
    counts = [chosen.count(each.candidate.id) for each in told]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 2 * counts[3]


def test_the_old_die_however_good_they_are() -> None:
    searching = evolution(RegularizedEvolution, offspring=2)
    admit = admitting(FunctionIndex())
    asked = [searching.ask(2, generation=number, admit=admit) for number in range(3)]
    told = [[ranked_as(each, loss=1.0 + n) for each in group] for n, group in enumerate(asked)]
    searching.tell(told[0])
    searching.tell(reversed(told[1]))
    assert ids(searching) == {each.id for group in asked[:2] for each in group}
    searching.tell(told[2])
    assert ids(searching) == {each.id for group in asked[1:] for each in group}
    searching.tell([ranked_as(asked[0][0], loss=0.1, rung=1)])
    assert asked[0][0].id not in ids(searching), "a promotion does not make it younger"


def test_what_is_cheap_survives_beside_what_is_good() -> None:
    searching = evolution(NSGA2)
    good = ranked("sin(x) * cos(x) * tanh(x) + erf(x)", loss=0.1)
    cheap = ranked("relu(x)", loss=9.0)
    beaten = [ranked(f"sin(x) * cos(x) * tanh({n} * x)", loss=5.0 + n) for n in (2, 3, 4, 5)]
    searching.tell([good, cheap, *beaten])
    assert {good.candidate.id, cheap.candidate.id} <= ids(searching)
    assert len(searching.population) == 4


def test_no_point_of_a_front_is_dominated() -> None:
    told = [s for group in generations("nsga2", count=8) for c in group if (s := standing(c))]
    front = pareto_front(told)
    assert len({each.candidate.id for each in front}) >= 3
    assert [each.rank_key for each in front] == sorted((s.rank_key for s in front), reverse=True)
    for member in front:
        own = values_of(member)
        for other in told:
            others = values_of(other)
            if others["score"] >= own["score"] and others["cost"] <= own["cost"]:
                assert others["size"] > own["size"] or others == own


def test_a_cost_is_that_of_the_canonical_form() -> None:
    assert static_cost(parse("relu(x) + tanh(x)")) == pytest.approx(0.3 + 1.0 + 2.5)
    assert cost_of(parse("neg(neg(relu(x)))")) == cost_of(parse("relu(x)")) == 1.0
    assert values_of(ranked("neg(neg(relu(x)))"))["size"] == 2


def test_distance_is_about_structure() -> None:
    swish, scaled = parse("x * sigmoid(2 * x)"), parse("x * sigmoid(0.5 * x)")
    assert structural_distance(swish, scaled) == 0.0
    assert structural_distance(parse("sin(x)"), parse("relu(x)")) == 1.0
    assert 0.0 < structural_distance(swish, parse("x * tanh(2 * x)")) < 1.0
    assert diversity([swish]) == 1.0
    assert diversity([swish, scaled, scaled]) == 0.0


def test_immigrants_restore_diversity() -> None:
    def newcomers(texts: list[str]) -> int:
        searching = evolution(Genetic, population=20, immigrants=0.1, least_diversity=0.3)
        searching.tell([ranked(text) for text in texts])
        asked = searching.ask(20, generation=1, admit=admitting(FunctionIndex()))
        return sum(candidate.variation == "random" for candidate in asked)

    alike = [f"x * sigmoid({n} * x)" for n in (1.5, 2, 2.5, 3)]
    assert newcomers(alike) >= 10
    assert newcomers(list(TEXTS)) == 2


@pytest.mark.parametrize(("offspring", "immigrants"), [(1, 8), (8, 10), (16, 10)])
def test_whoever_replaces_one_at_a_time_has_no_more_immigrants_than_others(
    offspring: int, immigrants: int
) -> None:
    searching = evolution(Genetic, population=20, immigrants=0.1, least_diversity=0.0)
    searching.tell([ranked(text) for text in TEXTS])
    admit = admitting(FunctionIndex())
    asked = [
        candidate
        for generation in range(80 // offspring)
        for candidate in searching.ask(offspring, generation=generation, admit=admit)
    ]
    assert len(asked) == 80
    assert sum(candidate.variation == "random" for candidate in asked) == immigrants


def test_rates_follow_success_and_never_reach_zero() -> None:
    rates = Rates(("good", "bad"), adaptive=True)
    assert rates.probabilities == {"good": 0.5, "bad": 0.5}
    for _ in range(50):
        rates.credit([("good", True), ("bad", False), ("crossover", True)])
    assert rates.probabilities["bad"] == pytest.approx(0.125, abs=0.01)
    assert sum(rates.probabilities.values()) == pytest.approx(1.0)
    drawn = [rates.draw(generator) for generator in [Random(1)] for _ in range(300)]
    assert drawn.count("good") > 200


def test_fixed_rates_learn_nothing() -> None:
    rates = Rates(("good", "bad"), adaptive=False)
    rates.credit([("good", True), ("bad", False)] * 20)
    assert rates.probabilities == {"good": 0.5, "bad": 0.5}


def test_adaptive_rates_change_with_the_search() -> None:
    searching = evolution(Genetic, adaptive_rates=True, population=12, crossover=0.0)
    admit = admitting(FunctionIndex())
    for generation in range(6):
        asked = searching.ask(12, generation=generation, admit=admit)
        searching.tell([s for c in asked if (s := standing(c)) is not None])
    rates = searching.vitals.rates
    assert len(set(rates.values())) > 1
    assert sum(rates.values()) == pytest.approx(1.0)
