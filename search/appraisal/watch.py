"""A watch on meta-overfitting: how the leader does on tasks that the search does not use."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import Activation
from search.appraisal.appraiser import Appraiser
from search.appraisal.course import Course, Leg
from search.candidates.generation import Watched
from search.settings import ScoringSettings, WatchSettings


class Watch:
    """Has the leader meet the best baseline now and then, both at their own best rates.

    Trainings are in the journal by their own keys, so that a leader who meets again costs nothing.
    """

    def __init__(
        self, appraiser: Appraiser, settings: WatchSettings, *, baselines: Sequence[Activation]
    ) -> None:
        """Nobody has met yet.

        Args:
            appraiser: Whose only course is that of `watch_course`.
            settings: The campaign's.
            baselines: Among which the best on each task is the one to meet.
        """
        self._appraiser, self._settings, self._baselines = appraiser, settings, baselines
        self._best: float | None = None
        self._rung: int | None = None
        self.unimproved = 0

    def is_due(self, generation: int) -> bool:
        """Whether the leader meets after this generation, counted from 0."""
        return (generation + 1) % self._settings.every == 0

    def meet(self, leader: Activation) -> Watched | None:
        """What the leader comes to; None where it could not be trained on every task.

        Raises:
            Interrupted: Once stopping is set and the running batches are delivered.
        """
        if self._rung is None:
            (rung,) = self._appraiser.rungs
            self._appraiser.measure_by(self._baselines, rung)
            self._rung = rung
        (evaluation,) = next(self._appraiser.evaluate([leader], self._rung))
        if evaluation.over_tasks is None:
            self.unimproved += 1
            return None
        by_task = {each.task: each.advantage for each in evaluation.over_tasks.tasks}
        # Campaigns of before may watch two tasks of one name.
        lead = fmean(each.advantage for each in evaluation.over_tasks.tasks)
        is_better = self._best is None or lead > self._best
        self._best = lead if is_better else self._best
        self.unimproved = 0 if is_better else self.unimproved + 1
        return Watched(lead, by_task)

    @property
    def is_out_of_patience(self) -> bool:
        """Whether as many meetings as are granted have brought no greater lead."""
        patience = self._settings.patience
        return patience is not None and self.unimproved >= patience


def watch_course(
    watch: WatchSettings, scoring: ScoringSettings, benches: Sequence[Bench], *, first: int
) -> Course:
    """What a meeting consists of: all watched tasks, on seeds that no rung has.

    Args:
        watch: The settings.
        scoring: Of the search, for rates, steps and seeds.
        benches: Of the watched tasks.
        first: Number of the first of them among the workers' tasks.
    """
    legs = (
        Leg(number, name, bench)
        for number, (name, bench) in enumerate(zip(watch.tasks, benches, strict=True), first)
    )
    steps = watch.steps or scoring.rungs[-1].steps
    granted = Fidelity(steps, watch.fresh_seeds(scoring))
    return Course(len(scoring.rungs), tuple(legs), granted, scoring.learning_rates, True)
