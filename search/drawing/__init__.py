"""Every picture of a campaign: one palette, one look, as files and inside the report's page."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.drawing.front import draw_front, front_panel
    from search.drawing.functions import Graph, best_panels, draw_functions, function_panels
    from search.drawing.panels import Panel, PictureError, save, write
    from search.drawing.picture import Picture
    from search.drawing.progress import draw_progress
    from search.drawing.svg import inline_svg

__all__ = [
    "Graph",
    "Panel",
    "Picture",
    "PictureError",
    "best_panels",
    "draw_front",
    "draw_functions",
    "draw_progress",
    "front_panel",
    "function_panels",
    "inline_svg",
    "save",
    "write",
]

# Whoever draws a function need not wait for what a front or a map of shapes is made from.
_PLACES = {
    "Graph": "functions",
    "Panel": "panels",
    "Picture": "picture",
    "PictureError": "panels",
    "best_panels": "functions",
    "draw_front": "front",
    "draw_functions": "functions",
    "draw_progress": "progress",
    "front_panel": "front",
    "function_panels": "functions",
    "inline_svg": "svg",
    "save": "panels",
    "write": "panels",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(f"search.drawing.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
