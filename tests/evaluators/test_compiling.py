"""What is compiled as one kernel computes what it computes otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array, lax

from evaluators.steps.compiling import compiled, one_kernel

Z = np.linspace(-9, 9, 64, dtype=np.float32).reshape(8, 8)


def _swish_or_sine(index: Array, z: Array) -> Array:
    result: Array = lax.switch(index, [lambda z: z / (1 + jnp.exp(-z)), jnp.sin], z)
    return jnp.where(z > 8, 0.0, result)


def test_one_kernel_computes_what_many_do() -> None:
    together = compiled(one_kernel(_swish_or_sine), np.int32(0), Z)
    apart = compiled(_swish_or_sine, np.int32(0), Z)
    for index in (0, 1):
        np.testing.assert_allclose(
            together(np.int32(index), Z), apart(np.int32(index), Z), rtol=1e-6, atol=1e-7
        )


def test_it_stays_one_until_it_reaches_the_compiler_of_kernels() -> None:
    calls = [
        line
        for line in compiled(one_kernel(_swish_or_sine), np.int32(0), Z).as_text().splitlines()
        if " call(" in line
    ]
    assert len(calls) == 1
    assert 'xla_cpu_small_call="true"' in calls[0]


_CONVOLUTIONS = """
import numpy as np
from evaluators.steps.batches import DeviceData
from evaluators.datasets import Dataset
from evaluators.datasets.array_cache import Split
from evaluators.tasks import find_task
from evaluators.training.program import TrainingProgram
from grammars import parse

inputs = np.random.default_rng(0).normal(size=(256, 28, 28)).astype(np.float32)
split = Split(inputs, np.arange(256, dtype=np.int32) % 10)
dataset = Dataset("random", split, split, classes=10, scale=1.0, source="random")
task = find_task("mnist-cnn")
data = DeviceData(dataset, batch=128)
run = TrainingProgram([parse("relu(x)")], task, data).train(0, seed=0, steps=2)
print(run.result.validation_loss)
"""


def test_threads_share_what_is_long_and_compute_the_same() -> None:
    one, two = (
        float(
            subprocess.run(
                [sys.executable, "-c", _CONVOLUTIONS],
                env=os.environ | {"PJRT_NPROC": threads, "JAX_ENABLE_COMPILATION_CACHE": "false"},
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout
        )
        for threads in ("1", "2")
    )
    assert one == pytest.approx(two, rel=1e-4)


def test_an_arc_tangent_is_right_whatever_vectors_the_processor_has() -> None:
    x = np.linspace(-5.0, 5.0, 1001, dtype=np.float32)
    for function in (jnp.arctan, lambda a: jnp.sin(jnp.arctan2(a, 2.0))):
        wanted = jax.jit(function)(x)
        np.testing.assert_allclose(compiled(function, x)(x), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(compiled(jnp.arctan, x)(x), np.arctan(x.astype(float)), atol=1e-6)
