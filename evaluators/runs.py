"""Training runs: what they begin from, where they are kept, and what they come to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jax
import numpy as np
import optax

from evaluators.activations import Activations
from evaluators.batches import CHUNK, DeviceData, Examples
from evaluators.diagnostics import Diagnostics, diagnose
from evaluators.evaluation import SeedResult
from evaluators.moments import mean_square
from evaluators.networks import Moments
from evaluators.stepping import Progress, Sums
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


class Runs:
    """The training runs of a batch of candidates, each a candidate with a seed.

    A candidate is a function for each hidden layer, by number: what is compiled are the distinct
    functions, and their combinations cost nothing.

    Attributes:
        candidates: By number.
        functions: Indices of those of each candidate's layers [candidates, layers], int32.
        activations: Those functions.
        optimizer: Adam at the task's learning rate.
        fresh: What it remembers before its first step.
    """

    def __init__(self, candidates: Sequence[Activation], task: Task, data: DeviceData) -> None:
        """Numbers the functions.

        Raises:
            LayersError: If the functions of a candidate don't fit the task's network.
            ValueError: If the task's network can't take such examples.
        """
        self.candidates, self._task, self._data = tuple(candidates), task, data
        layers = [by_layer(each, task.network.hidden_layers) for each in candidates]
        # By text: 0 and -0 are equal as numbers and not as functions.
        functions = {str(function): function for each in layers for function in each}
        numbers = {text: number for number, text in enumerate(functions)}
        self.functions = np.array([[numbers[str(f)] for f in each] for each in layers], np.int32)
        self.activations = Activations(list(functions.values()))
        self.optimizer = optax.adam(task.recipe.learning_rate, b1=_ADAM_DECAY)
        self._mean_squares = [mean_square(function) for function in functions.values()]
        self._own_slots = [max(len(f.parameters) for f in each) for each in layers]
        self.fresh = jax.device_get(self.optimizer.init(self._learnt(0, seed=0)))

    @property
    def scopes(self) -> np.ndarray:
        """Of the trainable parameters of each candidate [candidates, layers, slots]."""
        return self.activations.scopes[self.functions]

    def begin(self, index: int, seed: int) -> Progress:
        """The state before the first step, on the host."""
        return {**self._learnt(index, seed), "optimizer": self.fresh}

    def resume(
        self, index: int, seed: int, steps: int, states: TrainingStates | None
    ) -> tuple[int, Progress]:
        """The state after as many of `steps` as were kept, and their number."""
        start = self.begin(index, seed)
        if states is None:
            return 0, start
        like = self._with_slots(start, self._own_slots[index])
        saved = states.load(self.candidates[index], seed=seed, at_most=steps, like=like)
        if saved is None:
            return 0, start
        return saved.steps, self._with_slots(saved.state, self.activations.slots)

    def keep(
        self, index: int, seed: int, steps: int, states: TrainingStates, progress: Progress
    ) -> None:
        """Keeps the state after `steps` for a longer run."""
        kept = self._with_slots(progress, self._own_slots[index])
        states.save(self.candidates[index], seed=seed, steps=steps, state=kept)

    def outcome(
        self,
        index: int,
        seed: int,
        steps: int,
        *,
        parameters: np.ndarray,
        totals: Mapping[str, Any],
        gradients: Sequence[np.ndarray],
    ) -> Trained | Divergence:
        """What a run came to.

        Args:
            index: Which candidate.
            seed: Of the run.
            steps: That it took.
            parameters: After them [layers, slots, units].
            totals: `Sums.totals` over the validation split.
            gradients: See `gradients_after`.
        """
        examples = self._data.validation
        loss = float(totals["loss"]) / examples
        if not math.isfinite(loss):
            return Divergence(seed, steps)
        accuracy = float(totals["hits"] / examples)
        # Of gradients beyond float32 no figure is kept, which is no news for the terminal.
        with np.errstate(over="ignore"):
            norms = [float(np.linalg.norm(each)) / (1.0 - _ADAM_DECAY) for each in gradients]
        return Trained(
            SeedResult(seed, loss, accuracy, self._learnt_parameters(index, parameters)),
            diagnose(
                examples=examples,
                gradient_norms=tuple(norms),
                **{name: totals[name] for name in ("outputs", "zeros", "live", "flat")},
            ),
        )

    def _learnt_parameters(self, index: int, learnt: np.ndarray) -> dict[str, tuple[float, ...]]:
        """The mean over the units of each hidden layer, by name.

        None where one is not finite, and none of functions for single layers.
        """
        candidate = self.candidates[index]
        if isinstance(candidate, Layered):
            return {}
        own = candidate.parameters
        # [slots, layers]; each channel of a layer has the same number of units.
        means = np.asarray(learnt, np.float64).mean(axis=2).T[: len(own)]
        if not np.isfinite(means).all():
            return {}
        return {p.name: tuple(row) for p, row in zip(own, means.tolist(), strict=True)}

    def _learnt(self, index: int, seed: int) -> Progress:
        """Initial weights, and every unit's copy of the trainable parameters."""
        network, data, functions = self._task.network, self._data, self.functions[index]
        flowing = tuple(self._mean_squares[number] for number in functions)
        moments = Moments(data.mean_square, flowing)
        layers = network.start(
            seed, shape=data.shape, classes=data.classes, moments=moments, needed=data.needed
        )
        starts = self.activations.starts[functions][:, :, None]
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


def validated(
    progress: Progress,
    data: DeviceData,
    observe: Callable[[Progress, Examples, int], tuple[Progress, Sums]],
) -> tuple[Progress, dict[str, np.ndarray]]:
    """`Sums.totals` over the validation split, and the state, whose memory may have moved.

    Args:
        progress: What is to be validated.
        data: With the split.
        observe: Makes so many passes.
    """
    passes = data.validation_passes
    totals: dict[str, np.ndarray] = {}
    for first in range(0, passes, CHUNK):
        count = min(CHUNK, passes - first)
        progress, sums = observe(progress, data.of_validation(first), count)
        for name, total in sums.totals().items():
            totals[name] = totals.get(name, 0.0) + total
    return progress, totals


def gradients_after(progress: Progress) -> list[np.ndarray]:
    """Of each layer's weights, times 1 - beta, where one step was taken with a fresh optimiser.

    Its first moment is left with them, so that they need no program of their own.
    """
    moment = optax.tree_utils.tree_get(progress["optimizer"], "mu")
    return [np.asarray(layer.weights) for layer in moment["layers"]]
