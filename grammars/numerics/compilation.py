"""From an expression to functions that compute it: in NumPy for reference, in JAX for training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy

from grammars.expressions.expression import Call, Constant, Expression, Parameter, Variable
from grammars.primitives import NUMPY, PRIMITIVES, Arrays

if TYPE_CHECKING:
    from jax import Array


def interpret(
    expression: Expression, x: Any, *, arrays: Arrays, parameters: Mapping[str, Any]
) -> Any:
    """Evaluates an expression by walking its tree.

    Args:
        expression: What to compute.
        x: The input, of any shape; it decides the precision.
        arrays: The library to compute with.
        parameters: A value for each trainable parameter by name, broadcastable against `x`.

    Returns:
        The value in the shape of `x`, or a plain float where no `x` occurs.
    """
    match expression:
        case Variable():
            return x
        case Constant(value):
            return value
        case Parameter(name):
            return parameters[name]
        case Call(operands=(operand,), definition=Expression() as definition):
            value = interpret(operand, x, arrays=arrays, parameters=parameters)
            return interpret(definition, value, arrays=arrays, parameters=parameters)
        case Call(primitive, operands):
            values = [interpret(o, x, arrays=arrays, parameters=parameters) for o in operands]
            value = PRIMITIVES[primitive].define(arrays, *values)
            # NumPy makes float64 scalars of plain floats, and those would widen a float32 input.
            return value.item() if isinstance(value, numpy.generic) and _plain(values) else value
        case _:
            raise TypeError(f"expected an Expression, got {type(expression).__name__}")


def _plain(values: list[Any]) -> bool:
    return all(type(value) is float for value in values)


def start_values(expression: Expression) -> dict[str, float]:
    """The value of each trainable parameter before training, by name."""
    return {parameter.name: parameter.start for parameter in expression.parameters}


def evaluate(expression: Expression, x: numpy.ndarray) -> numpy.ndarray:
    """The reference value: NumPy, in the precision of `x`, parameters at their start values.

    Args:
        expression: What to compute.
        x: Points of any shape.

    Returns:
        Values in the shape of `x`; where mathematics has none, NaN or an infinity, silently.
    """
    with numpy.errstate(all="ignore"):
        values = interpret(expression, x, arrays=NUMPY, parameters=start_values(expression))
        return numpy.broadcast_to(numpy.asarray(values, dtype=x.dtype), x.shape)


def to_jax(
    expression: Expression, *, in_vectors: bool = False
) -> Callable[[Array, Mapping[str, Array]], Array]:
    """The expression as a JAX function `f(x, parameters)` that can be traced and differentiated.

    The result has the shape and precision of `x`. Parameters broadcast against `x`.

    Args:
        expression: What to compute.
        in_vectors: Whether to compute by `elementary` what XLA would compute more slowly on a
            CPU.
    """
    import jax.numpy
    import jax.scipy.special

    from grammars.expressions import elementary

    own = SimpleNamespace(
        sin=jax.numpy.sin,
        cos=jax.numpy.cos,
        arctan=jax.numpy.arctan,
        softplus=jax.nn.softplus,
        erf=jax.scipy.special.erf,
    )
    arrays = Arrays(jax.numpy, jax.scipy.special, elementary if in_vectors else own)

    def function(x: Array, parameters: Mapping[str, Array]) -> Array:
        value = interpret(expression, x, arrays=arrays, parameters=parameters)
        return jax.numpy.broadcast_to(jax.numpy.asarray(value, dtype=x.dtype), x.shape)

    return function


def with_partials(
    expression: Expression,
) -> Callable[[Array, Mapping[str, Array]], tuple[Array, Array, dict[str, Array]]]:
    """Value, slope and the partial derivatives by parameter, computed together.

    An activation is elementwise, so its Jacobian is diagonal and one forward-mode pass gives the
    whole of it. A network that keeps the slope from its forward pass needs a single multiplication
    in its backward pass.

    Returns:
        A function of `(x, parameters)` that gives `(f, df/dx, {name: df/dname})`, each in the
        shape of `x`.
    """
    import jax
    import jax.numpy

    function = to_jax(expression, in_vectors=True)

    def partials(
        x: Array, parameters: Mapping[str, Array]
    ) -> tuple[Array, Array, dict[str, Array]]:
        value, slope = jax.jvp(lambda a: function(a, parameters), (x,), (jax.numpy.ones_like(x),))
        by_parameter = {}
        for name, current in parameters.items():
            _, by_parameter[name] = jax.jvp(
                lambda p, name=name: function(x, {**parameters, name: p}),
                (current,),
                (jax.numpy.ones_like(current),),
            )
        return value, slope, by_parameter

    return partials
