"""The target `pytorch`: a function and an `nn.Module`, to be scripted, traced and compiled."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from grammars.export.function import Function
from grammars.export.python_class import ModuleStyle, module_class
from grammars.export.python_source import (
    HALF_PRECISION,
    documentation,
    helpers,
    indented,
    module,
)
from grammars.export.pytorch_lean import FLOATING, head, lean_form, widened
from grammars.export.recognition import WHOLE_FUNCTIONS
from grammars.export.rewriting import rebuild
from grammars.export.writing import Body, Form, Language, Special, python_power, write
from grammars.expressions.expression import Call, Constant, Expression, Variable
from grammars.primitives import EXP_ARGUMENT_MAX, SINC_SERIES_BELOW, column

_SINC: Final = f'''
def _sinc(a: torch.Tensor) -> torch.Tensor:
    """sin(a) / a, by its Taylor series where the quotient would be 0 / 0."""
    near_zero = a.abs() < {SINC_SERIES_BELOW}
    away = torch.where(near_zero, 1.0, a)
    square = torch.where(near_zero, a, 0.0) ** 2
    series = torch.ones_like(a)
    for factor in (156.0, 110.0, 72.0, 42.0, 20.0, 6.0):
        series = 1.0 - square / factor * series
    return torch.where(near_zero, series, torch.sin(away) / away)
'''

_LIMIT: Final = EXP_ARGUMENT_MAX

_WITHIN: Final = f'''
def _within(a: torch.Tensor) -> torch.Tensor:
    """The argument of a hyperbolic function, bounded so that no value overflows."""
    a = torch.where(a > {_LIMIT}, {_LIMIT}, a)
    return torch.where(a < -{_LIMIT}, -{_LIMIT}, a)
'''

_FORMS: Final = {
    **column("pytorch"),
    "inf": Form('float("inf")'),
    "nan": Form('float("nan")'),
    "silu": Form("functional.silu({0})"),
    "gelu": Form("functional.gelu({0})"),
    "gelu_tanh": Form('functional.gelu({0}, approximate="tanh")'),
    "mish": Form("functional.mish({0})"),
    "elu": Form("functional.elu({0})"),
    "selu": Form("functional.selu({0})"),
    "leaky_relu": Form("functional.leaky_relu({0}, 0.01)"),
    "relu6": Form("functional.relu6({0})"),
    "hard_sigmoid": Form("functional.hardsigmoid({0})"),
    "hard_swish": Form("functional.hardswish({0})"),
    "softsign": Form("functional.softsign({0})"),
}

_EITHER: Final = Form("torch.where({0} >= 0, torch.full_like({0}, {1}), {2})")
_AT_LEAST: Final = Form("torch.clamp({0}, min={1})")
_AT_MOST: Final = Form("torch.clamp({0}, max={1})")


def _special(node: Call) -> Special:
    # torch.maximum takes no plain numbers, torch.clamp no mixture of numbers and tensors, and
    # torch.where makes of two plain numbers a tensor of the default precision.
    match node:
        case Call("where", (_, Constant(), Constant())):
            return _EITHER, node.operands
        case Call("max", (Constant() as bound, other) | (other, Constant() as bound)):
            return _AT_LEAST, (other, bound)
        case Call("min", (Constant() as bound, other) | (other, Constant() as bound)):
            return _AT_MOST, (other, bound)
    return python_power(node)


LANGUAGE: Final = Language(_FORMS, {"_sinc": _SINC, "_within": _WITHIN}, special=_special)
KNOWN: Final = tuple(name for name in WHOLE_FUNCTIONS if name in _FORMS)

# Wrapped, since the shape that it makes depends on sizes, which symbolic tracing does not know.
_ALONG: Final = '''
@torch.fx.wrap
def _along(value: torch.Tensor, x: torch.Tensor, axis: int) -> torch.Tensor:
    """Lays one value a channel along an axis of `x`; a single value serves all channels."""
    if value.numel() == 1:
        return value.reshape([])
    shape = [1] * x.dim()
    shape[axis] = value.numel()
    return value.reshape(shape)
'''


_STYLE: Final = ModuleStyle(
    base="nn.Module",
    forward="def forward(self, x: torch.Tensor) -> torch.Tensor:",
    axis=1,
    keyword_axis=False,
    parameter="nn.Parameter({value})",
    full="torch.full((channels,), {start})",
    array="torch.tensor({start})",
    initialise_base=True,
)


def render(function: Function) -> str:
    """The source of a module that needs PyTorch alone."""
    lowered = rebuild(function.lowered(KNOWN), _split_clip)
    body = write((lowered,), LANGUAGE, names=function.names())
    is_own = not is_one_function(lowered)
    # Without arithmetic on the input there is nothing to compute anew.
    has_lean = is_own and isinstance(lowered, Call) and lowered.uses_input
    lean = lean_form(function, LANGUAGE) if has_lean else None
    used = [*helpers(LANGUAGE, body), *(lean.helpers if lean else ())]
    parts = [*([_ALONG] if function.parameters else []), *dict.fromkeys(used)]
    if is_own:
        parts += [
            _value(function, lowered, body),
            _definition(function, _computation(function)),
        ]
    else:
        parts.append(_definition(function, [_own(body)]))
    if lean is not None:
        parts += [lean.slopes, lean.autograd, lean.function]
    parts.append(module_class(function, replace(_STYLE, has_lean=has_lean)))
    needs_functional = any("functional." in part for part in parts)
    return module(
        function,
        "An activation function for PyTorch.",
        imports="import torch\nfrom torch import nn"
        + ("\nfrom torch.nn import functional" if needs_functional else ""),
        parts=parts,
    )


def is_one_function(lowered: Expression) -> bool:
    """Whether the whole function is one of the framework's own, such as `silu(x)`."""
    match lowered:
        case Call(name, (Variable(),)):
            return LANGUAGE.forms[name].text.startswith("functional.")
    return False


def _split_clip(node: Expression) -> Expression | None:
    match node:
        case Call("clip", (_, Constant(), Constant())):
            return None
        case Call("clip", (operand, low, high)):
            return rebuild(Call("min", (Call("max", (operand, low)), high)), _split_clip)
    return None


def _own(body: Body) -> str:
    """The call of the framework's own function, which takes integers where it is told to."""
    return f"return {body.values[0].replace('(x', '(x.to(dtype)', 1)}"


def _definition(function: Function, lines: list[str]) -> str:
    told = documentation(function, summary="Applies the function to every element.", array="tensor")
    top = head(function.name, function, has_axis=True)
    return f"{top}\n{indented([*told, f'dtype = {FLOATING}', *lines])}"


def _value(function: Function, lowered: Expression, body: Body) -> str:
    value = body.values[0]
    if not lowered.uses_input:
        given = lowered.parameters
        value = f"({value}).expand(x.shape)" if given else f"torch.full_like(x, {value})"
    lines = [
        '"""The function of numbers in float32 or more; the parameters broadcast against `x`."""',
        *widened(function),
        *body.statements,
        f"return {value}",
    ]
    return f"{head('_value', function)}\n{indented(lines)}"


def _computation(function: Function) -> list[str]:
    arguments = ", ".join(["x", *(p.name for p in function.parameters)])
    return [
        HALF_PRECISION,
        "x = x.to(torch.promote_types(dtype, torch.float32))",
        *(f"{p.name} = _along({p.name}, x, axis)" for p in function.parameters),
        f"return _value({arguments}).to(dtype)",
    ]
