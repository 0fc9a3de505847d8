"""`actsearch replicate`: one campaign from several seeds."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from actsearch import Campaign, Site
from evaluators.statistics.comparison import Comparison, Finding
from grammars import parse, parse_activation
from search.finals import finals_in
from search.history import PROTOCOLS, read_history
from search.journal.journal import FILE_NAME, Journal
from search.launching.launch import launch
from search.settings import SettingsError
from search.standings.kinship import Relation, families, kinship
from search.standings.replicate import read_replicate
from search.standings.replicates import Replicate, Replicates

from .conftest import DISCOVERED, WriteCampaign
from .finals_events import finals_events, plan
from .here import SimulatedPool, actsearch, captured
from .processes import start

CAMPAIGN = """
seed = 7
task = "digits-mlp"
search.population = 6
scoring.rungs = [{ steps = 20 }]
stop.generations = 2
tracking.mlflow = false
"""

FINALS = """
[finals]
top = 1
seeds = 2
max_seeds = 2
measure = "log_loss"
"""


@pytest.fixture
def campaign_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(CAMPAIGN)
    return path


def simulated(campaign: Campaign, seeds: int, **options: Any) -> Replicates:
    with mock.patch("search.executors.starting.ProcessPool", SimulatedPool):
        return campaign.replicate(seeds, progress=False, **options)


def events(folder: Path) -> list[tuple[str, str, Any]]:
    """Of a journal, without what time decides."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return [
            (e.kind, e.key, {k: v for k, v in e.payload.items() if k != "seconds"})
            for e in journal.events()
            if e.kind != "work"
        ]


def test_each_seed_is_a_campaign_of_its_own(campaign_file: Path, tmp_path: Path) -> None:
    site = Site(tmp_path / "runs")
    campaign = Campaign(campaign_file, site=site)
    ended: list[str] = []
    found = simulated(campaign, 3, on_end=lambda each: ended.append(each.folder.name))
    assert ended == ["small", "small-seed8", "small-seed9"]
    assert [(each.campaign, each.seed) for each in found.replicates] == [
        ("small", 7),
        ("small-seed8", 8),
        ("small-seed9", 9),
    ]
    assert {each.state for each in found.replicates} == {"no finals"}
    assert not found.interrupted
    assert found.differences == {}
    for each in found.replicates:
        alone = Campaign.load(site.runs_dir / each.campaign)
        assert (
            alone.settings == Campaign(campaign_file, name=each.campaign, seed=each.seed).settings
        )
        assert alone.best.candidate.id == each.candidate_id
    assert "nothing is known of how often the leader passes" in repr(found)
    assert "<td>small-seed9</td>" in found._repr_html_()

    eighth = Campaign(campaign_file, name="other", seed=8, site=site)
    with mock.patch("search.executors.starting.ProcessPool", SimulatedPool):
        eighth.run(progress=False)
    searched = ("candidate", "evaluation", "generation")
    assert [e for e in events(eighth.folder) if e[0] in searched] == [
        e for e in events(site.runs_dir / "small-seed8") if e[0] in searched
    ]


def test_the_file_that_is_kept_says_which_campaign_it_is(
    campaign_file: Path, tmp_path: Path
) -> None:
    site = Site(tmp_path / "runs")
    simulated(Campaign(campaign_file, site=site), 2)
    kept = site.runs_dir / "small-seed8" / "campaign.toml"
    before = events(site.runs_dir / "small-seed8")
    assert Campaign(kept).settings == Campaign.load(kept.parent).settings
    answer = actsearch("launch", kept, "--runs-dir", site.runs_dir)
    assert answer.status == 0, answer
    assert events(kept.parent) == before


def test_stopped_between_two_it_goes_on_with_the_next(campaign_file: Path, tmp_path: Path) -> None:
    site = Site(tmp_path / "runs")
    campaign = Campaign(campaign_file, site=site)
    stopped = simulated(campaign, 3, on_end=lambda each: campaign.stop())
    assert stopped.interrupted
    assert [each.state for each in stopped.replicates] == [
        "no finals",
        "not launched",
        "not launched",
    ]
    before = events(site.runs_dir / "small")
    whole = simulated(Campaign(campaign_file, site=site), 3)
    assert not whole.interrupted
    assert [each.state for each in whole.replicates] == ["no finals"] * 3
    assert events(site.runs_dir / "small") == before


