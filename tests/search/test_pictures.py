"""Pictures: right slopes, sane limits, the formats that are asked for."""

from __future__ import annotations

import re
from pathlib import Path

import numpy
import pytest
from PIL import Image

from evaluators.evaluation.evaluation import Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import parse
from grammars.expressions.sketch import function_limits
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.drawing import best_panels, draw_functions, draw_progress
from search.drawing.functions import derivative
from search.drawing.limits import score_limits
from search.drawing.panels import FORMATS, drawn
from search.drawing.shape_map import Charted, shape_map

GENERATIONS = [
    {
        "generation": number,
        "best_score": 1.0 + number,
        "median_score": None if number == 0 else 0.5,
        "distinct": 10,
        "duplicates": number,
        "rejected": 3,
    }
    for number in range(3)
]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_suffix_decides_the_format(tmp_path: Path, suffix: str) -> None:
    beginnings = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    for output in (tmp_path / f"functions{suffix}", tmp_path / "new" / f"progress{suffix}"):
        if output.stem == "functions":
            draw_functions({"swish": parse("x * sigmoid(x)")}, output)
        else:
            draw_progress(GENERATIONS, output)
        assert output.read_bytes().startswith(beginnings[suffix])


def test_the_same_functions_draw_the_same_picture(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_functions({"gelu": parse("0.5 * x * (1 + erf(x / sqrt(2)))")}, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_relu_is_drawn_beside_a_function_and_only_once(tmp_path: Path) -> None:
    svg = tmp_path / "picture.svg"
    draw_functions({"best": parse("x * erf(x)")}, svg)
    assert "<!-- ReLU -->" in svg.read_text()
    assert "<!-- best: x * erf(x) -->" in svg.read_text()
    draw_functions({"relu": parse("relu(x)")}, svg)
    assert "<!-- ReLU -->" not in svg.read_text()
    assert "<!-- relu(x) -->" in svg.read_text()


def test_a_picture_is_not_blank_where_a_function_explodes(tmp_path: Path) -> None:
    output = tmp_path / "wild.png"
    draw_functions(
        {"wild": parse("exp(exp(x)) - 1 / x"), "nowhere": parse("log(-1 - x**2)")}, output
    )
    colours = numpy.asarray(Image.open(output).convert("RGB")).reshape(-1, 3)
    blue = (0x00, 0x72, 0xB2)
    assert (colours == blue).all(axis=1).sum() > 100


def test_limits_follow_the_moderate_part_of_a_function() -> None:
    x = numpy.linspace(-5.0, 5.0, 101)
    low, high = function_limits([x * 1e6, numpy.tanh(x), numpy.full_like(x, numpy.inf)])
    assert -1.2 < low < -1.0
    assert 1.0 < high < 1.2
    assert function_limits([numpy.full(3, numpy.nan)]) == pytest.approx((-1.12, 1.12))


def test_limits_of_scores_leave_out_the_worst_unless_they_are_kept() -> None:
    scores = [-50.0, *numpy.linspace(1.0, 2.0, 20)]
    low, high = score_limits(scores)
    assert 0.9 < low < 1.1
    assert 2.0 < high < 2.1
    assert score_limits(scores, kept=[-3.0])[0] == pytest.approx(-3.3)
    assert score_limits([2.0]) == pytest.approx((1.994, 2.006))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tanh(x)", lambda x: 1 - numpy.tanh(x) ** 2),
        ("relu(x)", lambda x: numpy.where(x > 0, 1.0, 0.0)),
        ('x * param("beta", 1.5)', lambda x: numpy.full_like(x, 1.5)),
    ],
)
def test_the_slope_is_the_derivative(text: str, expected: object) -> None:
    x = numpy.linspace(-5.0, 5.0, 2_000)
    assert callable(expected)
    numpy.testing.assert_allclose(derivative(parse(text), x), expected(x), atol=1e-8)


def test_nothing_to_draw_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no function to draw; give at least one"):
        draw_functions({}, tmp_path / "a.png")
    with pytest.raises(ValueError, match="no generation to draw"):
        draw_progress([], tmp_path / "a.png")


def test_an_unknown_format_is_an_error(tmp_path: Path) -> None:
    # Matplotlib would write .pgf where there is a TeX, and .raw without a word on its size.
    for name in ("a.bmpp", "a.pgf", "a.raw", "a"):
        expected = rf"cannot write a picture as '{re.escape(name)}'; .* \.png, \.svg, \.pdf, "
        with pytest.raises(ValueError, match=expected):
            draw_functions({"x": parse("x")}, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_that_is_named_can_be_written(kind: str, tmp_path: Path) -> None:
    output = tmp_path / f"picture.{kind.upper()}"
    draw_functions({"gelu": parse("gelu")}, output)
    if kind in ("svg", "pdf", "eps"):
        assert output.stat().st_size > 1_000
    else:
        assert Image.open(output).convert("RGB").getcolors(1) is None, "it is not blank"


@pytest.mark.parametrize(("count", "best"), [(3, 3), (13, 12), (200, 20)])
def test_the_map_counts_the_best_that_there_are(count: int, best: int) -> None:
    found = [Charted(parse(f"sin({n} * x)"), f"sin({n} * x)") for n in range(1, count + 1)]
    published = [Charted(parse(name), name) for name in ("relu", "leaky_relu")]
    panel, _ = shape_map(found, published, title="digits-mlp")
    axes = drawn([panel], legend=True).axes[0]
    labels = {line.get_label(): len(line.get_offsets()) for line in axes.collections}
    others = {"found": count - best} if count > best else {}
    assert labels == {**others, f"the best {best}": best, "published": 2}
    named = {text.get_text() for text in axes.texts}
    assert any("Leaky ReLU" in text for text in named), "as everywhere else"


def test_the_best_are_drawn_under_the_text_that_people_read() -> None:
    candidate = Candidate.of(parse("sin(x) * (1.2349 - 0.0001)"), generation=0)
    record = Bench("digits-mlp", "digits").record(
        candidate.expression,
        Fidelity(10, (0,)),
        Outcome.SCORED,
        per_seed=(SeedResult(0, 0.5, 0.9),),
    )
    panel, _ = best_panels([Standing(candidate, 0, record)], top=1)
    assert panel.description == "Graphs of ReLU, 1.2348 * sin(x) for x from -5 to 5."
