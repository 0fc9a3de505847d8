"""Pictures of activation functions and of a campaign's progress."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy

from grammars import Expression, evaluate, parse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

X_LIMIT: Final = 5.0
# An even number of points: 0, where most activations have their kink, lies between two of them.
POINTS: Final = 2_000
# Central differences in float64 are off by about 1e-9 here, far below the width of a line.
DERIVATIVE_STEP: Final = 1e-5

# Where a function leaves this range it is cut, so that it does not flatten all others.
LARGEST_Y: Final = X_LIMIT
SMALLEST_SPAN: Final = 1.0

REFERENCE: Final = "relu(x)"
REFERENCE_COLOUR: Final = "#9a9a9a"
# Okabe and Ito (2008): told apart under every common form of colour blindness, and in print.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# With more functions than colours the dashes tell them apart.
DASHES: Final = ("solid", "dashed", "dotted", "dashdot")
LONGEST_LABEL: Final = 90
LONGEST_LABEL_BESIDE_ANOTHER: Final = 44


class PictureError(ValueError):
    """A picture that cannot be drawn, or not in the format that was asked for."""


@dataclass(frozen=True)
class _Curve:
    """A function as it is drawn: values and slopes at the same points."""

    label: str
    values: numpy.ndarray
    slopes: numpy.ndarray
    style: Mapping[str, Any]


def draw_functions(functions: Mapping[str, Expression], output: Path) -> None:
    """Draws functions on the left, their derivatives on the right, beside ReLU in grey.

    Args:
        functions: An expression for each label. ReLU is added unless it is one of them.
        output: File to write; its suffix (.png, .svg, .pdf) decides the format.

    Raises:
        PictureError: If there is no function, or matplotlib cannot write such a file.
        OSError: If the file cannot be written.
    """
    if not functions:
        raise PictureError("there is no function to draw; give at least one")
    x = numpy.linspace(-X_LIMIT, X_LIMIT, POINTS)
    curves = list(_curves(functions, x))
    longest = max(len(curve.label) for curve in curves)
    legend_columns = 2 if longest <= LONGEST_LABEL_BESIDE_ANOTHER else 1
    legend_rows = math.ceil(len(curves) / legend_columns)
    figure = _new_figure(height_inches=3.6 + 0.24 * legend_rows)
    left, right = figure.subplots(1, 2)
    for axes, title, rows in (
        (left, "f(x)", [curve.values for curve in curves]),
        (right, "df/dx", [curve.slopes for curve in curves]),
    ):
        for curve, row in zip(curves, rows, strict=True):
            axes.plot(x, row, label=curve.label, **curve.style)
        _decorate(axes, title=title, x_label="x")
        axes.axhline(0.0, color="#c4c4c4", linewidth=0.8, zorder=0)
        axes.set_xlim(-X_LIMIT, X_LIMIT)
        axes.set_ylim(*_y_limits(rows))
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns, frameon=False)
    _save(figure, output)


def draw_progress(generations: Sequence[Mapping[str, Any]], output: Path) -> None:
    """Draws how the scores rose, and what became of the proposals, generation by generation.

    Args:
        generations: At least `generation`, `best_score`, `median_score`, `distinct`, `duplicates`
            and `rejected` of each, in order; a score may be None.
        output: File to write; its suffix (.png, .svg, .pdf) decides the format.

    Raises:
        ValueError: If there is no generation, or matplotlib cannot write such a file.
        OSError: If the file cannot be written.
    """
    if not generations:
        raise PictureError("there is no generation to draw; the campaign has not finished one")
    figure = _new_figure(height_inches=4.0)
    left, right = figure.subplots(1, 2)
    numbers = _column(generations, "generation")
    for axes, title, columns in (
        (left, "score (higher is better)", {"best_score": "best", "median_score": "median"}),
        (
            right,
            "candidates",
            {"distinct": "distinct", "duplicates": "duplicates", "rejected": "rejected"},
        ),
    ):
        for (column, label), colour in zip(columns.items(), COLOURS, strict=False):
            values = _column(generations, column)
            axes.plot(numbers, values, label=label, color=colour, marker="o", markersize=3)
        _decorate(axes, title=title, x_label="generation")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)
    right.set_ylim(bottom=0)
    _save(figure, output)


def slope(expression: Expression, x: numpy.ndarray) -> numpy.ndarray:
    """The derivative for the eye: central differences in float64.

    Args:
        expression: What to differentiate, its parameters at their start values.
        x: Points of any shape.

    Returns:
        Values in the shape of `x`, NaN or infinite where the function is.
    """
    above = evaluate(expression, x + DERIVATIVE_STEP)
    below = evaluate(expression, x - DERIVATIVE_STEP)
    with numpy.errstate(all="ignore"):
        slopes: numpy.ndarray = (above - below) / (2 * DERIVATIVE_STEP)
    return slopes


def _curves(functions: Mapping[str, Expression], x: numpy.ndarray) -> Iterator[_Curve]:
    reference = parse(REFERENCE)
    if reference not in functions.values():
        style = {"color": REFERENCE_COLOUR, "linewidth": 2.5, "zorder": 1}
        yield _Curve("ReLU", evaluate(reference, x), slope(reference, x), style)
    for position, (label, expression) in enumerate(functions.items()):
        dash, colour = divmod(position, len(COLOURS))
        style = {
            "color": COLOURS[colour],
            "linestyle": DASHES[dash % len(DASHES)],
            "linewidth": 1.8,
        }
        text = _legend_text(label, expression)
        yield _Curve(text, evaluate(expression, x), slope(expression, x), style)


def _legend_text(label: str, expression: Expression) -> str:
    written = str(expression)
    # Neither "tanh: tanh(x)" nor an expression that is its own label needs to be said twice.
    is_said = label == written or written == f"{label}(x)"
    text = written if is_said else f"{label}: {written}"
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def _y_limits(rows: Sequence[numpy.ndarray]) -> tuple[float, float]:
    """Limits that show every function where it is moderate, and cut it where it explodes."""
    values = numpy.concatenate(rows)
    moderate = values[numpy.isfinite(values) & (numpy.abs(values) <= LARGEST_Y)]
    low, high = (moderate.min(), moderate.max()) if moderate.size else (-1.0, 1.0)
    missing = max(0.0, SMALLEST_SPAN - (high - low)) / 2
    margin = 0.06 * max(high - low, SMALLEST_SPAN)
    return float(low - missing - margin), float(high + missing + margin)


def _column(generations: Sequence[Mapping[str, Any]], name: str) -> numpy.ndarray:
    values = [generation.get(name) for generation in generations]
    return numpy.array([numpy.nan if value is None else value for value in values], dtype=float)


def _new_figure(*, height_inches: float) -> Figure:
    # Not pyplot: its figures are global state, and these are drawn on any thread.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, height_inches), dpi=144, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _decorate(axes: Axes, *, title: str, x_label: str) -> None:
    axes.set_title(title, loc="left")
    axes.set_xlabel(x_label)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _save(figure: Figure, output: Path) -> None:
    formats = figure.canvas.get_supported_filetypes()
    if output.suffix.lower().lstrip(".") not in formats:
        raise PictureError(
            f"cannot write a picture as {output.name!r}; end its name in one of "
            f"{', '.join(f'.{name}' for name in formats)}"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    # No date in the file: the same campaign draws the same bytes.
    metadata = {"Date": None} if output.suffix.lower() == ".svg" else None
    figure.savefig(output, metadata=metadata)