def test_a_campaign_that_has_ended_is_replicated_by_its_name(
    campaign_file: Path, tmp_path: Path
) -> None:
    runs = ("--runs-dir", tmp_path / "runs")
    launched = actsearch("launch", campaign_file, "--set", "search.population=8", *runs)
    assert launched.status == 0, launched
    before = events(tmp_path / "runs" / "small")
    with mock.patch("search.cli.replicating.report_at_end"):
        answer = actsearch("replicate", "small", "--seeds", "2", *runs)
    assert answer.status == 0, answer
    assert events(tmp_path / "runs" / "small") == before, "it has only been read again"
    assert Campaign.load(tmp_path / "runs" / "small-seed8").settings.search.population == 8
    assert "small from 2 seeds" in answer.stdout
    assert "small-seed8, seed 8" in answer.stderr

    shown = captured("replicate", "small", "--seeds", "3", "--show", *runs)
    assert re.search(r"9 +small-seed9 +not launched", shown.stdout)
    assert not (tmp_path / "runs" / "small-seed9").exists()
    document = json.loads(captured("replicate", "small", "--show", "--json", *runs).stdout)
    assert [each["seed"] for each in document["replicates"]] == [7, 8, 9, 10, 11]
    assert document["compared"] == 0
    assert len(document["kinships"]) == 1


def test_what_is_in_the_way_is_said(campaign_file: Path, tmp_path: Path) -> None:
    runs = ("--runs-dir", tmp_path / "runs")
    taken = ("--set", "name=small-seed8", "--set", "search.population=8")
    assert actsearch("launch", campaign_file, *taken, *runs).status == 0
    with mock.patch("search.cli.replicating.report_at_end"):
        answer = actsearch("replicate", campaign_file, "--seeds", "2", *runs)
    assert answer.is_clear_error
    assert "small-seed8 is a campaign with other settings" in answer.stderr
    assert "settings.search.population: was 8, is 6" in answer.stderr
    unknown = captured("replicate", "smaal", *runs)
    assert unknown.is_clear_error
    assert "did you mean 'small'?" in unknown.stderr
    assert "neither a campaign file nor a shipped campaign" in unknown.stderr
    long = Campaign(campaign_file, name="n" * 78)
    with pytest.raises(SettingsError, match=r"has 84 characters.*at most 80"):
        long.replicates(2)
    with pytest.raises(SettingsError, match="at least 1 seed, got 0"):
        long.replicates(0)
    with pytest.raises(SettingsError, match=r"seed: .* less than or equal"):
        Campaign(campaign_file, seed=2**31 - 1).replicates(2)


def test_killed_it_goes_on_to_the_same_end(campaign_file: Path, tmp_path: Path) -> None:
    """Real workers and real training, finals included."""
    campaign_file.write_text(CAMPAIGN.replace("generations = 2", "generations = 1") + FINALS)
    command = ("replicate", campaign_file, "--seeds", "2", "--workers", "1", "--runs-dir")
    whole = captured(*command, tmp_path / "whole", "--json")
    assert whole.status == 0, whole
    document = json.loads(whole.stdout)
    assert document["compared"] == 2
    assert [each["state"] for each in document["replicates"]] == ["finished"] * 2
    assert {each["rival"] for each in document["advantages"]} == {"relu", "swish", "gelu"}
    assert all(each["compared"] == 2 for each in document["advantages"])
    assert (tmp_path / "whole" / "small-seed8" / "report" / "index.html").is_file()

    process = start(*command, tmp_path / "killed")
    second = tmp_path / "killed" / "small-seed8"
    deadline = time.monotonic() + 240.0
    while time.monotonic() < deadline and process.poll() is None and not evaluations(second):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    killed = captured(*command, tmp_path / "killed", "--json", "--show")
    assert json.loads(killed.stdout)["replicates"][1]["state"] != "finished"
    with mock.patch("search.cli.replicating.report_at_end"):
        resumed = captured(*command, tmp_path / "killed", "--json")
    assert resumed.status == 0, resumed
    assert json.loads(resumed.stdout) == document
    for name in ("small", "small-seed8"):
        assert scores(tmp_path / "killed" / name) == scores(tmp_path / "whole" / name)


def fair(runs_dir: Path, *, seed: int, name: str) -> Campaign:
    """On two tasks, each function at its own rate, with finals against the best published."""
    return Campaign(
        {"seed": seed, "tracking": {"mlflow": False}},
        name=name,
        search={"population": 6},
        scoring={
            "tasks": ["digits-mlp", "modular-addition-31"],
            "learning_rates": [0.001, 0.002],
            "rungs": [{"steps": 20}],
        },
        stop={"generations": 1},
        finals={
            **{"top": 1, "seeds": 3, "max_seeds": 3, "measure": "log_loss"},
            **{"own_rates": True, "all_tasks": True, "against": ["mish", "catalogue"]},
        },
        site=Site(runs_dir),
    )


