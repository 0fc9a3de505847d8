"""The page of a campaign: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evaluators.statistics.comparison import Finding, listed
from grammars import activation_id
from search.candidates.novelty import novelty
from search.candidates.objectives import OBJECTIVES, front_of
from search.candidates.racing import Standing
from search.drawing import Panel, front_panel, function_panels, inline_svg
from search.finals import Finals, opened, rule_in_force, times, tried, where_it_holds
from search.report import wording
from search.report.claim import finding_lines, lead, unbroken, whole
from search.report.figures import graphs, progress_legend, progress_panel, shown_name, styled
from search.report.finals_figures import forest_panels, learning_panels
from search.report.findings import Findings
from search.report.repeating import commands, settings_table
from search.report.tables import MOST_RANKS, leaders, tables
from search.report.watch_figures import watch_legend, watch_panels
from search.texts.rates import has_rates

TOP: Final = 10

_CLASSES: Final = {Finding.BETTER: "better", Finding.WORSE: "worse"}
# The verdict must be read without colours as well.
_SIGNS: Final = {
    Finding.BETTER: "\N{BLACK UP-POINTING TRIANGLE}",
    Finding.WORSE: "\N{BLACK DOWN-POINTING TRIANGLE}",
    Finding.INDISTINGUISHABLE: "\N{ALMOST EQUAL TO}",
    Finding.NOT_COMPARED: "\N{EN DASH}",
    Finding.NOT_TESTED: "\N{WHITE CIRCLE}",
}

# How the templates write what they are given.
# What no text of a journal can be: those are escaped.
_CONTENTS: Final = "<!-- contents -->"

_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "ablation_words": wording.ablation_words,
    "bar_width": wording.bar_width,
    "brief": wording.brief,
    "card_name": lambda card: (
        f"learning rate {card.stage.learning_rate:g}"
        if card.stage.purpose == "recipe"
        else card.stage.title
    ),
    "cost": OBJECTIVES["cost"].written,
    "day": wording.day,
    "fidelity": lambda fidelity: str(fidelity).replace(" x ", "\N{NO-BREAK SPACE}\xd7 "),
    "finding_class": lambda pair: _CLASSES.get(pair.finding, ""),
    "finding_sign": lambda pair: _SIGNS[pair.finding],
    "finding_lines": finding_lines,
    "holds": where_it_holds,
    "id_of": activation_id,
    "inline_svg": lambda panel: Markup(inline_svg(panel)),
    "opened": opened,
    "origin_words": wording.origin_words,
    "percent": wording.percent,
    "rule_in_force": rule_in_force,
    "shown_name": shown_name,
    "signed": wording.signed,
    "standing_words": wording.standing_words,
    "tried": tried,
    "minus": wording.minus,
    "unbroken": unbroken,
    "whole": whole,
    "upper_first": lambda text: text[:1].upper() + text[1:],
}


@dataclass(frozen=True)
class _Ranked:
    rank: int
    standing: Standing


def panels(found: Findings) -> list[Panel]:
    """Every figure of the page."""
    search = [*function_panels(graphs(found)), progress_panel(found), front_panel(found.standings)]
    search += watch_panels(found)
    if found.finals is None:
        return search
    finals = found.finals
    return [*search, *learning_panels(found, finals), *forest_panels(found, finals)]


def render(found: Findings, beside: Sequence[str] | None = None) -> str:
    """The page as HTML.

    Args:
        found: What it tells.
        beside: Names of the tables that lie beside it; by default those that there are.

    Everything from the journal is escaped: only what this package draws and typesets itself, from
    parsed expressions, goes into the page as markup.
    """
    environment = _environment()
    titles = {} if found.finals is None else found.finals.plan.titles
    environment.filters["title_of"] = lambda rival: titles.get(rival, rival)
    page = environment.get_template("page.html").render(_context(found, beside))
    # The headings are known once the page is written; the sections differ between campaigns.
    return page.replace(_CONTENTS, _contents(page), 1)


def _contents(page: str) -> str:
    entries = "".join(
        f'<li><a href="#{name}">{title}</a></li>'
        for name, title in re.findall(r'<h2 id="([a-z-]+)">(.*?)</h2>', page)
    )
    return f'<nav class="contents" aria-label="Contents"><ul>{entries}</ul></nav>'


def _context(found: Findings, beside: Sequence[str] | None) -> dict[str, Any]:
    script = _resource("sort.js") + _resource("hover.js")
    tasks_of_leaders = [
        (standing, over.tasks)
        for _, standing in leaders(found, TOP)
        if (over := standing.evaluation.over_tasks)
    ]
    return {
        **({} if found.finals is None else _finals_context(found, found.finals)),
        "found": found,
        "claim": lead(found),
        "facts": list(_facts(found)),
        "legend": [(graph.label, graph.style.swatch) for graph in graphs(found)],
        "function_panels": function_panels(graphs(found)),
        "novelties": [(w, novelty(w.candidate.expression)) for w in found.winners],
        "search_words": wording.search_words(found),
        "search_caption": " ".join(filter(None, _search_caption(found))),
        "search_panels": [progress_panel(found), front_panel(found.standings)],
        "progress_legend": progress_legend(found),
        "watch_panels": watch_panels(found),
        "watch_legend": watch_legend(found),
        "watch_words": wording.watch_words(found),
        "tasks_of_leaders": tasks_of_leaders,
        "has_rates": any(has_rates(tasks) for _, tasks in tasks_of_leaders),
        "headline_words": wording.headline_words(found),
        "rows": [_Ranked(rank, standing) for rank, standing in leaders(found, TOP)],
        "front": front_of(found.standings),
        "objectives": list(OBJECTIVES.values()),
        "settings": settings_table(found.launch),
        "tables": list(tables(found)) if beside is None else beside,
        "ranks": MOST_RANKS,
        "command": commands(found),
        "version": version("actsearch"),
        "style": Markup(_resource("style.css")),
        "script": Markup(script),
        "script_hash": _csp_hash(script),
    }


def _search_caption(found: Findings) -> Iterator[str]:
    yield wording.score_words(found)
    yield wording.rungs_words(found)
    yield "Cost is arithmetic of f and f'."


def _finals_context(found: Findings, finals: Finals) -> dict[str, Any]:
    learning = learning_panels(found, finals)
    return {
        "finalists": [row.entrant for row in found.finals_rows if row.entrant.role == "finalist"],
        "learning_panels": learning,
        "learning_legend": [
            (found.name_of(s.candidate.id, shown_name(s)), style.swatch)
            for s, style in styled(found)
        ],
        "forest_panels": forest_panels(found, finals),
        "rivals_words": listed([finals.plan.titles[rival] for rival in finals.plan.rivals]),
        "practice_words": list(wording.practice_words(found.practice)) if found.practice else [],
        "forest_caption": f"Paired differences of {finals.plan.measure.name} over "
        f"{len(finals.own.seeds)} seeds, with intervals at the level that Holm's correction leaves "
        "each. A triangle marks a difference that stands, a dot one that does not, a cross one "
        "that was not tested.",
    }


def _facts(found: Findings) -> Iterator[tuple[str, str]]:
    yield "functions considered", f"{found.considered:,}"
    yield "trainings spent", f"{len(found.attempts):,}"
    yield "time searching", wording.duration(found.seconds)
    tasks = found.launch.tasks
    if len(tasks) == 1:
        yield "data set", str(found.launch.dataset.name)
        yield "task", tasks[0]
    else:
        yield "tasks", str(len(tasks))
    if found.finals is None:
        yield "test set opened", "never"
        return
    datasets = dict.fromkeys(stage.dataset for stage in found.finals.plan.own)
    counts = found.finals.times_opened
    least, most = (end(counts[dataset] for dataset in datasets) for end in (min, max))
    if len(datasets) == 1:
        yield "test set opened", times(most)
    else:
        often = times(most) if least == most else f"from {least} to {most} times"
        yield "test sets opened", f"{often} each"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("search.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_FILTERS)
    return environment


def _resource(name: str) -> str:
    return (files("search.report") / name).read_text(encoding="utf-8")


def _csp_hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
