"""Module classes around an exported function, for the frameworks whose modules own parameters."""

from __future__ import annotations

from dataclasses import dataclass

from grammars.export.function import Function, TrainedParameter
from grammars.export.python_source import indented, start


@dataclass(frozen=True)
class ModuleStyle:
    """How a framework writes a module.

    Attributes:
        base: The base class.
        forward: Head of the method that applies the module.
        axis: The default axis of the channels.
        keyword_axis: Whether the function takes the axis by its name only.
        parameter: Makes a trainable parameter of `{value}`.
        full: A row of `channels` equal numbers `{start}`.
        array: A number or a row `{start}` as an array.
        read: How the method reads the parameter `{name}`.
        field: An annotation in the class for the parameter `{name}`, "" where none is needed.
        axis_field: The same for the axis.
        initialise_base: Whether the base class has to be initialised first.
        has_lean: Whether there is a memory-lean form, which the constructor can choose.
    """

    base: str
    forward: str
    axis: int
    keyword_axis: bool
    parameter: str
    full: str
    array: str
    read: str = "self.{name}"
    field: str = ""
    axis_field: str = ""
    initialise_base: bool = False
    has_lean: bool = False


def module_class(function: Function, style: ModuleStyle) -> str:
    """The source of the class."""
    head = f"class {function.class_name}({style.base}):"
    summary = f"The function `{function.name}` as a module"
    if not function.parameters and not style.has_lean:
        body = [f'"""{summary}."""', "", style.forward, f"    return {function.name}(x)"]
        return f"{head}\n{indented(body)}"
    fields = [style.field.format(name=p.name) for p in function.parameters] + [style.axis_field]
    fields = [field for field in fields if field]
    body = [
        *_documentation(function, summary, style),
        "",
        *([*fields, ""] if fields else []),
        *_constructor(function, style),
        "",
        style.forward,
        *_application(function, style),
    ]
    return f"{head}\n{indented(body)}"


def _application(function: Function, style: ModuleStyle) -> list[str]:
    arguments = ["x", *(style.read.format(name=p.name) for p in function.parameters)]
    if function.parameters:
        arguments.append("axis=self.axis" if style.keyword_axis else "self.axis")
    given = f"({', '.join(arguments)})"
    lines = [f"return {function.name}{given}"]
    if style.has_lean:
        condition = "if self.lean and not torch.jit.is_scripting():"
        lines = [condition, f"    return {function.name}_lean{given}", *lines]
    return indented(lines).splitlines()


def has_channels(function: Function) -> bool:
    """Whether any parameter has one value a channel."""
    return any(p.per == "channel" or isinstance(p.value, tuple) for p in function.parameters)


def _documentation(function: Function, summary: str, style: ModuleStyle) -> list[str]:
    owns = " that owns its trainable parameters" if function.parameters else ""
    lines = [f'"""{summary}{owns}.', ""]
    if any(p.per == "network" for p in function.parameters):
        lines += ["One instance serves a whole network where a parameter is one a network.", ""]
    lines.append("Args:")
    if has_channels(function):
        lines.append("    channels: How many values a parameter has; a single one serves all.")
    if function.parameters:
        lines.append("    axis: The axis of the input that counts the channels.")
    if style.has_lean:
        lines.append("    lean: Whether the backward pass computes anew all but the input.")
    return [*lines, '"""']


def _constructor(function: Function, style: ModuleStyle) -> list[str]:
    trained = function.channels
    arguments = ["self"]
    if has_channels(function):
        arguments.append(f"channels: int = {trained or 1}")
    if function.parameters:
        arguments.append(f"axis: int = {style.axis}")
    if style.has_lean:
        arguments += ["*", "lean: bool = False"]
    body = ["super().__init__()"] if style.initialise_base else []
    if trained:
        body += [
            f"if channels != {trained}:",
            f'    raise ValueError(f"trained for {trained} channels, got {{channels}}")',
        ]
    if function.parameters:
        body.append("self.axis = axis")
    if style.has_lean:
        body.append("self.lean = lean")
    for parameter in function.parameters:
        value = style.parameter.format(value=_value(parameter, style))
        body.append(f"self.{parameter.name} = {value}")
    head = f"def __init__({', '.join(arguments)}) -> None:"
    return [head, *indented(body).splitlines()]


def _value(parameter: TrainedParameter, style: ModuleStyle) -> str:
    is_full = parameter.per == "channel" and isinstance(parameter.value, float)
    return (style.full if is_full else style.array).format(start=start(parameter))
