"""Training runs: what they begin from, where they are kept, and what they come to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jax
import numpy as np

from evaluators.evaluation.diagnostics import Diagnostics, diagnose
from evaluators.evaluation.evaluation import SeedResult
from evaluators.networks import Chain, Moments
from evaluators.reading.functions import UserCodeError
from evaluators.recipes.losses import summed
from evaluators.recipes.schedules import Schedule
from evaluators.steps.activations import Activations
from evaluators.steps.batches import DeviceData, Examples
from evaluators.steps.fitting import fitted
from evaluators.steps.general import GeneralStepper
from evaluators.steps.moments import mean_square
from evaluators.steps.optimizers import Optimizer
from evaluators.steps.progress import Learnt, Progress, Sums
from evaluators.steps.stepping import Stepper
from evaluators.tasks import Task
from evaluators.training.training_states import TrainingStates
from grammars import Activation, Layered, by_layer

# Where in a state trainable parameters are, those that an optimiser remembers included.
_PARAMETERS: Final = jax.tree_util.GetAttrKey("parameters")


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
        functions: Indices of those of each candidate's layers, which are the calls of the
            activation [candidates, layers], int32.
        activations: Those functions.
        fitted: The task's network on its data.
        optimizer: The recipe's.
        fresh: What it remembers before its first step.
    """

    def __init__(self, candidates: Sequence[Activation], task: Task, data: DeviceData) -> None:
        """Numbers the functions.

        Raises:
            LayersError: If the functions of a candidate don't fit the task's network.
            ValueError: If the task's network can't take such examples.
        """
        self.candidates, self._task, self._data = tuple(candidates), task, data
        self.fitted = fitted(task.network, data)
        layers = [by_layer(each, self.fitted.calls) for each in candidates]
        # By text: 0 and -0 are equal as numbers and not as functions.
        functions = {str(function): function for each in layers for function in each}
        numbers = {text: number for number, text in enumerate(functions)}
        self.functions = np.array([[numbers[str(f)] for f in each] for each in layers], np.int32)
        self.activations = Activations(list(functions.values()))
        self.optimizer = Optimizer(task.recipe)
        self._mean_squares = [mean_square(function) for function in functions.values()]
        self._own_slots = [max(len(f.parameters) for f in each) for each in layers]
        learnt = self._learnt(0, self._made_of(0, seed=0)[0])
        self.fresh = jax.device_get(self.optimizer.init(learnt))

    @property
    def scopes(self) -> np.ndarray:
        """Of the trainable parameters of each candidate [candidates, layers, slots]."""
        return self.activations.scopes[self.functions]

    def stepper(self) -> Stepper | GeneralStepper:
        """What passes examples through the network: the written-out pass where it can be."""
        network, loss = self._task.network, summed(self._task.recipe.loss)
        if isinstance(network, Chain) and self.fitted.units:
            shape = self._data.shape
            return Stepper(network, self.activations, self.optimizer, loss=loss, shape=shape)
        return GeneralStepper(
            self.fitted,
            self.activations,
            self.optimizer,
            loss=loss,
            made_of=self._made_of(0, seed=0),
            batch=self._data.batch,
        )

    def begin(self, index: int, seed: int) -> Progress:
        """The state before the first step, on the host."""
        weights, state = self._made_of(index, seed)
        return Progress(self._learnt(index, weights), self.fresh, state)

    def schedule(self, steps: int, learning_rate: float | None) -> Schedule:
        """Of a run of so many steps, at the recipe's learning rate or another."""
        recipe = self._task.recipe
        return Schedule(recipe, steps, learning_rate or recipe.learning_rate)

    def resume(
        self, index: int, seed: int, schedule: Schedule, states: TrainingStates | None
    ) -> tuple[int, Progress]:
        """The state after as many of the shared steps as were kept, and their number."""
        start = self.begin(index, seed)
        if states is None or not schedule.shared:
            return 0, start
        like = self._with_slots(start, self._own_slots[index])
        saved = states.load(
            self.candidates[index],
            seed=seed,
            learning_rate=schedule.learning_rate,
            at_most=schedule.shared,
            like=like,
        )
        if saved is None:
            return 0, start
        return saved.steps, self._with_slots(saved.state, self.activations.slots)

    def keep(
        self, index: int, seed: int, schedule: Schedule, states: TrainingStates, progress: Progress
    ) -> None:
        """Keeps the state after the shared steps for a longer run."""
        states.save(
            self.candidates[index],
            seed=seed,
            learning_rate=schedule.learning_rate,
            steps=schedule.shared,
            state=self._with_slots(progress, self._own_slots[index]),
        )

    def outcome(
        self,
        index: int,
        seed: int,
        steps: int,
        *,
        parameters: np.ndarray,
        totals: Mapping[str, Any],
        gradient: Learnt,
        stepper: Stepper | GeneralStepper,
    ) -> Trained | Divergence:
        """What a run came to.

        Args:
            index: Which candidate.
            seed: Of the run.
            steps: That it took.
            parameters: After them [layers, slots, units].
            totals: `Sums.totals` over the validation split.
            gradient: Of the first training batch's loss by what is learnt.
            stepper: Which knows what these are of.
        """
        examples = self._data.validation
        loss = float(totals["loss"]) / examples
        if not math.isfinite(loss):
            return Divergence(seed, steps)
        accuracy = self._accuracy(loss, float(totals["hits"] / examples))
        return Trained(
            SeedResult(seed, loss, accuracy, self._learnt_parameters(index, parameters)),
            diagnose(
                examples=examples,
                units=stepper.units,
                gradient_norms=stepper.gradient_norms(gradient),
                **{name: totals[name] for name in ("outputs", "zeros", "live", "flat")},
            ),
        )

    def _accuracy(self, loss: float, hits: float) -> float:
        """Share of the examples that are classified rightly, or of the variance explained.

        Raises:
            UserCodeError: If a loss of a user's own is negative: the score is its logarithm.
        """
        used = self._task.recipe.loss
        if not isinstance(used, str) and loss < 0.0:
            raise UserCodeError(
                f"{used.place}: {used.name} must return losses of at least 0, since scores are "
                f"logarithms, got {loss:g} for the validation split; add what keeps it above"
            )
        if used == "cross_entropy" or (used != "squared_error" and self._data.are_classes):
            return hits
        error = loss if used == "squared_error" else hits
        return _explained(error, self._data.validation_variance)

    def _learnt_parameters(self, index: int, learnt: np.ndarray) -> dict[str, tuple[float, ...]]:
        """The mean over the units of each hidden layer, by name.

        None where one is not finite, and none of functions for single layers.
        """
        candidate = self.candidates[index]
        if isinstance(candidate, Layered):
            return {}
        own = candidate.parameters
        # [slots, layers]; each channel of a layer has the same number of units.
        lengths = [self.fitted.units or count for count in self.fitted.channels]
        by_layer = [
            np.asarray(layer, np.float64)[:, :length].mean(axis=1)
            for layer, length in zip(learnt, lengths, strict=True)
        ]
        means = np.stack(by_layer, axis=1)[: len(own)]
        if not np.isfinite(means).all():
            return {}
        return {p.name: tuple(row) for p, row in zip(own, means.tolist(), strict=True)}

    def _learnt(self, index: int, weights: Any) -> Learnt:
        """These weights, and every unit's copy of the trainable parameters at its start."""
        starts = self.activations.starts[self.functions[index]][:, :, None]
        return Learnt(weights, np.tile(starts, (1, 1, self.fitted.copies)))

    def _made_of(self, index: int, seed: int) -> tuple[Any, Any]:
        """Initial weights and state of the network."""
        flowing = tuple(self._mean_squares[number] for number in self.functions[index])
        return self.fitted.init(seed, Moments(self._data.mean_square, flowing))

    def _with_slots(self, progress: Progress, slots: int) -> Progress:
        """The same state for a program with so many slots; those beyond a candidate's own rest."""

        def fit(path: tuple[Any, ...], leaf: Any) -> np.ndarray:
            array = np.asarray(leaf)
            if _PARAMETERS not in path:
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
    *,
    totals_of: Callable[[Sums], dict[str, Any]] = Sums.totals,
) -> tuple[Progress, dict[str, np.ndarray]]:
    """`Sums.totals` over the validation split, and the state, whose memory may have moved.

    Args:
        progress: What is to be validated.
        data: With the split.
        observe: Makes so many passes.
        totals_of: What they came to.
    """
    passes = data.validation_passes
    totals: dict[str, np.ndarray] = {}
    for first in range(0, passes, data.chunk):
        count = min(data.chunk, passes - first)
        progress, sums = observe(progress, data.of_validation(first), count)
        for name, total in totals_of(sums).items():
            totals[name] = totals.get(name, 0.0) + total
    return progress, totals


def _explained(squared_error: float, variance: float) -> float:
    """Share of the variance that a regression explains, 0 where it explains none."""
    return max(0.0, 1.0 - squared_error / variance) if variance else 0.0
