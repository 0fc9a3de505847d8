"""LaTeX and simplified derivatives by SymPy, in a child process that may be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

import numpy

from grammars.expressions.expression import (
    Call,
    Constant,
    Expression,
    Parameter,
    Variable,
    expanded,
)
from grammars.primitives import PRIMITIVES

# Simplification has no bound of its own: it is given this long, and then what there is counts.
TIME_LIMIT_SECONDS: Final = 10.0
MEMORY_LIMIT_BYTES: Final = 2 << 30

# Irregular, so that no usual kink is among them.
CHECK_POINTS: Final = (-4.37, -2.71, -1.43, -0.61, -0.137, 0.173, 0.59, 1.27, 2.39, 3.91)

_NAMED: Final = {numpy.pi: "pi", numpy.e: "E"}


@dataclass(frozen=True)
class Symbolic:
    """What SymPy says of a function.

    Attributes:
        latex: The function.
        derivative: The derivative, as SymPy prints it.
        derivative_latex: The derivative.
        slopes: Its values at CHECK_POINTS, with parameters at their start values.
    """

    latex: str
    derivative: str
    derivative_latex: str
    slopes: tuple[float, ...]


def to_sympy(expression: Expression) -> Any:
    """The expression as a SymPy object, built node by node and never from text.

    Guards are left out: the result is the function that mathematics means.
    """
    import sympy

    match expression:
        case Variable():
            return sympy.Symbol("x", real=True)
        case Constant(value):
            if value in _NAMED:
                return getattr(sympy, _NAMED[value])
            if value.is_integer() and abs(value) < 1e9:
                return sympy.Integer(int(value))
            # A decimal as it was written: 0.1 is a tenth, not the nearest binary fraction.
            return sympy.Rational(repr(value)) if _is_short(value) else sympy.Float(value)
        case Parameter(name):
            return sympy.Symbol(name, real=True)
        case Call(primitive, operands):
            return PRIMITIVES[primitive].sympy(sympy, *map(to_sympy, operands))
        case _:
            raise TypeError(f"expected an Expression, got {type(expression).__name__}")


def _is_short(value: float) -> bool:
    return len(repr(value)) <= 6 and "e" not in repr(value)


def analyse(
    expression: Expression, *, timeout_seconds: float = TIME_LIMIT_SECONDS
) -> Symbolic | None:
    """Asks SymPy in a child process.

    Args:
        expression: What to analyse.
        timeout_seconds: After which the child is killed.

    Returns:
        The simplified answer, the plain one if simplification took too long, or None if SymPy
        gave none at all in time.
    """
    expression = expanded(expression)
    command = [sys.executable, "-m", "grammars.algebra.symbolic"]
    try:
        answered = subprocess.run(
            command,
            input=str(expression).encode(),
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as error:
        answered = error.stdout or b""
    answers = [line for line in answered.decode().splitlines() if line.endswith("}")]
    if not answers:
        return None
    fields = json.loads(answers[-1])
    return Symbolic(**fields | {"slopes": tuple(fields["slopes"])})


def _answer(expression: Expression, form: Any, derivative: Any) -> str:
    import sympy

    starts = {sympy.Symbol(p.name, real=True): p.start for p in expression.parameters}
    x = sympy.Symbol("x", real=True)
    at_start = derivative.subs(starts)
    slopes = [float(at_start.subs(x, point).evalf()) for point in CHECK_POINTS]
    fields = {
        "latex": sympy.latex(form),
        "derivative": str(derivative),
        "derivative_latex": sympy.latex(derivative),
        "slopes": slopes,
    }
    return json.dumps(fields)


def _answer_from_standard_input() -> None:
    """The child: one line with the plain derivative, another with the simplified one."""
    import resource

    import sympy

    from grammars.parsing.parser import parse

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    expression = parse(sys.stdin.read())
    form = to_sympy(expression)
    plain = sympy.diff(form, sympy.Symbol("x", real=True))
    for simplify in (False, True):
        # The plain answer is out before simplification may run out of time.
        derivative = sympy.simplify(plain) if simplify else plain
        sys.stdout.write(_answer(expression, form, derivative) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _answer_from_standard_input()
