"""The loop over simulated scores: determinism, resuming, stopping."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from grammars import BASELINES, Expression, load_grammar
from search.candidates.generation import GenerationSummary
from search.candidates.hall_of_fame import FILE_NAME as HALL_OF_FAME
from search.candidates.racing import Standing
from search.executors import Interrupted, Stopping
from search.finals import count_tried
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.loop.campaign import Ending, Loop
from search.loop.observing import Callbacks
from search.loop.stopping import Deadline
from search.settings import Settings
from search.standings.leaderboard import leaderboard, standings

from .simulation import BENCH, Simulation


def settings(**changes: Any) -> Settings:
    document: dict[str, Any] = {
        "name": "test",
        "seed": 3,
        "search": {"population": 12},
        "scoring": {"rungs": [{"steps": 10}, {"steps": 40, "seeds": 2}], "reduction_factor": 3.0},
        "stop": {"generations": 4},
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            document.setdefault(section, {})[name] = value
        else:
            document[section] = value
    return Settings.model_validate(document)


def run(
    folder: Path, chosen: Settings, simulation: Simulation | None = None, **more: Any
) -> Ending:
    folder.mkdir(exist_ok=True)
    simulation = simulation or Simulation()
    more.setdefault("stopping", getattr(simulation, "wish", None))
    with Journal(folder / FILE_NAME) as journal:
        loop = Loop(
            chosen,
            grammar=load_grammar(chosen.grammar),
            bench=BENCH,
            hidden_layers=2,
            journal=journal,
            executor=simulation,
            **more,
        )
        return loop.run()


def told(folder: Path) -> list[tuple[str, str, Mapping[str, Any]]]:
    """The journal without its times."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return [(event.kind, event.key, event.payload) for event in journal.events()]


def test_it_runs_its_generations_and_says_why_it_ended(tmp_path: Path) -> None:
    assert run(tmp_path, settings()) == Ending("4 generations are done")
    generations = [payload for kind, _, payload in told(tmp_path) if kind == "generation"]
    assert [g["generation"] for g in generations] == [0, 1, 2, 3]
    for generation in generations:
        assert generation["distinct"] == 12
        assert generation["considered"] == generation["distinct"] + generation["duplicates"]
        assert generation["distinct"] == generation["rejected"] + generation["trained"]
    best = [g["best_score"] for g in generations]
    assert best == sorted(best)


def test_baselines_climb_every_rung(tmp_path: Path) -> None:
    run(tmp_path, settings(stop__generations=1))
    with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
        rows = [row for row in leaderboard(read_history(journal)) if row.origin == "baseline"]
    assert {row.name for row in rows} == set(BASELINES)
    assert {(row.steps, row.seeds) for row in rows} == {(40, 2)}
    assert rows[0].name == "swish"


def test_no_function_is_trained_twice(tmp_path: Path) -> None:
    simulation = Simulation()
    run(tmp_path, settings(), simulation)
    assert len(set(simulation.done)) == len(simulation.done)


def test_a_parameter_without_effect_makes_no_new_function(tmp_path: Path) -> None:
    same = ["x - x", '(x - x) * param("a", 1)']
    chosen = settings(grammar="parametric", search__start_from=same, stop__generations=1)
    run(tmp_path, chosen)
    candidates = [payload for kind, _, payload in told(tmp_path) if kind == "candidate"]
    assert [c["expression"] for c in candidates if c["variation"] == "seed"] == same[:1]


def test_one_seed_gives_one_campaign_whatever_the_batches(tmp_path: Path) -> None:
    run(tmp_path / "a", settings(), Simulation(batch=1))
    run(tmp_path / "b", settings(), Simulation(batch=50))
    run(tmp_path / "c", settings(seed=4), Simulation())
    assert told(tmp_path / "a") == told(tmp_path / "b")
    assert told(tmp_path / "a") != told(tmp_path / "c")


@pytest.mark.parametrize("stop_after", [1, 10, 21, 40, 60])
def test_a_stopped_campaign_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, stop_after: int
) -> None:
    run(tmp_path / "whole", settings())
    first, second = Simulation(stop_after=stop_after), Simulation()
    ending = run(tmp_path / "cut", settings(), first)
    assert ending == Ending("stopped on request", interrupted=True)
    run(tmp_path / "cut", settings(), second)
    assert told(tmp_path / "cut") == told(tmp_path / "whole")
    assert not set(first.done) & set(second.done)


