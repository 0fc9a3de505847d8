"""What an activation costs to compute, with its derivative, against ReLU."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from grammars import Expression, parse, with_partials
from grammars.compilation import start_values

# What a hidden layer of a perceptron sees in one step, and how many such arrays take turns, so
# that no compiler can tell that the same is computed again and again.
_SHAPE: Final = (128, 128)
_ARRAYS: Final = 8
_PASSES: Final = 100


def relative_cost(expression: Expression, *, rounds: int = 40) -> float:
    """Time of f, f' and the derivatives by trainable parameters, in units of ReLU's.

    The two are timed in turns, in processor time of this process, and of each the shortest time
    counts: whatever else the machine does can only add to it. On a machine that is busy with other
    work two measurements may still differ by a tenth or more.

    Args:
        expression: What to time, on normally distributed inputs of [128, 128] in float32.
        rounds: Timings of each, a few milliseconds long.

    Returns:
        1.0 for ReLU itself.
    """
    programs = [_compiled(expression), _compiled(parse("relu(x)"))]
    shortest = [float("inf"), float("inf")]
    for _ in range(rounds):
        for number, program in enumerate(programs):
            shortest[number] = min(shortest[number], _seconds(program))
    return shortest[0] / shortest[1]


def _compiled(expression: Expression) -> Callable[[], None]:
    partials = with_partials(expression)
    inputs = jnp.asarray(
        np.random.default_rng(0).standard_normal((_ARRAYS, *_SHAPE)).astype(np.float32)
    )
    # One value a unit, as in training: a parameter that were a constant would cost nothing.
    parameters = {
        name: jnp.full(_SHAPE[1], value, jnp.float32)
        for name, value in start_values(expression).items()
    }

    def passes(inputs: Any, parameters: Any) -> Any:
        def once(number: Any, _: Any) -> Any:
            return partials(inputs[number % _ARRAYS], parameters)

        return lax.fori_loop(0, _PASSES, once, partials(inputs[0], parameters))

    program = jax.jit(passes).lower(inputs, parameters).compile()

    def run() -> None:
        for array in jax.tree.leaves(program(inputs, parameters)):
            array.block_until_ready()

    run()
    return run


def _seconds(program: Callable[[], None]) -> float:
    begun = time.process_time()
    program()
    return time.process_time() - begun
