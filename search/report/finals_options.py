"""What finals were told by hand, read back from their plan as options of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from evaluators.tasks import is_shipped_name
from search.history import RIVALS, Plan, Stage
from search.history.finals_plan import Purpose, asked_as
from search.settings import FinalsSettings, Settings
from search.settings.mapping import toml_value

Option = tuple[str, ...]
"""The words of one option, its value among them."""

# Networks of other sizes that cannot be had stand among the tasks that were left out.
_SIZE: Final = re.compile(r"-(half|double)-(width|depth)")


def finals_options(plan: Plan, settings: Settings) -> Iterator[Option]:
    """Yields what finals were told otherwise than their campaign's settings say.

    All that decides what a plan holds is read from it. Of three settings it tells nothing, and they
    are taken to be the campaign's: `rival_seeds`, `transfer_seeds` where there is nothing to
    transfer to, and `timeout_seconds`.

    Args:
        plan: Of the finals.
        settings: Of the campaign.
    """
    usual = settings.finals or FinalsSettings()
    yield from _entering(plan, usual)
    yield from _seeds(plan, usual)
    steps = plan.stages[0].steps
    if steps != (usual.steps or settings.scoring.rungs[-1].steps):
        yield "--steps", str(steps)
    if plan.minutes != usual.minutes:
        is_budget = plan.minutes is not None
        yield ("--minutes", f"{plan.minutes:g}") if is_budget else ("--set", "minutes=none")
    if plan.register and not usual.register_leader:
        yield ("--register",)
    transfer = list(_transfer(plan, usual))
    yield from transfer
    # The option of tasks leaves out other learning rates as well.
    rates = () if transfer else _other_rates(usual.learning_rates, plan)
    in_force = {**dict(usual), "learning_rates": rates}
    for name, value in _others(plan, usual, settings.search_tasks):
        if value != in_force[name]:
            yield "--set", f"{name}={toml_value(value)}"


def _entering(plan: Plan, usual: FinalsSettings) -> Iterator[Option]:
    ids = [each.candidate_id for each in plan.finalists]
    if plan.is_by_name:
        named = usual.candidates
        if len(named) != len(ids) or not all(each.startswith(named) for each in ids):
            yield from (("--candidate", each) for each in ids)
        return
    if usual.candidates:
        yield "--set", "candidates=[]"
    if len(ids) != usual.top:
        yield "--top", str(len(ids))


def _seeds(plan: Plan, usual: FinalsSettings) -> Iterator[Option]:
    looks = plan.stages[0].looks
    if looks == (usual.looks if len(plan.own) == 1 else (usual.max_seeds,)):
        return
    if len(looks) == 1:
        yield "--seeds", str(looks[0])
        return
    yield "--set", f"seeds={looks[0]}"
    yield "--set", f"max_seeds={looks[-1]}"


def _transfer(plan: Plan, usual: FinalsSettings) -> Iterator[Option]:
    """The tasks that others of the campaign's settings are transferred to."""
    own = {stage.task for stage in plan.own}
    left_out = [task for task, _ in plan.left_out if not _is_size(task, plan)]
    stages = _of_purpose(plan, "transfer")
    missing = [_named(each) for each in left_out]
    expected = [each for each in dict.fromkeys(map(_named, usual.transfer)) if each not in own]
    # In a plan those that cannot be had follow, as they came.
    expected.sort(key=lambda each: each in missing)
    if [stage.task for stage in stages] + missing != expected:
        yield "--tasks", ",".join([*map(_as_asked, stages), *left_out])


def _others(
    plan: Plan, usual: FinalsSettings, search_tasks: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    """Settings that have no option of their own, as they were."""
    yield "half_width", plan.half_width_points
    yield "first_seed", plan.first_seed
    yield "measure", plan.measure.setting
    # Of a search on a single task the claim is the same either way.
    yield "all_tasks", len(plan.own) > 1 if len(search_tasks) > 1 else usual.all_tasks
    yield "own_rates", bool(plan.rate_seeds)
    yield "rate_seeds", plan.rate_seeds or usual.rate_seeds
    yield "learning_rates", tuple(each.learning_rate for each in _of_purpose(plan, "recipe"))
    further = [stage for stage in plan.stages if stage.purpose != "own"]
    yield "transfer_seeds", further[0].looks[-1] if further else usual.transfer_seeds
    yield "transfer_steps", _transfer_steps(plan, usual)
    yield "against", tuple(_against(plan))
    yield "longer", bool(_of_purpose(plan, "longer"))
    yield "equal_time", bool(_of_purpose(plan, "equal time"))
    is_resized = any(_is_size(task, plan) for task, _ in plan.left_out)
    yield "resized", is_resized or bool(_of_purpose(plan, "resized"))
    yield "register_leader", plan.register and usual.register_leader


def _of_purpose(plan: Plan, *purposes: Purpose) -> list[Stage]:
    return [stage for stage in plan.stages if stage.purpose in purposes]


def _other_rates(rates: Iterable[float], plan: Plan) -> tuple[float, ...]:
    """Those that are not the own task's, each once, as plans hold them."""
    usual = plan.stages[0].learning_rate
    return tuple(rate for rate in dict.fromkeys(rates) if rate != usual)


def _transfer_steps(plan: Plan, usual: FinalsSettings) -> int | None:
    """The campaign's setting where that is what the stages have, or there are none."""
    expected = usual.transfer_steps or plan.stages[0].steps
    stages = _of_purpose(plan, "transfer", "recipe")
    steps = stages[0].steps if stages else expected
    return usual.transfer_steps if steps == expected else steps


def _named(asked: str) -> str:
    """A task's name, of one of a user's own that of its file."""
    return Path(asked).stem if asked.endswith(".toml") else asked


def _as_asked(stage: Stage) -> str:
    """A task by its name, one of a user's own by that of its file."""
    is_own = stage.definition is not None and not is_shipped_name(stage.task)
    return f"{stage.task}.toml" if is_own else stage.task


def _is_size(task: str, plan: Plan) -> bool:
    own = plan.stages[0].task
    return task.startswith(own) and _SIZE.fullmatch(task.removeprefix(own)) is not None


def _against(plan: Plan) -> Iterator[str]:
    """How the rivals beside the usual ones were asked for."""
    asked = {each.key: each.name for each in plan.entrants if each.role == "baseline"}
    for key in plan.rivals:
        if key in RIVALS:
            continue
        yield asked_as(plan.chosen.get(key, "")) or asked[key] or key
