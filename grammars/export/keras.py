"""The target `keras`: a serialisable Keras 3 layer for any backend."""

from __future__ import annotations

from typing import Final

from grammars.export.function import Function, TrainedParameter
from grammars.export.python_class import has_channels
from grammars.export.python_source import (
    HALF_PRECISION,
    helpers,
    indented,
    module,
    start,
)
from grammars.export.recognition import WHOLE_FUNCTIONS
from grammars.export.writing import Body, Form, Language, python_power, write
from grammars.primitives import SINC_SERIES_BELOW, column

_SINC: Final = f'''
def _sinc(a: keras.KerasTensor) -> keras.KerasTensor:
    """sin(a) / a, by its Taylor series where the quotient would be 0 / 0."""
    near_zero = ops.abs(a) < {SINC_SERIES_BELOW}
    away = ops.where(near_zero, ops.ones_like(a), a)
    square = ops.square(ops.where(near_zero, a, ops.zeros_like(a)))
    series = ops.ones_like(a)
    for factor in (156.0, 110.0, 72.0, 42.0, 20.0, 6.0):
        series = 1.0 - square / factor * series
    return ops.where(near_zero, series, ops.sin(away) / away)
'''

_FORMS: Final = {
    **column("keras"),
    "inf": Form('float("inf")'),
    "nan": Form('float("nan")'),
    "silu": Form("ops.silu({0})"),
    "gelu": Form("ops.gelu({0}, approximate=False)"),
    "gelu_tanh": Form("ops.gelu({0}, approximate=True)"),
    "elu": Form("ops.elu({0})"),
    "selu": Form("ops.selu({0})"),
    "leaky_relu": Form("ops.leaky_relu({0}, 0.01)"),
    "relu6": Form("ops.relu6({0})"),
    "hard_sigmoid": Form("ops.hard_sigmoid({0})"),
    "hard_swish": Form("ops.hard_silu({0})"),
}

LANGUAGE: Final = Language(_FORMS, {"_sinc": _SINC}, special=python_power)
KNOWN: Final = tuple(name for name in WHOLE_FUNCTIONS if name in _FORMS)


def render(function: Function) -> str:
    """The source of a module that needs Keras 3 and any of its backends."""
    body = write((function.lowered(KNOWN),), LANGUAGE, names=function.names())
    return module(
        function,
        "An activation function for Keras 3, on any backend.",
        imports="import keras\nfrom keras import ops",
        parts=[*helpers(LANGUAGE, body), _definition(function, body), _class(function)],
    )


def _definition(function: Function, body: Body) -> str:
    arguments = ["x", *function.names().values()]
    typed = [f"{name}: keras.KerasTensor" for name in arguments]
    head = f"def {function.name}({', '.join(typed)}) -> keras.KerasTensor:"
    if len(head) > 100:
        block = indented([f"{argument}," for argument in typed])
        head = f"def {function.name}(\n{block}\n) -> keras.KerasTensor:"
    head = f"{_registered(function)}\n{head}"
    value = body.values[0]
    if not function.value.uses_input:
        value = f"ops.broadcast_to({value}, ops.shape(x))"
    lines = [
        '"""Applies the function to every element; parameters broadcast against `x`."""',
        "x = ops.convert_to_tensor(x)",
        HALF_PRECISION,
        "dtype = keras.backend.result_type(x.dtype, float)",
        'wide = keras.backend.result_type(dtype, "float32")',
        *(f"{name} = ops.cast({name}, wide)" for name in arguments),
        *body.statements,
        f"value = {value}",
        "return ops.cast(value, dtype)",
    ]
    return f"{head}\n{indented(lines)}"


def _registered(function: Function) -> str:
    """What lets Keras find the function or the layer when a saved model is loaded."""
    return f'@keras.saving.register_keras_serializable(package="{function.name}")'


_OUTPUT_SHAPE: Final = (
    "def compute_output_shape(self, input_shape: tuple) -> tuple:",
    '    """That of the input."""',
    "    return input_shape",
)


def _class(function: Function) -> str:
    head = f"{_registered(function)}\nclass {function.class_name}(keras.layers.Layer):"
    summary = f"The function `{function.name}` as a layer"
    if not function.parameters:
        body = [
            f'"""{summary}."""',
            "",
            "def __init__(self, **options: object) -> None:",
            "    super().__init__(**options)",
            "    self.supports_masking = True",
            "",
            *_OUTPUT_SHAPE,
            "",
            "def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:",
            '    """Applies the function to every element."""',
            f"    return {function.name}(inputs)",
        ]
        return f"{head}\n{indented(body)}"
    body = [
        f'"""{summary} that owns its trainable parameters.',
        "",
        "Args:",
        "    axis: The axis of the input that counts the channels.",
        "    **options: What every layer takes, such as `name` and `dtype`.",
        '"""',
        "",
        "def __init__(self, axis: int = -1, **options: object) -> None:",
        "    super().__init__(**options)",
        "    self.supports_masking = True",
        "    self.axis = axis",
        "",
        *_OUTPUT_SHAPE,
        "",
        *_build(function),
        "",
        *_call(function),
        "",
        "def get_config(self) -> dict[str, object]:",
        '    """What the layer is saved with."""',
        '    return {**super().get_config(), "axis": self.axis}',
    ]
    return f"{head}\n{indented(body)}"


def _build(function: Function) -> list[str]:
    lines = [
        "def build(self, input_shape: tuple[int | None, ...]) -> None:",
        '    """Makes the parameters, one value a channel where they have one."""',
    ]
    if has_channels(function):
        lines.append("    channels = (input_shape[self.axis],)")
    for parameter in function.parameters:
        lines += [
            f"    self.{parameter.name} = self.add_weight(",
            f"        shape={'channels' if _is_row(parameter) else '()'},",
            f"        initializer={_initializer(parameter)},",
            f'        name="{parameter.name}",',
            # Mixed precision would otherwise round the parameters before they are widened again.
            "        autocast=False,",
            "    )",
        ]
    return lines


def _is_row(parameter: TrainedParameter) -> bool:
    return parameter.per == "channel" or isinstance(parameter.value, tuple)


def _initializer(parameter: TrainedParameter) -> str:
    if isinstance(parameter.value, tuple):
        return f"lambda shape, dtype: ops.convert_to_tensor({start(parameter)}, dtype)"
    return f"keras.initializers.Constant({start(parameter)})"


def _call(function: Function) -> list[str]:
    lines = [
        "def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:",
        '    """Applies the function to every element."""',
    ]
    arguments = ["inputs"]
    if has_channels(function):
        lines += [
            "    shape = [1] * len(inputs.shape)",
            "    shape[self.axis] = -1",
        ]
    for parameter in function.parameters:
        attribute = f"self.{parameter.name}"
        is_row = _is_row(parameter)
        arguments.append(f"ops.reshape({attribute}, shape)" if is_row else attribute)
    return [*lines, f"    return {function.name}({', '.join(arguments)})"]
