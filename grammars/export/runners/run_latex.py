"""Renders LaTeX formulas by the mathematics of Matplotlib."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import mathtext

VERSION = f"matplotlib {matplotlib.__version__}"


def measure(exported: Path, file: dict[str, Any], x: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yields the size of the picture of each formula; there are no numbers to compare."""
    text = re.sub(r"(?m)^%.*\n", "", exported.read_text())
    formulas = re.findall(r"\\\[\n(.*?)\n\\\]", text, flags=re.DOTALL)
    if not formulas:
        raise ValueError("no formula")
    for index, formula in enumerate(formulas):
        picture = io.BytesIO()
        mathtext.math_to_image(f"${adapted(formula.strip())}$", picture, format="png")
        yield f"rendered/exact/picture_{index}", np.array(len(picture.getvalue()))


def adapted(formula: str) -> str:
    """Matplotlib has no `cases`; their lines stand side by side within braces instead."""
    opened = formula.replace(r"\begin{cases}", r"\left\{").replace(r"\end{cases}", r"\right\}")
    return opened.replace(r" \\ ", r" ; \quad ").replace("&", r"\quad")
