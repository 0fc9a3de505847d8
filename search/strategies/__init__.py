"""What to try next: one strategy a file, behind one ask-and-tell interface."""

from search.strategies.coevolution import Coevolution
from search.strategies.islands import Archipelago
from search.strategies.strategy import Admit, Strategy, Vitals
from search.strategies.table import STRATEGIES, begin

__all__ = [
    "STRATEGIES",
    "Admit",
    "Archipelago",
    "Coevolution",
    "Strategy",
    "Vitals",
    "begin",
]
