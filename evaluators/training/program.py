"""The compiled training program of a batch of candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from evaluators.recipes.schedules import Schedule, Span
from evaluators.steps.batches import KEY_SHAPE, DeviceData, Examples, keys
from evaluators.steps.compiling import compiled
from evaluators.steps.progress import Mode, Progress, Sums
from evaluators.tasks import Task
from evaluators.training.runs import Divergence, OutOfTimeError, Runs, Trained, validated
from evaluators.training.training_states import TrainingStates
from grammars import Activation


class TrainingProgram:
    """Trains any of a batch of candidates, one at a time, without compiling again.

    The candidate, the steps, the seed and the learning rate are run-time arguments, so XLA compiles
    once for a whole batch, every fidelity and every rate. A candidate's results depend neither on
    the others in the batch nor on where its training was interrupted.

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
        self._stepper = self._runs.stepper()
        self._no_rates = np.zeros(data.chunk, np.float32)
        self._no_keys = np.zeros((data.chunk, *KEY_SHAPE), np.uint32)
        told = data.of_validation(0), Span(0, 0), self._no_rates, Mode.LEARN, self._no_keys
        example = self._arguments(0, self._runs.begin(0, seed=0), *told)
        self._run = compiled(self._stepper.run, *example, donated=[1])

    def train(
        self,
        index: int,
        *,
        seed: int,
        steps: int,
        learning_rate: float | None = None,
        states: TrainingStates | None = None,
        keep: bool = True,
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> Trained | Divergence:
        """One training run, from scratch or from where a shorter one ended.

        Args:
            index: Which candidate.
            seed: Of the initial weights and the order of the data.
            steps: Optimiser steps from scratch.
            learning_rate: Of the schedule's plateau; None for the recipe's.
            states: Where shorter runs were kept; results are the same to the bit with and without.
            keep: Whether to keep this one there for a longer run.
            out_of_time: Asked before every chunk.

        Returns:
            What it came to; a divergence as soon as one is seen, at the end of a chunk.

        Raises:
            OutOfTimeError: If `out_of_time` says so.
        """
        schedule = self._runs.schedule(steps, learning_rate)
        done, progress = self._runs.resume(index, seed, schedule, states)
        for span in schedule.spans(done, chunk=self._data.chunk):
            if out_of_time():
                raise OutOfTimeError
            progress, sums = self._advance(index, progress, seed, schedule, span)
            if not np.isfinite(sums.loss).all():
                return Divergence(seed, span.stop)
            if span.stop == schedule.shared and states is not None and keep:
                self._runs.keep(index, seed, schedule, states, progress)
        progress, totals = validated(
            progress,
            self._data,
            partial(self._observe, index),
            totals_of=self._stepper.totals,
        )
        learnt = np.array(progress.learnt.parameters)  # a copy: measuring takes their memory
        examples, first = self._data.of_training(seed, 0), Span(0, 1)
        drawn = keys(seed, 0, self._data.chunk)
        measured, _ = self._passes(
            *(index, progress, examples, first, self._no_rates, Mode.MEASURE, drawn)
        )
        return self._runs.outcome(
            index,
            seed,
            steps,
            parameters=learnt,
            totals=totals,
            gradient=measured.learnt,
            stepper=self._stepper,
        )

    def _advance(
        self, index: int, progress: Progress, seed: int, schedule: Schedule, span: Span
    ) -> tuple[Progress, Sums]:
        chunk = self._data.chunk
        first = span.first - span.first % chunk
        examples, rates = self._data.of_training(seed, first), schedule.rates(first, chunk)
        within = Span(span.first - first, span.stop - first)
        drawn = keys(seed, first, chunk)
        return self._passes(index, progress, examples, within, rates, Mode.LEARN, drawn)

    def _observe(self, index: int, progress: Progress, examples: Examples, count: int) -> Any:
        told = Span(0, count), self._no_rates, Mode.OBSERVE, self._no_keys
        return self._passes(index, progress, examples, *told)

    def _passes(self, index: int, progress: Progress, *told: Any) -> tuple[Progress, Sums]:
        passed: tuple[Progress, Sums] = self._run(*self._arguments(index, progress, *told))
        return passed

    def _arguments(
        self,
        index: int,
        progress: Progress,
        examples: Examples,
        span: Span,
        rates: np.ndarray,
        mode: Mode,
        drawn: np.ndarray,
    ) -> tuple[Any, ...]:
        arguments = (
            self._runs.functions[index],
            progress,
            self._runs.scopes[index],
            examples,
            np.float32(self._data.scale),
            rates,
            np.array(span, np.int32),
            np.int32(mode),
        )
        # Whoever is told of no key has no such argument.
        return arguments if self._runs.fitted.judged is None else (*arguments, drawn)
