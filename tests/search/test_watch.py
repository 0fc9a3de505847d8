"""The watch: the leader meets the best baseline on tasks that the search does not use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from evaluators.evaluator import Bench
from grammars import BASELINES, load_grammar, parse
from search.candidates.generation import GenerationSummary
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.launching.finishing import Finishing
from search.launching.identity import settings_in_force
from search.launching.siblings import Siblings
from search.loop.campaign import Ending, Loop
from search.settings import Settings
from search.standings.leaderboard import standings
from search.tracking import Store

from . import test_appraisal
from .here import actsearch
from .test_appraisal import BENCHES, Field, settings, told

WATCHED = (Bench("third", "digits"), Bench("fourth", "mnist"))


class WiderField(Field):
    """The same on four tasks: on the watched ones what is good in the first two is good too."""

    def evaluation(self, each: Any, fidelity: Any) -> Any:
        known = super().evaluation(each, replace(fidelity, task=fidelity.task % 2))
        bench = (*BENCHES, *WATCHED)[fidelity.task]
        return replace(known, task=bench.task, dataset=bench.dataset, fidelity=fidelity)


def watched(**watch: Any) -> Settings:
    document = settings().model_dump()
    return Settings.model_validate(
        {**document, "watch": {"tasks": ["third", "fourth"], "every": 2, **watch}}
    )


def run(folder: Path, chosen: Settings, training: Field) -> Ending:
    folder.mkdir(exist_ok=True)
    with Journal(folder / FILE_NAME) as journal:
        return Loop(
            chosen,
            grammar=load_grammar(chosen.grammar),
            bench=BENCHES[0],
            further=BENCHES[1:],
            watched=WATCHED,
            hidden_layers=2,
            journal=journal,
            executor=training,
            stopping=training.wish,
        ).run()


def summaries(folder: Path) -> list[GenerationSummary]:
    return [GenerationSummary.from_json(p) for kind, _, p in told(folder) if kind == "generation"]


def test_the_leader_meets_every_few_generations_on_fresh_seeds(tmp_path: Path) -> None:
    training = WiderField()
    run(tmp_path, watched(seeds=3), training)
    first, second, third = summaries(tmp_path)
    assert (first.watched, third.watched) == (None, None)
    assert second.watched is not None
    assert set(second.watched.by_task) == {"third", "fourth"}
    assert second.watched.lead == pytest.approx(sum(second.watched.by_task.values()) / 2)
    met = {fidelity for _, fidelity in training.done if fidelity.task >= 2}
    assert {fidelity.steps for fidelity in met} == {80}
    (seeds,) = {fidelity.seeds for fidelity in met}
    used = {s for fidelity in watched().scoring.fidelities for s in fidelity.seeds}
    assert len(seeds) == 3
    assert used.isdisjoint(seeds)


def test_watching_changes_nothing_of_the_search(tmp_path: Path) -> None:
    run(tmp_path / "watched", watched(), WiderField())
    test_appraisal.run(tmp_path / "alone", settings(), Field())
    kinds = ("candidate", "evaluation")
    found = [
        [event for event in told(tmp_path / name) if event[0] in kinds]
        for name in ("watched", "alone")
    ]
    assert found[0] == found[1]


def test_a_stop_within_a_meeting_changes_nothing(tmp_path: Path) -> None:
    whole = WiderField()
    run(tmp_path / "whole", watched(), whole)
    numbers = [n for n, (_, fidelity) in enumerate(whole.done) if fidelity.task >= 2]
    for stop_after in (numbers[0] + 1, numbers[len(numbers) // 2], numbers[-1]):
        cut, first, second = (
            tmp_path / f"cut{stop_after}",
            WiderField(stop_after=stop_after),
            WiderField(),
        )
        assert run(cut, watched(), first).interrupted
        run(cut, watched(), second)
        assert told(cut) == told(tmp_path / "whole")
        assert not set(first.done) & set(second.done), "nothing is trained twice"


def test_the_search_ends_once_meetings_bring_nothing(tmp_path: Path) -> None:
    chosen = watched(every=1, patience=2)
    longer = chosen.model_copy(update={"stop": chosen.stop.model_copy(update={"generations": 40})})
    ending = run(tmp_path, longer, WiderField())
    assert ending.reason == "2 meetings on watched tasks brought no greater lead"
    leads = [each.watched.lead for each in summaries(tmp_path) if each.watched]
    assert len(leads) < 40
    assert max(leads[-2:]) <= max(leads[:-2])


def test_a_leader_that_cannot_be_trained_there_does_not_meet(tmp_path: Path) -> None:
    alone = Field()
    test_appraisal.run(tmp_path / "alone", settings(), alone)
    (best,) = {each.best_expression for each in summaries(tmp_path / "alone")[1:2]}

    class Failing(WiderField):
        def evaluation(self, each: Any, fidelity: Any) -> Any:
            if fidelity.task >= 2 and fidelity.task % 2 and str(each) not in baselines:
                self.failing = frozenset({str(each)})
            known = super().evaluation(each, fidelity)
            self.failing = frozenset()
            return known

    baselines = {str(parse(name)) for name in BASELINES}
    assert best not in baselines
    run(tmp_path / "failing", watched(), Failing())
    assert all(each.watched is None for each in summaries(tmp_path / "failing"))


def test_a_summary_without_a_watch_is_written_as_ever(tmp_path: Path) -> None:
    run(tmp_path, watched(), WiderField())
    first, second, _ = summaries(tmp_path)
    assert "watched" not in first.to_json()
    assert GenerationSummary.from_json(json.loads(json.dumps(second.to_json()))) == second


@pytest.mark.parametrize(
    ("watch", "match"),
    [
        ({"tasks": ["first"]}, "the search uses first itself"),
        ({"tasks": ["third", "third"]}, "each must be named once"),
        ({"tasks": []}, "at least 1"),
    ],
)
def test_a_watch_that_cannot_be_kept_is_refused(watch: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        watched(**watch)


CAMPAIGN = """
seed = 3
[search]
population = 12
template = "x * _"
[scoring]
tasks = ["digits-mlp", "mnist1d-mlp"]
learning_rates = [0.001, 0.002, 0.004, 0.008, 0.016]
rungs = [{ tasks = ["mnist1d-mlp"], steps = 10 }, { steps = 40, seeds = 2 }]
[watch]
tasks = ["breast-cancer-mlp", "diabetes-mlp"]
every = 1
chooses_finalists = true
[stop]
generations = 3
"""


class OfWorkload(Field):
    """Trains whatever tasks a launch asks for; those that are watched turn the order around."""

    def __init__(self, workload: Any, **limits: Any) -> None:
        super().__init__()
        self._benches = workload.benches

    def evaluation(self, each: Any, fidelity: Any) -> Any:
        known = super().evaluation(each, replace(fidelity, task=fidelity.task % 2))
        bench = self._benches[fidelity.task]
        return replace(known, task=bench.task, dataset=bench.dataset, fidelity=fidelity)


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a campaign with a watch, mirrored and reported."""
    folder = tmp_path_factory.mktemp("launched")
    (folder / "far.toml").write_text(CAMPAIGN)
    command = ("launch", folder / "far.toml", "--runs-dir", folder)
    answer = actsearch(*command, pool=OfWorkload)
    assert answer.status == 0, answer
    assert "it leads on watched tasks by" in answer.stderr
    assert "breast-cancer-mlp" in answer.stderr
    assert "the search fills the template x * _" in answer.stderr
    return folder / "far"