@pytest.mark.parametrize("strategy", ["genetic", "surrogate"])
def test_one_with_more_to_start_from_than_has_room_goes_on_as_well(
    tmp_path: Path, strategy: str
) -> None:
    named = [f"tanh({number / 20 + 0.31:g} * x)" for number in range(20)]
    chosen = settings(
        search={"strategy": strategy, "population": 12, "offspring": 12, "start_from": named}
    )
    run(tmp_path / "whole", chosen)
    for stop_after in (10, 28, 40):
        run(tmp_path / f"cut{stop_after}", chosen, Simulation(stop_after=stop_after))
        run(tmp_path / f"cut{stop_after}", chosen)
        assert told(tmp_path / f"cut{stop_after}") == told(tmp_path / "whole")
    candidates = [payload for kind, _, payload in told(tmp_path / "whole") if kind == "candidate"]
    assert [c["expression"] for c in candidates if c["variation"] == "seed"] == named


def test_a_campaign_that_is_run_again_shows_its_best_all_the_while(tmp_path: Path) -> None:
    def read(**changes: Any) -> list[str]:
        texts: list[str] = []
        path = tmp_path / HALL_OF_FAME
        reader = Callbacks(lambda _: texts.append(path.read_text(encoding="utf-8")), lambda _: None)
        run(tmp_path, settings(**changes), observers=[reader])
        return texts

    first = read()
    assert len(set(first)) > 1
    assert read() == first[-1:] * 4
    further = read(stop__generations=6)
    assert further[:4] == first[-1:] * 4
    assert further[5] != first[-1]


def test_a_model_of_scores_comes_to_the_same_when_a_campaign_goes_on(tmp_path: Path) -> None:
    chosen = settings(
        search={"strategy": "surrogate", "offspring": 14, "brood": 150}, stop__generations=4
    )
    run(tmp_path / "whole", chosen)
    assert run(tmp_path / "cut", chosen, Simulation(stop_after=45)).interrupted
    run(tmp_path / "cut", chosen)
    assert told(tmp_path / "cut") == told(tmp_path / "whole")
    generations = [payload for kind, _, payload in told(tmp_path / "cut") if kind == "generation"]
    assert [g["forecast_considered"] > 100 for g in generations] == [False, True, True, True]
    # Of the last generation all but three climb, too few to compare.
    assert all(g["forecast_correlation"] is not None for g in generations[1:3])
    assert all(g["forecast_is_followed"] in (True, False) for g in generations)


STEADY = {"search__strategy": "regularized_evolution", "search__offspring": 6}


@pytest.mark.parametrize("stop_after", [1, 12, 22, 28, 34])
def test_what_was_asked_for_ahead_is_kept_when_it_stops(tmp_path: Path, stop_after: int) -> None:
    run(tmp_path / "whole", settings(**STEADY))
    first, second = Simulation(stop_after=stop_after), Simulation()
    ending = run(tmp_path / "cut", settings(**STEADY), first)
    assert ending == Ending("stopped on request", interrupted=True)
    with Journal(tmp_path / "cut" / FILE_NAME, read_only=True) as journal:
        kept = {event.payload["expression"] for event in journal.events("evaluation")}
    assert {text for text, _ in first.done} <= kept
    run(tmp_path / "cut", settings(**STEADY), second)
    # What was kept out of turn stands elsewhere in the journal.
    assert in_order(told(tmp_path / "cut")) == in_order(told(tmp_path / "whole"))
    assert not set(first.done) & set(second.done)


@pytest.mark.parametrize("stop", [{"stop__target_score": 3.5}, {"stop__evaluations": 20}])
def test_what_ran_ahead_of_an_end_does_not_count(stop: dict[str, Any], tmp_path: Path) -> None:
    chosen = settings(**STEADY, **stop, stop__generations=50, seed=3)
    whole = Simulation(batch=1)
    reason = run(tmp_path / "whole", chosen, whole).reason
    expected = summary(tmp_path / "whole")
    for stop_after in range(12, len(whole.done), 4):
        folder = tmp_path / f"cut{stop_after}"
        if run(folder, chosen, Simulation(batch=1, stop_after=stop_after)).interrupted:
            assert run(folder, chosen).reason == reason
        assert summary(folder) == expected


