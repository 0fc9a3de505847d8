"""What to try next: one strategy a file, behind one ask-and-tell interface."""

from search.strategies.genetic import Genetic
from search.strategies.strategy import Admit, Strategy

__all__ = ["Admit", "Genetic", "Strategy"]
