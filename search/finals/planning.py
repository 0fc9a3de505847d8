"""Plans finals: who meets whom, on what, with how many seeds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from evaluators.datasets import Dataset
from evaluators.evaluation.evaluation import Outcome
from evaluators.tasks import Task, find_task
from grammars import BASELINES, Expression, parse
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.finals.stages import Load, own_stages, recipe_stages, resized_stages, transfer_stages
from search.history import POLISHING, RIVALS, Entrant, History, Ledger, Plan
from search.history.finals_ledger import opened_before
from search.history.finals_plan import PROTOCOLS
from search.settings import FinalsSettings

ERROR_RATE: Final = 0.05


class FinalsError(ValueError):
    """Finals cannot be held; the message says what is missing."""


@dataclass(frozen=True)
class Rival:
    """A function that finals compare with, beside the usual ones.

    Attributes:
        candidate: The function.
        best_of: What it is the best of on validation data; "" if it was named.
    """

    candidate: Candidate
    best_of: str = ""

    @property
    def entrant(self) -> Entrant:
        """As it takes part."""
        return _entrant(self.candidate, rank=None)


def check_tasks(settings: FinalsSettings) -> None:
    """Makes sure, before a long search, that the tasks of its finals exist.

    Raises:
        UnknownTaskError: If one of them does not.
    """
    for name in settings.transfer:
        find_task(name)


def plan_finals(
    settings: FinalsSettings,
    *,
    number: int,
    standings: Sequence[Standing],
    task: Task,
    dataset: Dataset,
    steps: int,
    tried: Mapping[str, int],
    load: Load,
    find: Callable[[str], Task] = find_task,
    others: Sequence[tuple[Task, Dataset]] = (),
    rivals: Sequence[Rival] = (),
    named: Collection[str] = (),
) -> Plan:
    """Plans finals from what a search has found on validation data.

    Args:
        settings: What is wanted.
        number: Of these finals in their campaign.
        standings: Of the search, best first, baselines among them.
        task: The campaign's.
        dataset: Which it really used.
        steps: Of each training run, unless the settings say otherwise.
        tried: How many functions the search had considered, by what became of them.
        load: Gets a data set; one that cannot be had leaves its task out.
        find: Gets the tasks to transfer to by name.
        others: Further tasks that the claim is about, each with its data set.
        rivals: Those beside ReLU, Swish and GELU.
        named: Ids of those that take part in place of the best.

    Raises:
        FinalsError: If the search has scored no function of its own, or what it has found cannot
            be registered.
        UnknownTaskError: If a task of the settings does not exist.
    """
    entrants = tuple(_entrants(standings, settings.top, named, rivals))
    chosen = {each.entrant.key: each.best_of for each in rivals}
    keys = tuple(dict.fromkeys((*RIVALS, *chosen)))
    if settings.register_leader:
        _check_single(entrants)
    steps = settings.steps or steps
    meeting = [each for each in entrants if each.role == "finalist" or each.key in keys]
    own = own_stages(settings, [(task, dataset), *others], entrants, meeting, steps)
    names = {stage.task for stage in own}
    elsewhere, left_out = transfer_stages(settings, meeting, steps, load, find, without=names)
    recipes = recipe_stages(settings, task, dataset, meeting, steps)
    sizes, without = resized_stages(settings, task, dataset, meeting, steps)
    return Plan(
        number=number,
        entrants=entrants,
        rivals=keys,
        stages=(*own, *elsewhere, *recipes, *sizes),
        first_seed=settings.first_seed,
        half_width_points=settings.half_width,
        error_rate=ERROR_RATE,
        minutes=settings.minutes,
        tried=dict(tried),
        left_out=(*left_out, *without),
        register=settings.register_leader,
        protocol=_protocols(settings.measure)[-1],
        chosen={key: best_of for key, best_of in chosen.items() if best_of},
        is_by_name=bool(named),
    )


def count_tried(history: History) -> dict[str, int]:
    """How many functions a search has considered, by what became of them.

    Those of a generation that the end of the campaign has cut count as well, and where something
    was polished, so do the functions that were trained for that.
    """
    cut = _cut_generation(history)
    summaries = [record.summary for record in history.generations]
    counts = {name: n + sum(getattr(s, name) for s in summaries) for name, n in cut.items()}
    trials = sum(key.startswith(POLISHING) for key in history.measured)
    return {**counts, "polishing": trials} if trials else counts


def _cut_generation(history: History) -> dict[str, int]:
    complete = len(history.generations)
    cut = [
        record
        for record in history.candidates.values()
        if record.candidate.generation >= complete and not record.is_baseline
    ]
    counted = [record for record in cut if history.counts(record)]
    first = [record.rungs[0].evaluation for record in counted if record.rungs]
    rejected = sum(evaluation.outcome is Outcome.REJECTED for evaluation in first)
    return {
        "considered": len(cut),
        "distinct": len(cut),
        "rejected": rejected,
        "trained": len(first) - rejected,
        "promoted": sum(record.is_promoted for record in counted),
    }


def is_same(plan: Plan, other: Plan) -> bool:
    """Whether two plans differ in nothing but their number.

    What only later versions plan makes no difference, lest finals be held again: the protocol of
    a measure, and a count of what was tried that one of them lacks.
    """
    counts = plan.tried.keys() & other.tried.keys()
    return _comparable(plan, counts) == _comparable(other, counts)


def count_seen(ledger: Ledger, plan: Plan) -> int:
    """How many functions beside a plan's own were finalists when its test data were opened before.

    Whoever plans further finals knows their results: these count among what is chosen from.

    Args:
        ledger: Of the campaign's finals.
        plan: That is to follow.
    """
    earlier = opened_before(plan, ledger.openings)
    met = {each.candidate_id for number in earlier for each in ledger.plans[number].finalists}
    return len(met.difference(each.candidate_id for each in plan.finalists))


def check_names(plans: Iterable[Plan]) -> None:
    """Makes sure that a task's name means one thing in all finals of a campaign.

    Raises:
        FinalsError: If it does not.
    """
    known: dict[tuple[str, str], str] = {}
    for stage in (stage for plan in plans for stage in plan.stages):
        digest = stage.trained.digest
        if known.setdefault((stage.task, stage.dataset), digest) != digest:
            raise FinalsError(
                f"the task {stage.task!r} is another one than before in this campaign's finals; "
                "give its file another name"
            )


def _comparable(plan: Plan, counts: Collection[str]) -> Plan:
    """Without what may differ, with the digest of each task for its text, and these counts."""
    protocol = _protocols(plan.measure.setting)[0]
    stages = (replace(stage, definition=stage.trained.digest) for stage in plan.stages)
    tried = {name: count for name, count in plan.tried.items() if name in counts}
    return replace(
        plan,
        number=0,
        timeout_seconds=None,
        seen=0,
        protocol=protocol,
        stages=tuple(stages),
        tried=tried,
    )


def _protocols(setting: str) -> list[int]:
    """Numbers of those that compare so, the present one last."""
    return [each.number for each in PROTOCOLS if each.setting == setting]


def _entrants(
    standings: Iterable[Standing], top: int, named: Collection[str], rivals: Iterable[Rival]
) -> Iterator[Entrant]:
    discovered = [each.candidate for each in standings if each.candidate.origin == "discovered"]
    if not discovered:
        raise FinalsError(
            "finals compare what a search has found, and this one has scored no function of its own"
        )
    # Somebody asks whether the others are better than these.
    against = {rival.candidate.id for rival in rivals}
    ranks = {each.id: rank for rank, each in enumerate(discovered, 1) if each.id not in against}
    if not ranks:
        raise FinalsError(
            "finals.against names every function that the search has scored; leave one out"
        )
    chosen = named or list(ranks)[:top]
    for candidate in discovered:
        if candidate.id in chosen and candidate.id in ranks:
            yield _entrant(candidate, rank=ranks[candidate.id])
    baselines = (
        Candidate.of(parse(name), generation=0, origin="baseline", variation=name)
        for name in BASELINES
    )
    known = {each.id: each for each in (*baselines, *(rival.candidate for rival in rivals))}
    for candidate in known.values():
        yield _entrant(candidate, rank=None)


def _check_single(entrants: Iterable[Entrant]) -> None:
    """A model in a registry is one function."""
    for entrant in entrants:
        if not isinstance(entrant.activation, Expression):
            raise FinalsError(
                f"{entrant.label} has a function of its own in each layer, and a registered model "
                "is a single function; hold the finals without registering"
            )


def _entrant(candidate: Candidate, *, rank: int | None) -> Entrant:
    is_baseline = candidate.origin == "baseline"
    return Entrant(
        candidate_id=candidate.id,
        expression=str(candidate.canonical),
        written=str(candidate.expression),
        name=candidate.variation if is_baseline else None,
        role="baseline" if is_baseline else "finalist",
        rank=rank,
    )
