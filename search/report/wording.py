"""What a report says in sentences: numbers as people write them, and what follows from them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from evaluators.statistics.comparison import listed
from evaluators.statistics.comparison import signed as plainly_signed
from grammars import CATALOGUE, title_of
from search.appraisal.wording import tasks_by_weight
from search.candidates.candidate import GIVEN
from search.finals import RivalPractice
from search.report.findings import Findings
from search.standings.lineage import Ancestor
from search.texts.rates import rates_words
from search.trials.ablation import Ablation, Effect

# A change within so many standard errors of 0 is not told from none.
_NOISE_ERRORS = 2.0

# A rung with more tasks of its own gives their number.
_MOST_NAMED = 4

# What tells rungs apart, by their settings.
_OF_RUNGS = {"steps": "length", "seeds": "number of seeds", "tasks": "tasks"}

_LONG_NUMBER = re.compile(r"\d+\.\d{5,}(?:e[+-]\d+)?")

_BEGINNINGS = {"random": "drawn at random", GIVEN: "given to start from", "enumeration": "listed"}


def percent(share: float, digits: int = 2) -> str:
    """A share from 0 to 1 in per cent."""
    return f"{100 * share:.{digits}f} %"


def signed(value: float, digits: int = 2) -> str:
    """A difference with its sign, a true minus, and no minus before a rounded zero."""
    return plainly_signed(value, digits).replace("-", "\N{MINUS SIGN}")


def minus(text: str) -> str:
    """A number with a true minus."""
    return text.replace("-", "\N{MINUS SIGN}", 1)


def day(seconds: float) -> str:
    """The date of a moment, in universal time."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.day} {moment:%B %Y}"


def duration(seconds: float) -> str:
    """A time at work, in the unit that suits it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.1f} h"


def brief(expression: object) -> str:
    """An expression with at most four digits of each number."""
    return _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.4g}", str(expression))


def counted(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def score_words(found: Findings) -> str:
    """What a score is in this campaign."""
    over = found.standings[0].evaluation.over_tasks
    if over is None:
        return (
            "A score is minus the mean logarithm of the validation loss: 0.1 more means a loss "
            "about 10\N{NO-BREAK SPACE}% lower."
        )
    aggregate = found.launch.aggregate
    return (
        "A score says how far a function is ahead of the best baseline in log validation loss on "
        f"{tasks_by_weight([each.task for each in over.tasks], aggregate)}"
        f"{rates_words(over.tasks)}, in units of the spread between baselines; below 0 it is "
        "behind."
    )


def rungs_words(found: Findings) -> str:
    """Why scores of different rungs can't be compared; "" where there is a single one."""
    rungs = found.launch.settings["scoring"]["rungs"]
    differing = [
        name
        for key, name in _OF_RUNGS.items()
        if any(rung.get(key) != rungs[0].get(key) for rung in rungs)
    ]
    if not differing:
        return ""
    return (
        f"Scores of different rungs come from trainings that differ in {listed(differing)} and "
        "cannot be compared; the right figure shows the highest rung only."
    )


def watch_words(found: Findings) -> str:
    """What the figure of the watch shows."""
    rated = found.launch.settings["scoring"].get("learning_rates")
    return (
        "Every few generations the leader meets the best baseline on tasks that the search does "
        f"not use{', both at their own best rates' if rated else ''}. A lead that falls while the "
        "score rises means that the search fits its own tasks."
    )


def search_words(found: Findings) -> str:
    """What the search did, in figures."""
    tried, settings = found.tried, found.launch.settings
    first, *higher = rung_names(settings["scoring"])
    search = settings["search"]
    filling = f"It filled the template `{search['template']}`. " if search.get("template") else ""
    required = " or a requirement" if search.get("require") else ""
    judge = "a forecast or a probe" if settings["scoring"].get("forecast") else "a probe"
    climbing = f"; the best climbed to {', then to '.join(higher)}" if higher else ""
    return (
        f"The strategy “{settings['search']['strategy']}” proposed {found.considered:,} functions "
        f"over the grammar “{settings['grammar']}” in "
        f"{counted(len(found.generations), 'generation')}. {filling}{tried['distinct']:,} of them "
        f"were new, {judge}{required} rejected {tried['rejected']:,} before any training, and "
        f"{tried['trained']:,} were trained for "
        f"{first}{climbing}."
    )


def rung_names(scoring: Mapping[str, Any]) -> list[str]:
    """What is granted on each rung, its tasks among it where any rung has its own."""
    rungs, tasks = scoring["rungs"], scoring.get("tasks") or ()
    has_own = any(rung.get("tasks") for rung in rungs)
    return [
        f"{rung['steps']} steps with {counted(rung['seeds'], 'seed')}"
        + (f" on {_tasks_of(rung, len(tasks))}" if has_own else "")
        for rung in rungs
    ]


