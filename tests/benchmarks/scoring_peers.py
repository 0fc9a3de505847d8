"""What users would write instead: one candidate after the other, in plain JAX or PyTorch."""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from grammars import Expression, parse
from grammars.expressions.expression import Call, Constant

BATCH = 128
WIDTHS = (784, 128, 128, 10)
LEARNING_RATE = 1e-3


def seconds_a_candidate(
    peer: Callable[[list[str], int], float], texts: list[str], *, steps: int, processes: int
) -> float:
    """Wall time of a candidate, the processes sharing the candidates and the cores evenly.

    Starting the processes and loading the data are left out, for peers and for us.
    """
    threads = max(1, len(os.sched_getaffinity(0)) // processes)
    shares = [(peer, texts[n::processes], steps, threads) for n in range(processes)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        return max(pool.starmap(_run, shares, chunksize=1)) / len(texts)


def _run(
    peer: Callable[[list[str], int], float], texts: list[str], steps: int, threads: int
) -> float:
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # several processes share a GPU
    if threads == 1:
        os.environ |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "PJRT_NPROC": "1"}
    return peer(texts, steps)


def _start() -> list[Any]:
    random = np.random.default_rng(0)
    return [
        (
            (random.standard_normal((a, b)) * math.sqrt(2 / a)).astype(np.float32),
            np.zeros(b, np.float32),
        )
        for a, b in pairwise(WIDTHS)
    ]


def _data() -> Any:
    from evaluators.datasets import load

    dataset = load("mnist")
    return [
        (
            np.asarray(split.inputs).reshape(len(split.inputs), -1).astype(np.float32) / 255,
            np.array(split.labels, np.int32),
        )
        for split in (dataset.training, dataset.validation)
    ]


def jax_loop(texts: list[str], steps: int) -> float:
    """One jitted training loop a candidate, gradients by automatic differentiation."""
    import jax
    import jax.numpy as jnp
    import optax

    from grammars import to_jax

    (inputs, labels), validation = [tuple(map(jnp.asarray, split)) for split in _data()]
    optimizer = optax.adam(LEARNING_RATE)
    order = np.random.default_rng(0).integers(0, len(labels), (steps, BATCH))

    def score(text: str) -> float:
        function = to_jax(parse(text))

        def loss(layers: Any, x: Any, y: Any) -> Any:
            for weights, biases in layers[:-1]:
                x = function(x @ weights + biases, {})
            logits = x @ layers[-1][0] + layers[-1][1]
            return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

        @jax.jit
        def train(layers: Any, order: Any, inputs: Any, labels: Any, validation: Any) -> Any:
            def step(carried: Any, chosen: Any) -> Any:
                layers, state = carried
                gradient = jax.grad(loss)(layers, inputs[chosen], labels[chosen])
                updates, state = optimizer.update(gradient, state)
                return (optax.apply_updates(layers, updates), state), None

            (layers, _), _ = jax.lax.scan(step, (layers, optimizer.init(layers)), order)
            return loss(layers, *validation)

        # The data as arguments: as constants of the program they would be compiled each time.
        return float(train(_start(), order, inputs, labels, validation))

    score("x * tanh(x)")  # starts the backend
    begun = time.perf_counter()
    for text in texts:
        score(text)
    return time.perf_counter() - begun


def pytorch_loop(texts: list[str], steps: int) -> float:
    """Eager PyTorch, on the GPU if there is one."""
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    (inputs, labels), validation = [
        (torch.from_numpy(x).to(device), torch.from_numpy(y).long().to(device)) for x, y in _data()
    ]
    order = np.random.default_rng(0).integers(0, len(labels), (steps, BATCH))
    order = torch.from_numpy(order).to(device)

    def score(text: str) -> float:
        expression = parse(text)
        layers = [tuple(torch.from_numpy(a).to(device) for a in layer) for layer in _start()]
        weights = [array.requires_grad_() for layer in layers for array in layer]
        optimizer = torch.optim.Adam(weights, lr=LEARNING_RATE)

        def loss(x: Any, y: Any) -> Any:
            for matrix, biases in layers[:-1]:
                x = _in_torch(expression, torch.addmm(biases, x, matrix))
            logits = torch.addmm(layers[-1][1], x, layers[-1][0])
            return torch.nn.functional.cross_entropy(logits, y)

        for chosen in order:
            optimizer.zero_grad()
            loss(inputs[chosen], labels[chosen]).backward()
            optimizer.step()
        with torch.no_grad():
            return float(loss(*validation))

    score("x * tanh(x)")
    begun = time.perf_counter()
    for text in texts:
        score(text)
    return time.perf_counter() - begun


def _in_torch(expression: Expression, x: Any) -> Any:
    import torch

    if isinstance(expression, Constant):
        return torch.tensor(expression.value)  # a number of no dimensions goes with any device
    if not isinstance(expression, Call):
        return x
    operands = [_in_torch(operand, x) for operand in expression.operands]
    match expression.primitive:
        case "softplus":
            return torch.nn.functional.softplus(operands[0])
        case "log_sigmoid":
            return torch.nn.functional.logsigmoid(operands[0])
        case "max":
            return torch.maximum(*operands)
        case "min":
            return torch.minimum(*operands)
        case "cube":
            return operands[0] ** 3
        case "sinc":
            return torch.sinc(operands[0] / math.pi)
        case "where":
            return torch.where(operands[0] >= 0, operands[1], operands[2])
        case name:
            return getattr(torch, name)(*operands)
