"""What activations cost to compute, with their derivatives, against ReLU."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from evaluators.steps.activations import Activated, Activations
from evaluators.steps.compiling import compiled
from grammars import Expression, parse

# What is timed: what a hidden layer of a perceptron sees in one step; on an accelerator what takes
# it long enough, beside the hundredth of a millisecond that it takes to go on to the next.
_SHAPE: Final = (128, 128)
_ACCELERATOR_SHAPE: Final = (4096, 4096)
# How many such arrays take turns, so that no compiler can tell that the same is computed again.
_ARRAYS: Final = 8
_ACCELERATOR_ARRAYS: Final = 2
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
        expressions: What to time, on normally distributed inputs in float32: [128, 128] of them on
            a processor, where they stay in the caches, and [4096, 4096] on an accelerator.

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
    activations, inputs, shape = Activations(expressions), *_inputs()
    arrays, size = len(inputs), math.prod(shape)

    def read(turn: tuple[Array, Array]) -> Array:
        inputs, number = turn
        return inputs[number % arrays, :size].reshape(shape)

    def repeat(index: Array, passes: Array, inputs: Array, parameters: Array) -> Any:
        def once(number: Any, _: Activated) -> Activated:
            return activations(index, (inputs, number), parameters, read=read)

        return lax.fori_loop(0, passes, once, Activated.nothing(*shape, slots=activations.slots))

    def parameters(index: int) -> np.ndarray:
        # One value a unit, as in training: a parameter that were a constant would cost nothing.
        return np.repeat(activations.starts[index][:, None], shape[1], axis=1)

    program = compiled(repeat, np.int32(0), np.int32(0), inputs, parameters(0))

    def run(index: int, passes: int) -> None:
        results = program(np.int32(index), np.int32(passes), inputs, parameters(index))
        for array in jax.tree.leaves(results):
            array.block_until_ready()

    return run


@lru_cache(maxsize=1)
def _inputs() -> tuple[Array, tuple[int, int]]:
    """Arrays in rows, with what lies between them, and the shape of each."""
    if jax.default_backend() == "cpu":
        arrays, shape = _ARRAYS, _SHAPE
    else:
        arrays, shape = _ACCELERATOR_ARRAYS, _ACCELERATOR_SHAPE
    drawn = np.random.default_rng(0).standard_normal((arrays, math.prod(shape) + _GAP))
    return jnp.asarray(drawn.astype(np.float32)), shape


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
