"""Every picture of a campaign: one palette, one look, as files and inside the report's page."""

from search.drawing.front import draw_front, front_panel
from search.drawing.functions import Graph, best_panels, draw_functions, function_panels
from search.drawing.panels import Panel, PictureError, save, write
from search.drawing.picture import Picture
from search.drawing.progress import draw_progress
from search.drawing.shape_map import Charted, shape_map
from search.drawing.svg import inline_svg

__all__ = [
    "Charted",
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
    "shape_map",
    "write",
]
