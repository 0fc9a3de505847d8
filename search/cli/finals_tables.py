"""The tables of finals on a terminal: a column for each rival, a line each where it is narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from search.cli.options import wide_console
from search.cli.tables import Column, fit, fitting, headed
from search.texts.shortening import shorten

if TYPE_CHECKING:
    from evaluators.statistics.comparison import Comparison
    from search.finals import Card, EntrantResults, Finals

# Against more rivals than these there is no room for intervals on a terminal.
_MOST_WHOLE: Final = 3
_HEADING: Final = 16
_USUAL_FUNCTION: Final = 20
_USUAL_TASK: Final = 12
_USUAL_RIVAL: Final = 9

_WHOLE: Final = (
    "The interval is at the level that p is held to; the share of fresh seeds on which the "
    "function is expected ahead is by Student's predictive distribution."
)
_WITH_INTERVALS: Final = (
    "The interval is at the level that p is held to; the report has the share of fresh seeds that "
    "speaks for each."
)
_BRIEF: Final = "The report has the intervals, and the share of fresh seeds that speaks for each."


def print_own(finals: Finals, *, title: str) -> str:
    """Prints all functions on the own task; returns what its comparisons are, in words."""
    card, console = finals.own, wide_console()
    labels = [row.entrant.label for row in card.rows]
    accuracies = [_accuracy(row) for row in card.rows]
    compared = [_comparisons(finals, card, row.entrant.candidate_id) for row in card.rows]
    columns = [
        Column("function", tuple(labels), "anywhere", usual=_USUAL_FUNCTION),
        Column("accuracy", tuple(accuracies), is_right=True),
        *_by_column(finals, [_cells(card, each) for each in compared]),
    ]
    explanation = _BRIEF if _is_brief(finals) else _WHOLE
    if not (is_wide := fit(columns, console.width)):
        both = (f"{label}\n{accuracy}" for label, accuracy in zip(labels, accuracies, strict=True))
        functions = Column("function, accuracy", tuple(both), "anywhere")
        columns = fitting([functions, *_by_line(finals, compared)], console.width)
        has_intervals = any(column.heading == "interval" for column in columns)
        explanation = _WITH_INTERVALS if has_intervals else _BRIEF
    heading = f"Finals {finals.plan.number} of {title}: {_setting(card)}; {_against(finals)}"
    table = headed(columns, console.width, title=heading)
    for row, *cells in zip(card.rows, *(column.cells for column in columns), strict=True):
        style = "cyan" if row.entrant.role == "baseline" else None
        table.add_row(*cells, style=style, end_section=not is_wide)
    console.print(table)
    return explanation


def print_transfers(finals: Finals) -> None:
    """Prints the finalists on every task: in one table, or in one each where that is too wide."""
    console, title = wide_console(), f"Where it holds: {_against(finals)}"
    finalists, cards = finals.plan.finalists, finals.cards
    scored = [card for card in cards if card.state == "scored"]
    columns = [
        Column("function", tuple(e.label for e in finalists), "anywhere", usual=_USUAL_FUNCTION),
        Column("task", tuple(c.stage.title for c in cards), "between words", usual=_USUAL_TASK),
        *_by_column(
            finals,
            [
                _cells(card, _comparisons(finals, card, entrant.candidate_id))
                for entrant in finalists
                for card in scored
            ],
        ),
    ]
    if not fit(columns, console.width):
        console.print(title, highlight=False)
        for entrant in finalists:
            console.print(f"\n{entrant.label}", highlight=False)
            _print_tasks(finals, entrant.candidate_id)
        return
    table = headed(columns, console.width, title=title)
    for entrant in finalists:
        for card in cards:
            cells = _cells(card, _comparisons(finals, card, entrant.candidate_id))
            if card.state != "scored":
                cells = [card.reason, *[""] * (len(finals.plan.rivals) - 1)]
            table.add_row(entrant.label, card.stage.title, *cells)
        table.add_section()
    console.print(table)


def _print_tasks(finals: Finals, candidate_id: str) -> None:
    """One finalist on every task, with a line for each rival below the task."""
    console, cards = wide_console(), finals.cards
    compared = [_comparisons(finals, card, candidate_id) for card in cards]
    against, *others = _by_line(finals, compared)
    rivals = [[f"  {line}" for line in cell.splitlines()] for cell in against.cells]
    tasks = ("\n".join([c.stage.title, *lines]) for c, lines in zip(cards, rivals, strict=True))
    below = (replace(each, cells=tuple(f"\n{cell}" for cell in each.cells)) for each in others)
    columns = fitting([Column("task, against", tuple(tasks)), *below], console.width)
    table = headed(columns, console.width)
    for card, first, *cells in zip(cards, *(each.cells for each in columns), strict=True):
        # A reason goes on in the next line, and so decides on no width.
        why = "" if card.state == "scored" else f"\n{card.reason}"
        table.add_row(f"{first}{why}", *cells)
    console.print(table)


def _comparisons(finals: Finals, card: Card, candidate_id: str) -> list[Comparison | None]:
    """With each rival; None where the function is the rival, or nothing is scored."""
    if card.state != "scored":
        return [None] * len(finals.plan.rivals)
    return [card.comparison(candidate_id, rival) for rival in finals.plan.rivals]


def _by_column(finals: Finals, rows: Sequence[Sequence[str]]) -> list[Column]:
    """A column for each rival."""
    return [
        Column(
            title if _is_brief(finals) else f"against {title}",
            tuple(row[number] for row in rows),
            is_right=True,
            usual=_USUAL_RIVAL,
        )
        for number, title in enumerate(_titles(finals))
    ]


def _by_line(finals: Finals, rows: Sequence[Sequence[Comparison | None]]) -> list[Column]:
    """Columns with a line for each rival in every cell."""
    titles = _titles(finals)
    digits = finals.plan.measure.digits

    def column(heading: str, text: Callable[[Comparison], str]) -> Column:
        cells = ("\n".join(text(each) for each in row if each is not None) for row in rows)
        return Column(heading, tuple(cells))

    named = dict(zip(finals.plan.rivals, titles, strict=True))
    intervals = replace(column("interval", lambda each: _interval(each, digits)), leaves=1)
    return [
        column("against", lambda each: named[each.rival]),
        column("difference", lambda each: _difference(each, digits)),
        *(() if _is_brief(finals) else (intervals,)),
        column("p", _p),
    ]


def _titles(finals: Finals) -> list[str]:
    return [shorten(finals.plan.titles[rival], _HEADING) for rival in finals.plan.rivals]


def _is_brief(finals: Finals) -> bool:
    return len(finals.plan.rivals) > _MOST_WHOLE


def _against(finals: Finals) -> str:
    return finals.plan.measure.title.format(rival="each rival")


def _setting(card: Card) -> str:
    return f"{card.stage.title}, {card.stage.steps} steps, {len(card.seeds)} seeds"


def _accuracy(row: EntrantResults) -> str:
    if row.mean_percent is None:
        return ""
    deviation = "" if row.deviation_points is None else f" ± {row.deviation_points:.2f}"
    loss = "" if row.test_loss is None else f"\nloss {row.test_loss:.4f}"
    return f"{row.mean_percent:.2f}{deviation} %{loss}"


def _cells(card: Card, comparisons: Iterable[Comparison | None]) -> list[str]:
    compared = list(comparisons)
    is_brief = len(compared) > _MOST_WHOLE
    return [_cell(each, digits=card.measure.digits, is_brief=is_brief) for each in compared]


def _cell(comparison: Comparison | None, *, digits: int, is_brief: bool) -> str:
    if comparison is None:
        return ""
    lines = [_difference(comparison, digits), _p(comparison)]
    if not is_brief:
        fresh = comparison.p_fresh
        ahead = "" if fresh is None else f"ahead on {100 * fresh:.0f} %"
        lines = [lines[0], _interval(comparison, digits), lines[1], ahead]
    return "\n".join(filter(None, lines))


def _difference(comparison: Comparison, digits: int) -> str:
    if comparison.difference is None or comparison.p_adjusted is None:
        return str(comparison.finding)
    from evaluators.statistics.comparison import signed

    verdict = f" {comparison.finding}" if comparison.finding.is_settled else ""
    return f"{signed(comparison.difference, digits)}{verdict}"


def _interval(comparison: Comparison, digits: int) -> str:
    low, high = comparison.low, comparison.high
    if low is None or high is None or comparison.p_adjusted is None:
        return ""
    from evaluators.statistics.comparison import signed

    return f"[{signed(low, digits)}, {signed(high, digits)}]"


def _p(comparison: Comparison) -> str:
    from evaluators.statistics.comparison import Finding, p_words

    if comparison.difference is None or comparison.p_adjusted is None:
        return ""
    is_tested = comparison.finding is not Finding.NOT_TESTED
    return p_words(comparison.p_adjusted) if is_tested else str(comparison.finding)
