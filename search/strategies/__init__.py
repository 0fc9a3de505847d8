"""What to try next: one strategy a file, behind one ask-and-tell interface."""

from search.candidates.vitals import Vitals
from search.strategies.catalogue import STRATEGIES, begin
from search.strategies.coevolution import Coevolution
from search.strategies.islands import Archipelago
from search.strategies.strategy import Admit, Learner, Strategy

__all__ = [
    "STRATEGIES",
    "Admit",
    "Archipelago",
    "Coevolution",
    "Learner",
    "Strategy",
    "Vitals",
    "begin",
]
