"""Chooses the rivals of finals, beside ReLU, Swish and GELU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from statistics import fmean
from typing import Final

from evaluators.tasks import Task
from grammars import CATALOGUE, Activation, parse
from search.candidates.candidate import Candidate
from search.finals import RIVALS, FinalsError, Rival
from search.history import read_history
from search.history.finals_plan import FIELDS, field_of
from search.journal.campaign_folder import is_folder
from search.journal.journal import FILE_NAME, Journal
from search.launching.tuning import Tuner
from search.settings import FinalsSettings
from search.standings.finalists import polished_first
from search.standings.leaderboard import standings
from search.texts.commands import command

# So many of those that could be a rival find their own rates; the others have lost by then.
_CONTENDERS: Final = 5
_SCALES: Final = (0.5, 1.0, 2.0)


def check_rivals(settings: FinalsSettings, runs_dir: Path) -> None:
    """Makes sure, before a long search, that the rivals of its finals are there.

    Raises:
        FinalsError: If one of them is not.
    """
    for wanted in settings.against:
        if _field(wanted, runs_dir) is None:
            _named(wanted)


def named_rivals(settings: FinalsSettings, runs_dir: Path) -> set[str]:
    """Ids of the functions that the settings name as rivals, which so are no finalists."""
    functions = (each for each in settings.against if _field(each, runs_dir) is None)
    return {_named(each).id for each in functions}


def choose_rivals(
    against: Iterable[str],
    *,
    tuner: Tuner,
    tasks: Sequence[Task],
    steps: int,
    without: Iterable[str],
    runs_dir: Path,
) -> Iterator[Rival]:
    """Yields those that the settings ask for.

    Args:
        against: See `FinalsSettings`.
        tuner: Tries those that are to be chosen from.
        tasks: Those that the claim is about.
        steps: Of each training run.
        without: Ids of functions that are finalists, or rivals already.
        runs_dir: Where the other campaigns are.

    Raises:
        FinalsError: If one is neither a function, one of the words nor another campaign, or that
            has not ended.
        Interrupted: See `Tuner`.
    """
    taken = set(without)
    for wanted in against:
        if (field := _field(wanted, runs_dir)) is not None:
            what, candidates = field
            contenders = [each for each in candidates if each.id not in taken]
            if not contenders:
                tuner.announce(f"finals: nothing is left of {what} that does not meet anyway")
                continue
            rival = Rival(_best(contenders, tuner, tasks, steps), what)
            tuner.announce(f"finals: the best of {what} is {rival.entrant.label}")
        else:
            rival = Rival(_named(wanted))
        if rival.candidate.id in taken:
            tuner.announce(f"finals: {rival.entrant.label} meets the finalists anyway")
            continue
        taken.add(rival.candidate.id)
        yield rival


def _best(
    contenders: Sequence[Candidate], tuner: Tuner, tasks: Sequence[Task], steps: int
) -> Candidate:
    """On the mean over the tasks: at the recipes' rates first, the best few at their own.

    The few meet on further seeds: by those that chose their rates alone, chance would choose among
    good functions, and a claim against the best of them would be against another.
    """
    functions = [each.expression for each in contenders]
    at_usual = [tuner.at_usual(task, functions, steps) for task in tasks]
    ranked = sorted(contenders, key=lambda c: (-fmean(scores[c.id] for scores in at_usual), c.id))
    few = ranked[:_CONTENDERS]
    met = [_met(task, [each.expression for each in few], tuner, steps) for task in tasks]
    return max(few, key=lambda each: fmean(scores[each.id] for scores in met))


def _met(
    task: Task, functions: Sequence[Activation], tuner: Tuner, steps: int
) -> Mapping[str, float]:
    return tuner.meet(task, functions, steps, tuner.own_rates(task, functions, steps))


def _catalogue() -> Iterator[Candidate]:
    return (_named(name) for name in CATALOGUE if name not in RIVALS)


def _scaled_gelus() -> Iterator[Candidate]:
    for outer, inner in product(_SCALES, _SCALES):
        if (outer, inner) != (1.0, 1.0):
            yield _named(f"{outer:g} * gelu({inner:g} * x)")


def _found_by(name: str, folder: Path) -> list[Candidate]:
    """The best that the search of another campaign has found, as many as can be the rival."""
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    if history.finish is None:
        raise FinalsError(
            f"finals.against: the search of {name} has not ended; "
            f"{command('launch', name, runs_dir=folder.parent)} goes on with it"
        )
    ranked = polished_first(standings(history), history.polished)
    found = (each.candidate for each in ranked if each.candidate.origin == "discovered")
    return [
        Candidate.of(each.expression, generation=0, origin="baseline", variation=each.readable)
        for each in islice(found, _CONTENDERS)
    ]


def _field(wanted: str, runs_dir: Path) -> tuple[str, list[Candidate]] | None:
    """What a rival is to be the best of, in words, and the candidates; None if it is a function.

    A campaign's name that is a function's too is the function's.
    """
    if wanted in FIELDS:
        return FIELDS[wanted], list(_FIELDS[wanted]())
    folder = runs_dir / wanted
    if is_folder(str(folder)) and (folder / FILE_NAME).is_file() and not _is_function(wanted):
        return field_of(wanted), _found_by(wanted, folder)
    return None


def _is_function(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


_FIELDS: Final[Mapping[str, Callable[[], Iterator[Candidate]]]] = {
    "catalogue": _catalogue,
    "scaled gelu": _scaled_gelus,
}


def _named(text: str) -> Candidate:
    """A published function under its name, or any other as it is written here."""
    try:
        expression = parse(text)
    except ValueError as error:
        words = " or ".join(f"{word!r}" for word in FIELDS)
        raise FinalsError(
            f"finals.against: {text!r} is neither a function nor {words} nor a campaign in the "
            f"runs directory: {error}"
        ) from None
    return Candidate.of(expression, generation=0, origin="baseline", variation=text)
