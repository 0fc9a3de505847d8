"""Tuning constants and simplifying at the end of a search."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from evaluators.evaluation.evaluation import Evaluation, OnTask, OverTasks, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from grammars import Expression, expression_id, load_grammar, parse
from grammars.parsing.template import Template
from search.executors import Interrupted
from search.finals import count_tried
from search.history import History, read_history
from search.journal.journal import FILE_NAME, Journal
from search.launching.polishing import polisher_of
from search.loop.campaign import Loop
from search.polishing.constants import constants_of, digits_of, with_constants
from search.polishing.expecting import Expecting
from search.polishing.simpler_forms import complexity, simpler_forms
from search.polishing.trials import is_better, is_no_worse
from search.polishing.tuning import proposed_by_model, tried_by_training
from search.settings import Settings
from search.standings.finalists import polished_first
from search.standings.leaderboard import standings

from .here import actsearch
from .simulation import BENCH, Simulation
from .test_appraisal import BENCHES, Field
from .test_appraisal import settings as appraised_settings

CORE = load_grammar("core")


def settings(**more: Any) -> Settings:
    return Settings.model_validate(
        {
            "name": "polished",
            "seed": 1,
            "search": {"population": 16},
            "scoring": {"rungs": [{"steps": 10}, {"steps": 40, "seeds": 2}]},
            "stop": {"generations": 3},
            "polish": {"functions": 2, "trainings": 16},
            **more,
        }
    )


def searched(
    folder: Path, chosen: Settings, training: Any, benches: Sequence[Any] = (BENCH,)
) -> None:
    folder.mkdir(exist_ok=True)
    with Journal(folder / FILE_NAME) as journal:
        Loop(
            chosen,
            grammar=load_grammar(chosen.grammar),
            bench=benches[0],
            further=benches[1:],
            hidden_layers=2,
            journal=journal,
            executor=training,
            stopping=training.wish,
        ).run()


def polished(
    folder: Path, chosen: Settings, training: Any, benches: Sequence[Any] = (BENCH,)
) -> list[str]:
    said: list[str] = []
    with Journal(folder / FILE_NAME) as journal:
        polisher_of(
            chosen,
            grammar=load_grammar(chosen.grammar),
            benches=tuple(benches),
            journal=journal,
            executor=training,
            stopping=training.wish,
        ).run(said.append)
    return said


def history_of(folder: Path) -> History:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return read_history(journal)


def told(folder: Path) -> list[tuple[str, str, Any]]:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return [(each.kind, each.key, each.payload) for each in journal.events()]


def score_of(history: History, candidate_id: str) -> float:
    highest = history.candidates[candidate_id].highest
    assert highest is not None
    assert highest.evaluation.score is not None
    return highest.evaluation.score


@pytest.mark.parametrize("text", ["1.5 * x + sin(x - 0.25)", "max(x, 2) * pi", "tanh(x)"])
def test_constants_can_be_taken_out_and_put_back(text: str) -> None:
    function = parse(text)
    values = constants_of(function)
    assert with_constants(function, values) == function
    changed = with_constants(function, [value + 1.0 for value in values])
    assert constants_of(changed) == [value + 1.0 for value in values]


@pytest.mark.parametrize(
    ("value", "digits"), [(1.0, 1), (-0.25, 2), (1.1937, 5), (100.0, 1), (0.0, 0), (1e-7, 1)]
)
def test_digits_are_those_that_are_written(value: float, digits: int) -> None:
    assert digits_of(value) == digits


def test_simpler_forms_are_simpler_and_within_the_grammar() -> None:
    function = parse("1.1937 * x * sigmoid(x + sin(0.01 * x))")
    forms = simpler_forms(function, CORE)
    texts = {str(form) for form in forms}
    assert {"1.1937 * x * sigmoid(x)", "1.2 * x * sigmoid(x + sin(0.01 * x))"} <= texts
    assert all(complexity(form) < complexity(function) for form in forms)
    assert all(CORE.violation(form) is None for form in forms)
    assert forms == sorted(forms, key=complexity)


def test_what_comes_to_a_constant_becomes_a_short_one() -> None:
    function = parse("max(x, tanh(sigmoid(softplus(-1)) * x))")
    texts = [str(form) for form in simpler_forms(function, CORE)]
    assert "max(x, tanh(0.58 * x))" in texts
    assert "max(x, tanh(0.6 * x))" in texts


def test_the_nearest_published_function_is_among_them() -> None:
    texts = {expression_id(form) for form in simpler_forms(parse("x * sigmoid(1.07 * x)"), CORE)}
    assert expression_id(parse("swish")) in texts


def evaluation_of(*losses: float) -> Evaluation:
    fidelity = Fidelity(10, tuple(range(len(losses))))
    results = tuple(SeedResult(seed, loss, 0.5) for seed, loss in enumerate(losses))
    return BENCH.record(parse("tanh(x)"), fidelity, _SCORED, per_seed=results)


_SCORED = Simulation().evaluation(parse("tanh(x)"), Fidelity(10, (0,))).outcome


def test_differences_are_judged_by_their_own_noise() -> None:
    noisy, worse, better = (
        evaluation_of(0.5, 0.4, 0.3),
        evaluation_of(0.52, 0.41, 0.27),
        evaluation_of(0.4, 0.32, 0.24),
    )
    assert is_no_worse(worse, noisy)
    assert not is_better(worse, noisy)
    assert is_better(better, noisy)
    assert not is_no_worse(noisy, better)
    assert is_no_worse(evaluation_of(0.4), evaluation_of(0.4))
    assert not is_no_worse(evaluation_of(0.41), evaluation_of(0.4))


def over_tasks(*advantages: float) -> Evaluation:
    tasks = tuple(
        OnTask(f"task-{number}", "mnist", 0.001, -0.5, advantage)
        for number, advantage in enumerate(advantages)
    )
    return replace(evaluation_of(0.5), over_tasks=OverTasks(mean(advantages), tasks))


def test_over_several_tasks_little_is_given_away() -> None:
    # Differences of +1.3, -0.2 and -2.9: a mean of -0.6 with a standard error of 1.2.
    found, other = over_tasks(-2.0, -0.1, 0.2), over_tasks(-0.7, -0.3, -2.7)
    assert not is_no_worse(other, found)
    assert is_no_worse(over_tasks(-2.1, -0.3, 0.3), found)


def test_at_own_rates_on_one_task_differences_are_judged_by_the_seeds() -> None:
    def at_own_rate(*losses: float) -> Evaluation:
        plain = evaluation_of(*losses)
        assert plain.plain_score is not None
        advantage = (plain.plain_score - 0.7) / 0.05
        on_task = OnTask("digits-mlp", "digits", 0.004, plain.plain_score, advantage)
        return replace(plain, over_tasks=OverTasks(advantage, (on_task,)))

    noisy, worse, better = (
        at_own_rate(0.5, 0.4, 0.3),
        at_own_rate(0.52, 0.41, 0.27),
        at_own_rate(0.4, 0.32, 0.24),
    )
    assert is_no_worse(worse, noisy)
    assert is_no_worse(noisy, worse)
    assert not is_better(worse, noisy)
    assert not is_better(noisy, worse)
    assert is_better(better, noisy)
    assert not is_no_worse(noisy, better)


def test_a_simplex_finds_constants_by_training() -> None:
    best = parse("1.3 * x * sigmoid(0.8 * x)")
    trained: list[str] = []

    def score_each(forms: Sequence[Expression]) -> list[float]:
        trained.extend(map(str, forms))
        return [-math.dist(constants_of(form), constants_of(best)) for form in forms]

    start = with_constants(parse("1.3 * x * sigmoid(0.8 * x)"), [1.0, 1.2])
    tried = tried_by_training(start, CORE, score_each=score_each, trainings=30)
    assert len(trained) == len(set(trained)) <= 31
    nearest = min(math.dist(constants_of(form), (1.3, 0.8)) for form in tried)
    assert nearest < 0.2 * math.dist(constants_of(start), (1.3, 0.8))


def test_a_function_without_constants_is_not_tuned() -> None:
    assert not tried_by_training(parse("tanh(x)"), CORE, score_each=lambda forms: [], trainings=9)


def test_the_model_proposes_constants_that_it_expects_more_of(tmp_path: Path) -> None:
    searched(tmp_path, settings(stop={"generations": 6}), Simulation())
    expecting = Expecting(standings(history_of(tmp_path)), CORE)
    assert expecting.has_model
    start = parse("x * sigmoid(-0.9 * x)")
    proposed = proposed_by_model(start, CORE, expecting)
    assert proposed is not None
    assert proposed == proposed_by_model(start, CORE, expecting)
    before, after = expecting.expected([start, proposed])
    assert after > before
    assert len(constants_of(proposed)) == 1


def test_what_comes_out_is_no_worse_and_has_its_lineage(tmp_path: Path) -> None:
    chosen = settings()
    searched(tmp_path, chosen, Simulation())
    before = history_of(tmp_path)
    said = polished(tmp_path, chosen, Simulation())
    after = history_of(tmp_path)
    own = [s.candidate.id for s in standings(before) if s.candidate.origin == "discovered"]
    assert list(after.polished) == own[:2]
    assert len(said) == 2
    assert any(after.polished.values()), said
    for original, path in after.polished.items():
        parent = original
        for identity in path:
            candidate = after.candidates[identity].candidate
            assert candidate.parents == (parent,)
            assert candidate.variation in ("tuned", "simplified")
            if candidate.variation == "simplified":
                form, whole = candidate.expression, after.candidates[parent].candidate.expression
                assert isinstance(form, Expression)
                assert isinstance(whole, Expression)
                assert complexity(form) < complexity(whole)
            parent = identity
        assert score_of(after, parent) >= score_of(after, original)
    assert after.finish == before.finish, "the search has ended before"
    trials = [key for kind, key, _ in told(tmp_path) if kind == "measurement"]
    assert 0 < len(trials) <= 2 * 2 * 16 + 2


def test_finals_take_the_outcome_in_the_place_of_the_function(tmp_path: Path) -> None:
    chosen = settings()
    searched(tmp_path, chosen, Simulation())
    polished(tmp_path, chosen, Simulation())
    history = history_of(tmp_path)
    ranked = standings(history)
    order = [each.candidate.id for each in polished_first(ranked, history.polished)]
    assert len(order) == len(set(order))
    for original, path in history.polished.items():
        assert (original in order) == (not path)
        assert not set(path[:-1]) & set(order)
        assert not path or path[-1] in order
    assert polished_first(ranked, {}) == ranked


def test_a_stop_within_polishing_changes_nothing(tmp_path: Path) -> None:
    chosen, whole = settings(), Simulation()
    searched(tmp_path / "whole", chosen, Simulation())
    polished(tmp_path / "whole", chosen, whole)
    for stop_after in (1, len(whole.done) // 2, len(whole.done) - 1):
        folder = tmp_path / f"cut{stop_after}"
        searched(folder, chosen, Simulation())
        cut, rest = Simulation(batch=1, stop_after=stop_after), Simulation(batch=1)
        with pytest.raises(Interrupted):
            polished(folder, chosen, cut)
        polished(folder, chosen, rest)
        assert not set(cut.done) & set(rest.done), "nothing is trained twice"
        kinds = ("candidate", "evaluation", "polish")
        assert [e for e in told(folder) if e[0] in kinds] == [
            e for e in told(tmp_path / "whole") if e[0] in kinds
        ]


def test_two_of_the_best_may_come_to_the_same_form(tmp_path: Path) -> None:
    chosen, whole = settings(seed=12, stop={"generations": 4}, polish={}), Simulation(batch=1)
    searched(tmp_path / "whole", chosen, Simulation())
    polished(tmp_path / "whole", chosen, whole)
    history = history_of(tmp_path / "whole")
    outcomes = [path[-1] for path in history.polished.values() if path]
    assert len(set(outcomes)) < len(outcomes) == 3
    ranked = polished_first(standings(history), history.polished)
    assert len({each.candidate.id for each in ranked}) == len(ranked)
    for stop_after in range(1, len(whole.done), 7):
        folder = tmp_path / f"cut{stop_after}"
        searched(folder, chosen, Simulation())
        with pytest.raises(Interrupted):
            polished(folder, chosen, Simulation(batch=1, stop_after=stop_after))
        polished(folder, chosen, Simulation())
        assert told(folder) == told(tmp_path / "whole")


def test_polishing_twice_trains_nothing_more(tmp_path: Path) -> None:
    chosen, again = settings(), Simulation()
    searched(tmp_path, chosen, Simulation())
    polished(tmp_path, chosen, Simulation())
    before = told(tmp_path)
    assert polished(tmp_path, chosen, again) == []
    assert not again.done
    assert told(tmp_path) == before


def test_a_larger_budget_goes_on_after_polishing(tmp_path: Path) -> None:
    chosen = settings()
    searched(tmp_path, chosen, Simulation())
    polished(tmp_path, chosen, Simulation())
    longer = settings(stop={"generations": 8})
    searched(tmp_path, longer, Simulation())
    assert len(history_of(tmp_path).generations) == 8
    polished(tmp_path, longer, Simulation())
    assert history_of(tmp_path).finish is not None


def test_it_works_over_tasks_and_rates(tmp_path: Path) -> None:
    document = appraised_settings().model_dump()
    chosen = Settings.model_validate({**document, "polish": {"functions": 1, "trainings": 8}})
    searched(tmp_path, chosen, Field(), BENCHES)
    polished(tmp_path, chosen, Field(), BENCHES)
    history = history_of(tmp_path)
    ((original, path),) = history.polished.items()
    outcome = path[-1] if path else original
    assert history.candidates[outcome].highest.evaluation.over_tasks is not None  # type: ignore[union-attr]


CAMPAIGN = """
seed = 1
[search]
population = 16
[scoring]
rungs = [{ steps = 10 }, { steps = 40, seeds = 2 }]
[stop]
generations = 3
[polish]
functions = 2
[finals]
top = 2
seeds = 2
max_seeds = 2
[tracking]
mlflow = false
"""


def test_a_launch_polishes_before_its_finals(tmp_path: Path) -> None:
    (tmp_path / "neat.toml").write_text(CAMPAIGN)
    answer = actsearch("launch", tmp_path / "neat.toml", "--runs-dir", tmp_path)
    assert answer.status == 0, answer
    assert answer.stderr.count("polished: ") == 2
    folder = tmp_path / "neat"
    history = history_of(folder)
    plan = history.finals.last_plan
    assert plan is not None
    finalists = [each.candidate_id for each in plan.entrants if each.role == "finalist"]
    wanted = [path[-1] if path else original for original, path in history.polished.items()]
    assert set(finalists) <= {*wanted}
    outcomes = {path[-1] for path in history.polished.values() if path}
    assert outcomes
    assert all(each in (folder / "hall_of_fame.csv").read_text() for each in outcomes)
    assert json.loads((folder / "finals.json").read_text())


def test_other_trainings_later_are_said_to_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "neat.toml"
    file.write_text(CAMPAIGN)
    command = ("launch", file, "--runs-dir", tmp_path)
    assert "polished already" not in actsearch(*command).stderr
    before = history_of(tmp_path / "neat").polished
    more = actsearch(*command, "--set", "polish.trainings=40")
    assert more.status == 0, more
    assert more.stderr.count("polished already, with polish.trainings = 12: ") == len(before) == 2
    assert more.stderr.count("it is not polished again with 40") == 2
    assert history_of(tmp_path / "neat").polished == before
    third = actsearch(*command, "--set", "polish={functions=3,trainings=40}")
    assert third.stderr.count("polished already, with polish.trainings = 12: ") == 2
    assert "polished already" not in actsearch(*command).stderr


def test_without_the_section_nothing_is_polished(tmp_path: Path) -> None:
    (tmp_path / "neat.toml").write_text(CAMPAIGN.replace("[polish]\nfunctions = 2\n", ""))
    answer = actsearch("launch", tmp_path / "neat.toml", "--runs-dir", tmp_path)
    assert answer.status == 0, answer
    assert not history_of(tmp_path / "neat").polished


def test_polishing_leaves_a_template_as_it_is(tmp_path: Path) -> None:
    template = "_ + 0.1 * x"
    chosen = settings(seed=3, search={"population": 16, "template": template})
    searched(tmp_path, chosen, Simulation())
    assert polished(tmp_path, chosen, Simulation())
    history = history_of(tmp_path)
    outcomes = [identity for path in history.polished.values() for identity in path]
    assert outcomes
    for identity in outcomes:
        form = history.candidates[identity].candidate.expression
        assert isinstance(form, Expression)
        assert Template.read(template).inside(form) is not None, form


def test_what_was_polished_after_the_time_was_over_enters_the_hall_of_fame(tmp_path: Path) -> None:
    file = tmp_path / "neat.toml"
    file.write_text(CAMPAIGN.replace("[polish]\nfunctions = 2\n", ""))
    assert actsearch("launch", file, "--runs-dir", tmp_path).status == 0
    # The budget is over before this launch begins.
    timed = ("--set", "stop.minutes=1e-6", "--set", "stop.generations=100")
    late = actsearch("launch", file, "--runs-dir", tmp_path, *timed, "--set", "polish.functions=2")
    assert late.status == 0, late
    history = history_of(tmp_path / "neat")
    outcomes = {path[-1] for path in history.polished.values() if path}
    assert outcomes
    hall_of_fame = (tmp_path / "neat" / "hall_of_fame.csv").read_text()
    assert all(each in hall_of_fame for each in outcomes)
    found = [s.candidate.id for s in standings(history) if s.candidate.origin == "discovered"]
    assert all(each in hall_of_fame for each in found[:50])


def test_what_polishing_trains_is_told_beside_what_was_tried(tmp_path: Path) -> None:
    chosen = settings()
    searched(tmp_path, chosen, Simulation())
    before = count_tried(history_of(tmp_path))
    polished(tmp_path, chosen, Simulation())
    after = count_tried(history_of(tmp_path))
    trials = [key for kind, key, _ in told(tmp_path) if kind == "measurement"]
    assert after == {**before, "polishing": len(trials)}
