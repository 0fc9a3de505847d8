"""Pictures of candidates: f and f' of a whole generation in one file, to be shown one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import numpy

from grammars import evaluate, functions_of
from grammars.expressions.sketch import X_LIMIT, sketch
from search.drawing.functions import derivative
from search.history import CandidateRecord
from search.tracking import names

# An even number: 0, where most functions have their kink, lies between two of them.
_POINTS: Final = 120
# The UI folds what is higher than 100 pixels, margins included.
_EACH: Final = (180, 56)
_HEIGHT: Final = _EACH[1] + 24
_COLUMNS: Final = (0, 196)
_WIDTH: Final = 392


def sheet(records: Sequence[CandidateRecord]) -> str:
    """An SVG of candidates, f and f' beside ReLU's, with a view for each.

    A server charges a request for each file, so those of a generation share one.

    Args:
        records: In the order in which they stand below each other; at least one.
    """
    pictures = [
        f"<g transform='translate(0 {_HEIGHT * place})'>{''.join(_drawn(record))}</g>"
        f"<view id='{_view(record)}' viewBox='0 {_HEIGHT * place} {_WIDTH} {_HEIGHT}'/>"
        for place, record in enumerate(records)
    ]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_WIDTH}' height='{_HEIGHT}' "
        f"viewBox='0 0 {_WIDTH} {_HEIGHT}' font-family='sans-serif'>"
        # White also where the page around it is dark, for the lines are not.
        f"<rect width='100%' height='{_HEIGHT * len(records)}' fill='#fff'/>"
        f"{''.join(pictures)}</svg>\n"
    )


def address(record: CandidateRecord, run_id: str) -> str:
    """Of a candidate's picture, as seen from a page of the MLflow server.

    Args:
        record: The candidate.
        run_id: Of the campaign's run, which holds the file.
    """
    path = names.curves_picture(record.candidate.generation)
    return f"get-artifact?{urlencode({'path': path, 'run_uuid': run_id})}#{_view(record)}"


def _view(record: CandidateRecord) -> str:
    return f"f-{record.candidate.id}"  # an id of XML must not begin with a digit


def _drawn(record: CandidateRecord) -> list[str]:
    x = numpy.linspace(-X_LIMIT, X_LIMIT, _POINTS)
    functions = functions_of(record.candidate.canonical)
    values = [(evaluate(each, x), derivative(each, x)) for each in functions]
    ramp, step = numpy.maximum(x, 0.0), (x > 0).astype(float)
    return [
        sketch(title, rows[0], behind, *rows[1:], size=_EACH).replace(
            "<svg ", f"<svg x='{column}' height='{_HEIGHT}' color='#1f2328' ", 1
        )
        for title, rows, behind, column in (
            ("f(x)", [f for f, _ in values], ramp, _COLUMNS[0]),
            ("f\u2032(x)", [slope for _, slope in values], step, _COLUMNS[1]),
        )
    ]
