"""Ablation: which parts are taken out, what stands in for them, what is said of the rest."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.steps.moments import mean
from grammars import expression_id, parse
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.report.wording import ablation_words
from search.trials.ablation import MOST_VARIANTS, ablation, to_measure, variants
from search.trials.measuring import Measurer, measurement_key, missing_of

from .simulation import BENCH, Simulation

RACE = Fidelity(200, (0, 1))


def measured(*rows: tuple[str, tuple[float, ...]]) -> dict[str, Evaluation]:
    """Evaluations with the validation losses given; without any the training diverged."""
    records = {}
    for text, losses in rows:
        expression = parse(text)
        record = BENCH.record(
            expression,
            RACE,
            Outcome.SCORED if losses else Outcome.DIVERGED,
            reason=None if losses else "simulated",
            per_seed=tuple(SeedResult(seed, loss, 0.9) for seed, loss in enumerate(losses)),
        )
        records[measurement_key(expression, RACE)] = record
    return records


def test_each_part_is_replaced_by_x_and_by_its_mean() -> None:
    made = {(str(v.part), str(v.stand_in)): str(v.expression) for v in variants(parse("x*tanh(x)"))}
    # A mean of x is 0, and so are those of tanh(x) and of tanh(0): one function, told once.
    assert made == {("x", "0"): "0", ("tanh(x)", "x"): "square(x)"}


def test_a_number_is_replaced_by_the_one_without_effect() -> None:
    made = [(str(v.part), str(v.expression)) for v in variants(parse("sigmoid(1.7 * x) + 0.5"))]
    assert ("1.7 * x", "sigmoid(x) + 0.5") in made  # as 1 in place of 1.7 would give
    assert ("0.5", "sigmoid(1.7 * x)") in made


def test_variants_are_distinct_and_none_is_the_function_itself() -> None:
    long = parse("relu(x) + " + " + ".join(f"sin({n}.5 * x)" for n in range(1, 30)))
    made = [expression_id(variant.expression) for variant in variants(long)]
    assert len(set(made)) == len(made) == MOST_VARIANTS
    assert expression_id(long) not in made
    assert variants(parse("x")) == []


@pytest.mark.parametrize(("text", "expected"), [("x", 0.0), ("x**2", 1.0), ("relu(x)", 0.3989)])
def test_the_mean_is_that_of_normally_distributed_inputs(text: str, expected: float) -> None:
    assert mean(parse(text)) == pytest.approx(expected, abs=0.02)


def test_a_mean_that_is_not_finite_counts_as_nothing() -> None:
    assert mean(parse("log(x)")) == 0.0


def test_changes_are_paired_by_seed_and_what_cannot_be_trained_comes_first() -> None:
    found = ablation(
        parse("x * tanh(x)"),
        RACE,
        measured=measured(("x * tanh(x)", (0.1, 0.2)), ("square(x)", (0.2, 0.2)), ("0", ())),
    )
    assert found is not None
    assert [effect.outcome for effect in found.effects] == [Outcome.DIVERGED, Outcome.SCORED]
    assert found.effects[1].changes == (pytest.approx(-0.6931, abs=1e-4), 0.0)
    assert found.effects[1].change == pytest.approx(-0.3466, abs=1e-4)
    assert found.noise == pytest.approx(0.3466, abs=1e-4)


def test_what_was_not_measured_is_left_out() -> None:
    whole = measured(("x * tanh(x)", (0.1, 0.2)))
    assert ablation(parse("x * tanh(x)"), RACE, measured={}) is None
    assert ablation(parse("x * tanh(x)"), RACE, measured=measured(("x * tanh(x)", ()))) is None
    found = ablation(parse("x * tanh(x)"), RACE, measured=whole)
    assert found is not None
    assert found.effects == ()
    assert found.noise is None


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ((0.2, 0.21), r"What matters most is tanh\(x\): with x in its place the loss is 10. %"),
        ((0.1, 0.11), r"does as well|No replacement that can be trained did harm"),
        ((), r"Nothing that could be trained is left"),
    ],
)
def test_the_words_follow_the_figures(losses: tuple[float, ...], words: str) -> None:
    found = ablation(
        parse("x * tanh(x)"),
        RACE,
        measured=measured(("x * tanh(x)", (0.1, 0.105)), ("square(x)", losses)),
    )
    assert found is not None
    assert re.search(words, ablation_words(found))


def test_measurements_are_made_once_and_kept(tmp_path: Path) -> None:
    wanted = to_measure(parse("x * tanh(x)"))
    simulation = Simulation()
    with Journal(tmp_path / FILE_NAME) as journal:
        for _ in range(2):
            measurer = Measurer(journal, simulation, bench=BENCH, stopping=threading.Event())
            measurer.measure(wanted, RACE)
        records = read_history(journal).measured
    assert simulation.done == [("x * tanh(x)", 200), ("square(x)", 200)]
    assert [record.outcome for record in records.values()].count(Outcome.REJECTED) == 1
    assert missing_of(wanted, RACE, measured=records) == []
    assert len(missing_of(wanted, Fidelity(100, (0,)), measured=records)) == 3
    found = ablation(parse("x * tanh(x)"), RACE, measured=records)
    assert found is not None
    assert len(found.effects) == 2