def test_a_launch_shows_the_watch_in_the_report(launched: Path) -> None:
    page = launched / "page"
    answer = actsearch("report", "far", "--no-measure", "-o", page, "--runs-dir", launched.parent)
    assert answer.status == 0, answer
    table = json.loads((page / "tables" / "watch.json").read_text())
    assert {row[table["columns"].index("task")] for row in table["data"]} == {
        "breast-cancer-mlp",
        "diabetes-mlp",
    }
    by_task = json.loads((page / "tables" / "by-task.json").read_text())
    assert {"advantage", "learning_rate", "score"} <= set(by_task["columns"])
    text = (page / "index.html").read_text()
    assert "lead on watched tasks" in text
    assert "By task: the advantage" in text
    assert "It filled the template `x * _`" in text
    assert (page / "figures" / "watch.svg").is_file()


def test_mlflow_has_the_watch_and_scores_by_task(launched: Path) -> None:
    with Store(launched.parent) as store:
        (campaign,) = runs_of(store, "far")
        leads = store.client.get_metric_history(campaign.info.run_id, "watch_lead")
        assert [each.step for each in leads] == [0, 1, 2]
        assert "watch.diabetes-mlp" in campaign.data.metrics
        scored = [run.data.metrics for run in runs_of(store, "far/candidates")]
    expected = {
        f"{what}.{task}"
        for what in ("advantage", "score", "learning_rate")
        for task in ("digits-mlp", "mnist1d-mlp")
    }
    assert any(expected <= metrics.keys() for metrics in scored)


def runs_of(store: Store, experiment: str) -> list[Any]:
    found = store.client.get_experiment_by_name(experiment)
    return list(store.client.search_runs([found.experiment_id]))


def test_the_leaderboard_shows_advantage_and_rate_by_task(launched: Path) -> None:
    printed = actsearch("leaderboard", "far", "--runs-dir", launched.parent).stdout
    assert "digits-mlp" in printed
    assert " at 0.00" in printed


def test_those_who_lead_elsewhere_go_to_finals_first(launched: Path) -> None:
    with Journal(launched / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    leads = {
        s.best_id: s.watched.lead for each in history.generations if (s := each.summary).watched
    }
    best = max(leads, key=lambda key: leads[key])
    chosen = settings_in_force(history)
    for watch, first in ((chosen.watch, best), (None, standings(history)[0].candidate.id)):
        finishing = Finishing(
            cast(Any, None),
            chosen.model_copy(update={"watch": watch}),
            observers=(),
            siblings=Siblings(),
        )
        assert finishing._ranked(history)[0].candidate.id == first


def test_what_a_leader_was_polished_to_has_its_lead(launched: Path) -> None:
    with Journal(launched / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    finishing = Finishing(
        cast(Any, None), settings_in_force(history), observers=(), siblings=Siblings()
    )
    first, *_, last = [each.candidate.id for each in finishing._ranked(history)]
    history.polished[first] = (last,)
    assert finishing._ranked(history)[0].candidate.id == last


def test_a_campaign_with_a_watch_goes_on_and_is_no_other(launched: Path, tmp_path: Path) -> None:
    again = tmp_path / "far.toml"
    again.write_text(CAMPAIGN.replace("generations = 3", "generations = 4"))
    command = ("launch", again, "--runs-dir", launched.parent, "--set", "tracking.mlflow=false")
    answer = actsearch(*command, pool=OfWorkload)
    assert answer.status == 0, answer
    again.write_text(CAMPAIGN.replace('"breast-cancer-mlp", ', ""))
    refused = actsearch(*command, pool=OfWorkload)
    assert refused.status == 2
    assert "settings.watch.tasks" in refused.stderr
