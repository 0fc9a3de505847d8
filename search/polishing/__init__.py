"""Tunes the constants of what a search has found, and looks for simpler forms of it."""

from search.polishing.polish import Polisher
from search.polishing.trials import Evaluate, Trials

__all__ = ["Evaluate", "Polisher", "Trials"]
