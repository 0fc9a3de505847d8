"""What is common to all exports of one function: its names, its parameters and its lowered form."""

from __future__ import annotations

import itertools
import keyword
import re
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from grammars.export.derivative import derivative
from grammars.export.lowering import ExportError, check_size, fold, guard_branches
from grammars.export.provenance import Provenance, description
from grammars.export.recognition import recognise
from grammars.expression import Expression, Scope

DEFAULT_NAME: Final = "activation"
MAX_NAME_LENGTH: Final = 60

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# Names that the exported files use for something else, in any of their languages.
_TAKEN: Final = frozenset(
    [
        "x",
        "self",
        "axis",
        "channels",
        "parameters",
        "dtype",
        "wide",
        "value",
        "values",
        "slope",
        "name",
        "rngs",
        "inputs",
        "outputs",
        "jax",
        "jnp",
        "np",
        "nnx",
        "eqx",
        "nn",
        "torch",
        "functional",
        "keras",
        "ops",
        "math",
        "sympy",
        "annotations",
        "float",
        "double",
        "int",
        "return",
        "const",
        "static",
        "inline",
        "if",
        "else",
        "for",
        "while",
    ]
)


def check_name(name: str) -> str:
    """Returns a name that is fit for a function, a class and a file.

    Raises:
        ExportError: If it is not an identifier, is a keyword, or is too long.
    """
    allowed = f"a letter, then letters, digits and '_', at most {MAX_NAME_LENGTH} in all"
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise ExportError(f"cannot call the function {name[:80]!r}; a name is {allowed}")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _TAKEN:
        raise ExportError(f"cannot call the function {name!r}: the name is taken; choose another")
    return name


@dataclass(frozen=True)
class TrainedParameter:
    """A trainable parameter as a file writes it.

    Attributes:
        original: Its name in the expression.
        name: Its name in the file, where the original may be a keyword.
        value: The number it starts from in the file, or one number a channel.
        per: What owns a value of its own.
    """

    original: str
    name: str
    value: float | tuple[float, ...]
    per: Scope


@dataclass(frozen=True)
class Function:
    """An expression that is ready for printing.

    Attributes:
        expression: As it was found.
        name: Of the exported function, an identifier.
        provenance: What the file tells about it.
    """

    expression: Expression
    name: str
    provenance: Provenance

    def __post_init__(self) -> None:
        check_name(self.name)
        check_size(self.expression)

    @property
    def class_name(self) -> str:
        """The name of a module class: `my_swish` becomes `MySwish`."""
        return "".join(word[0].upper() + word[1:] for word in self.name.split("_") if word)

    @cached_property
    def parameters(self) -> tuple[TrainedParameter, ...]:
        """The trainable parameters with their values, under names that no file uses otherwise."""
        # Compared without case, since files write the constants of `beta` as `BETA`.
        taken = {word.lower() for word in (*_TAKEN, *keyword.kwlist, self.name, self.class_name)}
        result = []
        for parameter in self.expression.parameters:
            name = _free_name(parameter.name, taken)
            taken.add(name.lower())
            value = self.provenance.value_of(parameter.name, parameter.start)
            result.append(TrainedParameter(parameter.name, name, value, parameter.per))
        return tuple(result)

    @property
    def channels(self) -> int | None:
        """How many channels the trained parameters are for; None where they serve any number.

        Raises:
            ExportError: If the parameters are for different numbers of channels.
        """
        widths = {len(p.value) for p in self.parameters if isinstance(p.value, tuple)}
        if len(widths) > 1:
            raise ExportError(
                f"the parameters are trained for {sorted(widths)} channels; "
                "they must all have one value, or all as many"
            )
        return widths.pop() if widths else None

    def names(self, prefix: str = "") -> dict[str, str]:
        """What the parameters are called in the text, by their names in the expression."""
        return {parameter.original: prefix + parameter.name for parameter in self.parameters}

    @cached_property
    def folded(self) -> Expression:
        """The expression with its constant parts computed."""
        return fold(self.expression)

    def lowered(self, known: Collection[str]) -> Expression:
        """For frameworks that differentiate in reverse: guarded, with the framework's functions.

        Args:
            known: Names of the whole functions that the framework has.
        """
        guarded = guard_branches(self.expression)
        return fold(recognise(guarded, known))

    @cached_property
    def slope(self) -> Expression:
        """The derivative, for targets that do not differentiate."""
        return fold(derivative(self.expression))

    def heading(self, title: str) -> list[str]:
        """The lines that introduce a file."""
        return description(self.expression, self.provenance, title=title)

    def docstring(self, title: str) -> str:
        """A Python docstring for the whole file."""
        return '"""' + "\n".join(self.heading(title)) + '\n"""'


def _free_name(wanted: str, taken: Collection[str]) -> str:
    """The name itself, or the first of `name_`, `name_2`, `name_3` ... that is free."""
    base = wanted.strip("_") or "parameter"
    for name in itertools.chain([base, f"{base}_"], (f"{base}_{i}" for i in itertools.count(2))):
        # The files call their intermediate values t1, t2 ...
        if name.lower() not in taken and not re.fullmatch(r"t\d+", name):
            return name
    raise AssertionError("unreachable: the candidates never end")


def python_value(value: float | tuple[float, ...]) -> str:
    """A parameter's value as a Python literal, broken into lines where it is long."""
    if isinstance(value, float):
        return repr(value)
    numbers = ", ".join(map(repr, value)) + ("," if len(value) == 1 else "")
    if len(numbers) < 60:
        return f"({numbers})"
    return (
        "(\n"
        + textwrap.fill(f"{numbers},", 92, initial_indent="    ", subsequent_indent="    ")
        + "\n)"
    )


def indented(lines: Sequence[str], spaces: int = 4) -> str:
    """The lines as an indented block."""
    return textwrap.indent("\n".join(lines), " " * spaces)
