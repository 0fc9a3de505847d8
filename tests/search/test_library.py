"""The Python interface, as its documentation shows it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from search import Campaign
from search.settings import SettingsError

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
    campaign = Campaign.open(tmp_path / "mine.toml", runs_dir=tmp_path / "runs")
    best = campaign.best.candidate
    assert said[-1] == f"take away: {best.canonical}"
    discovered = [row for row in campaign.leaderboard() if row.origin == "discovered"]
    assert discovered[0].candidate_id == best.id
    assert run(tmp_path, example) == said, "run again, it reads its journal"


def test_the_documented_evaluation_runs(tmp_path: Path) -> None:
    said = run(tmp_path, examples("python")[1])
    assert [line.rsplit(" ", 1)[0] for line in said] == ["x * sigmoid(x)", "relu(x)"]
    assert all(float(line.rsplit(" ", 1)[1]) > 0.0 for line in said)


def test_a_campaign_file_is_checked_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[search]\npopulation = 8", encoding="utf-8")
    campaign = Campaign.open(path, overrides=["seed=5"], runs_dir=tmp_path)
    assert (campaign.settings.seed, campaign.folder) == (5, tmp_path / "mine")
    with pytest.raises(SettingsError, match="did you mean 'population'"):
        Campaign.open(path, overrides=["search.popluation=9"])
    with pytest.raises(FileNotFoundError):
        campaign.leaderboard()


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, search; assert not {'jax', 'mlflow', 'deap', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
