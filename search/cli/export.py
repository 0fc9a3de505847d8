"""`actsearch export`: takes a function along, as a file for any framework."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from search.cli.options import DEFAULT_RUNS_DIR, RunsDir, print_json, say

if TYPE_CHECKING:
    from grammars import Activation, Expression
    from grammars.export import Function, Verification
    from grammars.export.tensors import Precision
    from search.racing import Standing

DISAGREES = 1
"""Exit status where a file did not agree with the function, and was therefore not delivered."""


UNWRITTEN = 2
"""Exit status where a package was missing to write a file that was asked for by its target."""


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
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Writes a function for other frameworks, and runs each file there before handing it over."""
    import sys

    from grammars.export import TensorFormat, export
    from grammars.export.provenance import formula

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
        interpreter=python or sys.executable,
        effort="thorough" if thorough else "usual",
        speed=speed,
    )
    _report(results, as_json=as_json)
    if any(result.status == "failed" for result in results):
        raise typer.Exit(DISAGREES)
    # Who asks for all targets takes what there is; who names one needs it.
    if "all" not in targets and any(result.status == "unwritten" for result in results):
        raise typer.Exit(UNWRITTEN)


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

    if (campaign is None) == (expression is None):
        raise ExportError("name either a CAMPAIGN or an --expression, not both")
    if expression is None:
        assert campaign is not None
        return _from_campaign(campaign, candidate, layer, runs_dir, trained=trained)
    if candidate is not None or layer is not None:
        given = "--candidate" if layer is None else "--layer"
        raise ExportError(f"{given} chooses within a CAMPAIGN; an --expression has none")
    if trained:
        raise ExportError(
            "--trained takes what a CAMPAIGN's training made of the parameters; an --expression "
            "has its own numbers, and the file of a trained function keeps them"
        )
    return _given(expression)


def _from_campaign(
    campaign: str,
    candidate_id: str | None,
    layer: str | None,
    runs_dir: Path,
    *,
    trained: bool,
) -> Function:
    from grammars.export import Function, Provenance
    from search.journal import FILE_NAME, Journal
    from search.leaderboard import find_campaign, find_standing

    folder = find_campaign(campaign, runs_dir)
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        standing = find_standing(journal, candidate_id)
    found = standing.candidate
    function = _of_layer(found.expression, layer)
    by_layer = _trained(standing, function) if trained else {}
    told = _properties(function)
    if by_layer:
        listed = (f"{name} {_listed(values)}" for name, values in by_layer.items())
        told["trained values by layer"] = "; ".join(listed)
    provenance = Provenance(
        campaign=folder.name,
        candidate_id=found.id,
        score=standing.evaluation.score,
        properties=told,
        # One value each, since layers and channels of another network are others.
        parameters={name: sum(values) / len(values) for name, values in by_layer.items()},
    )
    return Function(function, provenance=provenance)


def _of_layer(activation: Activation, layer: str | None) -> Expression:
    from grammars import Layered
    from grammars.export import ExportError

    if not isinstance(activation, Layered):
        if layer is not None:
            raise ExportError(f"{activation} is the function of all layers; leave --layer out")
        return activation
    if layer is None:
        raise ExportError(
            f"{activation} has a function of its own in each layer, and a file holds one; choose "
            f"it with --layer {' or --layer '.join(activation.places)}"
        )
    return activation.at(layer)


def _trained(standing: Standing, function: Expression) -> dict[str, tuple[float, ...]]:
    """What training made of each parameter by hidden layer, the mean over channels and seeds."""
    from grammars.export import ExportError

    values = standing.evaluation.parameters
    names = [parameter.name for parameter in function.parameters]
    if any(name not in values for name in names):
        raise ExportError(
            f"the journal does not say what training made of {', '.join(names)}: an earlier "
            "version wrote it, a value ceased to be finite, or the function is one of several "
            "for single layers; leave --trained out, and they have their start values"
        )
    return {name: values[name] for name in names}


def _given(text: str) -> Function:
    from grammars import expression_id, parse
    from grammars.export import Function, Provenance, read_json

    if text.startswith("@"):
        return read_json(Path(text[1:]))
    expression = parse(text)
    return Function(
        expression,
        provenance=Provenance(
            candidate_id=expression_id(expression), properties=_properties(expression)
        ),
    )


def _properties(expression: Expression) -> dict[str, str]:
    """What a user of the files may want to know of the function, in words."""
    from grammars.properties import properties

    found = {name: answer.value for name, answer in properties(expression).items()}
    breaks = [f"{name} at {_listed(found[name])}" for name in ("kinks", "jumps") if found[name]]
    return {
        "range": _interval(found["range"]),
        "slope": _interval(found["derivative_range"]),
        "monotone": str(found["monotone"]),
        "symmetry": str(found["symmetry"]),
        "saturating sides": str(found["saturating"]),
        "smooth": "; ".join(breaks) or {True: "yes", False: "no"}.get(found["smooth"], "unknown"),
    }


def _interval(ends: Any) -> str:
    low, high = (end if isinstance(end, str) else f"{end:.6g}" for end in ends)
    if low == high == "unknown":
        return "unknown"
    return f"from {low} to {high}".replace("unknown", "an unknown bound")


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:.6g}" for number in numbers)


def _report(results: list[Verification], *, as_json: bool) -> None:
    if as_json:
        print_json([result.to_json() for result in results])
        return
    for result in results:
        print(result)
    for timing in (timing for result in results for timing in result.timings):
        say(str(timing))
