"""What activations cost to compute, with their derivatives, against ReLU."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from evaluators.activations import Activated, Activations
from grammars import Expression, parse

# What a hidden layer of a perceptron sees in one step, and how many such arrays take turns, so
# that no compiler can tell that the same is computed again and again.
_SHAPE: Final = (128, 128)
_ARRAYS: Final = 8
_ROUNDS: Final = 25
# Of one timing, at least: clocks of busy machines jump by a tenth of a millisecond.
_TIMING_SECONDS: Final = 2e-3
_FEWEST_PASSES: Final = 64


def relative_costs(expressions: Sequence[Expression], *, rounds: int = _ROUNDS) -> list[float]:
    """Time of f, f' and the derivatives by trainable parameters, in units of ReLU's.

    The code that is timed is the code that training runs. Each timing stands beside one of ReLU,
    and the median of their quotients counts: what slows the machine for a while slows both.

    Args:
        expressions: What to time, on normally distributed inputs of [128, 128] in float32.
        rounds: Timings of each.

    Returns:
        One figure each; 1.0 for ReLU itself.
    """
    run = _program([*expressions, parse("relu(x)")])
    relu = len(expressions)
    relu_passes = _passes(run, relu)
    costs = []
    for index in range(relu):
        passes = _passes(run, index)
        quotients = [
            _seconds(run, index, passes) / _seconds(run, relu, relu_passes) for _ in range(rounds)
        ]
        costs.append(float(np.median(quotients)) * relu_passes / passes)
    return costs


def _program(expressions: Sequence[Expression]) -> Callable[[int, int], None]:
    """Runs so many passes of the function of that number."""
    activations = Activations(expressions)
    inputs = jnp.asarray(
        np.random.default_rng(0).standard_normal((_ARRAYS, *_SHAPE)).astype(np.float32)
    )

    def repeat(index: Array, passes: Array, inputs: Array, parameters: Array) -> Any:
        def once(number: Any, _: Activated) -> Activated:
            return activations(index, inputs[number % _ARRAYS], parameters)

        return lax.fori_loop(0, passes, once, Activated.nothing(*_SHAPE, slots=activations.slots))

    def parameters(index: int) -> np.ndarray:
        # One value a unit, as in training: a parameter that were a constant would cost nothing.
        return np.repeat(activations.starts[index][:, None], _SHAPE[1], axis=1)

    program = jax.jit(repeat).lower(np.int32(0), np.int32(0), inputs, parameters(0)).compile()

    def run(index: int, passes: int) -> None:
        results = program(np.int32(index), np.int32(passes), inputs, parameters(index))
        for array in jax.tree.leaves(results):
            array.block_until_ready()

    return run


def _passes(run: Callable[[int, int], None], index: int) -> int:
    """How many passes take long enough to be timed."""
    passes = _FEWEST_PASSES
    while _seconds(run, index, passes) < _TIMING_SECONDS:
        passes *= 2
    return passes


def _seconds(run: Callable[[int, int], None], index: int, passes: int) -> float:
    # On a CPU the time of this process alone, which leaves out what other work takes; an
    # accelerator's time passes outside the process.
    clock = time.process_time if jax.default_backend() == "cpu" else time.perf_counter
    begun = clock()
    run(index, passes)
    return max(clock() - begun, 1e-9)  # some clocks stand still for a moment
