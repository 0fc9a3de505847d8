"""Campaigns side by side: what was set differently, what each came to, and one leaderboard."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from search.history import Begun, GenerationRecord, History, find_begun, read_history
from search.journal.journal import FILE_NAME, Journal
from search.standings.atlas import conditions_of
from search.standings.comparability import incomparable
from search.standings.conditions import RungConditions
from search.standings.leaderboard import LeaderboardRow, leaderboard
from search.texts.dotted import flatten
from search.texts.tables import Table, as_html, as_text

_SHOWN: Final = 10
_SHARES: Final = (0.25, 0.5, 1.0)
_IRRELEVANT: Final = ("name", "description")
_UNSET: Final = "-"


@dataclass(frozen=True)
class Came:
    """What a campaign has come to.

    Attributes:
        name: Of the campaign.
        settings: Those in force, by dotted keys.
        trainings: Of its search.
        minutes: At work on its search, pauses left out.
        generations: In order.
        rows: Its leaderboard, whole.
        ending: Why the search ended; None while it goes on.
        rungs: Under which conditions it scores; empty where that is not known.
    """

    name: str
    settings: Mapping[str, Any]
    trainings: int
    minutes: float
    generations: tuple[GenerationRecord, ...]
    rows: tuple[LeaderboardRow, ...]
    ending: str | None
    rungs: tuple[RungConditions, ...] = ()

    @property
    def best(self) -> LeaderboardRow | None:
        """The first function of its own on the leaderboard."""
        return next((row for row in self.rows if row.origin == "discovered"), None)

    def score_after(self, *, trainings: int | None = None, minutes: float | None = None) -> str:
        """The best score of its generations up to there; "-" before the first one ended."""
        if trainings is not None:
            done = bisect_right([each.evaluations for each in self.generations], trainings)
        else:
            assert minutes is not None
            done = bisect_right([each.seconds / 60 for each in self.generations], minutes)
        score = self.generations[done - 1].summary.best_score if done else None
        return _UNSET if score is None else f"{score:.4f}"


@dataclass(frozen=True, repr=False)
class SideBySide:
    """Campaigns that are compared with each other.

    Attributes:
        campaigns: In the order in which they were named.
    """

    campaigns: tuple[Came, ...]

    @property
    def differences(self) -> dict[str, tuple[Any, ...]]:
        """By setting what each campaign has, where they are not the same."""
        keys = dict.fromkeys(key for each in self.campaigns for key in each.settings)
        values = {key: tuple(each.settings.get(key) for each in self.campaigns) for key in keys}
        return {
            key: found
            for key, found in values.items()
            if key not in _IRRELEVANT and any(value != found[0] for value in found)
        }

    @property
    def incomparable(self) -> str | None:
        """Why their scores say nothing about each other; None where they do."""
        tasks = {str(each.settings.get("task")) for each in self.campaigns}
        if len(tasks) > 1:
            return f"the scores are of different tasks ({', '.join(sorted(tasks))})"
        scores = {str(each.settings.get("scoring.tasks")) for each in self.campaigns}
        if len(scores) > 1:
            return "the scores are made up of different tasks"
        if unknown := [each.name for each in self.campaigns if not each.rungs]:
            return f"it is not known how {', '.join(unknown)} scored: another version wrote that"
        return incomparable({each.name: each.rungs for each in self.campaigns})

    def rows(self, top: int | None = None) -> list[tuple[LeaderboardRow, tuple[str, ...]]]:
        """One leaderboard of all: those on the highest rung first, then by score; who has found it.

        Args:
            top: How many, all by default.
        """
        found: dict[str, tuple[LeaderboardRow, list[str]]] = {}
        for campaign in self.campaigns:
            for row in campaign.rows:
                known = found.get(row.candidate_id)
                if known is None or _merit(row) > _merit(known[0]):
                    found[row.candidate_id] = (row, [*(known[1] if known else []), campaign.name])
                else:
                    known[1].append(campaign.name)
        ordered = sorted(found.values(), key=lambda pair: _merit(pair[0]), reverse=True)
        return [(row, tuple(names)) for row, names in ordered[:top]]

    def tables(self, top: int = _SHOWN) -> dict[str, Table]:
        """What is to be shown, as text, by title."""
        names = tuple(each.name for each in self.campaigns)
        tables = {
            "What they came to": (("", *names), *self._figures()),
            "Best score of a search, by what was spent": (("after", *names), *self._spent()),
        }
        differing = tuple(
            (key, *map(_text, values)) for key, values in sorted(self.differences.items())
        )
        if differing:
            tables["Settings that differ"] = (("setting", *names), *differing)
        ranking = tuple(
            (str(rank), row.shown, f"{row.score:.4f}", f"{row.steps} x {row.seeds}",
             ", ".join(found_in), row.candidate_id[:8])
            for rank, (row, found_in) in enumerate(self.rows(top), 1)
        )  # fmt: skip
        if ranking:
            heading = ("rank", "expression", "score", "trained", "campaigns", "id")
            tables["Shared leaderboard"] = (heading, *ranking)
        return tables

    def to_json(self, top: int = _SHOWN) -> dict[str, Any]:
        """A JSON document that says the same."""
        return {
            "campaigns": [
                {
                    "name": each.name,
                    "trainings": each.trainings,
                    "minutes": round(each.minutes, 3),
                    "best": asdict(each.best) if each.best else None,
                    "ending": each.ending,
                    "best_by_generation": [
                        {
                            "trainings": generation.evaluations,
                            "minutes": round(generation.seconds / 60, 3),
                            "score": generation.summary.best_score,
                        }
                        for generation in each.generations
                    ],
                }
                for each in self.campaigns
            ],
            "differences": {key: list(values) for key, values in self.differences.items()},
            "incomparable": self.incomparable,
            "leaderboard": [
                asdict(row) | {"campaigns": found_in} for row, found_in in self.rows(top)
            ],
        }

    def __repr__(self) -> str:
        return as_text(self.tables(), self._warnings())

    def _repr_html_(self) -> str:
        """For notebooks."""
        return as_html(self.tables(), self._warnings())

    def _warnings(self) -> list[str]:
        return [f"Do not compare across: {self.incomparable}."] if self.incomparable else []

    def _figures(self) -> Iterable[tuple[str, ...]]:
        every = self.campaigns
        yield ("best function", *(each.best.shown if each.best else _UNSET for each in every))
        yield ("its score", *(f"{each.best.score:.4f}" if each.best else _UNSET for each in every))
        yield ("trainings", *(f"{each.trainings:,}" for each in every))
        yield ("minutes", *(_minutes(each.minutes) for each in every))
        yield ("ended", *(each.ending or "not yet" for each in every))

    def _spent(self) -> Iterable[tuple[str, ...]]:
        least = min(each.trainings for each in self.campaigns)
        for trainings in dict.fromkeys(round(share * least) for share in _SHARES):
            scores = (each.score_after(trainings=trainings) for each in self.campaigns)
            yield (f"{trainings:,} trainings", *scores)
        shortest = min(each.minutes for each in self.campaigns)
        for minutes in dict.fromkeys(share * shortest for share in _SHARES):
            scores = (each.score_after(minutes=minutes) for each in self.campaigns)
            yield (f"{_minutes(minutes)} minutes", *scores)


def side_by_side(folders: Sequence[Path]) -> SideBySide:
    """Reads campaigns, finished or running.

    Args:
        folders: Of each.

    Raises:
        FileNotFoundError: If there is no campaign in one of them.
        JournalError: If a journal is damaged.
    """
    return SideBySide(tuple(map(_came, folders)))


def _came(folder: Path) -> Came:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history, begun = read_history(journal), find_begun(journal)
    return Came(
        name=folder.name,
        settings=_settings(history),
        trainings=history.trainings,
        minutes=history.work.seconds() / 60,
        generations=tuple(history.generations),
        rows=tuple(leaderboard(history)),
        ending=history.finish.reason if history.finish else None,
        rungs=() if begun is None else _rungs(begun),
    )


def _rungs(begun: Begun) -> tuple[RungConditions, ...]:
    try:
        return conditions_of(begun)
    except ValueError:  # settings and tasks raise it
        return ()


def _settings(history: History) -> dict[str, Any]:
    """A fallback is another task, whatever the campaign file says."""
    launch = history.launch
    if launch is None:
        return {}
    has_fallback = launch.dataset.fallback_for is not None
    return flatten(launch.settings) | ({"task": launch.trained_on} if has_fallback else {})


def _merit(row: LeaderboardRow) -> tuple[int, float]:
    return row.rung, row.score


def _minutes(minutes: float) -> str:
    return f"{minutes:.1f}" if minutes >= 1.0 else f"{minutes:.3f}"


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or _UNSET
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_text(below)}" for key, below in value.items() if below != [])
    return _UNSET if value is None else str(value)
