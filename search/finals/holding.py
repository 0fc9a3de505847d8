"""Holds finals: trains every stage, looks at validation data, and then opens the test data."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, Literal

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.statistics.paired import ENOUGH_SEEDS
from search.executors import Executor, Interrupted
from search.executors.at_once import trained_at_once
from search.finals.entrant_results import is_scored
from search.finals.results import Finals, finals_of, widest
from search.history import (
    FinalistScored,
    FinalistTrained,
    FinalsEnded,
    FinalsLooked,
    FinalsPlanned,
    Happening,
    Ledger,
    Look,
    Plan,
    Point,
    Run,
    Stage,
    TestDataOpened,
    Told,
    part_of_finals,
    read_history,
    write,
)
from search.journal.journal import Journal

Split = Literal["validation", "test"]
OpenExecutor = Callable[[Stage, Split], AbstractContextManager[Executor]]
"""Workers for a stage that score what they train on one of the two splits."""

ENDED: Final = "all stages are held and scored"


def hold(
    plan: Plan,
    journal: Journal,
    *,
    open_executor: OpenExecutor,
    stopping: threading.Event,
    on_progress: Callable[[str, int, int], None] = lambda task, done, total: None,
    announce: Callable[[str], None] = lambda text: None,
    clock: Callable[[], float] = time.monotonic,
    known: Callable[[Stage, Run], FinalistScored | None] = lambda stage, run: None,
) -> Finals:
    """Holds finals, or goes on with them: what the journal holds is not done again.

    Every stage is trained first, and looked at on validation data only. So the numbers of seeds are
    settled before any test data are opened, which happens once for each data set, for all functions
    and stages together.

    Args:
        plan: Recorded before anything is trained.
        journal: Of the campaign, open for writing.
        open_executor: Gives the workers of a stage.
        stopping: Ends the finals after the running batches.
        on_progress: Called with a task, its training runs done and how many they may become.
        announce: Receives sentences for people.
        clock: Seconds, for the budget in minutes.
        known: Finds the test score of a run that another campaign has made; asked once the test
            data are open.

    Raises:
        Interrupted: If `stopping` was set; holding the same plan again goes on.
        JournalError: If other finals of that number are recorded.
    """
    write(journal, [FinalsPlanned(plan)])
    holder = _Holder(plan, journal, open_executor, stopping, on_progress, announce, clock, known)
    for stage in plan.stages:
        holder.train(stage)
    for dataset in dict.fromkeys(stage.dataset for stage in plan.stages):
        holder.score(dataset)
    holder.record([FinalsEnded(plan.number, ENDED)])
    return finals_of(read_history(journal).finals, plan)


class _Holder:
    """The plan, the journal and what they share while finals are held."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        open_executor: OpenExecutor,
        stopping: threading.Event,
        on_progress: Callable[[str, int, int], None],
        announce: Callable[[str], None],
        clock: Callable[[], float],
        known: Callable[[Stage, Run], FinalistScored | None],
    ) -> None:
        self._plan, self._journal, self._open_executor = plan, journal, open_executor
        self._stopping, self._on_progress, self._announce = stopping, on_progress, announce
        self._known = known
        history = read_history(journal)
        self.ledger: Ledger = history.finals
        before = history.work.seconds(part_of_finals(plan.number))
        self._clock, self._begun = clock, clock() - before
        self._expressions = {each.candidate_id: each.activation for each in plan.entrants}

    def record(self, events: Sequence[Happening]) -> None:
        """Writes events, and takes them in as a reader of the journal would."""
        write(self._journal, events)
        for event in events:
            self.ledger.add(Told(0, time.time(), event))

    def train(self, stage: Stage) -> None:
        """Trains seed after seed until a look says that there are enough."""
        looks = self.ledger.looks_at(self._plan, stage)
        if looks and looks[-1].is_last:
            return
        with self._open_executor(stage, "validation") as executor:
            for planned in stage.looks[len(looks) :]:
                done = self._train_seeds(stage, planned, executor)
                if self._look(stage, done, planned).is_last:
                    return

    def score(self, dataset: str) -> None:
        """Opens a test split, and scores on it whatever has been trained."""
        waiting = {
            stage: runs
            for stage in self._plan.stages
            if stage.dataset == dataset and (runs := list(self._unscored(stage)))
        }
        if not waiting:
            if self._shows(dataset):
                self._open_test_data(dataset, 0)
            return
        if self._stopping.is_set():  # test data are not opened for nothing
            raise Interrupted
        count = sum(len(runs) for runs in waiting.values())
        self._open_test_data(dataset, count)
        for stage, runs in waiting.items():
            known = {run.key: score for run in runs if (score := self._known(stage, run))}
            self.record(list(known.values()))
            if left := [run for run in runs if run.key not in known]:
                with self._open_executor(stage, "test") as executor:
                    self._score_stage(stage, left, executor)

    def _shows(self, dataset: str) -> bool:
        """Whether these finals tell test results that earlier ones have come to."""
        return any(
            run.test_outcome is not None
            for stage in self._plan.stages
            if stage.dataset == dataset
            for run in self._looked_at(stage)
        )

    def _open_test_data(self, dataset: str, runs: int) -> None:
        if not self.ledger.is_open(self._plan, dataset):
            self.record([TestDataOpened(self._plan.number, dataset, runs)])
            times = sum(each.dataset == dataset for each in self.ledger.openings)
            self._announce(f"the test set of {dataset} is opened, time {times} in this campaign")

    def _train_seeds(self, stage: Stage, planned: int, executor: Executor) -> int:
        """Trains what is missing of the first `planned` seeds; how many of these are done."""
        for index in range(planned):
            seed = self._plan.first_seed + index
            missing = [i for i in stage.entrants if self.ledger.run(stage, i, seed) is None]
            if missing and self._may_end(stage, index, planned):
                return index
            if missing:
                self._train_seed(stage, seed, missing, executor)
            total = stage.looks[-1] * len(stage.entrants)
            self._on_progress(stage.title, (index + 1) * len(stage.entrants), total)
        return planned

    def _train_seed(
        self, stage: Stage, seed: int, identities: Sequence[str], executor: Executor
    ) -> None:
        """Trains functions with one seed from checkpoint to checkpoint, and records the runs."""
        runs = {identity: _begun(stage, identity, seed) for identity in identities}
        for checkpoint in stage.checkpoints:
            going = [
                (run, stage.own_steps.get(run.candidate_id, checkpoint))
                for run in runs.values()
                if is_scored(run)
            ]
            for evaluation in self._evaluate(going, executor):
                identity = evaluation.candidate_id
                runs[identity] = _continued(runs[identity], evaluation)
        self.record([FinalistTrained(run) for run in runs.values()])

    def _look(self, stage: Stage, done: int, planned: int) -> Look:
        plan = self._plan
        first = plan.first_seed
        width = widest(self.ledger, plan, stage, range(first, first + done))
        decision, is_last = _decide(plan, stage, done, planned, width)
        look = Look(done, width, is_last, decision)
        self.record([FinalsLooked(plan.number, stage.task, planned, look)])
        seeds = f"{done} seed{'' if done == 1 else 's'}"
        self._announce(f"finals on {stage.title}: {seeds}; {decision}")
        return look

    def _looked_at(self, stage: Stage) -> Iterator[Run]:
        """The runs of those seeds that count."""
        looks = self.ledger.looks_at(self._plan, stage)
        first = self._plan.first_seed
        for seed in range(first, first + looks[-1].seeds):
            for identity in stage.entrants:
                if (run := self.ledger.run(stage, identity, seed)) is not None:
                    yield run

    def _unscored(self, stage: Stage) -> Iterator[Run]:
        for run in self._looked_at(stage):
            if is_scored(run) and run.test_outcome is None:
                yield run

    def _score_stage(self, stage: Stage, runs: Iterable[Run], executor: Executor) -> None:
        by_seed: dict[int, list[Run]] = {}
        for run in runs:
            by_seed.setdefault(run.seed, []).append(run)
        for alike in by_seed.values():
            keys = {run.candidate_id: run.key for run in alike}
            evaluations = self._evaluate([(run, run.steps) for run in alike], executor)
            self.record([_score(keys[e.candidate_id], e) for e in evaluations])

    def _evaluate(
        self, runs: Iterable[tuple[Run, int]], executor: Executor
    ) -> Iterator[Evaluation]:
        """Trains runs, each so far, all of those together that are granted the same."""
        granted: dict[Fidelity, list[Run]] = {}
        for run, steps in runs:
            fidelity = Fidelity(steps, (run.seed,), run.learning_rate)
            granted.setdefault(fidelity, []).append(run)

        # Functions with learning rates of their own are batches of one, for a worker each.
        asked = [
            (fidelity, [self._expressions[run.candidate_id] for run in alike])
            for fidelity, alike in granted.items()
        ]
        for _, evaluations in trained_at_once(executor, asked, stopping=self._stopping):
            yield from evaluations

    def _may_end(self, stage: Stage, index: int, planned: int) -> bool:
        """Whether time ends the seeds of a stage before number `index`."""
        own = self._plan.own
        if stage not in own:
            return self._is_over()
        if len(own) == 1:
            return planned > stage.looks[0] and self._is_over()
        # Of several tasks each has its share: what is claimed needs seeds on all of them.
        return index >= ENOUGH_SEEDS and self._is_over((own.index(stage) + 1) / len(own))

    def _is_over(self, share: float = 1.0) -> bool:
        minutes = self._plan.minutes
        return minutes is not None and self._clock() - self._begun >= 60.0 * share * minutes


