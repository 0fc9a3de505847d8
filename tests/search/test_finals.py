"""Finals: what is claimed holds, what is not there is not claimed, and nothing is done twice."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.datasets import Data, DatasetUnavailable, load
from evaluators.evaluation.evaluation import Outcome
from evaluators.statistics.comparison import Finding
from evaluators.tasks import UnknownTaskError, find_task
from grammars import BASELINES, evaluate, expression_id, parse
from search.candidates.candidate import Candidate
from search.executors import InProcess, Interrupted, Workload
from search.finals import (
    Finals,
    FinalsError,
    Plan,
    Rival,
    Split,
    Stage,
    check_tasks,
    claim,
    finals_document,
    finals_in,
    finals_text,
    hold,
    is_same,
    opened,
    plan_finals,
    rival_practice,
    tried,
    where_it_holds,
    write_finals,
)
from search.history import read_history
from search.journal.journal import JournalError
from search.settings import (
    FinalsSettings,
    ScoringSettings,
    SettingsError,
    check_fresh,
    load_settings,
)
from search.settings.watch import WatchSettings

from .finals_simulation import (
    TRIED,
    SimulatedTraining,
    journal_in,
    plan_of,
    standings_of,
)

RELU_COPIES = (
    "(x + abs(x)) / 2",
    "where(x > 0, x, 0)",
    "x - min(x, 0)",
    "-min(-x, 0)",
    "x + relu(-x)",
    "max(x, min(x, 0)) - min(x, 0)",
    "max(min(x, 0), x) + relu(x) - x",
    "where(x >= 0, relu(x), 0)",
    "where(x >= 0, abs(x), 0)",
    "relu(x + relu(x)) / 2",
    "min(abs(x), relu(x))",
    "max(x, 0.5 * x + 0.5 * abs(x))",
    "abs(x) - relu(-x)",
    "relu(x) * where(x >= 0, 1, 0)",
    "x * where(x >= 0, 1, 0)",
    "abs(x) * where(x >= 0, 1, 0)",
    "relu(min(x, abs(x)))",
    "max(relu(x), min(x, 0))",
    "x + abs(min(x, 0))",
    "abs(x) + min(x, 0)",
)
FINALISTS = ("x * tanh(x)", "sin(x) + relu(x)", "x * erf(x)")


def held(
    folder: Path, plan: Plan, training: SimulatedTraining | None = None, **more: Any
) -> Finals:
    training = training or SimulatedTraining()
    with journal_in(folder) as journal:
        stopping = more.pop("stopping", threading.Event())
        return hold(plan, journal, open_executor=training.open, stopping=stopping, **more)


def told(folder: Path) -> list[tuple[str, str, Any]]:
    """The journal without its times."""
    with journal_in(folder) as journal:
        return [(event.kind, event.key, event.payload) for event in journal.events()]


def findings(finals: Finals, rival: str) -> list[Finding]:
    """What was found of each finalist against a rival."""
    cards = (finals.own.comparison(each.candidate_id, rival) for each in finals.plan.finalists)
    return [comparison.finding for comparison in cards if comparison]


def test_the_copies_of_relu_are_twenty_expressions_and_one_function() -> None:
    x = np.concatenate([np.linspace(-8.0, 8.0, 4001), [0.0, 1e-3, -1e-3]])
    expressions = [parse(text) for text in RELU_COPIES]
    identities = {expression_id(expression) for expression in expressions}
    assert len(identities) == 20
    assert expression_id(parse("relu")) not in identities
    for expression in expressions:
        np.testing.assert_allclose(evaluate(expression, x), np.maximum(x, 0.0), atol=1e-12)


@pytest.mark.parametrize("measure", ["accuracy", "log_loss"])
def test_copies_of_relu_are_called_better_in_at_most_five_of_a_hundred_campaigns(
    measure: str, tmp_path: Path
) -> None:
    settings = {"seeds": 10, "max_seeds": 20, "half_width": 0.2, "steps": 1, "measure": measure}
    plan, false = plan_of(RELU_COPIES, **settings), 0
    for world in range(100):
        noise = 0.15 + 0.15 * world / 99
        training = SimulatedTraining(world=world, noise_points=noise)
        finals = held(tmp_path / str(world), plan, training)
        found = [*findings(finals, "relu"), *findings(finals, "swish"), *findings(finals, "gelu")]
        assert len(found) == 60
        false += Finding.BETTER in found
    assert false <= 5


@pytest.mark.parametrize("measure", ["accuracy", "log_loss"])
@pytest.mark.parametrize("noise_points", [0.15, 0.3])
def test_a_planted_advantage_is_found_in_at_least_eighty_of_a_hundred_campaigns(
    tmp_path: Path, noise_points: float, measure: str
) -> None:
    # 2.1 standard deviations of a difference: 0.45 and 0.9 points.
    merit = 3.0 * noise_points
    planted, found = FINALISTS[1], 0
    plan = plan_of(FINALISTS, seeds=10, max_seeds=10, steps=1, measure=measure)
    for world in range(100):
        training = SimulatedTraining({planted: merit}, noise_points=noise_points, world=world)
        finals = held(tmp_path / str(world), plan, training)
        comparison = finals.own.comparison(expression_id(parse(planted)), "relu")
        assert comparison is not None
        found += comparison.finding is Finding.BETTER
    assert found >= 80


def test_the_plan_is_in_the_journal_before_anything_is_trained(tmp_path: Path) -> None:
    plan = plan_of(FINALISTS, seeds=4, max_seeds=4)
    held(tmp_path, plan)
    events = told(tmp_path)
    assert events[0] == ("finals_plan", "0001", json.loads(json.dumps(plan.to_json())))
    assert Plan.from_json(events[0][2]) == plan
    assert "Interim analyses after 4 seeds" in plan.rule


def test_test_data_are_opened_once_after_the_last_look(tmp_path: Path) -> None:
    plan = plan_of(FINALISTS, seeds=3, max_seeds=6, transfer=["mnist1d-mlp"], transfer_seeds=2)
    training = SimulatedTraining()
    finals = held(tmp_path, plan, training)
    splits = [split for split, *_ in training.done]
    assert splits == sorted(splits, reverse=True)  # "validation" before "test", on all tasks
    kinds = [kind for kind, _, _ in told(tmp_path)]
    assert kinds.index("test_opening") > max(
        place for place, kind in enumerate(kinds) if kind in ("finals_run", "finals_look")
    )
    assert [(o.finals, o.dataset) for o in finals.openings] == [(1, "digits"), (1, "mnist1d")]
    assert opened(finals) == "The test sets of digits and mnist1d were opened once each."


def test_all_meet_the_same_fresh_seeds(tmp_path: Path) -> None:
    finals = held(tmp_path, plan_of(FINALISTS, seeds=4, max_seeds=4))
    names = {row.entrant.name for row in finals.own.rows if row.entrant.role == "baseline"}
    assert names == set(BASELINES)
    for row in finals.own.rows:
        assert [run.seed for run in row.runs] == [1_000_000, 1_000_001, 1_000_002, 1_000_003]


def test_seeds_are_added_until_intervals_are_narrow_enough(tmp_path: Path) -> None:
    settings = {"seeds": 5, "max_seeds": 20}
    narrow = held(
        tmp_path / "narrow",
        plan_of(FINALISTS, half_width=0.6, **settings),
        SimulatedTraining(noise_points=0.1),
    )
    assert [look.is_last for look in narrow.own.looks] == [True]
    assert len(narrow.own.seeds) == 5
    assert "every interval is within" in narrow.own.reason
    wide = held(
        tmp_path / "wide",
        plan_of(FINALISTS, half_width=0.01, **settings),
        SimulatedTraining(noise_points=0.1),
    )
    assert [look.seeds for look in wide.own.looks] == [5, 10, 20]
    assert wide.own.reason == "the planned number of seeds is reached"
    widths = [look.half_width_points or 0.0 for look in wide.own.looks]
    assert widths == sorted(widths, reverse=True)


def test_minutes_cut_everything_but_the_first_look(tmp_path: Path) -> None:
    plan = plan_of(
        FINALISTS, seeds=3, max_seeds=6, minutes=1.0, transfer=["mnist1d-mlp"], transfer_seeds=2
    )
    ticks = iter(range(0, 10_000, 40))
    finals = held(tmp_path, plan, clock=lambda: float(next(ticks)))
    own, transfer = finals.cards
    assert (len(own.seeds), own.state) == (4, "scored")
    assert own.reason == "the finals' 1 minutes were over"
    assert (transfer.seeds, transfer.state) == ((), "not held")
    assert finals.ended is not None
    assert "No claim" not in claim(finals)


@pytest.mark.parametrize("stop_after", [1, 20, 90, 130, 160, 175, 190])
def test_interrupted_finals_go_on_as_if_nothing_had_happened(
    tmp_path: Path, stop_after: int
) -> None:
    plan = plan_of(FINALISTS, seeds=2, max_seeds=4, transfer=["mnist1d-mlp"], transfer_seeds=2)
    whole = held(tmp_path / "whole", plan)
    stopping = threading.Event()
    with pytest.raises(Interrupted):
        held(tmp_path / "cut", plan, SimulatedTraining(stop_after=stop_after), stopping=stopping)
    with journal_in(tmp_path / "cut") as journal:
        unfinished = finals_in(read_history(journal))
    assert unfinished is not None
    assert unfinished.ended is None
    again = held(tmp_path / "cut", plan)
    assert told(tmp_path / "cut") == told(tmp_path / "whole")
    assert finals_document(again)["cards"] == finals_document(whole)["cards"]
    assert len(again.openings) == 2


def test_finals_that_are_done_are_not_repeated(tmp_path: Path) -> None:
    plan = plan_of(FINALISTS, seeds=2, max_seeds=2)
    held(tmp_path, plan)
    again = SimulatedTraining()
    held(tmp_path, plan, again)
    assert again.done == []


def test_further_finals_use_old_runs_and_show_that_test_data_were_opened_twice(
    tmp_path: Path,
) -> None:
    held(tmp_path, plan_of(FINALISTS, seeds=2, max_seeds=2))
    second = plan_of((*FINALISTS, "x * atan(x)"), number=2, seeds=2, max_seeds=2)
    training = SimulatedTraining()
    finals = held(tmp_path, second, training)
    assert {text for _, _, text, _, _ in training.done} == {str(parse("x * atan(x)"))}
    assert opened(finals) == "The test set of digits was opened twice."
    with journal_in(tmp_path) as journal:
        first = finals_in(read_history(journal), number=1)
    assert first is not None
    assert len(first.plan.finalists) == 3


def test_another_plan_under_the_same_number_is_refused(tmp_path: Path) -> None:
    held(tmp_path, plan_of(FINALISTS, seeds=2, max_seeds=2))
    with pytest.raises(JournalError, match="gave another finals_plan '0001'"):
        held(tmp_path, plan_of(FINALISTS, seeds=3, max_seeds=3))


def test_a_diverged_run_counts_as_a_guess_and_is_told(tmp_path: Path) -> None:
    lost = str(parse(FINALISTS[0]))
    training = SimulatedTraining(
        {lost: 2.0}, diverging=frozenset({(lost, 1_000_001)}), noise_points=0.1
    )
    finals = held(tmp_path, plan_of(FINALISTS, seeds=5, max_seeds=5), training)
    identity = expression_id(parse(FINALISTS[0]))
    row = finals.own.row(identity)
    assert (row.diverged, row.test_percents[1]) == (1, 10.0)
    comparison = finals.own.comparison(identity, "relu")
    assert comparison is not None
    assert (comparison.seeds, comparison.finding) == (5, Finding.INDISTINGUISHABLE)
    assert finals.own.verdict(identity).endswith("; it diverged on 1 of 5 seeds")
    assert finals.leader != row.entrant


def test_a_failed_run_leaves_its_seed_out_for_that_function_only(tmp_path: Path) -> None:
    lost = str(parse(FINALISTS[0]))
    training = SimulatedTraining(failing=frozenset({(lost, 1_000_001)}))
    finals = held(tmp_path, plan_of(FINALISTS, seeds=5, max_seeds=5), training)
    by_function = {
        text: finals.own.comparison(expression_id(parse(text)), "relu") for text in FINALISTS
    }
    seeds = [comparison.seeds for comparison in by_function.values() if comparison]
    assert seeds == [4, 5, 5]
    failed = next(run for run in finals.own.rows[0].runs if run.outcome is Outcome.FAILED)
    assert (failed.seed, failed.reason) == (1_000_001, "simulated")


def test_the_leader_is_chosen_on_validation_data(tmp_path: Path) -> None:
    training = SimulatedTraining({str(parse(FINALISTS[2])): 0.5}, noise_points=0.05)
    finals = held(tmp_path, plan_of(FINALISTS, seeds=3, max_seeds=3), training)
    assert finals.leader is not None
    assert finals.leader.candidate_id == expression_id(parse(FINALISTS[2]))
    losses = [row.validation_loss or 9.9 for row in finals.own.rows[:3]]
    assert finals.own.row(finals.leader.candidate_id).validation_loss == min(losses)


def test_the_claim_names_what_was_found_and_how_much_was_tried(tmp_path: Path) -> None:
    training = SimulatedTraining({str(parse(FINALISTS[2])): 0.6}, noise_points=0.1)
    finals = held(tmp_path, plan_of(FINALISTS, seeds=10, max_seeds=10), training)
    words = claim(finals)
    assert words.startswith("x * erf(x) is better than ReLU (p < 0.001, +0.")
    assert "10 seeds)" in words
    assert words.endswith(
        "Of the 3 finalists, 1 was found better than ReLU, 1 than Swish and 1 than GELU."
    )
    assert tried(finals) == (
        "The search considered 60 functions, 40 of them distinct, and trained 30; 3 finalists "
        "were chosen on validation data."
    )


def test_a_claim_of_nothing_says_so_of_all_finalists(tmp_path: Path) -> None:
    training = SimulatedTraining({str(parse(FINALISTS[1])): -2.0}, noise_points=0.1)
    words = claim(held(tmp_path, plan_of(FINALISTS, seeds=4, max_seeds=4), training))
    assert "None of the 3 finalists was found better than ReLU, Swish or GELU." in words
    assert words.endswith(
        "Of the 3 finalists, 1 was found worse than ReLU, 1 than Swish and 1 than GELU."
    )


def test_by_log_loss_the_leader_comes_first_and_accuracy_stands_beside(tmp_path: Path) -> None:
    planted = str(parse(FINALISTS[1]))
    training = SimulatedTraining({planted: 2.0}, noise_points=0.1)
    plan = plan_of(FINALISTS, seeds=6, max_seeds=6, measure="log_loss")
    finals = held(tmp_path, plan, training)
    leader = finals.leader
    assert leader is not None
    assert leader.expression == str(finals.plan.finalists[1].expression)
    row = finals.own.row(leader.candidate_id)
    relu = next(each for each in finals.own.rows if each.entrant.name == "relu")
    found = finals.own.comparison(leader.candidate_id, "relu")
    assert found is not None
    gains = [b - a for a, b in zip(row.log_losses, relu.log_losses, strict=True)]
    assert found.difference == pytest.approx(sum(gains) / len(gains))
    assert found.p_adjusted is not None
    assert found.p is not None
    assert found.p_adjusted <= 3 * found.p
    words = claim(finals)
    assert "in log loss, 6 seeds" in words
    assert "first the finalist that leads on validation data" in finals.plan.rule
    beside = [each for each in finals.own.beside if each.function == leader.key]
    assert beside[0].difference == pytest.approx(
        (row.mean_percent or 0.0) - (relu.mean_percent or 0.0)
    )
    document = finals_document(finals)
    assert (document["protocol"]["measure"], document["protocol"]["gate"]) == (
        "log test loss",
        leader.candidate_id,
    )


def test_behind_a_leader_that_did_not_pass_nothing_is_claimed(tmp_path: Path) -> None:
    worse = str(parse(FINALISTS[1]))
    plan = plan_of(FINALISTS, seeds=10, max_seeds=10, measure="log_loss")
    finals = held(tmp_path, plan, SimulatedTraining({worse: -2.0}, noise_points=0.1))
    leader = finals.leader
    assert leader is not None
    found = {each.finding for each in finals.own.comparisons if each.function == leader.key}
    assert found == {Finding.INDISTINGUISHABLE}
    waiting = {each.finding for each in finals.own.comparisons_of(plan.finalists[1].candidate_id)}
    assert waiting == {Finding.NOT_TESTED}
    words = finals.own.verdict(plan.finalists[1].candidate_id)
    assert words.startswith("not tested against ReLU (the leader did not pass, -")
    by_accuracy = {each.finding for each in finals.own.beside if each.function == worse_key(plan)}
    assert by_accuracy == {Finding.WORSE}


def worse_key(plan: Plan) -> str:
    return plan.finalists[1].key


def test_where_it_holds_names_the_tasks(tmp_path: Path) -> None:
    plan = plan_of(FINALISTS, seeds=4, max_seeds=4, transfer=["mnist1d-mlp"], transfer_seeds=4)
    training = SimulatedTraining({str(parse(FINALISTS[1])): 2.0}, noise_points=0.1)
    finals = held(tmp_path, plan, training)
    assert where_it_holds(finals, plan.finalists[1]) == (
        "against ReLU better on mnist1d-mlp; against Swish better on mnist1d-mlp; "
        "against GELU better on mnist1d-mlp"
    )
    assert where_it_holds(finals, plan.finalists[0]).startswith("against ReLU not distinguishable")


def test_training_curves_come_from_checkpoints(tmp_path: Path) -> None:
    finals = held(tmp_path, plan_of(FINALISTS, seeds=2, max_seeds=2))
    for row in finals.own.rows:
        for run in row.runs:
            assert [point.steps for point in run.curve] == [10, 20, 40, 80]


def test_finals_leave_one_file_for_everybody(tmp_path: Path) -> None:
    finals = held(tmp_path, plan_of(FINALISTS, seeds=3, max_seeds=3))
    write_finals(finals, tmp_path)
    document = json.loads((tmp_path / "finals.json").read_text())
    assert document == json.loads(json.dumps(finals_document(finals)))
    (card,) = document["cards"]
    assert document["tried"]["trained"] == TRIED["trained"]
    assert len(card["functions"]) == len(FINALISTS) + len(BASELINES)
    assert card["functions"][0]["comparisons"][0]["rival"] == "relu"


def test_a_campaign_without_finals_has_none_to_read(tmp_path: Path) -> None:
    with journal_in(tmp_path) as journal:
        assert finals_in(read_history(journal)) is None
        assert rival_practice(read_history(journal)) is None


def test_the_best_on_one_seed_of_the_test_promises_more_than_it_keeps(tmp_path: Path) -> None:
    held(tmp_path, plan_of(RELU_COPIES, seeds=10, max_seeds=10))
    with journal_in(tmp_path) as journal:
        practice = rival_practice(read_history(journal))
    assert practice is not None
    assert practice.test is not None
    assert (practice.test.functions, practice.test.seeds) == (20, 10)
    # The best of twenty copies of ReLU: about two standard deviations of luck, and no merit.
    assert practice.test.claimed_points > 0.2
    assert abs(practice.test.honest_points) < 0.15


def test_seeds_of_a_watch_that_chooses_finalists_are_not_fresh() -> None:
    finals = FinalsSettings(first_seed=2)
    rungs = [{"steps": 9, "seeds": 2}]
    scoring = ScoringSettings.model_validate({"rungs": rungs})
    watch = WatchSettings(tasks=("fashion-mlp",), seeds=4, chooses_finalists=True)
    with pytest.raises(ValueError, match=r"finals\.first_seed: .* those of the search, 0 to 5"):
        check_fresh(finals, scoring, watch)
    check_fresh(finals, scoring, watch.model_copy(update={"chooses_finalists": False}))


def test_one_scored_seed_tells_nothing_of_luck(tmp_path: Path) -> None:
    failing = frozenset((text, 1_000_001) for text in FINALISTS)
    plan = plan_of(FINALISTS, seeds=2, max_seeds=2)
    held(tmp_path, plan, SimulatedTraining(failing=failing))
    with journal_in(tmp_path) as journal:
        practice = rival_practice(read_history(journal))
    assert practice is not None
    assert practice.test is None


def test_where_all_diverge_there_is_no_order(tmp_path: Path) -> None:
    plan = plan_of(FINALISTS, seeds=2, max_seeds=2, resized=True)
    seeds = (1_000_000, 1_000_001)
    everybody = [str(entrant.activation) for entrant in plan.entrants]
    training = SimulatedTraining(diverging=frozenset(product(everybody, seeds)))
    finals = held(tmp_path, plan, training)
    assert finals.orders == {}
    assert json.loads(finals_text(finals))["orders"] == {}


def test_a_run_of_a_regression_that_diverged_counts_as_the_mean_of_the_targets(
    tmp_path: Path,
) -> None:
    plan = plan_of(FINALISTS, seeds=2, max_seeds=2, measure="log_loss")
    plan = replace(plan, stages=tuple(replace(stage, classes=0) for stage in plan.stages))
    lost = str(parse(FINALISTS[0]))
    training = SimulatedTraining(diverging=frozenset({(lost, 1_000_001)}))
    row = held(tmp_path, plan, training).own.row(expression_id(parse(FINALISTS[0])))
    assert (row.diverged, row.test_percents[1], row.log_losses[1]) == (1, 0.0, 0.0)


def test_real_training_tells_no_copy_of_relu_from_relu(tmp_path: Path) -> None:
    plan = plan_of(RELU_COPIES[:4], seeds=6, max_seeds=6, steps=40)

    def open_executor(stage: Stage, split: Split) -> InProcess:
        workload = Workload(stage.trained, states_folder=tmp_path / "states", split=split)
        return InProcess(workload, batch=32)

    with journal_in(tmp_path / "run") as journal:
        finals = hold(plan, journal, open_executor=open_executor, stopping=threading.Event())
    assert findings(finals, "relu") == [Finding.INDISTINGUISHABLE] * 4
    relu = next(row for row in finals.own.rows if row.entrant.name == "relu")
    assert relu.mean_percent is not None
    assert 40.0 < relu.mean_percent < 100.0
    for row in finals.own.rows:
        assert all(run.diagnostics is not None for run in row.runs)
        assert row.validation_percent != row.mean_percent  # of another split


def wanted(**settings: Any) -> FinalsSettings:
    return FinalsSettings.model_validate(settings)


def planned(
    settings: FinalsSettings, *, texts: Any = FINALISTS, get: Any = load, **more: Any
) -> Plan:
    return plan_finals(
        settings,
        number=1,
        standings=standings_of(texts),
        task=find_task("digits-mlp"),
        dataset=load("digits"),
        steps=80,
        tried=TRIED,
        load=get,
        **more,
    )


def test_looks_double_up_to_the_last() -> None:
    assert wanted(seeds=10, max_seeds=35).looks == (10, 20, 35)
    assert wanted(seeds=10, max_seeds=10).looks == (10,)


def test_finalists_are_the_best_of_the_search_and_transfer_is_against_the_rivals() -> None:
    plan = planned(wanted(top=2, transfer=["mnist1d-mlp", "digits-mlp"], learning_rates=[3e-3]))
    assert [entrant.written for entrant in plan.finalists] == list(map(str, map(parse, FINALISTS)))[
        :2
    ]
    assert [(stage.task, stage.purpose) for stage in plan.stages] == [
        ("digits-mlp", "own"),
        ("mnist1d-mlp", "transfer"),
        ("digits-mlp@0.003", "recipe"),
    ]
    assert [len(stage.entrants) for stage in plan.stages] == [2 + len(BASELINES), 5, 5]
    assert is_same(plan, Plan.from_json(json.loads(json.dumps(plan.to_json()))))


def test_a_rival_is_no_finalist_and_the_next_takes_its_place() -> None:
    against = Rival(Candidate.of(parse(FINALISTS[0]), generation=0, origin="baseline"))
    plan = planned(wanted(top=2), rivals=[against])
    best = [expression_id(parse(text)) for text in FINALISTS]
    assert [(each.candidate_id, each.rank) for each in plan.finalists] == [
        (best[1], 2),
        (best[2], 3),
    ]
    assert plan.rivals[-1] == best[0]


def test_a_limit_belongs_to_the_plan_and_makes_no_other_of_it() -> None:
    usual = planned(wanted())
    long = replace(usual, timeout_seconds=5000)
    assert is_same(usual, long)
    assert "timeout_seconds" not in usual.to_json()
    assert Plan.from_json(json.loads(json.dumps(long.to_json()))).timeout_seconds == 5000


def test_a_data_set_that_cannot_be_had_leaves_its_task_out() -> None:
    def get(data: Data) -> Any:
        raise DatasetUnavailable(f"{data.name} cannot be found")

    plan = planned(wanted(transfer=["fashion-mlp"]), get=get)
    assert [stage.task for stage in plan.stages] == ["digits-mlp"]
    assert plan.left_out == (("fashion-mlp", "fashion_mnist cannot be found"),)


def test_a_search_that_found_nothing_has_no_finals() -> None:
    with pytest.raises(FinalsError, match="has scored no function of its own"):
        planned(wanted(), texts=())


def test_a_misspelt_task_is_told_before_the_search() -> None:
    with pytest.raises(UnknownTaskError, match="did you mean 'fashion-mlp'"):
        check_tasks(wanted(transfer=["fashion-mpl"]))


def test_settings_refuse_the_seeds_of_the_search(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "[scoring]\nfirst_seed = 999_990\nrungs = [{steps = 9, seeds = 20}]\n[finals]\n"
    )
    with pytest.raises(SettingsError, match=r"finals\.first_seed: .* 1000019 overlap"):
        load_settings(path)
    path.write_text("[finals]\nseds = 3\nseeds = 9\nmax_seeds = 8")
    with pytest.raises(SettingsError, match=r"finals\.seds: unknown setting; did you mean 'seeds'"):
        load_settings(path)
