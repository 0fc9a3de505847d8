"""The search that a user would write: DEAP's own loop, and one jitted training a candidate.

    python -m tests.benchmarks.plain_search SEED MINUTES

Prints a line of JSON for each new leader. Nothing of this project takes part but its data and the
names of its operations, so that the functions can be read back.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import operator
import random
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
from deap import algorithms, base, creator, gp, tools

from evaluators.datasets import load

POPULATION: Final = 64
STEPS: Final = 800
BATCH: Final = 128
LEARNING_RATE: Final = 1e-3
WIDTHS: Final = (784, 128, 128, 10)
# What a tree may come to at most, as DEAP's documentation advises.
TALLEST: Final = 6

UNARY: Final[dict[str, Callable[..., Any]]] = {
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "relu": jax.nn.relu,
    "softplus": jax.nn.softplus,
    "exp": jnp.exp,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "erf": jax.lax.erf,
    "square": jnp.square,
    "abs": jnp.abs,
}
BINARY: Final[dict[str, Callable[..., Any]]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "max": jnp.maximum,
    "min": jnp.minimum,
}
_INFIX: Final = {"add": "+", "sub": "-", "mul": "*"}


class _OutOfTimeError(Exception):
    """The minutes are over."""


def main() -> None:
    """Searches until the time is over."""
    seed, minutes = int(sys.argv[1]), float(sys.argv[2])
    random.seed(seed)
    primitives = _primitives()
    toolbox = _toolbox(primitives)
    train, begun, trainings, best = _trainer(), time.monotonic(), itertools.count(1), math.inf
    known: dict[str, float] = {}

    def fitness(tree: Any) -> tuple[float]:
        nonlocal best
        text = written(tree)
        if text not in known:
            passed = (time.monotonic() - begun) / 60.0
            if passed > minutes:
                raise _OutOfTimeError
            known[text] = train(gp.compile(tree, primitives))
            if known[text] < best:
                best, passed = known[text], (time.monotonic() - begun) / 60.0
                led = {"function": text, "minutes": passed, "trainings": next(trainings)}
                print(json.dumps(led), flush=True)
            else:
                next(trainings)
        return (known[text],)

    toolbox.register("evaluate", fitness)
    first = toolbox.population(n=POPULATION)
    with contextlib.suppress(_OutOfTimeError):
        algorithms.eaSimple(first, toolbox, 0.5, 0.3, ngen=10**6, verbose=False)


def _primitives() -> Any:
    primitives = gp.PrimitiveSet("activation", 1)
    primitives.renameArguments(ARG0="x")
    for name, function in UNARY.items():
        primitives.addPrimitive(function, 1, name)
    for name, function in BINARY.items():
        primitives.addPrimitive(function, 2, name)
    for constant in (0.5, 1.0, 2.0):
        primitives.addTerminal(constant)
    return primitives


def _toolbox(primitives: Any) -> Any:
    creator.create("Least", base.Fitness, weights=(-1.0,))
    creator.create("Tree", gp.PrimitiveTree, fitness=creator.Least)
    toolbox = base.Toolbox()
    toolbox.register("expression", gp.genHalfAndHalf, pset=primitives, min_=1, max_=4)
    toolbox.register("individual", tools.initIterate, creator.Tree, toolbox.expression)
    toolbox.register("population", tools.initRepeat, list, toolbox.individual)
    toolbox.register("select", tools.selTournament, tournsize=4)
    toolbox.register("mate", gp.cxOnePoint)
    toolbox.register("new", gp.genFull, min_=0, max_=2)
    toolbox.register("mutate", gp.mutUniform, expr=toolbox.new, pset=primitives)
    for name in ("mate", "mutate"):
        toolbox.decorate(name, gp.staticLimit(operator.attrgetter("height"), TALLEST))
    return toolbox


def written(tree: Any) -> str:
    """The tree in this project's language."""
    stack: list[tuple[Any, list[str]]] = []
    for node in tree:
        stack.append((node, []))
        while len(stack[-1][1]) == stack[-1][0].arity:
            ended, operands = stack.pop()
            text = _joined(ended, operands)
            if not stack:
                return text
            stack[-1][1].append(text)
    raise ValueError("the tree lacks operands")


def _joined(node: Any, operands: list[str]) -> str:
    if node.arity == 0:
        return str(node.value)
    if node.name in _INFIX:
        return f"({f' {_INFIX[node.name]} '.join(operands)})"
    return f"{node.name}({', '.join(operands)})"


def _trainer() -> Callable[[Callable[[Any], Any]], float]:
    """Trains a network with a function, and gives the validation loss."""
    data = load("mnist")
    (inputs, labels), (seen, named) = (
        (
            jnp.asarray(np.asarray(split.inputs).reshape(len(split.inputs), -1), jnp.float32) / 255,
            jnp.asarray(np.array(split.labels, np.int32)),
        )
        for split in (data.training, data.validation)
    )
    generator = np.random.default_rng(0)
    start = [
        (jnp.asarray(generator.normal(0, math.sqrt(2 / a), (a, b)), jnp.float32), jnp.zeros(b))
        for a, b in itertools.pairwise(WIDTHS)
    ]
    order = jnp.asarray(generator.integers(0, len(labels), (STEPS, BATCH)))
    optimizer = optax.adam(LEARNING_RATE)

    def train(function: Callable[[Any], Any]) -> float:
        def loss(layers: Any, x: Any, y: Any) -> Any:
            for weights, biases in layers[:-1]:
                # Of a constant a number is left, which has no shape.
                z = x @ weights + biases
                x = jnp.broadcast_to(function(z), z.shape)
            logits = x @ layers[-1][0] + layers[-1][1]
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

        @jax.jit
        def trained(layers: Any) -> Any:
            def step(number: Any, carried: Any) -> Any:
                layers, state = carried
                chosen = order[number]
                gradient = jax.grad(loss)(layers, inputs[chosen], labels[chosen])
                updates, state = optimizer.update(gradient, state)
                return optax.apply_updates(layers, updates), state

            begun = (layers, optimizer.init(layers))
            layers, _ = jax.lax.fori_loop(0, STEPS, step, begun)
            return loss(layers, seen, named)

        found = float(trained(start))
        return found if math.isfinite(found) else math.inf

    return train


if __name__ == "__main__":
    main()
