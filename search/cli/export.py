"""`actsearch export`: takes a function along, as a file for any framework."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from search.cli.options import DEFAULT_RUNS_DIR, AsCsv, RunsDir, print_csv, print_json, say

if TYPE_CHECKING:
    from grammars.export import Function, Verification
    from grammars.export.tensors import Precision

DISAGREES = 1
"""Exit status where a file did not agree with the function, and was therefore not delivered."""


UNWRITTEN = 2
"""Exit status where a package was missing to write a file that was asked for by its target."""


def export_command(
    campaign: Annotated[
        str | None, typer.Argument(help="A campaign's name, or its folder.", metavar="CAMPAIGN")
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option("--candidate", help="Its id or its beginning. [default: the best found]"),
    ] = None,
    expression: Annotated[
        str | None,
        typer.Option("--expression", help="An expression instead of a campaign, or @FILE.json."),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(help="Which of a candidate with several: first, middle, last or a number."),
    ] = None,
    to: Annotated[
        str, typer.Option("--to", help="Targets with commas between them, or all.")
    ] = "all",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A directory; for one target, also a file.")
    ] = Path(),
    name: Annotated[
        str | None,
        typer.Option("--name", help="What the function is called. [default: activation]"),
    ] = None,
    trained: Annotated[
        bool,
        typer.Option(
            "--trained", help="Start trainable parameters from what training made of them."
        ),
    ] = False,
    python: Annotated[
        str | None,
        typer.Option("--python", help="The Python that has the frameworks. [default: this one]"),
    ] = None,
    rank: Annotated[int, typer.Option(help="How many axes an ONNX or StableHLO file takes.")] = 2,
    precision: Annotated[
        str, typer.Option(help="Of an ONNX or StableHLO file: float32 or float16.")
    ] = "float32",
    opset: Annotated[int, typer.Option(help="Of an ONNX file, 13 or later.")] = 20,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Also verify with torch.compile, which takes longer.")
    ] = False,
    speed: Annotated[
        bool, typer.Option("--speed", help="Also time the jax and pytorch files beside ReLU.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the verifications as one JSON document.")
    ] = False,
    as_csv: AsCsv = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Writes a function for other frameworks, and runs each file there before handing it over."""
    from grammars.export import TensorFormat, export
    from grammars.export.provenance import formula

    interpreter = sys.executable if python is None else _checked(python)
    function = _chosen(campaign, candidate, expression, layer, runs_dir, trained=trained)
    say(f"f(x) = {formula(function.expression, function.provenance)}")
    targets = [target.strip() for target in to.split(",") if target.strip()]
    results = export(
        function.expression,
        targets,
        output,
        name=name or function.name,
        provenance=function.provenance,
        tensors=TensorFormat(rank, cast("Precision", precision), opset),
        interpreter=interpreter,
        effort="thorough" if thorough else "usual",
        speed=speed,
    )
    _report(results, as_json=as_json, as_csv=as_csv)
    if any(result.status == "failed" for result in results):
        raise typer.Exit(DISAGREES)
    # Who asks for all targets takes what there is; who names one needs it.
    if "all" not in targets and any(result.status == "unwritten" for result in results):
        raise typer.Exit(UNWRITTEN)


def _checked(python: str) -> str:
    """An interpreter that really runs.

    Raises:
        ExportError: If it is none.
    """
    from grammars.export import ExportError

    try:
        started = subprocess.run(
            [python, "-I", "-c", ""], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        why = None if started.returncode == 0 else f"it ends with status {started.returncode}"
    except (OSError, ValueError) as error:  # the last of what can be no path
        why = getattr(error, "strerror", None) or str(error)
    if why is not None:
        raise ExportError(
            f"--python {python!r} is no Python that runs ({why}); name one that has the "
            f"frameworks, such as .venv/bin/python, or leave --python out for {sys.executable}"
        )
    return python


def _chosen(
    campaign: str | None,
    candidate: str | None,
    expression: str | None,
    layer: str | None,
    runs_dir: Path,
    *,
    trained: bool,
) -> Function:
    """The function that the options name, with what is known of it."""
    from grammars.export import ExportError
    from search.library.campaign import Campaign
    from search.standings.exporting import given_function
    from search.standings.leaderboard import find_campaign

    if campaign is None and expression is None:
        raise ExportError("name a CAMPAIGN, or a function by --expression")
    if campaign is not None and expression is not None:
        raise ExportError("name either a CAMPAIGN or an --expression, not both")
    if expression is None:
        assert campaign is not None
        found = Campaign.load(find_campaign(campaign, runs_dir))
        return found.function(candidate, layer=layer, trained=trained)
    if candidate is not None or layer is not None:
        given = "--candidate" if layer is None else "--layer"
        raise ExportError(f"{given} chooses within a CAMPAIGN; an --expression has none")
    if trained:
        raise ExportError(
            "--trained takes what a CAMPAIGN's training made of the parameters; an --expression "
            "has its own numbers, and the file of a trained function keeps them"
        )
    return given_function(expression)


def _report(results: list[Verification], *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        print_json([result.to_json() for result in results])
        return
    if as_csv:
        print_csv([result.to_json() for result in results])
        return
    # Of several backends that are missing one is told.
    for line in dict.fromkeys(map(str, results)):
        print(line)
    for timing in (timing for result in results for timing in result.timings):
        say(str(timing))
