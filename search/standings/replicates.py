"""One campaign from several seeds: whether its finding holds, and whether it is the same one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

from evaluators.statistics.comparison import Comparison, Finding, listed, signed
from grammars import title_of
from search.candidates.novelty import NOVEL
from search.history import Measure
from search.standings.kinship import Kinship, families, kinship
from search.standings.replicate import Replicate, read_replicate
from search.texts.tables import Table, as_html, as_text

_NOTHING: Final = "-"
_RELATIVES: Final = (
    "Relatives differ in constants alone, are one function scaled and shifted, or have shapes that "
    "are closer than those of GELU and Swish, the distance between which is 1."
)


@dataclass(frozen=True)
class Advantage:
    """How far the leaders are ahead of a rival, over the campaigns whose finals have ended.

    Attributes:
        rival: Its key in the finals.
        passes: Campaigns whose leader was found better.
        compared: Campaigns whose leader was compared with it.
        mean: Of the differences, in the unit of the finals' measure; None without any.
        deviation: Standard deviation of the differences; None for fewer than two.
        low: The least difference.
        high: The greatest.
    """

    rival: str
    passes: int
    compared: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None

    @property
    def title(self) -> str:
        """What the rival is called."""
        return title_of(self.rival)


@dataclass(frozen=True, repr=False)
class Replicates:
    """A campaign from several seeds.

    Attributes:
        name: Of the campaign that is replicated.
        replicates: One for each seed, in order.
        interrupted: Whether the launches were cut short: launched again, they go on.
    """

    name: str
    replicates: tuple[Replicate, ...]
    interrupted: bool = False

    @property
    def compared(self) -> tuple[Replicate, ...]:
        """Those whose finals have ended."""
        return tuple(each for each in self.replicates if each.comparisons)

    @property
    def passed(self) -> int:
        """Of these, how many have a leader that was found better than every rival of any."""
        return sum(each.passes and not self._unmet(each) for each in self.compared)

    @property
    def rivals(self) -> tuple[str, ...]:
        """Whom the leaders have met, by names that are the same in every campaign."""
        return tuple(dict.fromkeys(c.rival for each in self.compared for c in each.comparisons))

    def _unmet(self, each: Replicate) -> list[str]:
        """Rivals of the others that a leader has not met."""
        return [rival for rival in self.rivals if each.against(rival) is None]

    @property
    def measure(self) -> Measure | None:
        """By which the finals compare; None without finals, or where they differ in it."""
        measures = {each.measure.setting: each.measure for each in self.compared if each.measure}
        return measures.popitem()[1] if len(measures) == 1 else None

    @property
    def advantages(self) -> tuple[Advantage, ...]:
        """One over each rival; none where the finals differ in what they measure."""
        return tuple(map(self._advantage, self.rivals)) if self.measure is not None else ()

    @cached_property
    def kinships(self) -> tuple[Kinship, ...]:
        """One for each two functions that were found."""
        found = [each for each in self.replicates if each.function is not None]
        return tuple(
            kinship(one.campaign, one.function, other.campaign, other.function)
            for one, other in combinations(found, 2)
            if one.function is not None and other.function is not None
        )

    @cached_property
    def families(self) -> tuple[tuple[int, ...], ...]:
        """Seeds whose functions are relatives, the largest family first."""
        seeds = {each.campaign: each.seed for each in self.replicates if each.function is not None}
        found = families(list(seeds), self.kinships)
        return tuple(tuple(seeds[name] for name in members) for members in found)

    @property
    def differences(self) -> dict[str, tuple[Any, ...]]:
        """What should be the same and is not: the values by dotted key, a launched one each."""
        launched = [each.deciding for each in self.replicates if each.deciding is not None]
        keys = sorted({key for each in launched for key in each})
        values = {key: tuple(each.get(key) for each in launched) for key in keys}
        return {key: of for key, of in values.items() if any(one != of[0] for one in of)}

    def tables(self) -> dict[str, Table]:
        """What is to be shown, as text, by title."""
        advantages = self.advantages
        heading = ("seed", "campaign", "state", "leader", *(each.title for each in advantages))
        rows = (self._row(each, [a.rival for a in advantages]) for each in self.replicates)
        tables = {f"{self.name} from {len(self.replicates)} seeds": (heading, *rows)}
        if (measure := self.measure) is not None:
            head = ("over", "passes in", "mean", "standard deviation", "least", "greatest")
            title = f"The leaders' advantage in {measure.name}"
            tables[title] = (head, *(_figures(each, measure.digits) for each in advantages))
        close = [each for each in self.kinships if each.is_close]
        if close:
            seed = {each.campaign: str(each.seed) for each in self.replicates}
            pairs = (
                (f"{seed[each.first]} and {seed[each.second]}", each.relation, _far(each.distance))
                for each in close
            )
            tables["Relatives"] = (("of seeds", "are", "distance"), *pairs)
        return tables

    def sentences(self) -> list[str]:
        """What it comes to."""
        return [self._holds(), *self._found(), *self._warnings()]

    def to_json(self) -> dict[str, Any]:
        """A JSON document that says the same."""
        return {
            "name": self.name,
            "interrupted": self.interrupted,
            "replicates": [
                {
                    "campaign": each.campaign,
                    "seed": each.seed,
                    "state": each.state,
                    "candidate_id": each.candidate_id,
                    "expression": each.shown,
                    "novelty": each.novelty,
                    "claim": each.claim,
                    "passes": each.passes if each.comparisons else None,
                    "comparisons": [asdict(comparison) for comparison in each.comparisons],
                }
                for each in self.replicates
            ],
            "compared": len(self.compared),
            "passed": self.passed,
            "measure": None if self.measure is None else self.measure.name,
            "advantages": [asdict(each) for each in self.advantages],
            "kinships": [asdict(each) for each in self.kinships],
            "families": [list(seeds) for seeds in self.families],
            "differences": {key: list(values) for key, values in self.differences.items()},
        }

    def __repr__(self) -> str:
        return as_text(self.tables(), self.sentences())

    def _repr_html_(self) -> str:
        """For notebooks."""
        return as_html(self.tables(), self.sentences())

    def _advantage(self, rival: str) -> Advantage:
        comparisons = [c for each in self.compared if (c := each.against(rival)) is not None]
        known = [each.difference for each in comparisons if each.difference is not None]
        return Advantage(
            rival=rival,
            passes=sum(each.finding is Finding.BETTER for each in comparisons),
            compared=len(comparisons),
            mean=fmean(known) if known else None,
            deviation=stdev(known) if len(known) > 1 else None,
            low=min(known, default=None),
            high=max(known, default=None),
        )

    def _row(self, each: Replicate, rivals: Sequence[str]) -> tuple[str, ...]:
        digits = each.measure.digits if each.measure else 0
        cells = (_compared(each.against(rival), digits) for rival in rivals)
        return (str(each.seed), each.campaign, each.state, each.shown or _NOTHING, *cells)

    def _holds(self) -> str:
        if not self.compared:
            return "No finals have ended: nothing is known of how often the leader passes."
        names = listed([title_of(rival) for rival in self.rivals])
        return (
            f"The leader is better than each of {names} in {self.passed} of {len(self.compared)} "
            "campaigns."
        )

    def _found(self) -> Iterator[str]:
        found = {each.shown: each.novelty for each in self.replicates if each.shown is not None}
        if not found:
            return
        count = f"{len(found)} function{'' if len(found) == 1 else 's'}"
        known = [f"{shown} is {words}" for shown, words in found.items() if words != NOVEL]
        yield f"The campaigns found {count}; {'; '.join(known) or 'none is in the catalogue'}."
        related = [members for members in self.families if len(members) > 1]
        if related:
            groups = [listed([str(seed) for seed in members]) for members in related]
            yield f"Relatives were found from seeds {'; '.join(groups)}. {_RELATIVES}"
        elif self.kinships:
            yield f"No two of these are relatives. {_RELATIVES}"

    def _warnings(self) -> Iterator[str]:
        if self.differences:
            shown = "; ".join(
                f"{key}: {', '.join(map(str, values))}" for key, values in self.differences.items()
            )
            yield f"They are not one campaign, since they differ in {shown}."
        for each in self.compared:
            if unmet := self._unmet(each):
                names = listed([title_of(rival) for rival in unmet])
                yield f"The leader of {each.campaign} has not met {names}, and does not pass."
        if self.compared and self.measure is None:
            yield "Their finals differ in what they measure, so that no mean is taken."


def read_replicates(name: str, folders: Mapping[int, Path]) -> Replicates:
    """Reads the campaigns of several seeds, finished, running or not launched yet.

    Args:
        name: Of the campaign that is replicated.
        folders: Where the campaign of each seed is, or will be.

    Raises:
        JournalError: If a journal is damaged.
    """
    read = (read_replicate(seed, folder) for seed, folder in folders.items())
    return Replicates(name, tuple(read))


def _compared(comparison: Comparison | None, digits: int) -> str:
    if comparison is None:
        return _NOTHING
    if comparison.difference is None:
        return str(comparison.finding)
    verdict = f" {comparison.finding}" if comparison.finding.is_settled else ""
    return f"{signed(comparison.difference, digits)}{verdict}"


def _figures(advantage: Advantage, digits: int) -> tuple[str, ...]:
    figures = (advantage.mean, advantage.deviation, advantage.low, advantage.high)
    signs = ("+", "", "+", "+")
    return (
        advantage.title,
        f"{advantage.passes} of {advantage.compared}",
        *(
            _NOTHING if value is None else f"{value:{sign}.{digits}f}"
            for value, sign in zip(figures, signs, strict=True)
        ),
    )


def _far(distance: float | None) -> str:
    return _NOTHING if distance is None else f"{distance:.2f}"
