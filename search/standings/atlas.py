"""All functions that the campaigns of a runs directory have scored, by task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from evaluators.evaluation.evaluation import Outcome
from grammars import Expression, parse
from grammars.catalogue import BASELINES
from search.candidates.candidate import Candidate
from search.drawing import Picture
from search.drawing.shape_map import Charted, shape_map
from search.history import Begun, History, find_begun, read_history
from search.history.launched import trained_tasks, understood
from search.journal.journal import FILE_NAME, Journal, JournalError
from search.standings.conditions import Conditions, RungConditions, rung_conditions
from search.texts.naming import titled
from search.texts.tables import Table, as_html, as_text

_SHOWN: Final = 5
_DIGITS: Final = 6


class AtlasError(ValueError):
    """Nothing to show; the message says what there is."""


@dataclass
class Found:
    """A function under some conditions.

    Attributes:
        candidate: As the first campaign that scored it knows it, or one that holds it for
            published.
        conditions: Under which it was scored.
        score: Minus the mean log validation loss there.
        learning_rate: At which that was; None for the recipe's.
        campaigns: Who scored it so.
    """

    candidate: Candidate
    conditions: Conditions
    score: float
    learning_rate: float | None
    campaigns: list[str] = field(default_factory=list)

    @property
    def is_published(self) -> bool:
        """Whether it is one of the baselines."""
        return self.candidate.origin == "baseline"

    @property
    def name(self) -> str | None:
        """In the catalogue, of a baseline."""
        return self.candidate.variation if self.is_published else None

    @property
    def shown(self) -> str:
        """The function as people see it, by its name where it is a baseline."""
        return titled(self.candidate.readable, self.name)

    @property
    def merit(self) -> tuple[tuple[int, bool], float, str]:
        """What trained longer is greater, then what scored higher."""
        return self.conditions.budget, self.score, self.candidate.id


@dataclass(frozen=True, repr=False)
class Chart:
    """What is known of one task.

    Attributes:
        name: Of the task; with the beginning of its digest where several tasks have that name.
        digest: Of its content.
        rows: Each function once, where it was trained longest; best first.
        leads: By conditions the best score of a baseline.
    """

    name: str
    digest: str
    rows: tuple[Found, ...]
    leads: Mapping[Conditions, float]

    def lead(self, row: Found) -> float | None:
        """How far a function is ahead of the best baseline under its conditions."""
        best = self.leads.get(row.conditions)
        return None if best is None else row.score - best

    def top(self, count: int) -> list[tuple[int, Found]]:
        """The first rows by rank, and the first baseline if it is not among them."""
        ranked = list(enumerate(self.rows, 1))
        published = [each for each in ranked if each[1].is_published]
        return ranked[:count] + [each for each in published[:1] if each[0] > count]


@dataclass(frozen=True, repr=False)
class Atlas:
    """The functions that campaigns have scored.

    Attributes:
        campaigns: Names of those that were read.
        found: Every function under every conditions under which it was scored.
        left_out: Campaigns that could not be read, with the reason.
    """

    campaigns: tuple[str, ...]
    found: tuple[Found, ...]
    left_out: Mapping[str, str]

    @cached_property
    def charts(self) -> tuple[Chart, ...]:
        """One a task, the one with most functions first."""
        digests = dict.fromkeys(each.conditions.digest for each in self.found)
        charts = [self._chart(digest) for digest in digests]
        return tuple(sorted(charts, key=lambda chart: (-len(chart.rows), chart.name)))

    def chart(self, task: str | None = None) -> Chart:
        """That of a task by its name, or the one with most functions.

        Raises:
            AtlasError: If nothing was scored on it.
        """
        for chart in self.charts:
            if task in (None, chart.name):
                return chart
        there = ", ".join(chart.name for chart in self.charts) or "none yet"
        what = "no function was scored" if task is None else f"nothing was scored on {task!r}"
        left_out = "".join(f"; left out: {name}, {why}" for name, why in self.left_out.items())
        raise AtlasError(f"{what}; tasks with scores: {there}{left_out}")

    def map(self, task: str | None = None) -> Picture:
        """Draws where the functions that were scored on a task lie among the published ones.

        Args:
            task: Its name; by default the one with most functions.

        Raises:
            AtlasError: If nothing was scored on it.
        """
        chart = self.chart(task)
        charted = [
            Charted(function, row.shown)
            for row in chart.rows
            if not row.is_published and isinstance(function := row.candidate.canonical, Expression)
        ]
        if not charted:
            raise AtlasError(f"no function of a single form was found on {chart.name}")
        published = [Charted(parse(name), name) for name in BASELINES]
        return Picture([*shape_map(charted, published, title=f"{chart.name}: shapes")])

    def tables(self, top: int = _SHOWN, *, task: str | None = None) -> dict[str, Table]:
        """The best by task, as text.

        Args:
            top: How many of each.
            task: One alone; by default all.

        Raises:
            AtlasError: If nothing was scored on it.
        """
        charts = self.charts if task is None else (self.chart(task),)
        heading = (
            "rank",
            "expression",
            "score",
            "ahead by",
            "trained",
            "rate",
            "campaigns",
            "id",
        )
        return {
            f"{chart.name}, {len(chart.rows)} functions": (
                heading,
                *(_row(rank, row, chart.lead(row)) for rank, row in chart.top(top)),
            )
            for chart in charts
        }

    def to_json(self, top: int = _SHOWN, *, task: str | None = None) -> dict[str, Any]:
        """A JSON document that says the same."""
        charts = self.charts if task is None else (self.chart(task),)
        return {
            "campaigns": list(self.campaigns),
            "left_out": dict(self.left_out),
            "tasks": [
                {
                    "task": chart.name,
                    "digest": chart.digest,
                    "functions": len(chart.rows),
                    "best": [_document(rank, row, chart.lead(row)) for rank, row in chart.top(top)],
                }
                for chart in charts
            ],
        }

    def sentences(self) -> list[str]:
        """What the tables mean, and what is not in them."""
        return [_LEGEND, *(f"Left out: {name}, {why}" for name, why in self.left_out.items())]

    def __repr__(self) -> str:
        return as_text(self.tables(), self.sentences())

    def _repr_html_(self) -> str:
        """For notebooks."""
        return as_html(self.tables(), self.sentences())

    def _chart(self, digest: str) -> Chart:
        here = [each for each in self.found if each.conditions.digest == digest]
        longest: dict[str, Found] = {}
        leads: dict[Conditions, float] = {}
        for each in here:
            known = longest.get(each.candidate.id)
            if known is None or each.merit > known.merit:
                longest[each.candidate.id] = each
            if each.is_published:
                leads[each.conditions] = max(each.score, leads.get(each.conditions, each.score))
        name = here[0].conditions.task
        others = {e.conditions.digest for e in self.found if e.conditions.task == name}
        rows = sorted(longest.values(), key=lambda row: row.merit, reverse=True)
        shown = name if len(others) == 1 else f"{name} ({digest[:_DIGITS]})"
        return Chart(shown, digest, tuple(rows), leads)


_LEGEND: Final = (
    "score: minus the mean log validation loss, higher is better; ahead by: of the best published "
    "function under the same conditions. Rows that trained longer stand above those that did not; "
    "scores compare where steps, seeds and the choice of rates agree. The top is biased by "
    "selection: finals say what is better."
)


def read_atlas(runs_dir: str | Path = "runs") -> Atlas:
    """Reads all campaigns of a runs directory, finished or running.

    Args:
        runs_dir: Where they are kept.
    """
    names: list[str] = []
    left_out: dict[str, str] = {}
    found: dict[tuple[Conditions, str], Found] = {}
    for path in sorted(Path(runs_dir).glob(f"*/{FILE_NAME}")):
        name = path.parent.name
        try:
            with Journal(path, read_only=True) as journal:
                begun, history = find_begun(journal), read_history(journal)
            rungs = () if begun is None else conditions_of(begun)
        except (JournalError, OSError, ValueError) as error:  # settings and tasks raise the last
            left_out[name] = str(error)
            continue
        names.append(name)
        for each in _scored(history, rungs):
            known = found.setdefault((each.conditions, each.candidate.id), each)
            if each.is_published and not known.is_published:
                # One campaign was told of it, which another has met.
                known.candidate = each.candidate
            known.campaigns.append(name)
    return Atlas(tuple(names), tuple(found.values()), left_out)


def conditions_of(begun: Begun) -> tuple[RungConditions, ...]:
    """Those of each rung of a campaign on record.

    Raises:
        SettingsError: If another version of this program wrote its settings.
        TaskError: If its tasks are none any more.
    """
    return rung_conditions(understood(begun.settings), trained_tasks(begun))


def _scored(history: History, rungs: Sequence[RungConditions]) -> Iterator[Found]:
    for record in history.candidates.values():
        for each in record.rungs:
            if each.evaluation.outcome is Outcome.SCORED:
                for conditions, score, rate in rungs[each.rung].scores(each.evaluation):
                    yield Found(record.candidate, conditions, score, rate)


def _row(rank: int, row: Found, lead: float | None) -> tuple[str, ...]:
    return (
        str(rank),
        row.shown,
        f"{row.score:.4f}",
        "" if lead is None else f"{lead:+.4f}",
        row.conditions.trained,
        "recipe's" if row.learning_rate is None else f"{row.learning_rate:g}",
        ", ".join(row.campaigns),
        row.candidate.id[:8],
    )


def _document(rank: int, row: Found, lead: float | None) -> dict[str, Any]:
    return {
        "rank": rank,
        "candidate_id": row.candidate.id,
        "expression": row.candidate.readable,
        "name": row.name,
        "score": row.score,
        "ahead_by": lead,
        "steps": row.conditions.steps,
        "seeds": list(row.conditions.seeds),
        "learning_rate": row.learning_rate,
        "campaigns": row.campaigns,
    }