def summary(folder: Path) -> tuple[list[str], dict[str, int]]:
    """The leaderboard's functions, best first, and how many were tried."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    return [str(each.candidate.expression) for each in standings(history)], count_tried(history)


def in_order(events: list[tuple[str, str, Mapping[str, Any]]]) -> list[tuple[str, str, str]]:
    return sorted((kind, key, json.dumps(payload)) for kind, key, payload in events)


class Dovetailing(Simulation):
    """Delivers the end of a generation only after the next one has been asked for."""

    def __init__(self) -> None:
        super().__init__(batch=2)
        self._begun: set[str] = set()
        self._called = threading.Condition()

    def evaluate(
        self, expressions: Sequence[Expression], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        race = threading.current_thread().name
        with self._called:
            self._begun.add(race)
            self._called.notify_all()
        *earlier, last = super().evaluate(expressions, fidelity, stopping=stopping)
        yield from earlier
        # Nothing follows the last generation.
        following = {"race-0": "race-1", "race-1": "race-2"}.get(race)
        if following is not None:
            with self._called:
                assert self._called.wait_for(lambda: following in self._begun, timeout=20.0)
        yield last


def test_steady_evolution_leaves_no_worker_waiting_for_a_generation(tmp_path: Path) -> None:
    one_rung = {"scoring__rungs": [{"steps": 10}], "stop__generations": 3}
    run(tmp_path / "a", settings(**STEADY, **one_rung), Dovetailing())
    run(tmp_path / "b", settings(**STEADY, **one_rung), Simulation(batch=50))
    assert told(tmp_path / "a") == told(tmp_path / "b")


class Unsteady(Simulation):
    """Takes a while for each batch, and no two calls the same."""

    def evaluate(
        self, expressions: Sequence[Expression], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        for batch in super().evaluate(expressions, fidelity, stopping=stopping):
            threading.Event().wait(0.01 * (len(self.done) * 7 % 5))
            yield batch


AHEAD = {"search__lookahead": 3, "stop__generations": 6}


def test_what_runs_ahead_leaves_the_same_journal_however_long_anything_takes(
    tmp_path: Path,
) -> None:
    run(tmp_path / "calm", settings(**AHEAD))
    run(tmp_path / "unsteady", settings(**AHEAD), Unsteady(batch=3))
    assert told(tmp_path / "unsteady") == told(tmp_path / "calm")


@pytest.mark.parametrize("stop_after", [13, 29, 41, 60])
def test_what_ran_ahead_on_every_rung_is_kept_when_it_stops(
    tmp_path: Path, stop_after: int
) -> None:
    run(tmp_path / "whole", settings(**AHEAD))
    first, second = Unsteady(batch=3, stop_after=stop_after), Unsteady()
    assert run(tmp_path / "cut", settings(**AHEAD), first).interrupted
    run(tmp_path / "cut", settings(**AHEAD), second)
    assert in_order(told(tmp_path / "cut")) == in_order(told(tmp_path / "whole"))
    assert not set(first.done) & set(second.done)


def test_diversity_and_rates_are_told_with_each_generation(tmp_path: Path) -> None:
    run(tmp_path / "a", settings(search__adaptive_rates=True))
    run(tmp_path / "b", settings(search__strategy="random"))
    evolved, drawn = (
        [payload for kind, _, payload in told(tmp_path / name) if kind == "generation"]
        for name in "ab"
    )
    assert all(0.0 < payload["diversity"] <= 1.0 for payload in evolved)
    assert all(sum(payload["rates"].values()) == pytest.approx(1.0) for payload in evolved)
    assert evolved[0]["rates"] != evolved[-1]["rates"]
    assert all((payload["diversity"], payload["rates"]) == (None, {}) for payload in drawn)


def test_a_finished_campaign_is_not_repeated_and_can_be_extended(tmp_path: Path) -> None:
    run(tmp_path / "long", settings(stop__generations=6))
    run(tmp_path / "short", settings(stop__generations=3))
    again = Simulation()
    assert run(tmp_path / "short", settings(stop__generations=3), again).reason == (
        "3 generations are done"
    )
    assert again.done == []
    run(tmp_path / "short", settings(stop__generations=6))
    without_ends = [event for event in told(tmp_path / "short") if event[0] != "finished"]
    assert without_ends == [event for event in told(tmp_path / "long") if event[0] != "finished"]


def test_evaluations_bound_a_campaign(tmp_path: Path) -> None:
    ending = run(tmp_path, settings(stop__evaluations=20, stop__generations=50))
    assert ending.reason == "24 candidates are trained" or "candidates are trained" in ending.reason
    trained = [payload["trained"] for kind, _, payload in told(tmp_path) if kind == "generation"]
    assert sum(trained) >= 20 > sum(trained[:-1])


def test_time_bounds_a_campaign(tmp_path: Path) -> None:
    ending = run(tmp_path, settings(stop__minutes=1e-6, stop__generations=100_000))
    assert ending == Ending("its 1e-06 minutes are over")


MINUTES = 60.0  # by a clock that is set by hand


class Endless(Simulation):
    """Begins a batch that ends only when it is given up, and in which the minutes run out.

    Attributes:
        seconds: What the clock shows, which stands still before.
    """

    def __init__(self, *, after: int) -> None:
        super().__init__()
        self._after, self._abandoned = after, threading.Event()
        self.seconds = 0.0

    def evaluate(
        self, expressions: Sequence[Expression], fidelity: Fidelity, *, stopping: Stopping
    ) -> Iterator[list[Evaluation]]:
        for batch in super().evaluate(expressions, fidelity, stopping=stopping):
            if len(self.done) > self._after:
                self.seconds += 2 * 60.0 * MINUTES
                assert self._abandoned.wait(timeout=60.0)
                raise Interrupted
            yield batch

    def abandon(self) -> None:
        self._abandoned.set()


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Endless]:
    """Makes one whose clock is the campaign's."""

    def make(after: int) -> Endless:
        made = Endless(after=after)
        by_hand = partial(Deadline, clock=lambda: made.seconds)
        monkeypatch.setattr("search.loop.campaign.Deadline", by_hand)
        return made

    return make


