"""The memory-lean form in a PyTorch file, which keeps its input alone for the backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grammars.export.function import Function
from grammars.export.lowering import fold
from grammars.export.python_source import helpers, indented
from grammars.export.rewriting import rebuild
from grammars.export.writing import Body, Language, write
from grammars.expressions.expression import Expression, Parameter, Variable
from grammars.numerics.derivative import derivative

# Stands for the input while a parameter has its place. No parameter is called so, with a blank.
_INPUT: Final = Parameter("the input", 0.0)

# The precision of `x`; that of an integer divided by one is the default.
FLOATING: Final = "(x.new_empty(0) / 1).dtype"


def slopes(function: Function) -> tuple[Expression, ...]:
    """The derivatives by the input and then by each parameter."""
    by_parameters = (_by(function.stable, p) for p in function.expression.parameters)
    return (function.slope, *(fold(slope) for slope in by_parameters))


def _by(expression: Expression, parameter: Parameter) -> Expression:
    """The derivative by a parameter: it and the input change places, and change back."""

    def changed(given: Expression, pairs: dict[Expression, Expression]) -> Expression:
        return rebuild(given, pairs.get)

    slope = derivative(changed(expression, {Variable(): _INPUT, parameter: Variable()}))
    return changed(slope, {Variable(): parameter, _INPUT: Variable()})


@dataclass(frozen=True)
class LeanForm:
    """The sources that a file has for it.

    Attributes:
        helpers: What the derivatives call.
        slopes: The derivatives.
        autograd: The autograd function, which calls them and the function `_value`.
        function: What users call.
    """

    helpers: tuple[str, ...]
    slopes: str
    autograd: str
    function: str


def lean_form(function: Function, language: Language) -> LeanForm:
    """The memory-lean form of a function, whose plain form is in the same file."""
    printed = slopes(function)
    body = write(printed, language, names=function.names())
    return LeanForm(
        tuple(helpers(language, body)), _slopes(function, printed, body), _AUTOGRAD, _lean(function)
    )


_AUTOGRAD: Final = '''
class _Lean(torch.autograd.Function):
    """The function with its derivatives, which are computed anew from its arguments."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, *parameters):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        return _value(wide, *parameters).to(x.dtype)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, grad):
        x, *parameters = ctx.saved_tensors
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        slope, *others = _slopes(wide, *parameters)
        pairs = zip(others, parameters, strict=True)
        return (
            (grad * slope).to(x.dtype),
            *((grad * slope).sum_to_size(p.shape).to(p.dtype) for slope, p in pairs),
        )

    @staticmethod
    def jvp(ctx, *tangents):
        x, *parameters = ctx.saved_tensors
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        pairs = zip(_slopes(wide, *parameters), tangents, strict=True)
        return sum(slope * tangent for slope, tangent in pairs if tangent is not None).to(x.dtype)
'''


def _slopes(function: Function, printed: tuple[Expression, ...], body: Body) -> str:
    values = [
        text if slope.uses_input or slope.parameters else f"torch.full_like(x, {text})"
        for slope, text in zip(printed, body.values, strict=True)
    ]
    returned = [f"return [{values[0]}]"]
    if len(values) > 1:
        returned = ["return [", *(f"    {value}," for value in values), "]"]
    lines = [
        '"""The derivatives by each argument."""',
        *widened(function),
        *body.statements,
        *returned,
    ]
    return f"{head('_slopes', function, returns='list[torch.Tensor]')}\n{indented(lines)}"


def _lean(function: Function) -> str:
    arguments = [f"_along({p.name}, x, axis)" for p in function.parameters]
    listed = ["x", *(p.name for p in function.parameters), *(["axis"] if arguments else [])]
    applied = ["return _Lean.apply(x)"]
    if arguments:
        applied = ["return _Lean.apply(", *(f"    {a}," for a in ("x", *arguments)), ")"]
    lines = [
        '"""The same function, which keeps its arguments alone for the backward pass."""',
        "# A compiler chooses by itself what it keeps, and keeps as little.",
        "if torch.compiler.is_compiling():",
        f"    return {function.name}({', '.join(listed)})",
        f"x = x.to({FLOATING})",
        *applied,
    ]
    top = head(f"{function.name}_lean", function, has_axis=True)
    return f"@torch.fx.wrap\n{top}\n{indented(lines)}"


def widened(function: Function) -> list[str]:
    """The statements that bring the parameters to the precision of `x`."""
    return [f"{p.name} = {p.name}.to(x.dtype)" for p in function.parameters]


def head(
    name: str, function: Function, *, returns: str = "torch.Tensor", has_axis: bool = False
) -> str:
    """The head of a function of the input and the parameters, in lines of at most 100 letters."""
    arguments = ["x: torch.Tensor", *(f"{p.name}: torch.Tensor" for p in function.parameters)]
    if has_axis and function.parameters:
        arguments.append("axis: int = 1")
    line = f"def {name}({', '.join(arguments)}) -> {returns}:"
    if len(line) <= 100:
        return line
    return f"def {name}(\n{indented([f'{a},' for a in arguments])}\n) -> {returns}:"
