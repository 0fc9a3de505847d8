"""A training program that fills an accelerator: many runs take their steps together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from evaluators.datasets import Dataset
from evaluators.networks import AnyNetwork, Chain
from evaluators.recipes.losses import summed
from evaluators.recipes.schedules import Schedule, Span
from evaluators.steps.activations import LaneActivations
from evaluators.steps.batches import DeviceData, Examples
from evaluators.steps.compiling import compiled
from evaluators.steps.progress import Mode, Progress, Sums
from evaluators.steps.stepping import LaneStepper
from evaluators.tasks import Task
from evaluators.training.runs import Divergence, OutOfTimeError, Runs, Trained, validated
from evaluators.training.training_states import TrainingStates
from grammars import Activation

LANES: Final = 64
"""Runs that an accelerator trains together: a step of them takes an H100 two and a half times as
long as a step of one."""

# Each seed sees examples of its own, 10 MB a chunk on MNIST.
_SEEDS_TOGETHER: Final = 8


def lanes_here() -> int:
    """Runs to be trained together on the device that JAX finds: 1 on a processor."""
    return 1 if jax.default_backend() == "cpu" else LANES


def has_written_out_pass(network: AnyNetwork, dataset: Dataset) -> bool:
    """Whether a network is a chain for which runs can be trained side by side."""
    shape = dataset.training.inputs.shape[1:]
    return isinstance(network, Chain) and network.units(shape) is not None


class LockstepProgram:
    """Trains a batch of candidates together, each with one seed or several.

    Their number of lanes is that of the program, whatever is trained in them, so that a run's
    results depend neither on the other lanes nor on where its training was interrupted.

    Attributes:
        candidates: By number.
    """

    def __init__(
        self, candidates: Sequence[Activation], task: Task, data: DeviceData, *, lanes: int = LANES
    ) -> None:
        """Compiles the program.

        Args:
            candidates: At most as many as there are lanes, which they share evenly.
            task: What to train.
            data: The task's.
            lanes: Runs that are trained together.

        Raises:
            LayersError: If the functions of a candidate don't fit the task's network.
            ValueError: If the task's network can't take such examples, or there are more candidates
                than lanes.
        """
        if not 0 < len(candidates) <= lanes:
            raise ValueError(f"got {len(candidates)} candidates for {lanes} lanes; split them")
        self._runs, self._data = Runs(candidates, task, data), data
        self.candidates = self._runs.candidates
        # Neighbours compute the same function, as one.
        self._lanes_of = np.array_split(np.arange(lanes), len(candidates))
        owners = np.repeat(np.arange(len(candidates)), [len(own) for own in self._lanes_of])
        self._functions, self._scopes = self._runs.functions[owners], self._runs.scopes[owners]
        self._seeds_together = min(_SEEDS_TOGETHER, lanes // len(candidates))
        self._sources = np.zeros(lanes, np.int32)
        for own in self._lanes_of:
            self._sources[own] = np.arange(len(own)) % self._seeds_together
        if not isinstance(task.network, Chain) or not self._runs.fitted.units:
            raise ValueError("only the written-out pass trains runs side by side")
        self._stepper = stepper = LaneStepper(
            task.network,
            LaneActivations(self._runs.activations, self._functions),
            self._runs.optimizer,
            loss=summed(task.recipe.loss),
            shape=data.shape,
        )
        self._no_rates = np.zeros(data.chunk, np.float32)
        begun = self._in_lanes({(0, 0): self._runs.begin(0, seed=0)}, (0,))
        examples = self._from_every_source(data.of_validation(0))
        example = self._arguments(begun, examples, Span(0, 0), self._no_rates, Mode.LEARN)
        self._run = compiled(stepper.run_lanes, *example, donated=[1])

    def train(
        self,
        indices: Sequence[int],
        *,
        seeds: Sequence[int],
        steps: int,
        learning_rate: float | None = None,
        states: TrainingStates | None = None,
        keep: bool = True,
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> list[list[Trained | Divergence]]:
        """Trains candidates with the same seeds, from scratch or from where shorter runs ended.

        Args:
            indices: Which candidates.
            seeds: Of the initial weights and the order of the data; as many as there are lanes for
                are trained together.
            steps: Optimiser steps from scratch.
            learning_rate: Of the schedule's plateau; None for the recipe's.
            states: Where shorter runs were kept; results are the same to the bit with and without.
            keep: Whether to keep these there for longer ones.
            out_of_time: Asked before every chunk.

        Returns:
            What became of each candidate with each seed.

        Raises:
            OutOfTimeError: If `out_of_time` says so.
        """
        came_to: dict[tuple[int, int], Trained | Divergence] = {}
        schedule = self._runs.schedule(steps, learning_rate)
        for first in range(0, len(seeds), self._seeds_together):
            together = seeds[first : first + self._seeds_together]
            came_to |= self._train(indices, together, schedule, states, keep, out_of_time)
        return [[came_to[index, seed] for seed in seeds] for index in indices]

    def _train(
        self,
        indices: Sequence[int],
        seeds: Sequence[int],
        schedule: Schedule,
        states: TrainingStates | None,
        keep: bool,
        out_of_time: Callable[[], bool],
    ) -> dict[tuple[int, int], Trained | Divergence]:
        runs = [(index, seed) for index in indices for seed in seeds]
        done, progress = self._resume(runs, seeds, schedule, states)
        diverged: dict[tuple[int, int], Divergence] = {}
        for span in schedule.spans(done, chunk=self._data.chunk):
            if out_of_time():
                raise OutOfTimeError
            progress, sums = self._advance(progress, seeds, schedule, span)
            finite = np.isfinite(np.asarray(sums.loss)).all(axis=-1)
            for run, lane in self._lanes(runs, seeds):
                if not finite[lane]:
                    diverged.setdefault(run, Divergence(run[1], span.stop))
            if len(diverged) == len(runs):
                return dict(diverged)
            if span.stop == schedule.shared and states is not None and keep:
                on_host = jax.device_get(progress)
                for run, lane in self._lanes(runs, seeds):
                    if run not in diverged:
                        self._runs.keep(*run, schedule, states, _lane(on_host, lane))
        progress, totals = validated(progress, self._data, self._observe)
        learnt = np.array(progress.learnt.parameters)  # a copy: measuring takes their memory
        laid_out = self._of_training(seeds, 0)
        measured, _ = self._passes(progress, laid_out, Span(0, 1), self._no_rates, Mode.MEASURE)
        gradient = jax.device_get(measured.learnt)
        return {
            run: diverged.get(run)
            or self._runs.outcome(
                *run,
                schedule.steps,
                parameters=learnt[lane],
                totals=_lane(totals, lane),
                gradient=_lane(gradient, lane),
                stepper=self._stepper,
            )
            for run, lane in self._lanes(runs, seeds)
        }

    def _lanes(
        self, runs: Sequence[tuple[int, int]], seeds: Sequence[int]
    ) -> Iterator[tuple[tuple[int, int], int]]:
        """Each run with its lane."""
        for index, seed in runs:
            yield (index, seed), int(self._lanes_of[index][seeds.index(seed)])

    def _resume(
        self,
        runs: Sequence[tuple[int, int]],
        seeds: Sequence[int],
        schedule: Schedule,
        states: TrainingStates | None,
    ) -> tuple[int, Progress]:
        resumed = {run: self._runs.resume(*run, schedule, states) for run in runs}
        kept = {done for done, _ in resumed.values()}
        if len(kept) == 1:
            return kept.pop(), self._in_lanes({run: p for run, (_, p) in resumed.items()}, seeds)
        # They can only go on together. That some states are missing is rare.
        return 0, self._in_lanes({run: self._runs.begin(*run) for run in runs}, seeds)

    def _in_lanes(self, by_run: dict[tuple[int, int], Progress], seeds: Sequence[int]) -> Progress:
        """States laid out; lanes without a run of their own repeat the first."""
        whoever = next(iter(by_run.values()))
        in_lanes = [whoever] * len(self._sources)
        for run, lane in self._lanes(list(by_run), seeds):
            in_lanes[lane] = by_run[run]
        laid_out: Progress = jax.tree.map(lambda *leaves: np.stack(leaves), *in_lanes)
        return laid_out

    def _advance(
        self, progress: Progress, seeds: Sequence[int], schedule: Schedule, span: Span
    ) -> tuple[Progress, Sums]:
        chunk = self._data.chunk
        first = span.first - span.first % chunk
        laid_out, rates = self._of_training(seeds, first), schedule.rates(first, chunk)
        within = Span(span.first - first, span.stop - first)
        return self._passes(progress, laid_out, within, rates, Mode.LEARN)

    def _of_training(self, seeds: Sequence[int], first: int) -> Examples:
        laid_out = [self._data.of_training(seed, first) for seed in seeds]
        laid_out += laid_out[:1] * (self._seeds_together - len(laid_out))
        return Examples(*(jnp.stack(arrays) for arrays in zip(*laid_out, strict=True)))

    def _observe(self, progress: Progress, examples: Examples, count: int) -> tuple[Progress, Sums]:
        sources = self._from_every_source(examples)
        return self._passes(progress, sources, Span(0, count), self._no_rates, Mode.OBSERVE)

    def _from_every_source(self, examples: Examples) -> Examples:
        sources = self._seeds_together
        return Examples(*(jnp.broadcast_to(array, (sources, *array.shape)) for array in examples))

    def _passes(self, progress: Progress, *told: Any) -> tuple[Progress, Sums]:
        passed: tuple[Progress, Sums] = self._run(*self._arguments(progress, *told))
        return passed

    def _arguments(
        self, progress: Progress, examples: Examples, span: Span, rates: np.ndarray, mode: Mode
    ) -> tuple[Any, ...]:
        return (
            self._functions,
            progress,
            self._scopes,
            examples,
            self._sources,
            np.float32(self._data.scale),
            rates,
            np.array(span, np.int32),
            np.int32(mode),
        )


def _lane(tree: Any, lane: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[lane], tree)