@pytest.mark.parametrize("after", [0, 30])
def test_a_batch_that_outlasts_the_budget_is_given_up(
    tmp_path: Path, endless: Callable[[int], Endless], after: int
) -> None:
    chosen = settings(stop__minutes=MINUTES, stop__generations=100)
    assert run(tmp_path, chosen, endless(after)) == Ending("its 60 minutes are over")
    with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
        assert len(list(journal.events("evaluation"))) >= after - 4


def test_what_the_budget_has_cut_is_an_end_and_counts(
    tmp_path: Path, endless: Callable[[int], Endless], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings(stop__minutes=MINUTES, stop__generations=100)
    run(tmp_path, chosen, endless(2 * len(BASELINES)))  # on both rungs, and no more
    with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
        (ending,) = [event.payload for event in journal.events("finished")]
        assert ending == {"reason": "its 60 minutes are over", "generations": 0}
        tried = count_tried(read_history(journal))
        drawn = [e for e in journal.events("candidate") if e.payload["origin"] == "discovered"]
    assert tried["considered"] == tried["distinct"] == len(drawn) == 12
    assert tried["trained"] < tried["distinct"] - tried["rejected"]
    monkeypatch.undo()
    run(tmp_path, settings(stop__minutes=2 * MINUTES))
    with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
        reasons = [event.payload["reason"] for event in journal.events("finished")]
    assert reasons == ["its 60 minutes are over", "4 generations are done"]


def test_rejections_are_recorded_with_their_reason_and_not_trained(tmp_path: Path) -> None:
    simulation = Simulation()
    run(tmp_path, settings(search__population=40), simulation)
    evaluations = [
        Evaluation.from_json(payload) for kind, _, payload in told(tmp_path) if kind == "evaluation"
    ]
    rejected = [e for e in evaluations if e.outcome is Outcome.REJECTED]
    assert rejected
    assert all(evaluation.reason for evaluation in rejected)
    assert not {e.expression for e in rejected} & {text for text, _ in simulation.done}


class Listener:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.generations: list[GenerationSummary] = []
        self.bests: list[Standing] = []
        self.progress: list[tuple[int, int, int]] = []

    def on_progress(self, rung: int, done: int, total: int) -> None:
        self.progress.append((rung, done, total))

    def on_generation(self, summary: GenerationSummary) -> None:
        self.generations.append(summary)

    def on_best(self, standing: Standing) -> None:
        self.bests.append(standing)


def test_observers_hear_of_progress_generations_and_bests(tmp_path: Path) -> None:
    listener = Listener()
    run(tmp_path, settings(), observers=[listener])
    assert [summary.generation for summary in listener.generations] == [0, 1, 2, 3]
    assert [standing.rank_key for standing in listener.bests] == sorted(
        standing.rank_key for standing in listener.bests
    )
    assert listener.bests[-1].candidate.id == listener.generations[-1].best_id
    assert (0, len(BASELINES), len(BASELINES)) in listener.progress


def test_the_hall_of_fame_stays_current_in_its_file(tmp_path: Path) -> None:
    run(tmp_path, settings())
    lines = (tmp_path / HALL_OF_FAME).read_text().splitlines()
    assert lines[0].startswith("rank,candidate_id,expression,score")
    with Journal(tmp_path / FILE_NAME, read_only=True) as journal:
        best = next(row for row in leaderboard(read_history(journal)) if row.origin == "discovered")
    assert lines[1].split(",")[:2] == ["1", best.candidate_id]
