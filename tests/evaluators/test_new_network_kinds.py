"""A new kind of network is one file and one row: tasks, training and workers take it from there."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import Field
from pydantic.dataclasses import dataclass

from evaluators.datasets import load
from evaluators.evaluation.evaluation import Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Evaluator
from evaluators.networks import Moments, kinds
from evaluators.networks.dense import dense, dense_start
from evaluators.networks.initialisers import weight_scale
from evaluators.reading.sections import STRICT
from evaluators.tasks import TaskError, find_task
from grammars import parse

# The only files that it would touch are its own, such as evaluators/networks/gated.py, and
# evaluators/networks/kinds.py, with the row that the fixture adds.


@dataclass(frozen=True, config=STRICT)
class Gated:
    """A linear map times an activation of another: f(A x) * B x, then outputs."""

    width: Annotated[int, Field(ge=1)] = 32

    @property
    def hidden_layers(self) -> int:
        """See `Network.hidden_layers`."""
        return 1

    def init(self, seed: int, *, shape: tuple[int, ...], outputs: int, moments: Moments) -> Any:
        """See `Network.init`."""
        random, inputs = np.random.default_rng(seed), math.prod(shape)

        def layer(inputs: int, outputs: int, mean_square: float) -> Any:
            scale = weight_scale("gain", inputs=inputs, mean_square=mean_square)
            return dense_start(random, inputs, outputs, scale=scale)

        return {
            "gate": layer(inputs, self.width, moments.inputs),
            "value": layer(inputs, self.width, moments.inputs),
            "down": layer(self.width, outputs, moments.after(0)),
        }

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        """See `Network.apply`."""
        x = inputs.reshape(len(inputs), -1)
        gated = activate(dense(weights["gate"], x)) * dense(weights["value"], x)
        return dense(weights["down"], gated)


@pytest.fixture
def task_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kinds, "KINDS", {**kinds.KINDS, "gated": Gated})
    path = tmp_path / "gated.toml"
    path.write_text('[data]\nbuiltin = "digits"\n[network]\nkind = "gated"\nwidth = 24\n')
    return path


def test_a_task_file_names_it_and_candidates_are_trained_in_it(task_file: Path) -> None:
    task = find_task(str(task_file))
    assert task.network == Gated(width=24)
    evaluator = Evaluator(task, load(task.data))
    evaluations = evaluator.evaluate(
        [parse("gelu"), parse("tanh(x)")], Fidelity(steps=300, seeds=(0,))
    )
    assert [each.outcome for each in evaluations] == [Outcome.SCORED] * 2
    assert all(each.validation_accuracy > 0.9 for each in evaluations)
    assert evaluations[0].validation_loss != evaluations[1].validation_loss


def test_its_mistakes_are_told_like_any_others(task_file: Path) -> None:
    task_file.write_text(task_file.read_text().replace("width = 24", "widht = 24"))
    with pytest.raises(TaskError, match=r"network\.widht"):
        find_task(str(task_file))
