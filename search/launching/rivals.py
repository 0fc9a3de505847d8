"""Chooses the rivals of finals, beside ReLU, Swish and GELU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from statistics import fmean
from typing import Final

from evaluators.tasks import Task
from grammars import CATALOGUE, Activation, parse
from search.candidates.candidate import Candidate
from search.finals import RIVALS, FinalsError, Rival
from search.launching.tuning import Tuner
from search.settings import FinalsSettings

# So many of those that could be a rival find their own rates; the others have lost by then.
_CONTENDERS: Final = 5
_SCALES: Final = (0.5, 1.0, 2.0)


def check_rivals(settings: FinalsSettings) -> None:
    """Makes sure, before a long search, that the rivals of its finals can be read.

    Raises:
        FinalsError: If one of them cannot.
    """
    for wanted in settings.against:
        if wanted not in _FIELDS:
            _named(wanted)


def choose_rivals(
    against: Iterable[str],
    *,
    tuner: Tuner,
    tasks: Sequence[Task],
    steps: int,
    without: Iterable[str],
) -> Iterator[Rival]:
    """Yields those that the settings ask for.

    Args:
        against: See `FinalsSettings`.
        tuner: Tries those that are to be chosen from.
        tasks: Those that the claim is about.
        steps: Of each training run.
        without: Ids of functions that are finalists, or rivals already.

    Raises:
        FinalsError: If one is neither a function nor one of the words.
        Interrupted: See `Tuner`.
    """
    taken = set(without)
    for wanted in against:
        if wanted in _FIELDS:
            what, field = _FIELDS[wanted]
            contenders = [each for each in field() if each.id not in taken]
            rival = Rival(_best(contenders, tuner, tasks, steps), what)
            tuner.announce(f"finals: the best of {what} is {rival.candidate.readable}")
        else:
            rival = Rival(_named(wanted))
        if rival.candidate.id not in taken:
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


_FIELDS: Final[Mapping[str, tuple[str, Callable[[], Iterator[Candidate]]]]] = {
    "catalogue": ("the catalogue beside ReLU, Swish and GELU", _catalogue),
    "scaled gelu": ("the scaled GELUs c * gelu(b * x)", _scaled_gelus),
}


def _named(text: str) -> Candidate:
    """A published function under its name, or any other as it is written here."""
    try:
        expression = parse(text)
    except ValueError as error:
        words = " or ".join(f"{word!r}" for word in _FIELDS)
        raise FinalsError(
            f"finals.against: {text!r} is neither a function nor {words}: {error}"
        ) from None
    return Candidate.of(expression, generation=0, origin="baseline", variation=text)
