"""Where an exported function comes from, as every exported file tells it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import numpy

from grammars.algebra.printing import readable
from grammars.export.lowering import ExportError
from grammars.expressions.expression import Expression, Parameter

PACKAGE: Final = "actsearch"
LINE_WIDTH: Final = 92


def package_version() -> str:
    """The version that writes the file; `unreleased` in a source tree that is not installed."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "unreleased"


@dataclass(frozen=True)
class Provenance:
    """What is known of a function beside its formula.

    No date is part of it, so that exporting twice writes the same bytes.

    Attributes:
        campaign: Name of the campaign that found it, None for a formula typed in.
        candidate_id: The expression id within the campaign.
        score: Its score there, up is better.
        properties: Further facts in words, such as `{"monotonic": "no"}`.
        parameters: Values that training gave the trainable parameters, by name: one number, or one
            number a channel. Parameters that are missing keep their start value.
        version: Of the package that writes the file.
    """

    campaign: str | None = None
    candidate_id: str = ""
    score: float | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str = field(default_factory=package_version)

    def facts(self) -> dict[str, str]:
        """Label and text of everything that is known, in the order in which it is printed."""
        facts = {
            "Source campaign": self.campaign or "none, the formula was given",
            "Candidate": self.candidate_id,
            "Score": "" if self.score is None else f"{self.score:.6g}",
            **{label.capitalize(): text for label, text in self.properties.items()},
            "Written by": f"{PACKAGE} {self.version}",
        }
        return {label: text for label, text in facts.items() if text}

    def value_of(self, name: str, start: float) -> float | tuple[float, ...]:
        """The value of a trainable parameter: what training made of it, or its start value.

        Raises:
            ExportError: If the trained value is neither a finite number nor a row of them.
        """
        given = self.parameters.get(name, start)
        try:
            values = numpy.asarray(given, dtype=float)
        except (TypeError, ValueError):
            values = numpy.asarray(math.nan)
        if values.ndim > 1 or values.size == 0 or not numpy.isfinite(values).all():
            raise ExportError(
                f"parameter {name!r} needs one finite number, or one a channel; "
                f"got {str(given)[:80]}"
            )
        return float(values) if values.ndim == 0 else tuple(values.tolist())


def description(expression: Expression, provenance: Provenance, *, title: str) -> list[str]:
    """The lines that head an exported file: title, formula and facts, each safe in a comment."""
    lines = [
        *_wrapped(title),
        "",
        *_wrapped(f"f(x) = {formula(expression, provenance)}", indent="    "),
        "",
    ]
    facts = provenance.facts()
    if expression.parameters:
        trainable = ", ".join(_trainable(p, provenance) for p in expression.parameters)
        facts = {"Trainable": trainable, **facts}
    for label, text in facts.items():
        lines.extend(_wrapped(f"{label}: {text}", indent="    "))
    return lines


def formula(expression: Expression, provenance: Provenance) -> str:
    """A function as people see it: what a campaign found as its reports print it, else as given."""
    return str(expression) if provenance.campaign is None else readable(expression)


def _trainable(parameter: Parameter, provenance: Provenance) -> str:
    value = provenance.value_of(parameter.name, parameter.start)
    if isinstance(value, tuple):
        origin = f"{len(value)} trained values"
    elif value != parameter.start:
        origin = f"{value:.6g} by training, {parameter.start:.6g} before"
    else:
        origin = f"from {parameter.start:.6g}"
    return f"{parameter.name} ({origin}; one a {parameter.per})"


def _wrapped(text: str, *, indent: str = "") -> list[str]:
    # A campaign's name is the user's: nothing in it may end the comment that it stands in.
    plain = "".join(character if character.isprintable() else " " for character in text)
    for ending, harmless in (("\\", "/"), ('"""', "'''"), ("*/", "* /"), ("/*", "/ *")):
        plain = plain.replace(ending, harmless)
    return textwrap.wrap(plain, LINE_WIDTH, subsequent_indent=indent, break_on_hyphens=False)
