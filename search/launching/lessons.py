"""What a new campaign learns from earlier ones, where these scored functions as it will."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from evaluators.evaluation.evaluation import Outcome
from evaluators.statistics.comparison import listed
from evaluators.tasks import Task
from grammars import BASELINES, Expression
from search.candidates.lesson import Lesson
from search.history import Begun, find_begun, read_history
from search.history.launched import understood
from search.journal.campaign_folder import is_folder, located
from search.journal.journal import FILE_NAME, Journal, JournalError
from search.settings import FREE_SETTINGS, Settings, SettingsError
from search.standings.atlas import conditions_of
from search.standings.conditions import RungConditions, rung_conditions

# What a model learns at most is twice as much: the campaign's own results are never crowded out.
_MOST: Final = 1_000


def read_lessons(
    settings: Settings, tasks: Mapping[str, Task], folder: Path, announce: Callable[[str], None]
) -> tuple[Lesson, ...]:
    """Reads the journals of the campaigns that `learn_from` names.

    A function counts on the highest rung of the new campaign on which functions are scored as it
    was: the same tasks by their content, steps, seeds, and choice of rates. Replicates of the new
    campaign teach it nothing, so that they stay independent of each other.

    Args:
        settings: Of the new campaign.
        tasks: That it really trains, by the names in its settings.
        folder: Of the new campaign.
        announce: Receives sentences for people.

    Returns:
        The best and farthest trained, a thousand at most.

    Raises:
        SettingsError: If there is no such folder.
    """
    rungs = {rung: number for number, rung in enumerate(rung_conditions(settings, tasks))}
    found: dict[str, Lesson] = {}
    for campaign in _campaigns(settings.search.learn_from):
        if located(campaign) == located(folder):
            continue
        try:
            lessons = list(_lessons(campaign, settings, rungs))
        except (JournalError, OSError, ValueError) as error:
            announce(f"nothing is learnt from {campaign}: {error}")
            continue
        for lesson in lessons:
            known = found.get(lesson.candidate_id)
            if known is None or lesson.rung > known.rung:
                found[lesson.candidate_id] = lesson
    best = sorted(found.values(), key=lambda each: (-each.rung, -each.score, each.candidate_id))
    announce(_told(best[:_MOST]))
    return tuple(best[:_MOST])


def digest_of(lessons: Sequence[Lesson]) -> str | None:
    """SHA-256 of what a campaign has learnt; None if that is nothing."""
    if not lessons:
        return None
    text = json.dumps([lesson.to_json() for lesson in lessons], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _campaigns(places: Iterable[str]) -> Iterator[Path]:
    """Folders of campaigns, each of which is named itself or lies in a runs directory."""
    for place in places:
        if not is_folder(place):
            raise SettingsError(
                f"search.learn_from: there is no folder {place!r}; name a runs directory, or the "
                "folder of a campaign"
            )
        if (Path(place) / FILE_NAME).is_file():
            yield Path(place)
        else:
            yield from (path.parent for path in sorted(Path(place).glob(f"*/{FILE_NAME}")))


def _lessons(
    folder: Path, settings: Settings, rungs: Mapping[RungConditions, int]
) -> Iterator[Lesson]:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        begun, history = find_begun(journal), read_history(journal)
    if begun is None or _is_replicate(begun, settings):
        return
    theirs = conditions_of(begun)
    ours = {number: rungs[rung] for number, rung in enumerate(theirs) if rung in rungs}
    for record in history.candidates.values():
        if record.candidate.variation in BASELINES:
            continue
        for each in record.rungs:
            score = each.evaluation.score
            if (
                each.rung in ours
                and each.evaluation.outcome is Outcome.SCORED
                and score is not None
                and theirs[each.rung].was_kept(each.evaluation)
                and isinstance(record.candidate.expression, Expression)
            ):
                candidate = record.candidate
                yield Lesson(candidate.id, candidate.text, ours[each.rung], score, folder.name)


def _is_replicate(begun: Begun, settings: Settings) -> bool:
    """Whether a campaign differs from this one in its seed and in what decides on no score."""
    return _compared(understood(begun.settings)) == _compared(settings)


def _compared(settings: Settings) -> dict[str, Any]:
    left_out = {"name", "seed", *FREE_SETTINGS}
    return {key: of for key, of in settings.model_dump().items() if key not in left_out}


def _told(lessons: Sequence[Lesson]) -> str:
    if not lessons:
        return (
            "search.learn_from: nothing is learnt, since no function there was scored as on a rung "
            "of this campaign: with the same tasks, steps, seeds and rates"
        )
    names = sorted({lesson.campaign for lesson in lessons})
    count = f"{len(lessons)} function{'' if len(lessons) == 1 else 's'}"
    return f"the search learns from {count} of {listed(names)}, as they are now"
