"""Finals in sentences: the claim, how much was tried for it, how often test data were opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from evaluators.statistics.comparison import OPENINGS, Finding, listed
from search.finals.results import Card, Finals
from search.history import Entrant, Plan
from search.history.finals_ledger import opened_before
from search.history.finals_plan import Purpose

_AGAIN: Final[Mapping[Purpose, str]] = {
    "longer": "In runs of twice the steps",
    "equal time": "In runs that take as long as ReLU's",
}


def claim(finals: Finals) -> str:
    """The headline: what may be said of the leader, and of how many finalists besides."""
    leader = finals.leader
    if finals.own.state != "scored" or leader is None:
        return f"No claim yet: {_what_is_missing(finals)}."
    tasks = [stage.title for stage in finals.plan.own]
    where = f", on the mean of {listed(tasks)}," if len(tasks) > 1 else ""
    sentences = [f"{leader.label} is{where} {finals.own.verdict(leader.candidate_id)}."]
    if len(finals.plan.finalists) > 1:
        sentences.append(_of_all(finals))
    for purpose, circumstances in _AGAIN.items():
        again = next((card for card in finals.cards if card.stage.purpose == purpose), None)
        if again is not None:
            sentences.append(f"{circumstances} {_changed(finals, again, leader)}.")
    return " ".join(sentences)


def tried(finals: Finals) -> str:
    """How many candidates the finalists were chosen from."""
    plan = finals.plan
    counts = plan.tried
    chosen = "chosen on validation data"
    if plan.is_by_name:
        known = "test and validation" if opened_before(plan, finals.openings) else "validation"
        chosen = f"chosen by hand, knowing {known} data"
    trials = counts.get("polishing", 0)
    polishing = f", and polishing {trials:,} more" if trials else ""
    return (
        f"The search considered {counts['considered']:,} functions, {counts['distinct']:,} of them "
        f"distinct, and trained {counts['trained']:,}{polishing}; "
        f"{_number(len(plan.finalists), 'finalist')} "
        f"{'was' if len(plan.finalists) == 1 else 'were'} {chosen}."
    )


def opened(finals: Finals) -> str:
    """How often test data were opened in this campaign."""
    counts = finals.times_opened
    if not counts:
        return "No test set was opened."
    alike: dict[int, list[str]] = {}
    for dataset, count in counts.items():
        alike.setdefault(count, []).append(dataset)
    return " ".join(
        f"The test set of {listed(datasets)} was opened {times(count)}."
        if len(datasets) == 1
        else f"The test sets of {listed(datasets)} were opened {times(count)} each."
        for count, datasets in alike.items()
    )


def times(count: int) -> str:
    """How often something was done."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def where_it_holds(finals: Finals, entrant: Entrant) -> str:
    """One sentence on a finalist's transfer: the tasks by what was found against each rival."""
    parts = []
    for rival in finals.plan.rivals:
        found: dict[Finding, list[str]] = {}
        for card in finals.cards[1:]:
            if comparison := card.comparison(entrant.candidate_id, rival):
                found.setdefault(comparison.finding, []).append(card.stage.title)
        if found:
            parts.append(f"against {finals.plan.titles[rival]} {_tally(found)}")
    return "; ".join(parts) if parts else "no other task was scored"


def orders(finals: Finals) -> str:
    """Whether the order of the functions outlives the network's size; "" if nobody asked."""
    if not finals.orders:
        return ""
    found = [f"{value:.2f} on {task}" for task, value in finals.orders.items()]
    return (
        f"With the order of the functions on {finals.plan.stages[0].task} their order correlates "
        f"(Spearman) {listed(found)}."
    )


def rule_in_force(card: Card) -> str:
    """How a stage ended, in words."""
    return f"{_number(len(card.seeds), 'seed')}: {card.reason}"


def _what_is_missing(finals: Finals) -> str:
    match finals.own.state:
        case "training":
            done = _number(len(finals.own.seeds), "seed")
            return f"the finals are not finished, {done} of {max(finals.own.stage.looks)} are done"
        case "trained":
            return "training is done, the test data have not been scored"
        case _:
            return finals.own.reason


def _of_all(finals: Finals) -> str:
    """How many finalists are better, and where that happens, worse, than each rival."""
    sentences = []
    for finding in (Finding.BETTER, Finding.WORSE):
        counts = {
            rival: sum(
                comparison.finding is finding
                for each in finals.plan.finalists
                if (comparison := finals.own.comparison(each.candidate_id, rival))
            )
            for rival in finals.plan.rivals
        }
        if finding is Finding.BETTER or any(counts.values()):
            sentences.append(_counted(finals.plan, counts, finding))
    return " ".join(sentences)


def _changed(finals: Finals, again: Card, leader: Entrant) -> str:
    """Which of the leader's verdicts are others there."""
    pairs = [
        (rival, finals.own.comparison(leader.candidate_id, rival), found)
        for rival in finals.plan.rivals
        if (found := again.comparison(leader.candidate_id, rival))
    ]
    if not pairs:
        return "nothing has been scored yet"
    others: dict[Finding, list[str]] = {}
    for rival, before, found in pairs:
        if before is not None and before.finding is not found.finding:
            others.setdefault(found.finding, []).append(finals.plan.titles[rival])
    if not others:
        return "every one of these verdicts is the same"
    changed = [f"{OPENINGS[finding]} {listed(names)}" for finding, names in others.items()]
    same = (
        "; the other verdicts are the same" if sum(map(len, others.values())) < len(pairs) else ""
    )
    return f"it is {listed(changed)}{same}"


def _counted(plan: Plan, counts: Mapping[str, int], finding: Finding) -> str:
    """How many finalists something was found of, for each rival."""
    finalists = len(plan.finalists)
    if not any(counts.values()):
        *others, last = (plan.titles[rival] for rival in counts)
        return (
            f"None of the {finalists} finalists was found {finding} than {', '.join(others)} or "
            f"{last}."
        )
    parts = [f"{count or 'none'} than {plan.titles[rival]}" for rival, count in counts.items()]
    first, rest = parts[0].split(" ", 1)
    were = "were" if next(iter(counts.values())) > 1 else "was"
    parts[0] = f"{first} {were} found {finding} {rest}"
    return f"Of the {finalists} finalists, {listed(parts)}."


def _tally(found: Mapping[Finding, Sequence[str]]) -> str:
    """The tasks where a function is better or worse by name, the others by their number."""
    parts = []
    for finding in Finding:
        if tasks := found.get(finding):
            where = listed(tasks) if finding.is_settled else _number(len(tasks), "task")
            parts.append(f"{finding} on {where}")
    return ", ".join(parts)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
