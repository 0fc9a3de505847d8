"""Records of evaluations: to JSON and back, old ones included."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from evaluators.evaluation.diagnostics import Diagnostics
from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity

DIAGNOSTICS = Diagnostics(0.25, 0.0, 0.5, (0.3, 0.4), (2.0, 1.0, 4.0))
SCORED = Evaluation(
    candidate_id="abc",
    expression="relu(x)",
    canonical="relu(x)",
    task="mnist-mlp",
    dataset="mnist",
    fidelity=Fidelity(200, (0, 1)),
    outcome=Outcome.SCORED,
    per_seed=(
        SeedResult(0, 0.1, 0.97, {"a": (1.0, 2.0)}),
        SeedResult(1, 0.4, 0.95, {"a": (2.0, 4.0)}),
    ),
    seconds=1.5,
    diagnostics=DIAGNOSTICS,
)
FAILED = Evaluation(
    candidate_id="abc",
    expression="relu(x)",
    canonical="relu(x)",
    task="mnist-mlp",
    dataset="mnist",
    fidelity=Fidelity(200, (0,)),
    outcome=Outcome.FAILED,
    reason="its worker died",
)


@pytest.mark.parametrize("record", [SCORED, FAILED], ids=["scored", "failed"])
def test_records_survive_json(record: Evaluation) -> None:
    assert Evaluation.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_records_written_before_there_were_diagnostics_still_load() -> None:
    document = SCORED.to_json()
    del document["diagnostics"]
    assert Evaluation.from_json(document).diagnostics is None


def test_records_written_before_trained_parameters_still_load() -> None:
    document = SCORED.to_json()
    for result in document["per_seed"]:
        del result["parameters"]
    loaded = Evaluation.from_json(document)
    assert loaded.validation_loss == SCORED.validation_loss
    assert loaded.parameters == {}


def test_trained_parameters_are_averaged_over_the_seeds() -> None:
    assert SCORED.parameters == {"a": (1.5, 3.0)}
    assert FAILED.parameters == {}
    partly = replace(SCORED, per_seed=(SCORED.per_seed[0], SeedResult(1, 0.4, 0.95)))
    assert partly.parameters == {}


def test_the_score_is_minus_the_mean_logarithm_of_the_loss() -> None:
    assert SCORED.score == pytest.approx(-(math.log(0.1) + math.log(0.4)) / 2)
    assert SCORED.validation_loss == pytest.approx(0.25)
    assert SCORED.validation_accuracy == pytest.approx(0.96)


def test_what_was_not_scored_has_no_score() -> None:
    assert (FAILED.score, FAILED.validation_loss, FAILED.validation_accuracy) == (None, None, None)


def test_the_gradient_ratio_compares_first_and_last_layer() -> None:
    assert DIAGNOSTICS.gradient_ratio == 0.5


@pytest.mark.parametrize(
    ("steps", "seeds", "message"),
    [
        (0, (0,), "steps must be at least 1, got 0"),
        (1, (), "seeds must be distinct and at least one"),
        (1, (0, 0), "seeds must be distinct"),
        (1, (-1,), "a seed lies between 0 and 2147483647"),
    ],
)
def test_a_fidelity_is_checked(steps: int, seeds: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fidelity(steps, seeds)
