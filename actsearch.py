"""The public names of actsearch: campaigns, functions, tasks, and where they run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from evaluators.datasets import Arrays
    from evaluators.evaluation.fidelity import Fidelity
    from evaluators.evaluator import Evaluator
    from evaluators.networks import equinox_network, flax_network
    from evaluators.recipes.recipe import Recipe
    from evaluators.tasks import Task, find_task
    from grammars import CATALOGUE, Expression, load_grammar, parse, parse_activation
    from grammars.description import describe
    from grammars.export.live import equinox, flax, keras, pytorch
    from search.executors.site import Site
    from search.library.campaign import Campaign
    from search.standings.atlas import read_atlas
    from search.trials.protocol import score

__all__ = [
    "CATALOGUE",
    "Arrays",
    "Campaign",
    "Evaluator",
    "Expression",
    "Fidelity",
    "Recipe",
    "Site",
    "Task",
    "describe",
    "equinox",
    "equinox_network",
    "find_task",
    "flax",
    "flax_network",
    "keras",
    "load_grammar",
    "parse",
    "parse_activation",
    "pytorch",
    "read_atlas",
    "score",
]

# Not before they are asked for: JAX takes seconds.
_HOMES: Final = {
    "Arrays": "evaluators.datasets",
    "CATALOGUE": "grammars",
    "Campaign": "search.library.campaign",
    "Evaluator": "evaluators.evaluator",
    "Expression": "grammars",
    "Fidelity": "evaluators.evaluation.fidelity",
    "Recipe": "evaluators.recipes.recipe",
    "Site": "search.executors.site",
    "Task": "evaluators.tasks",
    "describe": "grammars.description",
    "equinox": "grammars.export.live",
    "equinox_network": "evaluators.networks",
    "find_task": "evaluators.tasks",
    "flax": "grammars.export.live",
    "flax_network": "evaluators.networks",
    "keras": "grammars.export.live",
    "load_grammar": "grammars",
    "parse": "grammars",
    "parse_activation": "grammars",
    "pytorch": "grammars.export.live",
    "read_atlas": "search.standings.atlas",
    "score": "search.trials.protocol",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