def _begun(stage: Stage, identity: str, seed: int) -> Run:
    return Run(
        identity,
        stage.task,
        stage.dataset,
        stage.steps_of(identity),
        seed,
        Outcome.SCORED,
        learning_rate=stage.rate(identity),
    )


def _continued(run: Run, evaluation: Evaluation) -> Run:
    """The run after a further checkpoint."""
    seconds = run.seconds + evaluation.seconds
    if evaluation.outcome is not Outcome.SCORED:
        return replace(run, outcome=evaluation.outcome, reason=evaluation.reason, seconds=seconds)
    (result,) = evaluation.per_seed
    point = Point(evaluation.fidelity.steps, result.validation_loss, result.validation_accuracy)
    return replace(
        run, curve=(*run.curve, point), diagnostics=evaluation.diagnostics, seconds=seconds
    )


def _score(run_key: str, evaluation: Evaluation) -> FinalistScored:
    """An evaluation on the test split, which took the place of the validation split."""
    return FinalistScored(
        run_key,
        evaluation.outcome,
        evaluation.reason,
        evaluation.validation_loss,
        evaluation.validation_accuracy,
    )


def _decide(
    plan: Plan, stage: Stage, done: int, planned: int, width: float | None
) -> tuple[str, bool]:
    """What follows from a look, in words, and whether it is the last."""
    if done < planned:
        minutes = f"the finals' {plan.minutes:g} minutes"
        is_shared = stage in plan.own and len(plan.own) > 1
        return f"its share of {minutes} was over" if is_shared else f"{minutes} were over", True
    if width is not None and width <= plan.half_width_points:
        return f"every interval is within {width:.2f} points to either side", True
    if planned == stage.looks[-1]:
        return "the planned number of seeds is reached", True
    known = (
        "not all intervals are known" if width is None else f"the widest is +-{width:.2f} points"
    )
    return f"{known}, so there will be more seeds", False
