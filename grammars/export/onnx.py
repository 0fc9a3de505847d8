"""The target `onnx`: a model of standard operators, of any rank, for old and new runtimes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, Final

import numpy

from grammars.export.function import Function
from grammars.export.lowering import ExportError, MissingPackageError, lowering
from grammars.export.recognition import recognise
from grammars.export.rewriting import rebuilding
from grammars.expressions.expression import Call, Constant, Expression, Parameter, Variable, call
from grammars.primitives import EXP_ARGUMENT_MAX, PRIMITIVES, column

# TensorProto.FLOAT, which everything is computed in, and TensorProto.FLOAT16.
FLOAT: Final = 1
TYPES: Final[dict[str, int]] = {"float32": FLOAT, "float16": 10}
# Where images have their channels, in ONNX as in PyTorch.
AXIS: Final = 1

# Primitive or whole function: the standard operator, and its attributes.
OPERATORS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    **{name: (form.text, {}) for name, form in column("onnx").items()},
    "gelu": ("Gelu", {"approximate": "none"}),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
    "elu": ("Elu", {}),
    "selu": ("Selu", {"alpha": 1.6732632423542772, "gamma": 1.0507009873554805}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_swish": ("HardSwish", {}),
    "mish": ("Mish", {}),
    "softsign": ("Softsign", {}),
}

# The operator sets that whole functions came with; what is not here is as old as any.
_SINCE: Final[dict[str, int]] = {"hard_swish": 14, "mish": 18, "gelu": 20, "gelu_tanh": 20}


def known(opset: int) -> list[str]:
    """The whole functions that an operator set has."""
    names = (name for name in OPERATORS if name not in PRIMITIVES)
    return [name for name in names if _SINCE.get(name, 0) <= opset]


def render(function: Function) -> bytes:
    """The bytes of a model with the input `x` and the outputs `y` and `slope`, its derivative.

    All three have the axes and the precision that `function.tensors` asks for; the second axis is
    that of the channels. Parameters are initializers that are inputs too, so that whoever runs the
    model may feed other values.

    Raises:
        MissingPackageError: If the package onnx, which writes the format, is not installed.
        ExportError: If it is too old for the operator set.
    """
    if importlib.util.find_spec("onnx") is None:
        raise MissingPackageError("onnx", "onnx")
    import onnx

    opset = function.tensors.opset
    if opset > (newest := onnx.defs.onnx_opset_version()):
        raise ExportError(f"onnx {onnx.__version__} knows opsets up to {newest}; got {opset}")
    operators = onnx.helper.make_opsetid("", opset)
    builder = _Builder(onnx.helper, function)
    graph = builder.graph(recognise(function.value, known(opset)), function.slope)
    model = onnx.helper.make_model(
        graph,
        opset_imports=[operators],
        ir_version=onnx.helper.find_min_ir_version_for([operators]),
        producer_name="actsearch",
        producer_version=function.provenance.version,
        doc_string="\n".join(function.heading("An activation function for ONNX.")),
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


class _Builder:
    """Collects the nodes and constants of a graph, each distinct one once.

    What it names itself begins with `_`, as no parameter does.
    """

    def __init__(self, helper: Any, function: Function) -> None:
        self._helper = helper
        self._function = function
        self._names: dict[Expression, str] = {}
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []

    def graph(self, value: Expression, slope: Expression) -> Any:
        """A graph that computes the value and the slope of every element."""
        wanted = TYPES[self._function.tensors.precision]
        is_wide = wanted == FLOAT
        self._names[Variable()] = "x" if is_wide else self._node("Cast", ["x"], to=FLOAT)
        for result, output in zip(_standard(value, slope), ("y", "slope"), strict=True):
            name = self._name(result)
            # What does not depend on x still has its shape.
            whole = self._node("Expand", [name, self._shape()], output if is_wide else "")
            if not is_wide:
                self._node("Cast", [whole], output, to=wanted)
        info = self._helper.make_tensor_value_info
        axes = self._function.tensors.axes(self._function.channels or "channels", axis=AXIS)
        x, y, slope_of_y = (info(name, wanted, axes) for name in ("x", "y", "slope"))
        given = {tensor.name: tensor.dims for tensor in self._initializers}
        parameters = [
            info(p.name, FLOAT, given[p.name]) for p in self._function.parameters if p.name in given
        ]
        return self._helper.make_graph(
            self._nodes,
            self._function.name,
            [x, *parameters],
            [y, slope_of_y],
            self._initializers,
        )

    def _shape(self) -> str:
        marker = Call("shape of x", ())
        if marker not in self._names:
            self._names[marker] = self._node("Shape", ["x"])
        return self._names[marker]

    def _name(self, expression: Expression) -> str:
        if expression not in self._names:
            self._names[expression] = self._compute(expression)
        return self._names[expression]

    def _compute(self, expression: Expression) -> str:
        match expression:
            case Constant(value):
                return self._number(f"_constant_{len(self._initializers)}", value)
            case Call("inf" | "nan" as name, ()):
                return self._number(f"_{name}", float(name))
            case Parameter(name):
                (own,) = (p for p in self._function.parameters if p.original == name)
                after = max(0, self._function.tensors.rank - AXIS - 1)
                return self._number(own.name, own.value, after=after)
            case Call("where", (condition, positive, negative)):
                is_positive = self._node(
                    "GreaterOrEqual", [self._name(condition), self._name(Constant(0.0))]
                )
                branches = [self._name(positive), self._name(negative)]
                return self._node("Where", [is_positive, *branches])
            case Call(primitive, operands):
                operator, attributes = OPERATORS[primitive]
                return self._node(operator, [self._name(o) for o in operands], **attributes)
        raise TypeError(f"expected an Expression, got {type(expression).__name__}")

    def _node(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"_t{len(self._nodes) + 1}"
        self._nodes.append(self._helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _number(self, name: str, value: float | tuple[float, ...], *, after: int = 0) -> str:
        """A number, or a row of them along the channels with so many axes after it."""
        array = numpy.asarray(value, numpy.float32)
        shape = (*array.shape, *(1 for _ in range(after))) if array.shape else ()
        values = array.reshape(-1).tolist()
        self._initializers.append(self._helper.make_tensor(name, FLOAT, shape, values))
        return name


def _standard(*expressions: Expression) -> tuple[Expression, ...]:
    """Writes what ONNX has no operator for with those it has, in a stable form."""

    def transform(node: Expression) -> Expression | None:
        if not isinstance(node, Call):
            return None
        if (rule := _GUARDED.get(node.primitive)) is not None:
            return rule(written(node.operands[0]))
        lowered = None if node.primitive in OPERATORS else lowering(node)
        return None if lowered is None else written(lowered)

    written = rebuilding(transform)
    return tuple(map(written, expressions))


def _bounded(primitive: str, a: Expression) -> Expression:
    return call(primitive, call("min", a, EXP_ARGUMENT_MAX))


def _bounded_both(primitive: str, a: Expression) -> Expression:
    return call(primitive, call("max", call("min", a, EXP_ARGUMENT_MAX), -EXP_ARGUMENT_MAX))


# Operators that have no guard of their own.
_GUARDED: Final[dict[str, Callable[[Expression], Expression]]] = {
    "exp": lambda a: _bounded("exp", a),
    "sinh": lambda a: _bounded_both("sinh", a),
    "cosh": lambda a: _bounded_both("cosh", a),
}
