"""The compiled training program of a batch of candidates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jax
import numpy as np
import optax

from evaluators.activations import Activations
from evaluators.batches import CHUNK, DeviceData, Examples
from evaluators.compiling import compiled
from evaluators.diagnostics import Diagnostics, diagnose
from evaluators.evaluation import SeedResult
from evaluators.moments import mean_square
from evaluators.networks import Moments
from evaluators.stepping import Progress, Stepper, Sums
from evaluators.tasks import Task
from evaluators.training_states import TrainingStates
from grammars import Activation, Layered, by_layer

_ADAM_DECAY: Final = 0.9


@dataclass(frozen=True)
class Trained:
    """A training run that reached its end."""

    result: SeedResult
    diagnostics: Diagnostics | None


@dataclass(frozen=True)
class Divergence:
    """A training run that was given up.

    Attributes:
        seed: Of the run.
        step: By which its loss had ceased to be a finite number.
    """

    seed: int
    step: int


class OutOfTimeError(Exception):
    """A training run was stopped between two chunks, its deadline having passed."""


class TrainingProgram:
    """Trains any of a batch of candidates, one at a time, without compiling again.

    The candidate, the steps and the seed are run-time arguments, so XLA compiles once for a whole
    batch and every fidelity. A candidate is a function for each hidden layer, by number: what is
    compiled are the distinct functions, and their combinations cost nothing. A candidate's results
    depend neither on the others in the batch nor on where its training was interrupted.

    Attributes:
        candidates: By number.
    """

    def __init__(self, candidates: Sequence[Activation], task: Task, data: DeviceData) -> None:
        """Compiles the program.

        Raises:
            LayersError: If the functions of a candidate don't fit the task's network.
            ValueError: If the task's network can't take such examples.
        """
        self.candidates, self._task, self._data = tuple(candidates), task, data
        layers = [by_layer(each, task.network.hidden_layers) for each in candidates]
        # By text: 0 and -0 are equal as numbers and not as functions.
        functions = {str(function): function for each in layers for function in each}
        numbers = {text: number for number, text in enumerate(functions)}
        self._functions = np.array([[numbers[str(f)] for f in each] for each in layers], np.int32)
        self._mean_squares = [mean_square(function) for function in functions.values()]
        self._own_slots = [max(len(f.parameters) for f in each) for each in layers]
        self._optimizer = optax.adam(task.recipe.learning_rate, b1=_ADAM_DECAY)
        self._activations = Activations(list(functions.values()))
        stepper = Stepper(task.network, self._activations, self._optimizer, shape=data.shape)
        self._fresh = jax.device_get(self._optimizer.init(self._learnt(0, seed=0)))
        self._run = compiled(stepper.run, *self._arguments_to_trace(), donated=[1])

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
        done, progress = self._resume(index, seed, steps, states)
        for first in range(done, steps, CHUNK):
            if out_of_time():
                raise OutOfTimeError
            count = min(CHUNK, steps - first)
            progress, sums = self._advance(index, progress, seed, range(first, first + count))
            if not math.isfinite(float(sums.loss)):
                return Divergence(seed, first + count)
        if states is not None and keep and done < steps:
            kept = self._with_slots(progress, self._own_slots[index])
            states.save(self.candidates[index], seed=seed, steps=steps, state=kept)
        progress, totals = self._validate(index, progress)
        examples = self._data.validation
        loss = totals["loss"] / examples
        if not math.isfinite(loss):
            return Divergence(seed, steps)
        accuracy = float(totals["hits"] / examples)
        result = SeedResult(seed, float(loss), accuracy, self._learnt_parameters(index, progress))
        return Trained(result, self._diagnose(index, progress, seed, totals))

    def _resume(
        self, index: int, seed: int, steps: int, states: TrainingStates | None
    ) -> tuple[int, Progress]:
        start = {**self._learnt(index, seed), "optimizer": self._fresh}
        if states is None:
            return 0, start
        like = self._with_slots(start, self._own_slots[index])
        saved = states.load(self.candidates[index], seed=seed, at_most=steps, like=like)
        if saved is None:
            return 0, start
        return saved.steps, self._with_slots(saved.state, self._activations.slots)

    def _advance(
        self, index: int, progress: Progress, seed: int, steps: range
    ) -> tuple[Progress, Sums]:
        examples = self._data.of_training(seed, steps.start)
        return self._passes(index, progress, examples, len(steps), learning=True)

    def _validate(self, index: int, progress: Progress) -> tuple[Progress, dict[str, Any]]:
        """Sums over the validation split, in float64."""
        passes = self._data.validation_passes
        totals: dict[str, Any] = dict.fromkeys(Sums._fields, 0.0)
        for first in range(0, passes, CHUNK):
            examples, count = self._data.of_validation(first), min(CHUNK, passes - first)
            progress, sums = self._passes(index, progress, examples, count, learning=False)
            for name, part in sums._asdict().items():
                totals[name] = totals[name] + np.asarray(part, np.float64)
        return progress, totals

    def _passes(
        self, index: int, progress: Progress, examples: Examples, count: int, *, learning: bool
    ) -> tuple[Progress, Sums]:
        passed: tuple[Progress, Sums] = self._run(
            self._functions[index],
            progress,
            self._activations.scopes[self._functions[index]],
            examples,
            np.float32(self._data.scale),
            np.int32(count),
            np.bool_(learning),
        )
        return passed

    def _learnt_parameters(self, index: int, progress: Progress) -> dict[str, tuple[float, ...]]:
        """The mean over the units of each hidden layer, by name.

        None where one is not finite, and none of functions for single layers.
        """
        candidate = self.candidates[index]
        if isinstance(candidate, Layered):
            return {}
        own = candidate.parameters
        # [slots, layers]; each channel of a layer has the same number of units.
        means = np.asarray(progress["parameters"], np.float64).mean(axis=2).T[: len(own)]
        if not np.isfinite(means).all():
            return {}
        return {p.name: tuple(row) for p, row in zip(own, means.tolist(), strict=True)}

    def _diagnose(
        self, index: int, progress: Progress, seed: int, totals: dict[str, Any]
    ) -> Diagnostics | None:
        # The first step of a fresh optimiser leaves the gradient in its first moment, so that
        # measuring gradients needs no program of its own.
        progress = {**progress, "optimizer": self._fresh}
        progress, _ = self._advance(index, progress, seed, range(1))
        moment = optax.tree_utils.tree_get(progress["optimizer"], "mu")
        # Of gradients beyond float32 no figure is kept, which is no news for the terminal.
        with np.errstate(over="ignore"):
            norms = [
                float(np.linalg.norm(np.asarray(layer.weights))) / (1.0 - _ADAM_DECAY)
                for layer in moment["layers"]
            ]
        return diagnose(
            examples=self._data.validation,
            gradient_norms=tuple(norms),
            **{name: totals[name] for name in ("outputs", "zeros", "live", "flat")},
        )

    def _learnt(self, index: int, seed: int) -> Progress:
        """Initial weights, and every unit's copy of the trainable parameters."""
        network, data, functions = self._task.network, self._data, self._functions[index]
        flowing = tuple(self._mean_squares[number] for number in functions)
        moments = Moments(data.mean_square, flowing)
        random = np.random.default_rng(seed)
        layers = network.start(random, shape=data.shape, classes=data.classes, moments=moments)
        starts = self._activations.starts[functions][:, :, None]
        copies = np.tile(starts, (1, 1, network.units(data.shape)))
        return {"layers": layers, "parameters": copies}

    def _with_slots(self, progress: Progress, slots: int) -> Progress:
        """The same state for a program with so many slots; those beyond a candidate's own rest."""

        def fit(path: tuple[Any, ...], leaf: Any) -> np.ndarray:
            array = np.asarray(leaf)
            if "parameters" not in jax.tree_util.keystr(path):
                return array
            fitted = np.zeros((array.shape[0], slots, array.shape[2]), array.dtype)
            shared = min(slots, array.shape[1])
            fitted[:, :shared] = array[:, :shared]
            return fitted

        fitted: Progress = jax.tree_util.tree_map_with_path(fit, progress)
        return fitted

    def _arguments_to_trace(self) -> tuple[Any, ...]:
        progress = {**self._learnt(0, seed=0), "optimizer": self._fresh}
        functions = self._functions[0]
        scopes, scale = self._activations.scopes[functions], np.float32(self._data.scale)
        examples = self._data.of_validation(0)
        return functions, progress, scopes, examples, scale, np.int32(0), np.bool_(True)
