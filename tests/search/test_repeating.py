"""The commands that repeat a campaign: finals that were given by hand are given again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from evaluators.datasets import load
from evaluators.tasks import find_task
from grammars import parse
from search.candidates.candidate import Candidate
from search.finals import Plan, Rival, is_same, plan_finals
from search.history.finals_plan import FIELDS
from search.launching.rivals import choose_rivals
from search.library.campaign import Campaign
from search.report import read_findings
from search.report.finals_options import finals_options
from search.report.repeating import commands
from search.settings import FinalsSettings, Settings, checked

from .finals_simulation import TRIED, standings_of
from .here import captured
from .test_report import add_finals

WriteCampaign = Callable[..., Path]

FOUND = ("x * erf(x)", "cos(x) - x", "max(x, tanh(x))", "softplus(x) - 0.5")
TASKS = ("digits-mlp", "breast-cancer-mlp")
# Which candidate is the rival, by how a campaign asks for it, and what it is the best of.
CHOSEN = {
    "catalogue": ("mish", "the catalogue beside ReLU, Swish and GELU"),
    "scaled gelu": ("2 * gelu(0.5 * x)", "the scaled GELUs c * gelu(b * x)"),
    "older-one": ("x * tanh(x)", "what older-one has found"),
}


def planned(finals: FinalsSettings, *, tasks: Sequence[str] = TASKS[:1]) -> Plan:
    """As finals of a campaign are planned, without the trainings that plans are made by."""
    first, *others = [find_task(name) for name in (tasks if finals.all_tasks else tasks[:1])]
    ranked = standings_of(FOUND)
    named = [
        each.candidate.id
        for each in ranked
        if finals.candidates and each.candidate.id.startswith(finals.candidates)
    ]
    plan = plan_finals(
        finals,
        number=1,
        standings=ranked,
        task=first,
        dataset=load(first.data),
        steps=1000,
        tried=TRIED,
        load=load,
        others=[(task, load(task.data)) for task in others],
        rivals=[rival(asked) for asked in finals.against],
        named=named,
    )
    return replace(plan, rate_seeds=finals.rate_seeds if finals.own_rates else 0)


def rival(asked: str) -> Rival:
    name, best_of = CHOSEN.get(asked, (asked, ""))
    candidate = Candidate.of(parse(name), generation=0, origin="baseline", variation=name)
    return Rival(candidate, best_of)


def settings_of(finals: FinalsSettings | None, tasks: Sequence[str] = TASKS[:1]) -> Settings:
    scoring: Mapping[str, Any] = {"tasks": tasks if len(tasks) > 1 else ()}
    document = {"name": "demo", "task": tasks[0], "scoring": scoring, "finals": finals}
    return Settings.model_validate(document)


def typed(options: Sequence[str], usual: FinalsSettings, folder: Path) -> FinalsSettings:
    """The settings that the command makes of its options."""
    with mock.patch.object(Campaign, "finals", side_effect=KeyboardInterrupt) as held:
        captured("finals", folder.name, *options, "--runs-dir", folder.parent)
    changes = {key: value for key, value in held.call_args.kwargs.items() if key != "observers"}
    return checked(FinalsSettings, {**usual.model_dump(), **changes}, what="finals")


BY_HAND: Mapping[str, Mapping[str, Any]] = {
    "nothing": {},
    "the best one": {"top": 1},
    "named ones": {"candidates": [standings_of(FOUND)[place].candidate.id for place in (1, 3)]},
    "seeds without looks between": {"seeds": 4, "max_seeds": 4},
    "seeds with looks between": {"seeds": 3, "max_seeds": 12},
    "by loss, each at its own rate": {"measure": "log_loss", "own_rates": True, "rate_seeds": 1},
    "other rates and tasks": {"learning_rates": [0.0005, 0.004], "transfer": [TASKS[1]]},
    "their seeds and steps": {
        **{"transfer": [TASKS[1]], "transfer_seeds": 3, "transfer_steps": 70, "first_seed": 5_000},
    },
    "a budget": {"minutes": 12.5, "steps": 300, "half_width": 0.25},
    "longer, in equal time, resized": {"longer": True, "equal_time": True, "resized": True},
    "rivals": {"against": ["catalogue", "tanh", "scaled gelu", "older-one", "x * sin(x)"]},
    "a registered leader": {"register_leader": True},
}
OF_FILES: Mapping[str, Mapping[str, Any] | None] = {
    "no section": None,
    "the usual": {},
    "everything": {
        **{"top": 2, "seeds": 5, "max_seeds": 10, "half_width": 0.3, "steps": 200, "minutes": 9.0},
        **{"transfer": [TASKS[1]], "learning_rates": [0.002], "transfer_seeds": 4},
        **{"transfer_steps": 90, "first_seed": 7_000, "measure": "log_loss", "longer": True},
        **{"against": ["mish"], "resized": True, "equal_time": True, "register_leader": True},
    },
}


@pytest.mark.parametrize("hand", BY_HAND)
@pytest.mark.parametrize("file", OF_FILES)
def test_the_printed_options_plan_the_same_finals(
    write_campaign: WriteCampaign, hand: str, file: str
) -> None:
    filed = OF_FILES[file]
    usual = None if filed is None else FinalsSettings.model_validate(filed)
    # Finals by hand from nothing, which leaves out what the file asks for.
    wanted = FinalsSettings.model_validate(BY_HAND[hand])
    plan = planned(wanted)
    options = list(chain.from_iterable(finals_options(plan, settings_of(usual))))
    again = typed(options, usual or FinalsSettings(), write_campaign())
    assert is_same(planned(again), plan)
    if not filed and not BY_HAND[hand]:
        assert options == []


def test_finals_as_the_campaign_file_asks_for_them_need_no_options() -> None:
    for filed in (filed for filed in OF_FILES.values() if filed is not None):
        usual = FinalsSettings.model_validate(filed)
        assert list(finals_options(planned(usual), settings_of(usual))) == []
    wide = FinalsSettings(all_tasks=True)
    assert list(finals_options(planned(wide, tasks=TASKS), settings_of(wide, TASKS))) == []


def test_whether_the_claim_is_of_all_tasks_is_repeated(write_campaign: WriteCampaign) -> None:
    plan = planned(FinalsSettings(all_tasks=True), tasks=TASKS)
    options = list(chain.from_iterable(finals_options(plan, settings_of(None, TASKS))))
    assert options == ["--set", "all_tasks=true"]
    again = typed(options, FinalsSettings(), write_campaign())
    assert is_same(planned(again, tasks=TASKS), plan)


def test_what_a_rival_is_the_best_of_is_asked_for_in_the_same_words() -> None:
    tuner = mock.Mock()
    tuner.at_usual.side_effect = lambda task, functions, steps: mock.MagicMock(
        __getitem__=lambda scores, identity: 0.0
    )
    tuner.meet.side_effect = lambda task, functions, steps, rates: tuner.at_usual(task, (), 0)
    found = choose_rivals(
        FIELDS,
        tuner=tuner,
        tasks=[find_task("digits-mlp")],
        steps=10,
        without=(),
        runs_dir=Path("nowhere"),
    )
    assert [each.best_of for each in found] == list(FIELDS.values())


def test_the_page_and_a_record_repeat_finals_that_were_given_by_hand(
    write_campaign: WriteCampaign,
) -> None:
    found = read_findings(add_finals(write_campaign()))
    assert found.finals is not None
    by_loss = replace(found.finals.plan, protocol=2, rate_seeds=1)
    told = commands(replace(found, finals=replace(found.finals, plan=by_loss)))
    expected = ("'measure=\"log_loss\"'", "own_rates=true", "rate_seeds=1", "half_width=0.2")
    assert all(f" --set {each}" in told for each in expected)
