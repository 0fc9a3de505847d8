"""The target `onnx`: a model of standard operators with inputs of any shape."""

from __future__ import annotations

import importlib.util
from typing import Any, Final

import numpy

from grammars.export.function import Function
from grammars.export.lowering import ExportError, rebuild
from grammars.export.recognition import recognise
from grammars.expression import Call, Constant, Expression, Parameter, Variable, call
from grammars.primitives import EXP_ARGUMENT_MAX, PRIMITIVES, SINC_SERIES_BELOW

# The first operator set with Gelu; IR version 9 is the one that belongs to it.
OPSET: Final = 20
IR_VERSION: Final = 9
# TensorProto.FLOAT
FLOAT: Final = 1

# Primitive or whole function: the standard operator, and its attributes.
_OPERATORS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "neg": ("Neg", {}),
    "abs": ("Abs", {}),
    "sqrt": ("Sqrt", {}),
    "exp": ("Exp", {}),
    "log": ("Log", {}),
    "sin": ("Sin", {}),
    "cos": ("Cos", {}),
    "sinh": ("Sinh", {}),
    "cosh": ("Cosh", {}),
    "tanh": ("Tanh", {}),
    "asinh": ("Asinh", {}),
    "atan": ("Atan", {}),
    "sigmoid": ("Sigmoid", {}),
    "softplus": ("Softplus", {}),
    "erf": ("Erf", {}),
    "relu": ("Relu", {}),
    "add": ("Add", {}),
    "sub": ("Sub", {}),
    "mul": ("Mul", {}),
    "div": ("Div", {}),
    "pow": ("Pow", {}),
    "max": ("Max", {}),
    "min": ("Min", {}),
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

KNOWN: Final = tuple(name for name in _OPERATORS if name not in PRIMITIVES)


def render(function: Function) -> bytes:
    """The bytes of a model with the input `x` and the outputs `y` and `slope`, its derivative.

    All three are float32 tables of any size, with the channels as their columns. Parameters are
    initializers that are inputs too, so that whoever runs the model may feed other values.

    Raises:
        ExportError: If the package onnx, which writes the format, is not installed.
    """
    if importlib.util.find_spec("onnx") is None:
        raise ExportError("the target onnx needs the package onnx; install actsearch[export-onnx]")
    import onnx

    builder = _Builder(onnx.helper, function)
    graph = builder.graph(recognise(function.value, KNOWN), function.slope)
    model = onnx.helper.make_model(
        graph,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="actsearch",
        producer_version=function.provenance.version,
        doc_string="\n".join(function.heading("An activation function for ONNX.")),
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


class _Builder:
    """Collects the nodes and constants of a graph, each distinct one once."""

    def __init__(self, helper: Any, function: Function) -> None:
        self._helper = helper
        self._function = function
        self._names: dict[Expression, str] = {}
        self._nodes: list[Any] = []
        self._initializers: list[Any] = []
        self._counter = 0

    def graph(self, value: Expression, slope: Expression) -> Any:
        """A graph that computes the value and the slope of every element."""
        for result, output in ((value, "y"), (slope, "slope")):
            name = self._name(rebuild(result, _standard))
            # What does not depend on x still has its shape.
            self._nodes.append(self._helper.make_node("Expand", [name, self._shape()], [output]))
        # The checker of ONNX does not pass inputs without a number of axes.
        info = self._helper.make_tensor_value_info
        x, y, slope_of_y = (
            info(name, FLOAT, ["batch", "channels"]) for name in ("x", "y", "slope")
        )
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
            case Variable():
                return "x"
            case Constant(value):
                return self._number(f"constant_{len(self._initializers)}", value)
            case Call("inf" | "nan" as name, ()):
                return self._number(name, float(name))
            case Parameter(name):
                (own,) = (p for p in self._function.parameters if p.original == name)
                return self._number(own.name, own.value)
            case Call("where", (condition, positive, negative)):
                is_positive = self._node(
                    "GreaterOrEqual", [self._name(condition), self._name(Constant(0.0))]
                )
                branches = [self._name(positive), self._name(negative)]
                return self._node("Where", [is_positive, *branches])
            case Call(primitive, operands):
                operator, attributes = _OPERATORS[primitive]
                return self._node(operator, [self._name(o) for o in operands], **attributes)
        raise TypeError(f"expected an Expression, got {type(expression).__name__}")

    def _node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        self._counter += 1
        output = f"t{self._counter}"
        self._nodes.append(self._helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _number(self, name: str, value: float | tuple[float, ...]) -> str:
        array = numpy.asarray(value, numpy.float32)
        values = array.reshape(-1).tolist()
        self._initializers.append(self._helper.make_tensor(name, FLOAT, array.shape, values))
        return name


def _standard(node: Expression) -> Expression | None:
    """Writes what ONNX has no operator for with those it has, in a stable form."""
    if not isinstance(node, Call):
        return None
    if (rule := _REWRITTEN.get(node.primitive)) is not None:
        standard: Expression = rule(*(rebuild(operand, _standard) for operand in node.operands))
        return standard
    row = PRIMITIVES.get(node.primitive)
    if node.primitive in _OPERATORS or row is None or row.lowering is None:
        return None
    return rebuild(row.lowering(*node.operands), _standard)


def _bounded(primitive: str, a: Expression) -> Expression:
    return call(primitive, call("min", a, EXP_ARGUMENT_MAX))


def _bounded_both(primitive: str, a: Expression) -> Expression:
    return call(primitive, call("max", call("min", a, EXP_ARGUMENT_MAX), -EXP_ARGUMENT_MAX))


def _expm1(a: Expression) -> Expression:
    # exp(a) - 1 = tanh(a / 2) (exp(a) + 1), without the cancellation near 0.
    return call("mul", call("tanh", call("mul", 0.5, a)), call("add", _bounded("exp", a), 1.0))


def _log1p(a: Expression) -> Expression:
    # W. Kahan: the rounding error of 1 + a cancels in the quotient.
    total = call("add", 1.0, a)
    rounded = call("sub", total, 1.0)
    is_tiny = call("neg", call("abs", rounded))
    divisor = call("where", is_tiny, 1.0, rounded)
    return call("where", is_tiny, a, call("mul", call("log", total), call("div", a, divisor)))


def _sinc(a: Expression) -> Expression:
    is_far = call("sub", call("abs", a), SINC_SERIES_BELOW)
    far = call("where", is_far, a, 1.0)
    near = call("where", is_far, 0.0, a)
    square = call("mul", near, near)
    series: Expression = Constant(1.0)
    for factor in (156, 110, 72, 42, 20, 6):
        series = call("sub", 1.0, call("mul", call("mul", square, 1 / factor), series))
    return call("where", is_far, call("div", call("sin", far), far), series)


_REWRITTEN: Final[dict[str, Any]] = {
    "square": lambda a: call("mul", a, a),
    "cube": lambda a: call("mul", call("mul", a, a), a),
    "exp": lambda a: _bounded("exp", a),
    "sinh": lambda a: _bounded_both("sinh", a),
    "cosh": lambda a: _bounded_both("cosh", a),
    "expm1": _expm1,
    "log1p": _log1p,
    "sinc": _sinc,
    "log_sigmoid": lambda a: call("neg", call("softplus", call("neg", a))),
    "clip": lambda a, b, c: call("min", call("max", a, b), c),
}
