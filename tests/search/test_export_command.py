"""From a campaign to a file of use, with what training made of the function."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from sklearn.datasets import load_digits
from typer.testing import CliRunner, Result

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from grammars import parse
from grammars.export import ExportError
from search import Campaign
from search.candidates.candidate import Candidate
from search.cli.app import app
from search.executors.site import Site
from search.journal.journal import FILE_NAME, Journal

TEXT = 'param("a", 1) * tanh(x) + param("b", 0.5, per="layer") * x'
RECORD = Evaluation(
    candidate_id="",
    expression=TEXT,
    canonical=TEXT,
    task="digits-mlp",
    dataset="digits",
    fidelity=Fidelity(200, (0, 1)),
    outcome=Outcome.SCORED,
    per_seed=(
        SeedResult(0, 0.4, 0.9, {"a": (1.25, 1.75), "b": (0.25, 0.75)}),
        SeedResult(1, 0.4, 0.9, {"a": (1.75, 2.25), "b": (0.25, 0.75)}),
    ),
)


def export(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def write_campaign(runs: Path, record: Evaluation = RECORD) -> None:
    candidate = Candidate.of(parse(TEXT), generation=0)
    evaluation = replace(record, candidate_id=candidate.id)
    (runs / "demo").mkdir(parents=True)
    with Journal(runs / "demo" / FILE_NAME) as journal:
        journal.append("candidate", candidate.id, candidate.to_json())
        journal.append("evaluation", f"{candidate.id}@0", {"rung": 0, **evaluation.to_json()})


def load(path: Path) -> Any:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_what_training_made_of_parameters_goes_along(tmp_path: Path) -> None:
    write_campaign(tmp_path / "runs")
    wanted = ("demo", "--to", "numpy,json", "--name", "bend", "--output", tmp_path)
    result = export(*wanted, "--trained", "--runs-dir", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    bend = load(tmp_path / "bend_numpy.py").bend
    x = numpy.linspace(-3.0, 3.0, 7)
    # The means over channels, layers and seeds.
    numpy.testing.assert_allclose(bend(x), 1.75 * numpy.tanh(x) + 0.5 * x)
    text = (tmp_path / "bend_numpy.py").read_text()
    assert "a (1.75 by training, 1 before; one a channel)" in text
    assert "Trained values by layer: a 1.5, 2; b 0.25, 0.75" in text


def test_an_exported_json_file_is_exported_again_as_it_was(tmp_path: Path) -> None:
    write_campaign(tmp_path / "runs")
    saved = tmp_path / "bend.json"
    export(
        *("demo", "--trained", "--to", "json", "--name", "bend", "--output", saved),
        *("--runs-dir", tmp_path / "runs"),
    )
    result = export("--expression", f"@{saved}", "--to", "json", "--output", tmp_path / "again")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "again" / "bend.json").read_text()) == json.loads(
        saved.read_text()
    )


def test_without_being_asked_for_parameters_have_their_start_values(tmp_path: Path) -> None:
    write_campaign(tmp_path / "runs")
    result = export(
        *("demo", "--to", "json", "--output", tmp_path, "--runs-dir", tmp_path / "runs")
    )
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "activation.json").read_text())
    assert [p["value"] for p in document["parameters"].values()] == [1.0, 0.5]


def test_a_journal_that_holds_no_trained_parameters_is_said_to(tmp_path: Path) -> None:
    seeds = (SeedResult(0, 0.4, 0.9), SeedResult(1, 0.4, 0.9))
    write_campaign(tmp_path / "runs", replace(RECORD, per_seed=seeds))
    result = export("demo", "--trained", "--to", "json", "--runs-dir", tmp_path / "runs")
    assert isinstance(result.exception, ExportError)
    assert "does not say what training made of a, b" in str(result.exception)


def test_an_expression_has_no_training_behind_it() -> None:
    result = export("--expression", "x", "--trained", "--to", "json")
    assert isinstance(result.exception, ExportError)
    assert "--trained takes what a CAMPAIGN's training made" in str(result.exception)


def test_the_axes_and_operators_of_a_model_are_options(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    options = ("--rank", "4", "--precision", "float16", "--opset", "14")
    result = export("--expression", "gelu(x)", "--to", "onnx", "--output", tmp_path, *options)
    assert result.exit_code == 0, result.output
    model = onnx.load(tmp_path / "activation.onnx")
    assert model.opset_import[0].version == 14
    taken = model.graph.input[0].type.tensor_type
    assert (taken.elem_type, len(taken.shape.dim)) == (onnx.TensorProto.FLOAT16, 4)
    refused = export("--expression", "x", "--to", "onnx", "--output", tmp_path, "--rank", "11")
    assert "a file can have 0 to 8 axes; got 11" in str(refused.exception)


def test_a_target_that_was_named_is_missed(tmp_path: Path, monkeypatch: Any) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "onnx" else find(n))
    named = export("--expression", "tanh(x)", "--to", "onnx,json", "--output", tmp_path)
    assert (named.exit_code, "not written: the target onnx" in named.output) == (2, True)
    assert (tmp_path / "activation.json").exists()


CAMPAIGN = """
seed = 3
task = "digits-mlp"
grammar = "parametric"
[search]
population = 6
[scoring]
rungs = [{ steps = 40 }]
[tracking]
mlflow = false
[stop]
generations = 1
"""


def test_from_a_campaign_to_a_model_in_pytorch(tmp_path: Path) -> None:
    """The whole way: search, export, build a model with the file, train it, save it, load it."""
    torch = pytest.importorskip("torch", reason="PyTorch is an extra")
    (tmp_path / "small.toml").write_text(CAMPAIGN)
    site = Site(runs_dir=tmp_path / "runs", workers=1)
    campaign = Campaign(tmp_path / "small.toml", site=site)
    campaign.run()
    result = export(
        *("small", "--trained", "--to", "pytorch", "--name", "found", "--output", tmp_path),
        *("--runs-dir", tmp_path / "runs"),
    )
    assert result.exit_code == 0, result.output
    assert "found_pytorch.py: verified with torch" in result.output
    module = load(tmp_path / "found_pytorch.py")

    def model() -> Any:
        return torch.nn.Sequential(torch.nn.Linear(64, 32), module.Found(), torch.nn.Linear(32, 10))

    torch.manual_seed(0)
    network = model()
    images, labels = map(torch.tensor, load_digits(return_X_y=True))
    images = images.float() / 16.0
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    losses = []
    for chosen in torch.randperm(len(images)).split(32):
        loss = torch.nn.functional.cross_entropy(network(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    # Chance is a loss of log(10) = 2.3.
    assert sum(losses[-5:]) / 5 < 1.0
    torch.save(network.state_dict(), tmp_path / "model.pt")
    again = model()
    again.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    torch.testing.assert_close(again(images), network(images), rtol=0, atol=0)
