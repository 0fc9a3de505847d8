"""The public names of actsearch: campaigns, functions, tasks, and where they run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from evaluators.evaluator import Evaluator
    from evaluators.fidelity import Fidelity
    from evaluators.tasks import find_task
    from grammars import CATALOGUE, load_grammar, parse, parse_activation
    from search.library import Campaign
    from search.site import Site
    from search.trials import score

__all__ = [
    "CATALOGUE",
    "Campaign",
    "Evaluator",
    "Fidelity",
    "Site",
    "find_task",
    "load_grammar",
    "parse",
    "parse_activation",
    "score",
]

# Not before they are asked for: JAX takes seconds.
_HOMES: Final = {
    "CATALOGUE": "grammars",
    "Campaign": "search.library",
    "Evaluator": "evaluators.evaluator",
    "Fidelity": "evaluators.fidelity",
    "Site": "search.site",
    "find_task": "evaluators.tasks",
    "load_grammar": "grammars",
    "parse": "grammars",
    "parse_activation": "grammars",
    "score": "search.trials",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
