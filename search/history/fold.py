"""The fold of a journal: what all its events together say of a campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from evaluators.evaluation.evaluation import Evaluation, Outcome
from search.candidates.candidate import Candidate
from search.candidates.generation import GenerationSummary
from search.history.documents import read
from search.history.events import (
    TIME_IS_OVER,
    Begun,
    DatasetRecord,
    Evaluated,
    GenerationEnded,
    Introduced,
    Measured,
    Polished,
    Relaunched,
    SearchEnded,
    Settled,
    Told,
)
from search.history.finals_ledger import Ledger
from search.history.finals_plan import RIVALS
from search.history.work_record import WorkRecord
from search.journal.journal import Journal, JournalError


@dataclass(frozen=True, slots=True)
class LaunchRecord:
    """What is in force: what the campaign was begun with, and the settings of its last launch.

    Attributes:
        settings: `Settings` as JSON, of the version that wrote them.
        task: As its file read; None in journals of old, which know it by name.
        dataset: That it really trains on.
        versions: Of each package that takes part.
        campaign_file: Text of the campaign file.
        time: Seconds since the epoch at which the campaign was begun.
    """

    settings: Mapping[str, Any]
    task: Mapping[str, Any] | None
    dataset: DatasetRecord
    versions: Mapping[str, str]
    campaign_file: str
    time: float

    @property
    def trained_on(self) -> str:
        """The task by its name, with the data set that took the place of an unavailable one."""
        # A file is where a task happens to lie: one from Python lies among this program's own.
        task, dataset = str((self.task or {}).get("name", self.settings["task"])), self.dataset
        if dataset.fallback_for is None:
            return task
        return f"{task} on {dataset.name} instead of {dataset.fallback_for}"

    @property
    def tasks(self) -> Sequence[str]:
        """Names of all tasks that functions are scored on, the first as `trained_on`."""
        scoring = self.settings.get("scoring") or {}
        first, others = self.settings["task"], scoring.get("tasks") or ()
        return [self.trained_on, *(str(name) for name in others if name != first)]

    @property
    def aggregate(self) -> str | Mapping[str, float]:
        """What becomes of the advantages on several tasks; see `ScoringSettings`."""
        found: str | Mapping[str, float] = self.settings["scoring"].get("aggregate", "mean")
        return found


@dataclass(frozen=True, slots=True)
class RungRecord:
    """One evaluation of a candidate: its place on the ladder, the result, and when it ended."""

    rung: int
    evaluation: Evaluation
    time: float


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A candidate with all that was measured on it.

    Attributes:
        introduced: The candidate, and what its canonical form was then.
        time: Seconds since the epoch at which it was first considered.
        rungs: Its evaluations, in the order in which they were made.
    """

    introduced: Introduced
    time: float
    rungs: tuple[RungRecord, ...] = ()

    @property
    def candidate(self) -> Candidate:
        """The candidate itself."""
        return self.introduced.candidate

    @property
    def is_baseline(self) -> bool:
        """Whether it comes from the catalogue."""
        return self.candidate.origin == "baseline"

    @property
    def is_promoted(self) -> bool:
        """Whether it was evaluated beyond the first rung."""
        return any(record.rung >= 1 for record in self.rungs)

    @property
    def highest(self) -> RungRecord | None:
        """The evaluation on the highest rung that it was scored on; None if it never was."""
        found: RungRecord | None = None
        for each in self.rungs:
            if each.evaluation.outcome is Outcome.SCORED and (
                found is None or each.rung > found.rung
            ):
                found = each
        return found


@dataclass(frozen=True, slots=True)
class GenerationRecord:
    """A generation's figures.

    Attributes:
        summary: What it came to.
        evaluations: Trainings of the campaign up to its end.
        evaluations_per_second: Trainings a second since the generation before; None where the
            clock did not advance.
        time: Seconds since the epoch at its end.
        seconds: At work up to its end, pauses between launches left out.
        rivals: Scores of ReLU, Swish and GELU by their catalogue names, on the rung that the best
            was on then; without those that were not scored there.
    """

    summary: GenerationSummary
    evaluations: int
    evaluations_per_second: float | None
    time: float
    seconds: float = 0.0
    rivals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FinishRecord:
    """Why and when a search ended."""

    reason: str
    time: float


