"""The section `[finals]`: the last, honest comparison."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from search.settings.scoring import ScoringSettings
from search.settings.section import LearningRate, Minutes, Seconds, Section, Steps
from search.settings.watch import WatchSettings

CandidateId = Annotated[str, Field(min_length=1, max_length=64)]


class FinalsSettings(Section):
    """The last, honest comparison, held when the search has ended; without this section none is.

    Attributes:
        top: Best of the search that take part; all baselines do.
        candidates: Ids, or their beginnings, of functions that take part in place of the best, for
            whoever chooses from a leaderboard.
        seeds: Training seeds at the first interim analysis; the number doubles each time.
        max_seeds: At the last of them.
        half_width: They end when every interval of a finalist against a rival, on validation data,
            reaches at most so far to either side, in points of accuracy.
        steps: Optimiser steps of each training run; by default those of the last rung.
        transfer: Tasks beside the campaign's own on which the finalists meet the rivals.
        learning_rates: Beside the own task's, with its optimiser: does the verdict hold there?
        transfer_seeds: Training seeds on each of those, and of longer, equal_time and resized runs.
        transfer_steps: Optimiser steps there; by default those of the finals.
        first_seed: Training seeds count up from here; none of them is one of the search's.
        minutes: Wall time after which no further seed is begun; where the claim is about several
            tasks, each has an equal share. In any case a single task gets the seeds of its first
            interim analysis, several get five each, and what was trained is scored on test data.
        timeout_seconds: What one training run may take.
        measure: What functions are compared by on test data: "accuracy" in points, all pairs as one
            family; or "log_loss", the logarithm of the loss, the leader's pairs first.
        all_tasks: Whether what is claimed is of the mean over all tasks of the search, each with
            `max_seeds` seeds; else it is of the first one.
        own_rates: Whether each function is trained at its own learning rate: the best on validation
            data of at least five a factor of two apart, further out while it improves, refined by
            the parabola through the best and its neighbours.
        rate_seeds: Training seeds that the rates are chosen with, none of which comes again.
        against: Rivals beside ReLU, Swish and GELU: a function, its name in the catalogue,
            "catalogue" for the best of all the others there, "scaled gelu" for the best
            `c * gelu(b * x)`, or the name of a campaign in the same runs directory for the best of
            the first five that its search has found, each on validation data of the tasks that the
            claim is about.
        rival_seeds: Training seeds, beyond all others, on which the five that could be the best of
            those meet, each at its own learning rate.
        longer: Whether they meet in runs of twice the steps as well: does the verdict last?
        equal_time: Whether they meet in runs that take each of them the processor time of ReLU's as
            well, by the measured cost of a step of the whole network: is it worth its cost?
        resized: Whether they meet on the first task with half and twice the width, half and twice
            the depth as well: does their order outlive the network's size?
        register_leader: Whether the best finalist enters MLflow's model registry.
    """

    top: Annotated[int, Field(ge=1, le=50)] = 3
    candidates: Annotated[tuple[CandidateId, ...], Field(max_length=50, strict=False)] = ()
    seeds: Annotated[int, Field(ge=2, le=1_000)] = 10
    max_seeds: Annotated[int, Field(ge=2, le=1_000)] = 20
    half_width: Annotated[float, Field(gt=0.0, le=100.0)] = 0.1
    steps: Steps | None = None
    transfer: Annotated[tuple[str, ...], Field(max_length=20, strict=False)] = ()
    learning_rates: Annotated[tuple[LearningRate, ...], Field(max_length=20, strict=False)] = ()
    transfer_seeds: Annotated[int, Field(ge=2, le=1_000)] = 10
    transfer_steps: Steps | None = None
    first_seed: Annotated[int, Field(ge=0, le=2_000_000_000)] = 1_000_000
    minutes: Minutes | None = None
    timeout_seconds: Seconds = 600.0
    measure: Literal["accuracy", "log_loss"] = "accuracy"
    all_tasks: bool = False
    own_rates: bool = False
    rate_seeds: Annotated[int, Field(ge=1, le=100)] = 2
    against: Annotated[tuple[str, ...], Field(max_length=20, strict=False)] = ()
    rival_seeds: Annotated[int, Field(ge=1, le=1_000)] = 10
    longer: bool = False
    equal_time: bool = False
    resized: bool = False
    register_leader: bool = False

    @model_validator(mode="after")
    def _has_one_rate(self) -> FinalsSettings:
        if self.own_rates and self.learning_rates:
            raise ValueError(
                "own_rates gives each function its own learning rate, and learning_rates gives all "
                "of them the same; leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _grows(self) -> FinalsSettings:
        if self.max_seeds < self.seeds:
            raise ValueError(f"max_seeds, {self.max_seeds}, must be at least seeds, {self.seeds}")
        return self

    @property
    def tuning_seeds(self) -> tuple[int, ...]:
        """The seeds that learning rates are chosen with, beyond those of the comparison."""
        first = self.first_seed + max(self.max_seeds, self.transfer_seeds)
        return tuple(range(first, first + self.rate_seeds))

    @property
    def meeting_seeds(self) -> tuple[int, ...]:
        """The seeds that rivals are chosen with in the end, beyond all others."""
        first = self.tuning_seeds[-1] + 1
        return tuple(range(first, first + self.rival_seeds))

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of seeds of the interim analyses: doubled each time, `max_seeds` at the last."""
        counts = [self.seeds]
        while counts[-1] < self.max_seeds:
            counts.append(min(2 * counts[-1], self.max_seeds))
        return tuple(counts)


def check_fresh(
    finals: FinalsSettings, scoring: ScoringSettings, watch: WatchSettings | None = None
) -> None:
    """Makes sure that finals train on no seed that the search, or its watch, has chosen by.

    Raises:
        ValueError: If they would.
    """
    used = {seed for fidelity in scoring.fidelities for seed in fidelity.seeds}
    if watch is not None and watch.chooses_finalists:
        used |= set(watch.fresh_seeds(scoring))
    beyond = finals.tuning_seeds[0]
    if finals.own_rates:
        beyond = finals.meeting_seeds[0]
    if finals.against:
        beyond = finals.meeting_seeds[-1] + 1
    fresh = range(finals.first_seed, beyond)
    if not used.isdisjoint(fresh):
        raise ValueError(
            f"finals.first_seed: seeds {fresh.start} to {fresh.stop - 1} overlap with those of the "
            f"search, {min(used)} to {max(used)}; choose one beyond {max(used)}"
        )
