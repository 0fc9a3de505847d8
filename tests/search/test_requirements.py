"""What a campaign requires of functions, and templates that it fills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluators.evaluation.fidelity import Fidelity
from grammars import Layered, evaluate, functions_of, load_grammar, parse, parse_activation
from grammars.parsing.template import Template, TemplateError
from search.candidates.racing import Standing
from search.candidates.requirements import unmet
from search.journal.journal import FILE_NAME, Journal
from search.settings import RequireSettings, SearchSettings
from search.strategies import STRATEGIES, begin
from search.strategies.shaped import Shaped, shape_of

from .simulation import Simulation
from .test_campaign import run, settings, told


@pytest.mark.parametrize(
    ("required", "met", "refused", "words"),
    [
        ({"monotone": True}, "tanh(x)", "x * sigmoid(x)", "it both rises and falls"),
        ({"bounded_below": True}, "x * sigmoid(x)", "max(x, 0.01 * x)", "bounded below"),
        ({"bounded_below": True}, "relu(x) + sin(x)", "-min(x * cos(x), x)", "bounded below"),
        ({"bounded": True}, "sin(x) * tanh(x)", "relu(x)", "bounded above"),
        ({"odd": True}, "sin(x)", "cos(x)", "an odd function, and it is even"),
        ({"even": True}, "x * tanh(x)", "x * sigmoid(x)", "it is neither odd nor even"),
        ({"zero_at_zero": True}, "x * sigmoid(x)", "sigmoid(x)", r"f\(0\) = 0, and it is 0.5"),
        ({"smooth": True}, "x * sigmoid(x)", "relu(x)", "breaks at 0"),
        ({"slopes": [-0.2, 1.2]}, "x * sigmoid(x)", "2 * relu(x)", "slopes from 0 to 2"),
        ({"slopes": [-0.2, 1.2]}, "relu(x)", "x * x", "slopes"),
        ({"max_relative_cost": 2.0}, "relu(x)", "sin(erf(tanh(x)))", "at most 2 times ReLU's"),
    ],
)
def test_what_is_required_is_checked_and_explained(
    required: dict[str, Any], met: str, refused: str, words: str
) -> None:
    require = RequireSettings.model_validate(required)
    assert unmet(parse(met), require) is None
    reason = unmet(parse(refused), require)
    assert reason is not None
    assert reason.startswith("required: ")
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(reason)
    if "max_relative_cost" in required:
        return  # of functions for single layers the mean counts
    assert unmet(parse_activation(f"[{met}, {refused}]"), require) == reason


@pytest.mark.parametrize(
    ("required", "match"),
    [
        ({"slopes": [1.0, 0.0]}, "the least comes first"),
        ({"even": True, "monotone": True}, "not monotone unless it is constant"),
        ({"odd": True, "even": True}, "only 0 is odd and even"),
        ({"monoton": True}, "monoton"),
        ({"monotone": False}, "monotone"),
    ],
)
def test_what_cannot_be_required_is_refused(required: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        RequireSettings.model_validate(required)


def test_a_parameter_of_a_template_and_one_of_what_fills_it_stay_apart() -> None:
    template = Template.read('x * sigmoid(param("a", 0.5) * x) + _')
    filled = template.filled(parse('param("a", 1) * tanh(param("b", 2) * x)'))
    assert [(each.name, each.start) for each in filled.parameters] == [
        ("a", 0.5),
        ("a2", 1),
        ("b", 2),
    ]
    assert parse(str(filled)) == filled


def test_what_fills_a_template_can_be_taken_out_again() -> None:
    template = Template.read("relu(x) + 0.1 * _ * _")
    inside = parse("tanh(2 * x)")
    assert template.inside(template.filled(inside)) == inside
    assert template.inside(parse("relu(x) + 0.1 * x * tanh(x)")) is None
    assert template.inside(parse("relu(x) + 0.2 * x * x")) is None


def test_a_template_is_filled_wherever_it_has_a_hole() -> None:
    template = Template.read("relu(x) + 0.1 * _ * _")
    filled = template.filled(parse("sin(x)"))
    x = np.linspace(-3.0, 3.0, 61)
    assert evaluate(filled, x) == pytest.approx(np.maximum(x, 0.0) + 0.1 * np.sin(x) ** 2)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("x * tanh(x)", "a template has a hole, written _"),
        ("_", "the hole alone"),
        ("x * sigmiod(_)", "did you mean 'sigmoid'"),
    ],
)
def test_what_is_no_template_is_refused(text: str, match: str) -> None:
    with pytest.raises(TemplateError, match=match):
        Template.read(text)
    with pytest.raises(ValueError, match=match):
        SearchSettings(template=text)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_fills_a_template(strategy: str) -> None:
    chosen = SearchSettings.model_validate(
        {"strategy": strategy, "template": "x * _", "population": 8, "brood": 200}
    )
    search = begin(load_grammar("tiny"), chosen, seed=1)
    assert isinstance(search, Shaped)
    simulation, considered, proposed = Simulation(), set[str](), set[str]()

    def admit(expression: Any, /, *, layer: int = 0) -> bool:
        is_new = str(expression) not in considered
        considered.add(str(expression))
        return is_new

    for generation in range(3):
        candidates = search.ask(8, generation=generation, admit=admit)
        assert candidates
        for each in candidates:
            assert str(each.expression).startswith("x * ")
            assert set(each.parents) <= {*proposed, *(other.id for other in candidates)}
        proposed |= {each.id for each in candidates}
        search.tell(
            Standing(each, 0, simulation.evaluation(each.expression, Fidelity(10, (0,))))
            for each in candidates
        )


def test_layers_are_filled_one_by_one() -> None:
    chosen = SearchSettings(template="relu(x) + _", layers="each", population=8)
    search = begin(load_grammar("tiny"), chosen, seed=1, hidden_layers=2)
    candidates = []
    for generation in range(3):
        asked = search.ask(8, generation=generation, admit=lambda expression, /, *, layer=0: True)
        search.tell(
            Standing(each, 0, Simulation().evaluation(each.expression, Fidelity(10, (0,))))
            for each in asked
        )
        candidates += asked
    assert any(isinstance(each.expression, Layered) for each in candidates)
    for candidate in candidates:
        functions = functions_of(candidate.expression)
        assert all(str(each).startswith("relu(x) + ") for each in functions)


@pytest.mark.parametrize("required", ["odd", "even", "zero_at_zero"])
def test_what_is_easy_is_kept_by_construction(required: str) -> None:
    require = RequireSettings.model_validate({required: True})
    shape = shape_of(SearchSettings(require=require))
    assert shape is not None
    for text in ("x * sigmoid(x)", "exp(x)", "cos(x) + 2", "tanh(x)"):
        if required == "odd" and text.startswith("cos"):
            continue  # nothing of it is odd
        assert unmet(shape(parse(text)), require) is None
    kept = {"odd": "tanh(x)", "even": "cos(x)", "zero_at_zero": "tanh(x)"}[required]
    assert shape(parse(kept)) == parse(kept)


def test_a_campaign_trains_only_what_is_as_required_and_says_why_not(tmp_path: Path) -> None:
    chosen = settings(search__template="x * _", search__require={"bounded_below": True})
    for name, simulations in (
        ("whole", [Simulation()]),
        ("cut", [Simulation(stop_after=14), Simulation()]),
    ):
        for simulation in simulations:
            run(tmp_path / name, chosen, simulation)
    assert told(tmp_path / "cut") == told(tmp_path / "whole")
    with Journal(tmp_path / "whole" / FILE_NAME, read_only=True) as journal:
        evaluations = [event.payload for event in journal.events("evaluation")]
        candidates = [event.payload for event in journal.events("candidate")]
    refused = [e for e in evaluations if (e["reason"] or "").startswith("required: ")]
    assert refused
    assert {e["outcome"] for e in refused} == {"rejected"}
    known = {each["id"] for each in candidates if each["origin"] == "discovered"}
    trained = [e for e in evaluations if e["outcome"] == "scored" and e["candidate_id"] in known]
    assert trained
    for each in trained:
        assert unmet(parse(each["expression"]), RequireSettings(bounded_below=True)) is None
