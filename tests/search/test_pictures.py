"""Pictures: right slopes, sane limits, the formats that are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from PIL import Image

from grammars import parse
from grammars.expressions.sketch import function_limits
from search.drawing import draw_functions, draw_progress
from search.drawing.functions import derivative
from search.drawing.limits import score_limits

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
    with pytest.raises(ValueError, match=r"cannot write a picture as 'a\.bmpp'; .* \.png"):
        draw_functions({"x": parse("x")}, tmp_path / "a.bmpp")