def trained_by(run: Callable[[], object]) -> list[str]:
    """What was trained, function by function."""
    pools: list[SimulatedPool] = []

    def pool(workload: Any, **limits: Any) -> SimulatedPool:
        pools.append(SimulatedPool(workload, **limits))
        return pools[-1]

    with mock.patch("search.executors.starting.ProcessPool", pool):
        run()
    return [text for each in pools for text, _ in each.done]


def test_what_replicates_have_in_common_is_trained_once(tmp_path: Path) -> None:
    first = fair(tmp_path / "both", seed=7, name="fair")
    whole = trained_by(lambda: first.run(progress=False))
    together = trained_by(lambda: first.replicate(2, progress=False))
    by_itself = fair(tmp_path / "alone", seed=8, name="fair-seed8")
    alone = trained_by(lambda: by_itself.run(progress=False))
    second = first.site.runs_dir / "fair-seed8"
    assert dict(scores(second)) == dict(scores(by_itself.folder))
    assert comparable(second) == comparable(by_itself.folder)
    published = {str(parse(name)) for name in ("relu", "swish", "gelu", "tanh", "mish")}
    assert published <= set(alone)
    assert not published & set(together)
    assert len(together) < len(alone) / 4
    assert len(whole) > len(alone) / 2, "the first trains all"

    other = fair(tmp_path / "other", seed=8, name="fair-seed8")
    with mock.patch("search.launching.identity.version", return_value="another"):
        anew = trained_by(
            lambda: launch(other.settings, other.site, campaign_file="", siblings=[first.folder])
        )
    assert sorted(anew) == sorted(alone)


