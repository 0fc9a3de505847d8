"""Which function leaves a campaign, and what its files tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grammars import Activation, Expression, Layered, expression_id, parse
from grammars.analysis.properties import properties
from grammars.export import ExportError, Function, Provenance, read_json
from search.candidates.racing import Standing


def function_of(
    standing: Standing, *, campaign: str, layer: str | None = None, trained: bool = False
) -> Function:
    """The function of a candidate.

    Args:
        standing: The candidate's.
        campaign: Name of the campaign that found it.
        layer: Which of a candidate with several: first, middle, last or a number.
        trained: Whether trainable parameters start from what training made of them.

    Raises:
        ExportError: If the layer is missing, or there is none, or nothing is known of training.
    """
    found = standing.candidate
    function = _of_layer(found.expression, layer)
    by_layer = _trained(standing, function) if trained else {}
    told = _properties(function)
    if by_layer:
        listed = (f"{name} {_listed(values)}" for name, values in by_layer.items())
        told["trained values by layer"] = "; ".join(listed)
    provenance = Provenance(
        campaign=campaign,
        candidate_id=found.id,
        score=standing.evaluation.score,
        properties=told,
        # One value each, since layers and channels of another network are others.
        parameters={name: sum(values) / len(values) for name, values in by_layer.items()},
    )
    return Function(function, provenance=provenance)


def given_function(text: str) -> Function:
    """An expression with what is known of it, or with an @ before it the path of a JSON export."""
    if text.startswith("@"):
        return read_json(Path(text[1:]))
    expression = parse(text)
    known = _properties(expression)
    provenance = Provenance(candidate_id=expression_id(expression), properties=known)
    return Function(expression, provenance=provenance)


def _of_layer(activation: Activation, layer: str | None) -> Expression:
    if not isinstance(activation, Layered):
        if layer is not None:
            raise ExportError(f"{activation} is the function of all layers; leave --layer out")
        return activation
    if layer is None:
        raise ExportError(
            f"{activation} has a function of its own in each layer, and a file holds one; choose "
            f"it with --layer {' or --layer '.join(activation.layer_names)}"
        )
    return activation.at(layer)


def _trained(standing: Standing, function: Expression) -> dict[str, tuple[float, ...]]:
    """What training made of each parameter by hidden layer, the mean over channels and seeds."""
    values = standing.evaluation.parameters
    names = [parameter.name for parameter in function.parameters]
    if any(name not in values for name in names):
        raise ExportError(
            f"the journal does not say what training made of {', '.join(names)}: an earlier "
            "version wrote it, a value ceased to be finite, or the function is one of several "
            "for single layers; leave --trained out, and they have their start values"
        )
    return {name: values[name] for name in names}


def _properties(expression: Expression) -> dict[str, str]:
    """What a user of the files may want to know of the function, in words."""
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
