"""`actsearch plot`: a picture of functions and their derivatives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plot_command(
    expressions: Annotated[
        list[str], typer.Argument(help="Expressions or catalogue names.", metavar="EXPRESSION")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .png, .svg, .pdf, ...")],
) -> None:
    """Draws f and f' beside ReLU."""
    from grammars import parse
    from search.drawing import draw_functions

    draw_functions({text: parse(text) for text in expressions}, output)
    print(output)