def origin_words(ancestor: Ancestor) -> str:
    """How a candidate came about."""
    candidate = ancestor.candidate
    if candidate.origin == "baseline":
        is_named = candidate.variation in CATALOGUE
        return f"published{' as' if is_named else ', scaled:'} {title_of(candidate.variation)}"
    if not candidate.parents:
        how = _BEGINNINGS.get(candidate.variation, candidate.variation)
        return f"{how} in generation {candidate.generation}"
    return f"{candidate.variation}, generation {candidate.generation}"


def standing_words(ancestor: Ancestor, found: Findings) -> str:
    """What a candidate was worth, on the highest rung unless it says otherwise."""
    if ancestor.standing is None:
        return "not scored"
    standing, scoring = ancestor.standing, found.launch.settings["scoring"]
    score = minus(f"{standing.rank_key[1]:.3f}")
    if standing.rung == found.standings[0].rung:
        return score
    steps = standing.evaluation.fidelity.steps
    is_alone = sum(rung["steps"] == steps for rung in scoring["rungs"]) == 1
    return f"{score} after {f'{steps} steps' if is_alone else rung_names(scoring)[standing.rung]}"


def ablation_words(part: Ablation) -> str:
    """Which part matters most, and which might as well go."""
    if not part.effects:
        return "It has no parts that could be replaced."
    scored = [effect for effect in part.effects if effect.change is not None]
    if not scored:
        return "Nothing that could be trained is left without any of its parts."
    return f"{_most_important(scored[0], part)} {_dispensable(scored, part)}".strip()


def practice_words(practice: RivalPractice) -> Iterator[str]:
    """What choosing the luckiest would have claimed, and what became of it on fresh seeds."""
    for luck in practice.search:
        yield (
            f"Of {luck.functions:,} functions scored in {luck.steps} steps with one seed, "
            f"{luck.expression} was the best on validation data: {luck.percent:.2f} % against "
            f"ReLU's {luck.relu_percent:.2f} %, a claim of {signed(luck.claimed_points)} points. "
            + _afterwards(luck.fresh_points)
        )
    if (test := practice.test) is not None and test.functions > 1:
        yield (
            f"Had each of the {test.functions} finalists been trained once, and the best by test "
            f"accuracy been reported, the claim would be {signed(test.claimed_points)} points "
            f"above ReLU on average; on the other seeds the gain of the same function is "
            f"{signed(test.honest_points)} points."
        )


def _tasks_of(rung: Mapping[str, Any], count: int) -> str:
    own = rung.get("tasks")
    if not own:
        return f"all {count} tasks"
    return listed(own) if len(own) <= _MOST_NAMED else f"{len(own)} of the {count} tasks"


def _afterwards(points: float | None) -> str:
    if points is None:
        return "It was not among the finalists."
    return f"On the fresh seeds of the finals the gain is {signed(points)} points."


def bar_width(effect: Effect, part: Ablation) -> str:
    """Length of the bar beside a change, in units of the type; the largest is 5."""
    largest = max(abs(e.change) for e in part.effects if e.change is not None)
    length = 5.0 * abs(effect.change or 0.0) / largest if largest else 0.0
    return f"{length:.2f}"


def _most_important(effect: Effect, part: Ablation) -> str:
    change = effect.change or 0.0
    if change >= -_limit(part):
        return "No replacement that can be trained did harm beyond the noise of the seeds."
    loss = 100 * (math.exp(-change) - 1)
    return (
        f"What matters most is {brief(effect.variant.part)}: with "
        f"{brief(effect.variant.stand_in)} in its place "
        f"the loss is {loss:.0f} % higher."
    )


def _dispensable(scored: Sequence[Effect], part: Ablation) -> str:
    """The simplest function that does as well, if there is a simpler one."""
    spare = [e.variant.expression for e in scored if (e.change or 0.0) >= -_limit(part)]
    simplest = min(spare, key=lambda expression: expression.size, default=part.expression)
    if part.noise is None or simplest.size >= part.expression.size:
        return ""
    return f"Within the noise of the seeds the simpler {brief(simplest)} does as well."


def _limit(part: Ablation) -> float:
    return _NOISE_ERRORS * (part.noise or 0.0)


def headline_words(found: Findings) -> str:
    """Why the function of the headline is not the first row of the ranking, where it is not."""
    if not found.winners or not found.standings:
        return ""
    leader, first = found.winners[0], found.standings[0]
    if leader.candidate.id == first.candidate.id:
        return ""
    if first.candidate.origin == "baseline" and found.finals is None:
        return "The first row is a published function; the headline is about what was discovered."
    rank = 1 + [each.candidate.id for each in found.standings].index(leader.candidate.id)
    return (
        f"The function of the headline has rank {rank} here: finals on fresh seeds chose it among "
        "the finalists, not this table."
    )
