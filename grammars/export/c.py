"""The target `c`: a header of C99 with the function and its derivative in single precision."""

from __future__ import annotations

import textwrap
from typing import Final

import numpy

from grammars.export.function import Function, TrainedParameter
from grammars.export.names import macro
from grammars.export.python_source import indented
from grammars.export.writing import Body, Form, Language, Special, write
from grammars.expressions.expression import Call, Constant, Expression
from grammars.primitives import SINC_SERIES_BELOW, column

# Where the function's own name goes, so that two headers can be included side by side.
_NAME: Final = "@"

_HELPERS: Final = {
    "max": """
/* The larger one, and NaN where either is NaN; fmaxf would hide it. */
static inline float @_max(float a, float b)
{
    return a >= b || isnan(a) ? a : b;
}
""",
    "min": """
/* The smaller one, and NaN where either is NaN; fminf would hide it. */
static inline float @_min(float a, float b)
{
    return a <= b || isnan(a) ? a : b;
}
""",
    "clip": """
/* The nearest number from low to high, and NaN where any of the three is NaN. */
static inline float @_clip(float a, float low, float high)
{
    const float raised = a >= low || isnan(a) ? a : low;
    return raised <= high || isnan(raised) ? raised : high;
}
""",
    "sigmoid": """
/* 1 / (1 + exp(-a)) without overflow and without loss of digits on either side. */
static inline float @_sigmoid(float a)
{
    const float decay = expf(-fabsf(a));
    return (a >= 0.0f ? 1.0f : decay) / (1.0f + decay);
}
""",
    "softplus": """
/* log(1 + exp(a)) without overflow. */
static inline float @_softplus(float a)
{
    return (a > 0.0f ? a : 0.0f) + log1pf(expf(-fabsf(a)));
}
""",
    "sinc": f"""
/* sin(a) / a, by its Taylor series where the quotient would be 0 / 0. */
static inline float @_sinc(float a)
{{
    static const float factors[] = {{156.0f, 110.0f, 72.0f, 42.0f, 20.0f, 6.0f}};
    float series = 1.0f;
    if (fabsf(a) >= {SINC_SERIES_BELOW}f) {{
        return sinf(a) / a;
    }}
    for (int i = 0; i < 6; ++i) {{
        series = 1.0f - a * a / factors[i] * series;
    }}
    return series;
}}
""",
}

_FORMS: Final = {
    **column("c"),
    "inf": Form("INFINITY"),
    "nan": Form("NAN"),
}


def number(value: float) -> str:
    """The shortest literal of the nearest float."""
    nearest = numpy.float32(value)
    if numpy.isinf(nearest):
        return "INFINITY" if value > 0 else "-INFINITY"
    return f"{nearest!s}f"


def _special(node: Call) -> Special:
    # powf is right for all bases, but slow for what a product or two can do.
    match node:
        case Call("pow", (base, Constant(2.0))):
            return _FORMS["square"], (base,)
        case Call("pow", (base, Constant(3.0))):
            return _FORMS["cube"], (base,)
    return None


LANGUAGE: Final = Language(
    _FORMS,
    _HELPERS,
    number=number,
    statement="const float {name} = {value};",
    special=_special,
)


def render(function: Function) -> str:
    """The text of a header that needs <math.h> alone."""
    names = function.names()
    value = write((function.value,), LANGUAGE, names=names)
    slope = write((function.slope,), LANGUAGE, names=names)
    guard = _guard(function)
    comment = "\n".join(f" * {line}".rstrip() for line in function.heading(_TITLE))
    parts = [
        f"/*\n{comment}\n */",
        f"#ifndef {guard}\n#define {guard}",
        "#include <math.h>",
        *(_constant(function, parameter) for parameter in function.parameters),
        *(
            _HELPERS[name].strip().replace(_NAME, function.name)
            for name in dict.fromkeys([*value.helpers, *slope.helpers])
        ),
        _definition(function, value, function.value, slope=False),
        _definition(function, slope, function.slope, slope=True),
        "#endif",
    ]
    return "\n\n".join(parts) + "\n"


_TITLE: Final = "An activation function and its derivative in C99, single precision."


def _guard(function: Function) -> str:
    """The macro that tells whether the header is included; none of its parameters is called so."""
    guard = f"{function.name.upper()}_H"
    while guard in {macro(function.name, parameter.name) for parameter in function.parameters}:
        guard += "_"
    return guard


def _constant(function: Function, parameter: TrainedParameter) -> str:
    name = macro(function.name, parameter.name)
    comment = f"/* Trainable, one a {parameter.per}: where {parameter.name} starts from. */"
    if isinstance(parameter.value, float):
        return f"{comment}\n#define {name} {number(parameter.value)}"
    numbers = ", ".join(number(value) for value in parameter.value)
    block = textwrap.fill(numbers, 92, initial_indent="    ", subsequent_indent="    ")
    return f"{comment}\nstatic const float {name}[{len(parameter.value)}] = {{\n{block}\n}};"


def _definition(function: Function, body: Body, result: Expression, *, slope: bool) -> str:
    name = f"{function.name}_slope" if slope else function.name
    arguments = ", ".join(f"float {name}" for name in ("x", *function.names().values()))
    unused = [
        function.names()[parameter.original]
        for parameter in function.parameters
        if all(parameter.original != used.name for used in result.parameters)
    ]
    if not result.uses_input:
        unused.insert(0, "x")
    statements = [f"(void){name};" for name in unused]
    statements += [*body.statements, f"return {body.values[0]};"]
    text = indented(statements).replace(_NAME, function.name)
    what = "The derivative by x." if slope else "The function."
    return f"/* {what} */\nstatic inline float {name}({arguments})\n{{\n{text}\n}}"