@dataclass
class History:
    """What is known of a campaign; `add` takes the events of its journal in order.

    Whoever follows a campaign that runs adds what is new, and needs to read nothing twice.

    Attributes:
        position: Of the last event that was added, 0 before the first.
        launch: What is in force; None before the first launch.
        candidates: Everybody considered, by id.
        evaluations: All of them in the order in which they were made, rejections included.
        generations: In order.
        finish: Of the search; None while it runs, after an interruption, and where a larger budget
            has taken it on.
        measured: What was measured beside the race, by `measuring.measurement_key`.
        polished: What became of the best, step by step, by their ids; see `Polished`.
        finals: All that is known of finals.
        work: How long which part was worked on.
        endings: Why the search ended, each time.
        trainings: Evaluations for which something was trained.
        ended: How the search ended last, whether a larger budget has taken it on since or not.
        settled: When search and polishing were last done; see `is_settled`.
    """

    position: int = 0
    launch: LaunchRecord | None = None
    relaunches: int = 0
    candidates: dict[str, CandidateRecord] = field(default_factory=dict)
    evaluations: list[Evaluated] = field(default_factory=list)
    generations: list[GenerationRecord] = field(default_factory=list)
    finish: FinishRecord | None = None
    measured: dict[str, Evaluation] = field(default_factory=dict)
    polished: dict[str, tuple[str, ...]] = field(default_factory=dict)
    finals: Ledger = field(default_factory=Ledger)
    work: WorkRecord = field(default_factory=WorkRecord)
    endings: list[str] = field(default_factory=list)
    trainings: int = 0
    ended: FinishRecord | None = None
    settled: Settled | None = None
    _is_reopened: bool = False
    _is_cut: bool = False
    _rivals: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the campaign."""
        return str(self.launch.settings["name"]) if self.launch else "campaign"

    def is_settled(self, budget: Mapping[str, Any]) -> bool:
        """Whether a launch with this budget has nothing to search and nothing to polish."""
        settled = self.settled
        return settled is not None and not self._is_reopened and settled.budget == budget

    def counts(self, record: CandidateRecord) -> bool:
        """Whether the evaluations of a candidate count.

        A generation that ran ahead when a launch was stopped does not once the search has come to
        an end before its turn: a search that was never stopped has no such evaluations.
        """
        has_all = self.finish is None or self._is_cut
        return has_all or record.is_baseline or record.candidate.generation < len(self.generations)

    def add(self, told: Told) -> None:
        """Takes the next event of the journal."""
        self.position = told.sequence
        self.work.add(told)
        match told.event:
            case Evaluated() as evaluated:
                self._add_evaluation(evaluated, told.time)
                self._reopen()  # a larger budget has taken the campaign on
            case Introduced(candidate) as introduced:
                self.candidates[candidate.id] = CandidateRecord(introduced, told.time)
                if candidate.origin == "baseline" and candidate.variation in RIVALS:
                    self._rivals.setdefault(candidate.variation, candidate.id)
            case GenerationEnded(summary):
                self._add_generation(summary, told.time)
                self._reopen()
            case SearchEnded(reason):
                self.finish = self.ended = FinishRecord(reason, told.time)
                self._is_cut = reason.endswith(TIME_IS_OVER)
                self.endings.append(reason)
            case Begun() as begun:
                self.launch = _first_launch(begun, told.time)
            case Relaunched(_, settings, text) if self.launch is not None:
                self.launch = replace(self.launch, settings=settings, campaign_file=text)
                self.relaunches += 1
            case Measured(key, evaluation):
                self.measured[key] = evaluation
            case Polished(candidate_id, path):
                self.polished[candidate_id] = path
                self.finish = self.ended  # its evaluations are none of the search's
            case Settled() as settled:
                self.settled, self._is_reopened = settled, False
            case _:
                self.finals.add(told)

    def follow(self, journal: Journal) -> None:
        """Adds what the journal holds beyond what is known."""
        for told in read(journal, after=self.position):
            try:
                self.add(told)
            except ValueError as error:
                raise JournalError(
                    f"{journal.path} holds an event that does not follow from those before it "
                    f"(event {told.sequence}: {error}); restore a copy, or move it away and launch "
                    "the campaign again"
                ) from error

    def _reopen(self) -> None:
        self.finish, self._is_reopened = None, True

    def _add_evaluation(self, evaluated: Evaluated, time: float) -> None:
        evaluation = evaluated.evaluation
        self.evaluations.append(evaluated)
        self.trainings += evaluation.outcome is not Outcome.REJECTED
        record = self.candidates.get(evaluation.candidate_id)
        if record is not None:
            rungs = (*record.rungs, RungRecord(evaluated.rung, evaluation, time))
            self.candidates[evaluation.candidate_id] = CandidateRecord(
                record.introduced, record.time, rungs
            )

    def _add_generation(self, summary: GenerationSummary, time: float) -> None:
        trainings, started = 0, self.launch.time if self.launch else time
        if self.generations:
            trainings, started = self.generations[-1].evaluations, self.generations[-1].time
        seconds = time - started
        rate = (self.trainings - trainings) / seconds if seconds > 0 else None
        worked, rivals = self.work.seconds_at(time), self._rivals_of(summary.best_id)
        record = GenerationRecord(summary, self.trainings, rate, time, worked, rivals)
        self.generations.append(record)

    def _rivals_of(self, best_id: str | None) -> dict[str, float]:
        """Scores of different rungs can't be compared, so these are of the rung of the best."""
        best = self.candidates.get(best_id or "")
        if best is None or best.highest is None:
            return {}
        return {
            name: each.evaluation.score
            for name, rival in self._rivals.items()
            for each in self.candidates[rival].rungs
            if each.rung == best.highest.rung and each.evaluation.score is not None
        }


def read_history(journal: Journal) -> History:
    """All that a journal tells.

    Raises:
        JournalError: If it is damaged.
    """
    history = History()
    history.follow(journal)
    return history


def _first_launch(begun: Begun, time: float) -> LaunchRecord:
    return LaunchRecord(
        settings=begun.settings,
        task=begun.task,
        dataset=begun.dataset,
        versions=begun.versions,
        campaign_file=begun.campaign_file,
        time=time,
    )
