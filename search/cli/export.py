"""`actsearch export`: takes a function along, as a file for any framework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search.cli.options import DEFAULT_RUNS_DIR, RunsDir, print_json, say

if TYPE_CHECKING:
    from grammars import Expression
    from grammars.export import Provenance, Verification

TOLD = ("range", "monotone", "symmetry", "smooth", "kinks", "saturating", "derivative_range")
"""The properties that a user of the file may want to know."""

DISAGREES = 1
"""Exit status where a file did not agree with the function, and was therefore not delivered."""


def export_command(
    campaign: Annotated[
        str | None, typer.Argument(help="A campaign's name, or its folder.", metavar="[CAMPAIGN]")
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option("--candidate", help="Its id, or how that begins. [default: the best found]"),
    ] = None,
    expression: Annotated[
        str | None,
        typer.Option("--expression", help="An expression instead of a campaign, or @FILE.json."),
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="Targets with commas between them, or all.")
    ] = "all",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A directory; for one target, also a file.")
    ] = Path(),
    name: Annotated[
        str, typer.Option("--name", help="What the function is called in the files.")
    ] = "activation",
    python: Annotated[
        str | None,
        typer.Option("--python", help="The Python that has the frameworks. [default: this one]"),
    ] = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also verify with torch.compile, which takes longer.")
    ] = False,
    speed: Annotated[
        bool, typer.Option("--speed", help="Also time the jax and pytorch files beside ReLU.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the verifications as one JSON document.")
    ] = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Writes a function for other frameworks, and runs each file there before handing it over."""
    import sys

    from grammars.export import export

    chosen, provenance = _chosen(campaign, candidate, expression, runs_dir)
    say(f"f(x) = {chosen}")
    interpreter = python or sys.executable
    results = export(
        chosen,
        [target.strip() for target in to.split(",") if target.strip()],
        output,
        name=name,
        provenance=provenance,
        interpreter=interpreter,
        effort="thorough" if thorough else "usual",
    )
    _report(results, as_json=as_json)
    if speed:
        _time(chosen, {result.target for result in results}, interpreter)
    if any(result.status == "failed" for result in results):
        raise typer.Exit(DISAGREES)


def _chosen(
    campaign: str | None, candidate: str | None, expression: str | None, runs_dir: Path
) -> tuple[Expression, Provenance]:
    """The function that the options name, and what is known of it."""
    from grammars.export import ExportError

    if (campaign is None) == (expression is None):
        raise ExportError("name either a CAMPAIGN or an --expression, not both")
    if expression is None:
        assert campaign is not None
        return _from_campaign(campaign, candidate, runs_dir)
    if candidate is not None:
        raise ExportError("--candidate chooses within a CAMPAIGN; an --expression has none")
    return _given(expression)


def _from_campaign(
    campaign: str, candidate_id: str | None, runs_dir: Path
) -> tuple[Expression, Provenance]:
    from grammars.export import Provenance
    from search.journal import FILE_NAME, Journal
    from search.leaderboard import find_campaign, find_standing

    folder = find_campaign(campaign, runs_dir)
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        standing = find_standing(journal, candidate_id)
    found = standing.candidate
    provenance = Provenance(
        campaign=folder.name,
        candidate_id=found.id,
        score=standing.evaluation.score,
        properties=_properties(found.expression),
    )
    return found.expression, provenance


def _given(text: str) -> tuple[Expression, Provenance]:
    from grammars import expression_id, parse
    from grammars.export import Provenance, read_json

    expression = read_json(Path(text[1:])) if text.startswith("@") else parse(text)
    return expression, Provenance(
        candidate_id=expression_id(expression), properties=_properties(expression)
    )


def _properties(expression: Expression) -> dict[str, str]:
    """What the files tell about the function, in words."""
    from grammars.properties import properties

    found = properties(expression)
    return {name.replace("_", " "): _in_words(found[name].value) for name in TOLD}


def _in_words(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return ", ".join(map(_in_words, value)) or "none"
        case _:
            return str(value)


def _report(results: list[Verification], *, as_json: bool) -> None:
    if as_json:
        print_json([result.to_json() for result in results])
        return
    for result in results:
        print(result)


def _time(expression: Expression, targets: set[str], interpreter: str) -> None:
    """Says on standard error how long the function takes, a nanosecond figure per element."""
    from grammars.export import measure_speed

    for target in sorted(targets & {"jax", "pytorch"}):
        for timing in measure_speed(expression, target, interpreter=interpreter):
            say(str(timing))
