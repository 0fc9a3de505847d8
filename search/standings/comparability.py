"""Whether the scores of campaigns say anything about each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from search.standings.conditions import Conditions, RungConditions

Rungs = Sequence[RungConditions]
"""Of one campaign, the first rung first."""


def incomparable(campaigns: Mapping[str, Rungs]) -> str | None:
    """What differs between campaigns in how they score, so that their scores do not compare.

    Args:
        campaigns: What is known of the rungs of each, by its name.

    Returns:
        The first difference in words; None where there is none.
    """
    for what, words in _ASPECTS.items():
        found = {name: words(rungs) for name, rungs in campaigns.items()}
        if len(set(found.values())) > 1:
            each = "; ".join(f"{name}: {text}" for name, text in found.items())
            return f"{what} ({each})"
    return None


def _tasks(rungs: Rungs) -> str:
    return _once(each.task for each in _all(rungs))


def _contents(rungs: Rungs) -> str:
    return _once(f"{each.task} {each.digest[:8]}" for each in _all(rungs))


def _rungs(rungs: Rungs) -> str:
    return ", ".join(_once(_trained(each) for each in rung.tasks) for rung in rungs)


def _trained(conditions: Conditions) -> str:
    seeds = ",".join(map(str, conditions.seeds))
    choosing = f", {conditions.rate_seeds} of them for rates" if conditions.rate_seeds else ""
    return f"{conditions.steps} steps from seeds {seeds}{choosing}"


def _on_rungs(rungs: Rungs) -> str:
    return ", ".join(" and ".join(each.task for each in rung.tasks) for rung in rungs)


def _rates(rungs: Rungs) -> str:
    return _once(
        f"best of {', '.join(f'{rate:g}' for rate in each.rates)}" if each.rates else "the recipe's"
        for each in _all(rungs)
    )


def _aggregates(rungs: Rungs) -> str:
    """How advantages on several tasks become one score; one alone is what it is."""
    return _once(
        "the worst"
        if rung.weights is None
        else f"the mean, weights {', '.join(f'{weight:g}' for weight in rung.weights)}"
        for rung in rungs
        if len(rung.tasks) > 1
    )


def _units(rungs: Rungs) -> str:
    return _once("advantages" if rung.is_appraised else "log losses" for rung in rungs)


_ASPECTS: Final[Mapping[str, Callable[[Rungs], str]]] = {
    "the scores are of different tasks": _tasks,
    "tasks of one name differ in their data, network, recipe or schedule": _contents,
    "one score is an advantage over the baselines and another is not": _units,
    "the scores are made up differently of the tasks": _aggregates,
    "other learning rates are tried": _rates,
    "the rungs differ": _rungs,
    "the rungs have different tasks": _on_rungs,
}


def _all(rungs: Rungs) -> list[Conditions]:
    return [each for rung in rungs for each in rung.tasks]


def _once(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))
