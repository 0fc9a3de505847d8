"""What activations cost to compute, with their derivatives, against ReLU."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from evaluators.activations import Activated, Activations
from evaluators.compiling import compiled
from grammars import Expression, parse

# What a hidden layer of a perceptron sees in one step, and how many such arrays take turns, so
# that no compiler can tell that the same is computed again and again.
_SHAPE: Final = (128, 128)
_ARRAYS: Final = 8
# Numbers between two arrays. Stores are slow where they follow loads from the same place within a
# page of 4 KiB; so the arrays begin at places of their own, and every function meets some of each.
_GAP: Final = 128
# Of one timing, at least. The shorter it is, the likelier nobody else takes the processor in it.
_TIMING_SECONDS: Final = 4e-4
# How often each function has its turn, at least; a few functions have more, so that they take as
# long together as what may disturb all of it.
_ROUNDS: Final = 20
_TURNS: Final = 300
_FEWEST_PASSES: Final = 8
_TRIALS: Final = 5
_TICK: Final = 1e-9


def relative_costs(expressions: Sequence[Expression]) -> list[float]:
    """Time of f, f' and the derivatives by trainable parameters, in units of ReLU's.

    The code that is timed is the code that training runs. The functions take turns, and the
    shortest of each one's timings counts: other work on the machine only ever makes them longer.

    Args:
        expressions: What to time, on normally distributed inputs of [128, 128] in float32.

    Returns:
        One figure each; 1.0 for ReLU itself.
    """
    run = _program([*expressions, parse("relu(x)")])
    numbers = range(len(expressions) + 1)
    passes = [_passes(run, index) for index in numbers]
    shortest = [math.inf] * len(numbers)
    starting = math.inf  # what a run takes besides its passes
    for _ in range(max(_ROUNDS, _TURNS // len(numbers))):
        starting = min(starting, _seconds(run, 0, 0))
        for index in numbers:
            shortest[index] = min(shortest[index], _seconds(run, index, passes[index]))
    *seconds, relu = [
        max(each - starting, _TICK) / count for each, count in zip(shortest, passes, strict=True)
    ]
    return [each / relu for each in seconds]


def _program(expressions: Sequence[Expression]) -> Callable[[int, int], None]:
    """Runs so many passes of the function of that number."""
    activations = Activations(expressions)
    size = math.prod(_SHAPE)
    inputs = jnp.asarray(
        np.random.default_rng(0).standard_normal((_ARRAYS, size + _GAP)).astype(np.float32)
    )

    def repeat(index: Array, passes: Array, inputs: Array, parameters: Array) -> Any:
        def once(number: Any, _: Activated) -> Activated:
            return activations(index, inputs[number % _ARRAYS, :size].reshape(_SHAPE), parameters)

        return lax.fori_loop(0, passes, once, Activated.nothing(*_SHAPE, slots=activations.slots))

    def parameters(index: int) -> np.ndarray:
        # One value a unit, as in training: a parameter that were a constant would cost nothing.
        return np.repeat(activations.starts[index][:, None], _SHAPE[1], axis=1)

    program = compiled(repeat, np.int32(0), np.int32(0), inputs, parameters(0))

    def run(index: int, passes: int) -> None:
        results = program(np.int32(index), np.int32(passes), inputs, parameters(index))
        for array in jax.tree.leaves(results):
            array.block_until_ready()

    return run


def _passes(run: Callable[[int, int], None], index: int) -> int:
    """How many passes take long enough to be timed."""
    passes = _FEWEST_PASSES
    # The shortest of a few, since the first takes longer: what it touches is nowhere near yet.
    while min(_seconds(run, index, passes) for _ in range(_TRIALS)) < _TIMING_SECONDS:
        passes *= 2
    return passes


def _seconds(run: Callable[[int, int], None], index: int, passes: int) -> float:
    begun = time.perf_counter()
    run(index, passes)
    return time.perf_counter() - begun
