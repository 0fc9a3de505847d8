"""The Python interface, as its documentation shows it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import actsearch
from actsearch import Campaign, Site
from evaluators.evaluation.evaluation import OnTask
from evaluators.tasks import find_task
from search.library.outcomes import leaderboard_frame
from search.settings import SettingsError
from search.standings.side_by_side import SideBySide

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "python.md"


def examples(language: str) -> list[str]:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def run(folder: Path, script: str) -> list[str]:
    (folder / "example.py").write_text(script, encoding="utf-8")
    root = str(DOCUMENTATION.parents[1])
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_documented_campaign_runs_and_goes_on_from_its_end(tmp_path: Path) -> None:
    (campaign_file,) = examples("toml")
    (tmp_path / "mine.toml").write_text(campaign_file, encoding="utf-8")
    example = examples("python")[0]
    said = run(tmp_path, example)
    assert next(s for s in said if s.startswith("generation ")).startswith("generation 0:")
    assert any(line.startswith("new best: ") for line in said)
    assert "2 generations are done" in said
    assert len([line for line in said if re.match(r"\d+ .* (baseline|discovered)$", line)]) == 3
    campaign = Campaign.load(tmp_path / "runs" / "mine")
    best = campaign.best.candidate
    assert said[-1] == f"take away: {best.canonical}"
    discovered = [row for row in campaign.rows if row.origin == "discovered"]
    assert discovered[0].candidate_id == best.id
    # At its end nothing is searched, so that no callback is told of anything.
    ended = [line for line in said if not line.startswith(("generation ", "new best: "))]
    assert run(tmp_path, example) == ended, "run again, it reads its journal"


def test_the_documented_function_is_called(tmp_path: Path) -> None:
    said = run(tmp_path, examples("python")[1])
    assert said[0].startswith("0.99132891580")
    assert said[1] == "tanh(exp(x)) + x * exp(x) * (1 - square(tanh(exp(x))))"


def test_the_documented_evaluation_runs(tmp_path: Path) -> None:
    said = run(tmp_path, examples("python")[2])
    assert [line.rsplit(" ", 1)[0] for line in said] == ["x * sigmoid(x)", "relu(x)"]
    assert all(float(line.rsplit(" ", 1)[1]) > 0.0 for line in said)


def test_a_campaign_file_is_checked_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[search]\npopulation = 8", encoding="utf-8")
    campaign = Campaign(path, overrides=["seed=5"], site=Site(tmp_path))
    assert (campaign.settings.seed, campaign.folder) == (5, tmp_path / "mine")
    with pytest.raises(SettingsError, match="did you mean 'population'"):
        Campaign(path, overrides=["search.popluation=9"])
    with pytest.raises(FileNotFoundError):
        campaign.leaderboard()


@pytest.mark.parametrize(
    "ask",
    [
        lambda campaign: campaign.finals(),
        lambda campaign: campaign.finals(top=1),
        lambda campaign: campaign.report(),
        lambda campaign: campaign.best,
        lambda campaign: campaign.rows,
        lambda campaign: campaign.plot(),
        lambda campaign: campaign.function(),
        lambda campaign: campaign.compare(campaign),
    ],
)
def test_what_was_never_launched_says_to_run_it(
    ask: Callable[[Campaign], object], tmp_path: Path
) -> None:
    campaign = Campaign(name="unlaunched", task="digits-mlp", site=Site(tmp_path))
    expected = r"'unlaunched' was not launched yet: .* run it first, with its method `run`"
    # Both what its documentation says, and what it was before that was true.
    for kind in (SettingsError, FileNotFoundError):
        with pytest.raises(kind, match=expected):
            ask(campaign)
    assert not campaign.folder.exists(), "nothing is made by asking"


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, search; assert not {'jax', 'mlflow', 'deap', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_where_it_is_said_to_be() -> None:
    code = "import sys, actsearch; assert not {'jax', 'numpy', 'typer'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert all(getattr(actsearch, name) for name in actsearch.__all__)
    with pytest.raises(AttributeError, match="no attribute 'campaign'"):
        _ = actsearch.campaign


SETTINGS = {
    "name": "mine",
    "task": "digits-mlp",
    "seed": 3,
    "search": {"population": 8, "start_from": ["x * erf(x)", "swish"]},
    "scoring": {"rungs": [{"steps": 20}, {"steps": 40, "seeds": 2}], "reduction_factor": 2.5},
    "tracking": {"mlflow": False},
    "stop": {"generations": 1, "target_score": None},
}


@pytest.mark.parametrize("way", ["mapping", "keywords", "file", "file and keywords"])
def test_settings_may_come_from_anywhere_and_are_the_same(tmp_path: Path, way: str) -> None:
    site = Site(tmp_path)
    mapped = Campaign(SETTINGS, site=site)
    path = tmp_path / "other.toml"
    path.write_text(mapped.campaign_file, encoding="utf-8")
    campaign = {
        "mapping": lambda: mapped,
        "keywords": lambda: Campaign(site=site, **SETTINGS),
        "file": lambda: Campaign(path, site=site),
        "file and keywords": lambda: Campaign(path, site=site, search={"population": 16}),
    }[way]()
    expected = 16 if way == "file and keywords" else 8
    assert campaign.settings.search.population == expected
    assert campaign.settings.search.start_from == ("x * erf(x)", "swish")
    assert campaign.settings.scoring == mapped.settings.scoring
    assert repr(campaign) == f"Campaign 'mine' in {tmp_path / 'mine'}"


def test_settings_in_python_are_checked_as_a_file_is() -> None:
    with pytest.raises(SettingsError, match=r"has 2 problems:\n  name: .*\n  .*popluation"):
        Campaign(search={"popluation": 3}, task="digits-mlp")
    with pytest.raises(FileNotFoundError, match="there is no campaign in nowhere"):
        Campaign.load("nowhere")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """A campaign that has really trained."""
    campaign = Campaign(SETTINGS, site=Site(tmp_path_factory.mktemp("runs"), workers=1))
    launched = campaign.run()
    assert repr(launched) == f"Campaign in {campaign.folder} ended: one generation is done"
    return Campaign.load(campaign.folder, site=campaign.site)


def test_tasks_by_value_may_stand_wherever_a_task_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names = ("one", "two", "three")
    one, two, three = (replace(find_task("digits-mlp"), name=name) for name in names)
    document = {"name": "by-value", "task": one, "scoring": {"tasks": [one, two]}}
    campaign = Campaign(document, watch={"tasks": [three]}, site=Site(str(tmp_path / "runs")))
    assert campaign.folder == tmp_path / "runs" / "by-value"
    found = [find_task(name) for name in campaign.settings.all_tasks]
    assert [task.name for task in found] == list(names)


def test_a_leaderboard_is_a_data_frame(finished: Campaign) -> None:
    frame, rows = finished.leaderboard(), finished.rows
    assert list(frame.index) == [row.rank for row in rows] == list(range(1, len(rows) + 1))
    assert frame.index.name == "rank"
    assert list(frame.columns[:4]) == ["expression", "name", "origin", "score"]
    assert frame.columns[-1] == "candidate_id"
    assert frame.score.tolist() == [row.score for row in rows]
    relu = frame[frame.name == "relu"].iloc[0]
    assert (relu.expression, relu.origin, relu.seeds) == ("relu(x)", "baseline", 2)
    assert frame.equals(Campaign.load(finished.folder).leaderboard())


def test_over_several_tasks_a_leaderboard_has_a_column_for_each(finished: Campaign) -> None:
    digits, mnist = (
        OnTask("digits", "digits", 0.004, 0.5, 1.0),
        OnTask("mnist", "mnist", None, -0.5, 0),
    )
    first, second = finished.rows[:2]
    rows = [replace(first, tasks=(digits, mnist)), replace(second, tasks=(digits,))]
    frame = leaderboard_frame(rows)
    assert frame["score on digits"].tolist() == [0.5, 0.5]
    assert frame["score on mnist"].iloc[0] == -0.5
    assert frame["score on mnist"].isna().tolist() == [False, True]
    assert frame["advantage on digits"].tolist() == [1.0, 1.0]
    assert frame["learning rate on digits"].tolist() == [0.004, 0.004]
    assert "learning rate on mnist" not in leaderboard_frame([replace(first, tasks=(mnist,))])


def test_campaigns_are_put_side_by_side(finished: Campaign, tmp_path: Path) -> None:
    changes = {"seed": 4, "stop": {"generations": 2}, "name": "other"}
    other = Campaign(SETTINGS, site=Site(tmp_path, workers=1), **changes)
    other.run()
    both = finished.compare(other)
    assert both.differences == {"seed": (3, 4), "stop.generations": (1, 2)}
    assert both.incomparable is None
    ours, theirs = both.campaigns
    assert ours.best == next(row for row in finished.rows if row.origin == "discovered")
    assert 0 < ours.trainings < theirs.trainings
    assert 0.0 < ours.minutes < 10.0
    last = ours.generations[-1].summary.best_score
    assert ours.score_after(trainings=ours.trainings) == f"{last:.4f}"
    assert ours.score_after(trainings=0) == "-"
    assert theirs.score_after(minutes=60.0) == f"{theirs.generations[-1].summary.best_score:.4f}"
    shared = {row.candidate_id: names for row, names in both.rows()}
    relu = next(row for row in finished.rows if row.name == "relu")
    assert shared[relu.candidate_id] == ("mine", "other")
    merits = [(row.steps * row.seeds, row.score) for row, _ in both.rows()]
    assert merits == sorted(merits, reverse=True)
    said = repr(both)
    for title in ("What they came to:", "Settings that differ:", "Shared leaderboard:"):
        assert title in said
    assert re.search(r"^stop.generations +1 +2$", said, flags=re.MULTILINE)
    assert "<h4>Shared leaderboard</h4>" in both._repr_html_()
    elsewhere = replace(theirs, settings={**theirs.settings, "task": "mnist-mlp"})
    assert "of different tasks" in repr(SideBySide((ours, elsewhere)))


def test_functions_are_compared_on_seeds_that_nothing_was_chosen_by(finished: Campaign) -> None:
    compared = finished.compare("tanh", rivals=("relu",), seeds=3, steps=20)
    assert compared.fidelity.seeds == (3_000_000, 3_000_001, 3_000_002)
    (pair,) = [each for each in compared.comparisons if each.function == "tanh"]
    differences = [
        a.score - b.score
        for a, b in zip(
            compared.evaluations["tanh"].per_seed,
            compared.evaluations["relu"].per_seed,
            strict=True,
        )
    ]
    assert pair.difference == pytest.approx(sum(differences) / 3)
    assert repr(compared).startswith("Compared by 20 steps x 3 seeds:\n  tanh: score ")
    best = finished.compare(rivals=("relu",), seeds=2, steps=20)
    assert list(best.evaluations) == [str(finished.best.candidate.canonical), "relu"]


def test_finals_report_exports_and_pictures_are_methods(finished: Campaign, tmp_path: Path) -> None:
    held = finished.finals(top=1, seeds=2, max_seeds=2, transfer=())
    assert held.finals is not None
    assert not held.interrupted
    assert repr(held).startswith("Finals: ")
    assert "2 seeds" in repr(held)
    assert repr(finished.finals()) == repr(held), "held again, they are what they were"
    with pytest.raises(SettingsError, match="did you mean 'max_seeds'"):
        finished.finals(max_seed=3)
    reported = finished.report(tmp_path / "page", measure=False)
    assert repr(reported) == f"Report in {tmp_path / 'page' / 'index.html'}"
    assert reported.page == tmp_path / "page" / "index.html"
    exported = finished.export("numpy", tmp_path / "f.py")
    assert [each.status for each in exported] == ["verified"]
    assert repr(exported) == str(exported[0])
    picture = finished.plot(tmp_path / "best.png", top=2)
    assert picture.path == tmp_path / "best.png"
    assert picture.path.read_bytes().startswith(b"\x89PNG")
    assert finished.plot(top=2)._repr_png_() == picture.path.read_bytes()
    for output in (tmp_path / "path.png", str(tmp_path / "text.png")):
        saved = finished.plot(top=2).save(output)
        assert saved.path == Path(output)
        assert saved.path.read_bytes() == picture.path.read_bytes()


OWN_TASK = """
import numpy as np
from actsearch import Campaign
from evaluators.datasets import Arrays
from evaluators.networks import MLP
from evaluators.tasks import Recipe, Task

random = np.random.default_rng(0)
x = random.normal(size=(300, 2))
task = Task(data=Arrays(x, (x[:, 0] * x[:, 1] > 0).astype(int)), network=MLP((8, 8)),
            recipe=Recipe(learning_rate=0.01, batch=32), name="quadrants")
campaign = Campaign(name="mine", task=task, search={"population": 4}, stop={"generations": 1},
                    scoring={"rungs": [{"steps": 20}]}, tracking={"mlflow": False})
print(campaign.run().reason)
print(campaign.rows[0].expression)
"""


def test_a_task_by_value_is_searched_from_a_script_without_a_guard(tmp_path: Path) -> None:
    said = run(tmp_path, OWN_TASK)
    assert said[0] == "one generation is done"
    assert run(tmp_path, OWN_TASK) == said, "run again, it reads its journal"
    other = OWN_TASK.replace("batch=32", "batch=16")
    with pytest.raises(AssertionError, match=r"task\.recipe\.batch: was 32, is 16"):
        run(tmp_path, other)
