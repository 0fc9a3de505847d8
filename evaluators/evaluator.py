"""Probe, train, measure: from candidates to evaluations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.probing.probes import probe
from evaluators.training.trainers import (
    Attempt,
    Conditions,
    OneAfterTheOther,
    Together,
    Trainer,
    compiling_allowance,
)
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
        lanes: int | None = None,
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
            lanes: Runs that are trained together, 1 for one after the other, None for what suits
                the device that JAX finds.
        """
        from evaluators.steps.batches import DeviceData
        from evaluators.training.clock import working_clock
        from evaluators.training.lockstep import has_written_out_pass, lanes_here
        from evaluators.training.training_states import TrainingStates

        self._task, self._bench = task, Bench(task.name, dataset.name)
        self._timeout_seconds, self._highest, self._allow = timeout_seconds, highest, allow
        conditions = Conditions(
            task,
            DeviceData(
                dataset, batch=task.recipe.batch, network=task.network, loss=task.recipe.loss
            ),
            timeout_seconds,
            TrainingStates(states_folder, task=task.digest, dataset=dataset.name)
            if states_folder
            else None,
            highest,
            allow,
            working_clock(),
        )
        if lanes is None:
            lanes = lanes_here() if has_written_out_pass(task.network, dataset) else 1
        self._trainer: Trainer = (
            OneAfterTheOther(conditions) if lanes == 1 else Together(conditions, lanes=lanes)
        )

    def evaluate(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Evaluation]:
        """Trains a batch that has passed the probes.

        Args:
            candidates: Those that were not compiled lately are compiled into one program.
            fidelity: Steps and seeds, the same for all.

        Returns:
            One record each, in the same order: scored, diverged, or failed for want of time.
        """
        import jax

        # In float32, though a user's file or environment may have asked JAX for wider numbers.
        with jax.enable_x64(False):
            attempts = self._trainer.train(candidates, fidelity)
        records = [
            self._record(candidate, fidelity, attempt)
            for candidate, attempt in zip(candidates, attempts, strict=True)
        ]
        if self._highest is None or fidelity.budget != self._highest.budget:
            return records
        depth = self._task.network.hidden_layers
        return with_costs(records, depth=depth, allow=self._allow, seconds=self._timeout_seconds)

    def _record(self, candidate: Activation, fidelity: Fidelity, attempt: Attempt) -> Evaluation:
        from evaluators.training.runs import Divergence

        trained = []
        record = partial(self._bench.record, candidate, fidelity)
        for run in attempt.runs:
            if isinstance(run, Divergence):
                reason = f"the loss was not finite by step {run.step} (seed {run.seed})"
                return replace(record(Outcome.DIVERGED, reason=reason), seconds=attempt.seconds)
            trained.append(run)
        if attempt.is_out_of_time:
            reason = f"it took longer than {self._timeout_seconds:g} s a seed"
            return replace(record(Outcome.FAILED, reason=reason), seconds=attempt.seconds)
        return replace(
            record(Outcome.SCORED, per_seed=tuple(run.result for run in trained)),
            diagnostics=trained[-1].diagnostics,
            seconds=attempt.seconds,
        )


def with_costs(
    records: Sequence[Evaluation], *, depth: int, allow: Callable[[float], None], seconds: float
) -> list[Evaluation]:
    """The records with what their functions cost; see `Evaluation.relative_cost`.

    Args:
        records: Those that are scored are measured.
        depth: Layers that take a function.
        allow: See `Evaluator`.
        seconds: What one candidate's training may take.
    """
    from evaluators.probing.cost import relative_costs

    scored = {
        record.candidate_id: by_layer(parse_activation(record.expression), depth)
        for record in records
        if record.outcome is Outcome.SCORED
    }
    functions = {str(function): function for layers in scored.values() for function in layers}
    allow(compiling_allowance(len(functions), seconds))
    costs = dict(zip(functions, relative_costs(list(functions.values())), strict=True))
    measured = {
        identity: fmean(costs[str(function)] for function in layers)
        for identity, layers in scored.items()
    }
    return [replace(r, relative_cost=measured.get(r.candidate_id)) for r in records]
