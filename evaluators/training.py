"""The compiled training program of a batch of candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from evaluators.batches import CHUNK, DeviceData, Examples
from evaluators.compiling import compiled
from evaluators.runs import (
    Divergence,
    OutOfTimeError,
    Runs,
    Trained,
    gradients_after,
    validated,
)
from evaluators.stepping import Progress, Stepper, Sums
from evaluators.tasks import Task
from evaluators.training_states import TrainingStates
from grammars import Activation


class TrainingProgram:
    """Trains any of a batch of candidates, one at a time, without compiling again.

    The candidate, the steps and the seed are run-time arguments, so XLA compiles once for a whole
    batch and every fidelity. A candidate's results depend neither on the others in the batch nor on
    where its training was interrupted.

    Attributes:
        candidates: By number.
    """

    def __init__(self, candidates: Sequence[Activation], task: Task, data: DeviceData) -> None:
        """Compiles the program.

        Raises:
            LayersError: If the functions of a candidate don't fit the task's network.
            ValueError: If the task's network can't take such examples.
        """
        self._runs, self._data = Runs(candidates, task, data), data
        self.candidates = self._runs.candidates
        stepper = Stepper(
            task.network, self._runs.activations, self._runs.optimizer, shape=data.shape
        )
        begun, examples = self._runs.begin(0, seed=0), data.of_validation(0)
        example = self._arguments(0, begun, examples, 0, learning=True)
        self._run = compiled(stepper.run, *example, donated=[1])

    def train(
        self,
        index: int,
        *,
        seed: int,
        steps: int,
        states: TrainingStates | None = None,
        keep: bool = True,
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> Trained | Divergence:
        """One training run, from scratch or from where a shorter one ended.

        Args:
            index: Which candidate.
            seed: Of the initial weights and the order of the data.
            steps: Optimiser steps from scratch.
            states: Where shorter runs were kept; results are the same to the bit with and without.
            keep: Whether to keep this one there for a longer run.
            out_of_time: Asked before every chunk.

        Returns:
            What it came to; a divergence as soon as one is seen, at the end of a chunk.

        Raises:
            OutOfTimeError: If `out_of_time` says so.
        """
        done, progress = self._runs.resume(index, seed, steps, states)
        for first in range(done, steps, CHUNK):
            if out_of_time():
                raise OutOfTimeError
            count = min(CHUNK, steps - first)
            progress, sums = self._advance(index, progress, seed, first, count)
            if not np.isfinite(sums.loss).all():
                return Divergence(seed, first + count)
        if states is not None and keep and done < steps:
            self._runs.keep(index, seed, steps, states, progress)
        progress, totals = validated(
            progress, self._data, partial(self._passes, index, learning=False)
        )
        learnt = np.array(progress["parameters"])  # a copy: the step takes their memory
        progress = {**progress, "optimizer": self._runs.fresh}
        progress, _ = self._advance(index, progress, seed, 0, 1)
        gradients = gradients_after(progress)
        return self._runs.outcome(
            index, seed, steps, parameters=learnt, totals=totals, gradients=gradients
        )

    def _advance(
        self, index: int, progress: Progress, seed: int, first: int, count: int
    ) -> tuple[Progress, Sums]:
        examples = self._data.of_training(seed, first)
        return self._passes(index, progress, examples, count, learning=True)

    def _passes(
        self, index: int, progress: Progress, examples: Examples, count: int, *, learning: bool
    ) -> tuple[Progress, Sums]:
        passed: tuple[Progress, Sums] = self._run(
            *self._arguments(index, progress, examples, count, learning=learning)
        )
        return passed

    def _arguments(
        self, index: int, progress: Progress, examples: Examples, count: int, *, learning: bool
    ) -> tuple[Any, ...]:
        return (
            self._runs.functions[index],
            progress,
            self._runs.scopes[index],
            examples,
            np.float32(self._data.scale),
            np.int32(count),
            np.bool_(learning),
        )
