"""The parts that exported Python files have in common: docstrings, constants and signatures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from grammars.export.function import Function, TrainedParameter
from grammars.export.writing import Body, Language

HALF_PRECISION: Final = "# Half precision is computed in float32 and rounded once, at the end."


def module(
    function: Function,
    title: str,
    *,
    imports: str,
    parts: Sequence[str],
    assignments: Sequence[str] = (),
) -> str:
    """A whole file: docstring, imports, assignments, and definitions two lines apart."""
    lines = function.heading(title)
    docstring = '"""' + "\n".join(lines) + '\n"""'
    blocks = [f"{docstring}\n\n{imports.strip()}", *constants(function), *assignments]
    return "\n\n".join(blocks) + "\n\n\n" + "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def constants(function: Function) -> list[str]:
    """Assignments for the parameters that training gave one value a channel; at most one block."""
    rows = [
        f"{parameter.name.upper()} = {literal(parameter.value)}"
        for parameter in function.parameters
        if isinstance(parameter.value, tuple)
    ]
    return ["\n".join(rows)] if rows else []


def literal(value: float | tuple[float, ...]) -> str:
    """A parameter's value as a Python literal, broken into lines where it is long."""
    if isinstance(value, float):
        return repr(value)
    numbers = ", ".join(map(repr, value)) + ("," if len(value) == 1 else "")
    if len(numbers) < 60:
        return f"({numbers})"
    indent = " " * 4
    block = textwrap.fill(f"{numbers},", 92, initial_indent=indent, subsequent_indent=indent)
    return f"(\n{block}\n)"


def start(parameter: TrainedParameter) -> str:
    """The name or number that stands for a parameter's value in the file."""
    is_row = isinstance(parameter.value, tuple)
    return parameter.name.upper() if is_row else repr(parameter.value)


def signature(
    function: Function, *, array: str, value: str, returns: str, name: str = "", axis: int = -1
) -> str:
    """The head of the function definition.

    Args:
        function: What is exported.
        array: The annotation of the input.
        value: The annotation of a parameter's value.
        returns: The annotation of the result.
        name: Of the function if it is not the exported name.
        axis: Where the channels are by default.
    """
    name = name or function.name
    if not function.parameters:
        return f"def {name}(x: {array}) -> {returns}:"
    arguments = [f"x: {array}"]
    arguments += [f"{p.name}: {value} = {start(p)}" for p in function.parameters]
    arguments += ["*", f"axis: int = {axis}"]
    return (
        f"def {name}(\n"
        + indented([f"{argument}," for argument in arguments])
        + f"\n) -> {returns}:"
    )


def documentation(function: Function, *, summary: str, array: str = "array") -> list[str]:
    """The docstring of the function; `array` is the framework's word for one."""
    lines = [f'"""{summary}', "", "Args:", f"    x: Real numbers, in {_a(array)} of any shape."]
    for parameter in function.parameters:
        owner = "" if parameter.per == "channel" else f", one a {parameter.per}"
        lines.append(f"    {parameter.name}: Trainable{owner}: a single number, or one a channel.")
    if function.parameters:
        lines.append("    axis: The axis of `x` that counts the channels.")
    returned = [
        f"    {_a(array).capitalize()} of the shape and precision of `x`,",
        "    for integers in the default precision.",
    ]
    return [*lines, "", "Returns:", *returned, '"""']


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def helpers(language: Language, body: Body) -> list[str]:
    """The sources of the helper functions that a body calls."""
    return [language.helpers[name] for name in body.helpers]


def indented(lines: Sequence[str], spaces: int = 4) -> str:
    """The lines as an indented block."""
    return textwrap.indent("\n".join(lines), " " * spaces)
