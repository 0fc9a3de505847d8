"""A campaign as one of several that differ in their seeds alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from evaluators.statistics.comparison import Comparison, Finding
from grammars import Activation
from search.candidates.novelty import novelty
from search.finals import Finals, claim, finals_in
from search.history import TITLES, Begun, History, Measure, find_begun, read_history
from search.history.unscored import has_found
from search.journal.journal import FILE_NAME, Journal
from search.standings.finalists import polished_first
from search.standings.leaderboard import standings
from search.standings.verdict import untested
from search.texts.dotted import flatten

_OWN: Final = ("name", "seed", "description", "tracking")


@dataclass(frozen=True)
class Replicate:
    """A campaign from one of the seeds.

    Attributes:
        campaign: Its name.
        seed: Its seed.
        state: How far it has come, in words.
        function: The leader of its finals; without any, the best that it has found; None if there
            is nothing yet.
        candidate_id: Of the function.
        shown: The function as people see it.
        novelty: What the catalogue knows of it.
        comparisons: Of the leader with each rival; empty before the finals have ended.
        measure: By which they are made.
        claim: What may be said of it.
        deciding: All that should be the same in every replicate, by dotted keys.
    """

    campaign: str
    seed: int
    state: str
    function: Activation | None = None
    candidate_id: str | None = None
    shown: str | None = None
    novelty: str | None = None
    comparisons: tuple[Comparison, ...] = ()
    measure: Measure | None = None
    claim: str | None = None
    deciding: Mapping[str, Any] | None = None

    def against(self, rival: str) -> Comparison | None:
        """The comparison with a rival; None if there is none."""
        return next((each for each in self.comparisons if each.rival == rival), None)

    @property
    def passes(self) -> bool:
        """Whether the leader was found better than every rival."""
        found = [each.finding for each in self.comparisons]
        return bool(found) and all(finding is Finding.BETTER for finding in found)


def read_replicate(seed: int, folder: Path) -> Replicate:
    """Reads a campaign, finished, running or not launched yet.

    Args:
        seed: Its seed.
        folder: Where it is, or will be.

    Raises:
        JournalError: If its journal is damaged.
    """
    if not (folder / FILE_NAME).is_file():
        return Replicate(folder.name, seed, "not launched")
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history, begun = read_history(journal), find_begun(journal)
    deciding = None if begun is None else _deciding(history, begun)
    if not has_found(history):
        state = "searching" if history.finish is None else "nothing found"
        return Replicate(folder.name, seed, state, deciding=deciding)
    finals = _own_finals(history)
    function, candidate_id, shown = _leader(history, finals)
    has_ended = finals is not None and finals.ended is not None
    return Replicate(
        campaign=folder.name,
        seed=seed,
        state=_state(history, finals),
        function=function,
        candidate_id=candidate_id,
        shown=shown,
        novelty=novelty(function),
        comparisons=named_alike(finals, candidate_id) if finals and has_ended else (),
        measure=finals.plan.measure if finals and has_ended else None,
        claim=claim(finals) if finals and has_ended else untested(history),
        deciding=deciding,
    )


def _own_finals(history: History) -> Finals | None:
    """The last whose finalists nobody named: replicates differ in nothing but their seeds."""
    own = [number for number, plan in history.finals.plans.items() if not plan.is_by_name]
    return finals_in(history, number=max(own)) if own else None


def named_alike(finals: Finals, candidate_id: str) -> tuple[Comparison, ...]:
    """A finalist's comparisons, with rivals by names that are the same in every replicate.

    The best of the catalogue may be another function in each of them.
    """
    plan = finals.plan
    names = {key: plan.titles[key] for key in plan.rivals if key not in TITLES}
    names |= {key: f"the best of {best_of}" for key, best_of in plan.chosen.items()}
    return tuple(
        replace(each, rival=names.get(each.rival, each.rival))
        for each in finals.own.comparisons_of(candidate_id)
    )


def _leader(history: History, finals: Finals | None) -> tuple[Activation, str, str]:
    """The function, its id, and how it is shown: of the finals, or else of the search."""
    if finals is not None and (leader := finals.leader) is not None:
        return leader.activation, leader.candidate_id, leader.shown
    best = next(
        each
        for each in polished_first(standings(history), history.polished)
        if each.candidate.origin == "discovered"
    )
    return best.candidate.canonical, best.candidate.id, best.candidate.readable


def _state(history: History, finals: Finals | None) -> str:
    if history.finish is None and finals is None:
        return "searching"
    if finals is None:
        wanted = history.launch is not None and history.launch.settings.get("finals")
        return "finals to be held" if wanted else "no finals"
    return "finished" if finals.ended is not None else "finals not finished"


def _deciding(history: History, begun: Begun) -> dict[str, Any]:
    settings = begun.settings if history.launch is None else history.launch.settings
    parts = {
        "settings": {key: value for key, value in settings.items() if key not in _OWN},
        "task": {key: part for key, part in (begun.task or {}).items() if key != "description"},
        "grammar": begun.grammar,
        "dataset": begun.dataset.name,
        "lessons": begun.lessons,
        "versions": begun.versions,
    }
    return flatten(parts)
