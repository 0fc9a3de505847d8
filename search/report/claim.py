"""What a report says first: the claim, or why there is none yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from evaluators.statistics.comparison import OPENINGS, Comparison, Finding, listed, p_words
from grammars import parse_activation
from search.finals import Finals, claim, opened, times, tried
from search.report.findings import Findings
from search.report.formula import mathml
from search.report.wording import signed
from search.texts.commands import command
from search.texts.shortening import shorten

_FIGURE: Final = re.compile(
    r"(?<=\b[pd]) (?=[=<])|(?<= [=<]) |(?<=\d) (?=%|seeds?\b|points\b)|(?<= [-+*/]) (?=\S)"
)
# A browser may break a line after the minus of "(-x".
_BREAKABLE_MINUS: Final = re.compile(r"(?<=[(, ]-)(?=\w)")
_WHOLE: Final = re.compile(r"[-+*/] -?\(*[\w.]*\(*|-\(*[\w.]+\(*|[\w.]?\)*,")


@dataclass(frozen=True)
class Lead:
    """The head of the page.

    Attributes:
        title: In one line.
        sentences: What supports it.
        formula: The function that it is about.
        warning: What must not be read into it; "" if nothing.
        command: What to do next; "" if nothing.
    """

    title: str
    sentences: tuple[str, ...]
    formula: Markup
    warning: str = ""
    command: str = ""


def lead(found: Findings) -> Lead:
    """The head of a campaign's page."""
    return _without_finals(found) if found.finals is None else _with_finals(found, found.finals)


def finding_lines(pair: Comparison) -> Iterator[str]:
    """The small print of a comparison, line by line."""
    if pair.p_adjusted is None:
        yield str(pair.finding)
        return
    effect = "" if pair.effect_size is None else f", d = {signed(pair.effect_size)}"
    p = "not tested" if pair.finding is Finding.NOT_TESTED else p_words(pair.p_adjusted)
    yield unbroken(f"{p}{effect}")
    if pair.p_fresh is not None:
        yield unbroken(f"ahead on {100 * pair.p_fresh:.0f} % of seeds")
    if pair.detectable is not None and pair.finding is Finding.INDISTINGUISHABLE:
        yield f"would have shown {float(f'{pair.detectable:.2g}'):g}"


def unbroken(text: str) -> str:
    """The text with every figure beside its name or unit, and every operand beside its operator."""
    return _BREAKABLE_MINUS.sub("\N{WORD JOINER}", _FIGURE.sub("\N{NO-BREAK SPACE}", text))


def whole(formula: object) -> Markup:
    """A formula that breaks before operators and after commas only, and is copied as it is."""
    parts, end = [], 0
    text = str(formula)
    for found in _WHOLE.finditer(text):
        kept = Markup('<span class="whole">{}</span>').format(found[0])
        parts += [escape(text[end : found.start()]), kept]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _without_finals(found: Findings) -> Lead:
    """Nothing about better or worse: the search alone cannot say it."""
    expression = parse_activation(found.winners[0].candidate.readable)
    return Lead(
        "No claim yet: the finals were not held",
        (
            f"Of {found.considered:,} functions considered, the search puts "
            f"{shorten(str(expression), 80)} first. That says where to look: the first of many is "
            "partly the luckiest of many. The test set was not touched.",
        ),
        Markup(mathml(expression)),
        warning="Whether it is better than ReLU, Swish and GELU is settled by finals on fresh "
        "seeds:",
        command=command("finals", found.name),
    )


def _with_finals(found: Findings, finals: Finals) -> Lead:
    leader = finals.leader
    written = found.winners[0].candidate.readable if leader is None else leader.shown
    scored = finals.own.state == "scored" and leader is not None
    return Lead(
        _title(finals.own.comparisons_of(leader.candidate_id), finals.plan.titles)
        if scored and leader is not None
        else "No claim yet: the finals are not finished",
        (claim(finals), tried(finals), opened(finals)),
        Markup(mathml(parse_activation(written))),
        warning=_reopened(finals),
        command="" if scored else command("finals", found.name),
    )


def _title(comparisons: Sequence[Comparison], titles: Mapping[str, str]) -> str:
    """The findings on the leader, by what they are."""
    parts = []
    for finding, opening in OPENINGS.items():
        rivals = [titles.get(c.rival, c.rival) for c in comparisons if c.finding is finding]
        if rivals:
            parts.append(f"{opening} {listed(rivals)}")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def _reopened(finals: Finals) -> str:
    """What opening a test set again takes away from the claim."""
    counts = finals.times_opened
    return " ".join(
        f"The test set of {dataset} was opened {times(counts[dataset])}: what was decided after "
        "the first time was decided by somebody who may have seen it."
        for dataset in dict.fromkeys(stage.dataset for stage in finals.plan.own)
        if counts[dataset] > 1
    )
