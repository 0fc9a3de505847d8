"""What networks of any kind cost: a step, compiling, and both beside plain loops in JAX.

    python -m tests.benchmarks.networks [--candidates 32] [--steps 400]

One process with one thread; figures are processor time, so that other work disturbs them little.
Ratios are of what was measured in turn.
"""

from __future__ import annotations

import os

os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # as workers have it
)
os.environ["PJRT_NPROC"] = "1"

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from evaluators.datasets import load
from evaluators.networks import Moments
from evaluators.steps.batches import CHUNK, DeviceData
from evaluators.steps.fitting import Fitted, fitted
from evaluators.steps.progress import Mode
from evaluators.tasks import Task, find_task
from evaluators.training.program import TrainingProgram
from grammars import Expression, load_grammar, parse, to_jax

KINDS = ("mnist-residual", "mnist-resnet", "mnist-transformer")
CHAINS = ("mnist-mlp", "mnist-deep")
ROUNDS = 5
ALONE = 5  # candidates that are jitted and trained one by one


def main() -> None:
    """Measures, and prints one line a task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--tasks", default=",".join((*KINDS, *CHAINS)))
    told = parser.parse_args()
    functions = _functions(told.candidates)
    for name in told.tasks.split(","):
        task = find_task(name)
        data = DeviceData(load(task.data), batch=task.recipe.batch, network=task.network)
        measured = _measured(task, data, functions, told.steps)
        print(json.dumps({"task": name, **measured}), flush=True)


def _functions(count: int) -> list[Expression]:
    grammar, random = load_grammar("core"), Random(0)
    texts = dict.fromkeys(["relu(x)"])
    while len(texts) < count:
        texts[str(grammar.sample(random, depth=(1, 4)))] = None
    return [parse(text) for text in texts]


def _measured(
    task: Task, data: DeviceData, functions: list[Expression], steps: int
) -> dict[str, float]:
    network = fitted(task.network, data)
    general = replace(network, units=None)
    with mock.patch("evaluators.training.runs.fitted", return_value=general):
        compiling, program = _taken(lambda: TrainingProgram(functions, task, data))
    ours, plain = _ours(program), _plain(task, data, network)
    turns = {"step": ours, "plain": lambda: _taken(plain)[0]}
    if network.units:
        turns["fast"] = _ours(TrainingProgram(functions[:1], task, data))
    if task.name == "mnist-transformer":
        products = _products()
        turns["products"] = lambda: _taken(products)[0]
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(ROUNDS):
        for name, taken in seconds.items():
            taken.append(turns[name]() / CHUNK)
    shortest = {name: min(each) for name, each in seconds.items()}
    whole, stepping = _trained(program, steps)
    alone = _one_by_one(task, data, network, functions, steps)
    result = {
        "step_ms": 1e3 * shortest["step"],
        "over_plain_jax": shortest["step"] / shortest["plain"],
        "compiling_ms_a_candidate": 1e3 * compiling / len(functions),
        "whole_over_steps": (compiling + whole) / stepping,
        "faster_than_jitting_each": len(functions) * alone / (compiling + whole),
    }
    if "fast" in shortest:
        result["over_written_out"] = shortest["step"] / shortest["fast"]
    if "products" in shortest:
        result["over_products"] = shortest["step"] / shortest["products"]
    return {name: round(value, 3) for name, value in result.items()}


def _taken(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    result = work()
    jax.block_until_ready(jax.tree.leaves(getattr(result, "learnt", result)))
    return time.process_time() - begun, result


def _trained(program: TrainingProgram, steps: int) -> tuple[float, float]:
    """Seconds of training all, and of their steps alone: without validation and the like."""
    passes, stepping = program._passes, []

    def timed(*told: Any) -> Any:
        seconds, passed = _taken(lambda: passes(*told))
        *_, mode, _ = told
        if mode == Mode.LEARN:
            stepping.append(seconds)
        return passed

    with mock.patch.object(program, "_passes", timed):
        whole, _ = _taken(
            lambda: [program.train(n, seed=0, steps=steps) for n in range(len(program.candidates))]
        )
    return whole, sum(stepping)


def _advanced(program: TrainingProgram, number: int, schedule: Any) -> float:
    progress = program._runs.begin(number, 0)
    jax.block_until_ready(jax.tree.leaves(progress))
    begun = time.process_time()
    for span in schedule.spans(0, chunk=CHUNK):
        progress, sums = program._advance(number, progress, 0, schedule, span)
        np.asarray(sums.loss)
    return time.process_time() - begun


def _ours(program: TrainingProgram) -> Callable[[], float]:
    """Seconds of as many steps with the first function; initial weights are not among them."""
    schedule = program._runs.schedule(CHUNK, None)

    def run() -> float:
        return _advanced(program, 0, schedule)

    run()
    return run


def _plain(task: Task, data: DeviceData, network: Fitted) -> Callable[[], Any]:
    """As many steps with ReLU written in plain JAX, jitted before."""
    loop = _PlainLoop(task, data, network, jax.nn.relu)
    train, examples = jax.jit(loop.train), data.of_training(0, 0)
    arguments = loop.begin(), examples.inputs, examples.labels

    def run() -> Any:
        return jax.block_until_ready(train(*arguments))

    run()
    return run


def _one_by_one(
    task: Task, data: DeviceData, network: Fitted, functions: list[Expression], steps: int
) -> float:
    """Seconds a candidate of a loop that jits, trains and validates each by itself."""
    chosen = functions[:: max(1, len(functions) // ALONE)][:ALONE]
    chunks = [data.of_training(0, first) for first in range(0, steps, CHUNK)]
    inputs, labels = (jnp.concatenate(a)[:steps] for a in list(zip(*chunks, strict=True))[:2])
    held_out = jnp.asarray(data.inputs[data.training :]), jnp.asarray(data.labels[data.training :])

    def score(function: Expression) -> float:
        written = to_jax(function)
        loop = _PlainLoop(task, data, network, lambda z: written(z, {}))

        @jax.jit
        def train(carried: Any, inputs: Any, labels: Any, held_out: Any) -> Any:
            weights, _ = loop.train(carried, inputs, labels)
            return loop.loss(weights, *held_out)

        return float(train(loop.begin(), inputs, labels, held_out))

    begun = time.process_time()
    for function in chosen:
        score(function)
    return (time.process_time() - begun) / len(chosen)


class _PlainLoop:
    """What a user would write in JAX: the same network, Adam by optax, a loop of steps."""

    def __init__(self, task: Task, data: DeviceData, network: Fitted, activate: Any) -> None:
        self._network, self._data, self._activate = network, data, activate
        self._optimizer = optax.adam(task.recipe.learning_rate)

    def begin(self) -> Any:
        """Weights, and what the optimiser remembers."""
        moments = Moments(self._data.mean_square, (0.5,) * self._network.calls)
        weights, _ = self._network.init(0, moments)
        return weights, self._optimizer.init(weights)

    def train(self, begun: Any, inputs: Any, labels: Any) -> Any:
        """A step for each of the batches."""

        def step(number: Any, carried: Any) -> Any:
            weights, state = carried
            gradient = jax.grad(self.loss)(weights, inputs[number], labels[number])
            updates, state = self._optimizer.update(gradient, state)
            return optax.apply_updates(weights, updates), state

        return lax.fori_loop(0, len(inputs), step, begun)

    def loss(self, weights: Any, inputs: Any, labels: Any) -> Any:
        """The mean over a batch."""
        x = inputs.astype(jnp.float32) * np.float32(self._data.scale)
        shaped = x.reshape(len(x), *self._network.inputs)
        logits, _ = self._network.apply((weights, ()), (shaped, None), self._activate)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def _products() -> Callable[[], Any]:
    """The transformer's large matrix products, forward and back, without anything else."""
    tokens = 128 * 16
    sizes = [(49, 64), *[(64, 192), (64, 64), (64, 128), (128, 64)] * 2]
    random = np.random.default_rng(0)
    inputs = [jnp.asarray(random.standard_normal((tokens, k)), jnp.float32) for k, _ in sizes]
    weights = [jnp.asarray(random.standard_normal((k, n)), jnp.float32) for k, n in sizes]
    backs = [jnp.asarray(random.standard_normal((tokens, n)), jnp.float32) for _, n in sizes]

    @jax.jit
    def steps(weights: Any, inputs: Any, backs: Any) -> Any:
        def step(_: Any, carried: Any) -> Any:
            # Each takes what the others gave: of what stays the same, XLA would make one.
            weights, inputs, backs = carried
            outputs = [x @ w for x, w in zip(inputs, weights, strict=True)]
            by_inputs = [b @ w.T for b, w in zip(backs, weights, strict=True)]
            by_weights = [x.T @ b for x, b in zip(inputs, backs, strict=True)]
            return by_weights, by_inputs, outputs

        return lax.fori_loop(0, CHUNK, step, (weights, inputs, backs))

    def run() -> Any:
        return jax.block_until_ready(steps(weights, inputs, backs))

    run()
    return run


if __name__ == "__main__":
    main()
