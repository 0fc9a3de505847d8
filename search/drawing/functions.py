"""Pictures of activation functions: f beside f'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy

from grammars import Expression, Layered, evaluate, parse, parse_activation
from grammars.expressions.sketch import X_LIMIT, function_limits
from search.drawing.panels import Panel, PictureError, write
from search.drawing.styles import FAINT, REFERENCE, Style, numbered_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.candidates.racing import Standing

# An even number of points: 0, where most activations have their kink, lies between two of them.
_POINTS: Final = 800
# Central differences in float64 are off by about 1e-9 here, far below the width of a line.
_DERIVATIVE_STEP: Final = 1e-5
_REFERENCE: Final = "relu(x)"


@dataclass(frozen=True)
class Graph:
    """A function as it is drawn.

    Attributes:
        label: In the legend.
        function: What is drawn, its parameters at their start values.
        style: Of its line.
    """

    label: str
    function: Expression
    style: Style


def draw_functions(functions: Mapping[str, Expression], output: Path) -> None:
    """Draws functions on the left, their derivatives on the right, beside ReLU in grey.

    Args:
        functions: An expression for each label. ReLU is added unless it is one of them.
        output: File to write; its suffix, such as .png, .svg or .pdf, decides the format.

    Raises:
        PictureError: If there is no function, or its suffix is no format.
        OSError: If the file cannot be written.
    """
    if not functions:
        raise PictureError("there is no function to draw; give at least one")
    write(function_panels(list(_beside_relu(functions))), output)


def best_panels(standings: Iterable[Standing], *, top: int) -> list[Panel]:
    """The first discovered functions of a ranking, as `draw_functions` draws them.

    Raises:
        PictureError: If none was discovered.
    """
    # As it is read: what folding computed has digits that nobody wants in a legend.
    found = [
        parse_activation(each.candidate.readable)
        for each in standings
        if each.candidate.origin == "discovered"
    ]
    if not found:
        raise PictureError("there is no function to draw; nothing was discovered yet")
    drawn: dict[str, Expression] = {}
    for form in found[:top]:
        drawn.update(form.by_layer_name if isinstance(form, Layered) else {str(form): form})
    return function_panels(list(_beside_relu(drawn)))


def function_panels(graphs: Sequence[Graph]) -> list[Panel]:
    """f on one panel, f' on another."""
    names = ", ".join(graph.label for graph in graphs)
    return [
        Panel(
            "functions",
            "f(x)",
            f"Graphs of {names} for x from -5 to 5.",
            lambda axes: _draw(axes, graphs, [evaluate(g.function, _grid()) for g in graphs]),
        ),
        Panel(
            "slopes",
            "df/dx",
            f"Graphs of the derivatives of {names} for x from -5 to 5.",
            lambda axes: _draw(axes, graphs, [derivative(g.function, _grid()) for g in graphs]),
        ),
    ]


def derivative(expression: Expression, x: numpy.ndarray) -> numpy.ndarray:
    """The derivative for the eye: central differences in float64.

    Args:
        expression: What to differentiate, its parameters at their start values.
        x: Points of any shape.

    Returns:
        Values in the shape of `x`, NaN or infinite where the function is.
    """
    above = evaluate(expression, x + _DERIVATIVE_STEP)
    below = evaluate(expression, x - _DERIVATIVE_STEP)
    with numpy.errstate(all="ignore"):
        slopes: numpy.ndarray = (above - below) / (2 * _DERIVATIVE_STEP)
    return slopes


def _draw(axes: Axes, graphs: Sequence[Graph], rows: Sequence[numpy.ndarray]) -> None:
    for graph, row in zip(graphs, rows, strict=True):
        axes.plot(_grid(), row, label=graph.label, **graph.style.line)
    axes.axhline(0.0, color=FAINT, linewidth=0.7, zorder=0)
    axes.set_xlim(-X_LIMIT, X_LIMIT)
    axes.set_ylim(*function_limits(rows))
    axes.set_xlabel("x")


def _grid() -> numpy.ndarray:
    return numpy.linspace(-X_LIMIT, X_LIMIT, _POINTS)


def _beside_relu(functions: Mapping[str, Expression]) -> Iterator[Graph]:
    reference = parse(_REFERENCE)
    if reference not in functions.values():
        yield Graph("ReLU", reference, REFERENCE)
    for number, (label, function) in enumerate(functions.items()):
        yield Graph(_legend_text(label, function), function, numbered_style(number))


def _legend_text(label: str, function: Expression) -> str:
    written = str(function)
    # Neither "tanh: tanh(x)" nor an expression that is its own label needs to be said twice.
    is_said = label == written or written == f"{label}(x)"
    return written if is_said else f"{label}: {written}"
