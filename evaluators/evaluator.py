"""Probe, train, measure: from candidates to evaluations."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Final

from evaluators.evaluation import Evaluation, Outcome, SeedResult
from evaluators.fidelity import Fidelity
from evaluators.probes import probe
from grammars import (
    Activation,
    activation_id,
    by_layer,
    canonical_form,
    parse_activation,
)

if TYPE_CHECKING:
    from evaluators.datasets import Dataset
    from evaluators.tasks import Task
    from evaluators.training import TrainingProgram

# Compiled programs take memory: 3 MB a candidate. Who climbs was compiled on the rung below; before
# it does, the next generation may be compiled already, and what other workers could not take.
KEPT_PROGRAMS: Final = 3


# A candidate looks at the clock now and then only, and may come late by so much.
LATE_SECONDS: Final = 10.0


def compiling_allowance(count: int, timeout_seconds: float) -> float:
    """Seconds in which `count` candidates must be compiled; 2 + 0.2 `count` is what they need."""
    return 30.0 + timeout_seconds * (1.0 + count / 16.0)


@dataclass(frozen=True)
class Bench:
    """Where a candidate is tried: a task with the data that it really uses.

    Attributes:
        task: Name of the task.
        dataset: Name of the data set, a fallback included.
    """

    task: str
    dataset: str

    def record(
        self,
        activation: Activation,
        fidelity: Fidelity,
        outcome: Outcome,
        *,
        reason: str | None = None,
        per_seed: tuple[SeedResult, ...] = (),
    ) -> Evaluation:
        """An evaluation on this bench."""
        return Evaluation(
            candidate_id=activation_id(activation),
            expression=str(activation),
            canonical=str(canonical_form(activation)),
            task=self.task,
            dataset=self.dataset,
            fidelity=fidelity,
            outcome=outcome,
            reason=reason,
            per_seed=per_seed,
        )

    def rejection(self, activation: Activation, fidelity: Fidelity) -> Evaluation | None:
        """The record of a candidate that a probe rejects; None if it may be trained."""
        reason = probe(activation)
        if reason is None:
            return None
        return self.record(activation, fidelity, Outcome.REJECTED, reason=reason)


class Evaluator:
    """Trains candidates on one task; one of them lives in each worker."""

    def __init__(
        self,
        task: Task,
        dataset: Dataset,
        *,
        timeout_seconds: float = math.inf,
        states_folder: Path | None = None,
        highest: Fidelity | None = None,
        allow: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Brings the data to the device.

        Args:
            task: What to train.
            dataset: The task's own, or its fallback.
            timeout_seconds: What one candidate's training may take for each seed.
            states_folder: Where training states are kept from one fidelity to the next.
            highest: The last fidelity of a ladder, which few reach: costs are measured there, and
                no training state is kept, since nothing goes on from it.
            allow: Told how many seconds the work that begins now may take until it is told again;
                a worker has itself ended then, since compiling cannot be interrupted otherwise.
        """
        from evaluators.batches import DeviceData
        from evaluators.training_states import TrainingStates

        self._task = task
        self._data = DeviceData(dataset, batch=task.recipe.batch)
        self._bench = Bench(task.name, dataset.name)
        self._timeout_seconds, self._allow = timeout_seconds, allow
        self._highest = highest
        self._programs: deque[TrainingProgram] = deque()
        self._states = (
            TrainingStates(states_folder, task=task.name, dataset=dataset.name)
            if states_folder
            else None
        )

    def evaluate(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Evaluation]:
        """Trains a batch that has passed the probes.

        Args:
            candidates: Those that were not compiled lately are compiled into one program.
            fidelity: Steps and seeds, the same for all.

        Returns:
            One record each, in the same order: scored, diverged, or failed for want of time.
        """
        begun = time.perf_counter()
        places = self._compiled(candidates)
        compiling = (time.perf_counter() - begun) / len(candidates)
        records = []
        for candidate, (program, index) in zip(candidates, places, strict=True):
            begun = time.perf_counter()
            record = self._train(program, index, candidate, fidelity)
            seconds = compiling + time.perf_counter() - begun
            records.append(replace(record, seconds=seconds))
        return self._with_costs(records) if fidelity == self._highest else records

    def _with_costs(self, records: Sequence[Evaluation]) -> list[Evaluation]:
        from evaluators.cost import relative_costs

        depth = self._task.network.hidden_layers
        scored = {
            record.candidate_id: by_layer(parse_activation(record.expression), depth)
            for record in records
            if record.outcome is Outcome.SCORED
        }
        functions = {str(function): function for layers in scored.values() for function in layers}
        self._allow(compiling_allowance(len(functions), self._timeout_seconds))
        costs = dict(zip(functions, relative_costs(list(functions.values())), strict=True))
        measured = {
            identity: fmean(costs[str(function)] for function in layers)
            for identity, layers in scored.items()
        }
        return [replace(r, relative_cost=measured.get(r.candidate_id)) for r in records]

    def _compiled(self, candidates: Sequence[Activation]) -> list[tuple[TrainingProgram, int]]:
        """A program for each, and its number there; all that are new are compiled into one."""
        from evaluators.training import TrainingProgram

        known = self._known()
        new = [candidate for candidate in candidates if str(candidate) not in known]
        if new:
            self._allow(compiling_allowance(len(new), self._timeout_seconds))
            # Before it is there, so that no more than are kept take memory at a time.
            if len(self._programs) == KEPT_PROGRAMS:
                self._programs.popleft()
            self._programs.append(TrainingProgram(new, self._task, self._data))
        places = known | self._known()
        return [places[str(candidate)] for candidate in candidates]

    def _known(self) -> dict[str, tuple[TrainingProgram, int]]:
        return {
            str(candidate): (program, index)
            for program in self._programs
            for index, candidate in enumerate(program.candidates)
        }

    def _train(
        self,
        program: TrainingProgram,
        index: int,
        candidate: Activation,
        fidelity: Fidelity,
    ) -> Evaluation:
        from evaluators.training import Divergence, OutOfTimeError

        trained = []
        for seed in fidelity.seeds:
            self._allow(self._timeout_seconds + LATE_SECONDS)
            try:
                run = program.train(
                    index,
                    seed=seed,
                    steps=fidelity.steps,
                    states=self._states,
                    keep=fidelity != self._highest,
                    out_of_time=_passed(time.monotonic() + self._timeout_seconds),
                )
            except OutOfTimeError:
                reason = f"it took longer than {self._timeout_seconds:g} s a seed"
                return self._bench.record(candidate, fidelity, Outcome.FAILED, reason=reason)
            if isinstance(run, Divergence):
                reason = f"the loss was not finite by step {run.step} (seed {run.seed})"
                return self._bench.record(candidate, fidelity, Outcome.DIVERGED, reason=reason)
            trained.append(run)
        record = self._bench.record(
            candidate, fidelity, Outcome.SCORED, per_seed=tuple(run.result for run in trained)
        )
        return replace(record, diagnostics=trained[-1].diagnostics)


def _passed(deadline: float) -> Callable[[], bool]:
    return lambda: time.monotonic() > deadline
