"""A figure as an element of the report's page, in the page's colours and type."""

from __future__ import annotations

import io
import json
import re
from html import escape
from typing import Final

from search.drawing.hovering import hovering
from search.drawing.panels import DPI, Panel, drawn, settings
from search.drawing.styles import PROPERTIES

_SUPERFLUOUS: Final = (
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"<metadata>.*?</metadata>", re.DOTALL),
    re.compile(r"<style.*?</style>", re.DOTALL),  # it would hold for the whole page
    re.compile(r'(?<=<g) id="[^"]*"'),
    re.compile(r"font-family: [^;\"]*; "),
    re.compile(r' (?:width|height)="[\d.]+pt"'),
)


def inline_svg(panel: Panel) -> str:
    """The figure as an `<svg>` element for the page.

    Its text is text, which can be searched and read aloud; every id begins with the panel's name,
    so that no two figures of a page collide. Its attribute `data-hover` says in JSON what the
    page's script tells of the place under the pointer.
    """
    text = io.StringIO()
    figure = drawn([panel], legend=False)
    with settings({"svg.hashsalt": panel.name, "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None}, dpi=DPI)
    markup = _for_page(text.getvalue(), prefix=panel.name)
    hover = escape(json.dumps(hovering(figure, panel), separators=(",", ":"), allow_nan=False))
    return markup.replace("<svg", f'<svg data-hover="{hover}"', 1)


def _for_page(markup: str, *, prefix: str) -> str:
    """What matplotlib wrote, without what belongs to a file of its own or would reach outside."""
    markup = markup[markup.index("<svg") :]
    for superfluous in _SUPERFLUOUS:
        markup = superfluous.sub("", markup)
    markup = markup.replace(' id="', f' id="{prefix}-')
    markup = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", markup)
    markup = re.sub(r"\s+", " ", markup).replace(";base64, ", ";base64,")
    for colour, name in PROPERTIES.items():
        markup = markup.replace(colour, name)
    return markup.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