def comparable(folder: Path) -> Any:
    """What finals came to, apart from when and how fast."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        finals = finals_in(read_history(journal))
    assert finals is not None
    assert finals.ended is not None
    return [repr(each.comparisons) for each in finals.cards], repr(finals.plan)


def evaluations(folder: Path) -> int:
    with suppress(FileNotFoundError), Journal(folder / FILE_NAME, read_only=True) as journal:
        return sum(1 for _ in journal.events("evaluation"))
    return 0


def scores(folder: Path) -> list[tuple[str, Any]]:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return [
            (e.key, e.payload.get("per_seed") or e.payload.get("test_loss"))
            for e in journal.events("evaluation", "finals_score")
        ]


def comparison(rival: str, difference: float | None, finding: Finding) -> Comparison:
    return Comparison("f", rival, 10, difference, None, None, 0.01, 0.01, None, finding)


def replicate(seed: int, text: str, **differences: tuple[float | None, Finding]) -> Replicate:
    return Replicate(
        campaign=f"demo-seed{seed}",
        seed=seed,
        state="finished",
        function=parse_activation(text),
        candidate_id=str(seed),
        shown=text,
        novelty="not in the catalogue",
        comparisons=tuple(comparison(rival, *each) for rival, each in differences.items()),
        measure=PROTOCOLS[1],
        claim="",
        deciding={"settings.search.population": 64},
    )


BETTER, WORSE, ALIKE = Finding.BETTER, Finding.WORSE, Finding.INDISTINGUISHABLE


def test_the_card_counts_who_passes_and_takes_the_mean() -> None:
    found = Replicates(
        "demo",
        (
            replicate(1, "x * erf(x)", relu=(0.3, BETTER), gelu=(0.02, BETTER)),
            replicate(2, "sin(x)", relu=(0.1, BETTER), gelu=(-0.04, WORSE)),
            replicate(3, "x * erf(1.1 * x)", relu=(0.2, BETTER), gelu=(0.05, ALIKE)),
            Replicate("demo-seed4", 4, "not launched"),
        ),
    )
    relu, gelu = found.advantages
    assert (relu.passes, relu.compared, relu.mean) == (3, 3, pytest.approx(0.2))
    assert relu.deviation == pytest.approx(0.1)
    assert (gelu.passes, gelu.low, gelu.high) == (1, -0.04, 0.05)
    assert (found.passed, len(found.compared)) == (1, 3)
    assert found.families == ((1, 3), (2,))
    said = repr(found)
    assert "The leader is better than each of ReLU and GELU in 1 of 3 campaigns." in said
    assert re.search(r"^ReLU +3 of 3 +\+0.200 +0.100 +\+0.100 +\+0.300$", said, re.MULTILINE)
    assert re.search(r"^2 .* \+0.100 better +-0.040 worse$", said, re.MULTILINE)
    assert re.search(r"^1 and 3 +one form, other constants +0.\d\d$", said, re.MULTILINE)
    assert "Relatives were found from seeds 1 and 3." in said


def test_a_leader_that_has_not_met_a_rival_of_the_others_does_not_pass() -> None:
    found = Replicates(
        "demo",
        (
            replicate(1, "x * erf(x)", relu=(0.3, BETTER), mish=(0.0, ALIKE)),
            replicate(2, "sin(x)", relu=(0.1, BETTER)),
        ),
    )
    assert found.passed == 0
    said = " ".join(found.sentences())
    assert "The leader is better than each of ReLU and Mish in 0 of 2 campaigns." in said
    assert "The leader of demo-seed2 has not met Mish, and does not pass." in said


def test_a_measure_is_one_whatever_the_protocol() -> None:
    first, second = (
        replace(replicate(seed, "sin(x)", relu=(0.3, BETTER)), measure=PROTOCOLS[number])
        for seed, number in ((1, 1), (2, 3))
    )
    (advantage,) = Replicates("demo", (first, second)).advantages
    assert (advantage.compared, advantage.mean) == (2, pytest.approx(0.3))


def test_what_cannot_be_put_together_is_not() -> None:
    one = replicate(1, "sin(x)", relu=(0.3, BETTER))
    other = replace(
        replicate(2, "sin(x)", relu=(0.3, BETTER)),
        measure=PROTOCOLS[0],
        deciding={"settings.search.population": 32},
    )
    found = Replicates("demo", (one, other))
    assert found.advantages == ()
    assert found.differences == {"settings.search.population": (64, 32)}
    said = repr(found)
    assert "differ in settings.search.population: 64, 32" in said
    assert "no mean is taken" in said
    without = replicate(3, "sin(x)", relu=(None, Finding.NOT_COMPARED))
    (advantage,) = Replicates("demo", (without,)).advantages
    assert (advantage.mean, advantage.deviation, advantage.passes) == (None, None, 0)


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("x * sigmoid(x)", "x / (1 + exp(-x))", Relation.SAME),
        ("x * sigmoid(x)", "2 * x * sigmoid(-3 * x)", Relation.FORM),
        ("sigmoid(x)", "tanh(0.7 * x) - 1", Relation.SCALED),
        ("1.7 * cos(1.97 * x)", "sin(param('a', 1.61) * (x - 0.05) - 1.7)", Relation.SCALED),
        ("sin(x)", "sin(x) + sin(2 * x)", Relation.NONE),
        ("x * tanh(exp(x))", "x * tanh(softplus(x))", Relation.SHAPE),
        ("tanh(x)", "relu(x)", Relation.NONE),
        ("[relu(x), tanh(x)]", "[relu(x), tanh(x)]", Relation.SAME),
        ("[relu(x), tanh(x)]", "[relu(x), tanh(2 * x)]", Relation.FORM),
        ("[relu(x), tanh(x)]", "tanh(x)", Relation.NONE),
        ("x * sigmoid(param('b', 1.0) * x)", "x * sigmoid(x)", Relation.FORM),
    ],
)
def test_relatives_are_the_same_of_one_form_scaled_or_alike(
    one: str, other: str, relation: Relation
) -> None:
    found = kinship("a", parse_activation(one), "b", parse_activation(other))
    assert found.relation is relation
    if relation is Relation.SHAPE:
        assert found.distance is not None
        assert 0.0 < found.distance < 1.0


def test_families_are_connected_through_relatives() -> None:
    shapes = {"a": "sin(x)", "b": "tanh(x)", "c": "sin(2 * x)", "d": "3 * sin(x)", "e": "relu(x)"}
    names = list(shapes)
    kinships = [
        kinship(one, parse(shapes[one]), other, parse(shapes[other]))
        for place, one in enumerate(names)
        for other in names[place + 1 :]
    ]
    assert families(names, kinships) == (("a", "c", "d"), ("b",), ("e",))


def test_a_claim_for_a_function_chosen_by_hand_is_not_the_campaigns(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign()
    before = read_replicate(7, folder)
    assert before.claim == (
        "No published function was trained as long as the best, softplus(x) - 0.5."
    )
    with Journal(folder / FILE_NAME) as journal:
        for event in finals_events(replace(plan(DISCOVERED[1:2]), is_by_name=True)):
            journal.append(*event)
    assert read_replicate(7, folder) == before
