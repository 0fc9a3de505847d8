"""What a campaign's journal says so far, folded into the records that people look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from evaluators.evaluation import Evaluation, Outcome
from search.finals import Ledger
from search.journal import Event


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """What is known at launch.

    Attributes:
        settings: `Settings` as JSON.
        dataset: Name, source, and for a fallback the data set that it stands in for.
        versions: Version of each package that takes part.
        campaign_file: Text of the campaign file.
        time: Seconds since the epoch.
    """

    settings: Mapping[str, Any]
    dataset: Mapping[str, Any]
    versions: Mapping[str, str]
    campaign_file: str
    time: float


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
        document: `Candidate` as JSON.
        time: Seconds since the epoch at which it was first considered.
        rungs: Its evaluations, in the order in which they were made.
    """

    document: Mapping[str, Any]
    time: float
    rungs: tuple[RungRecord, ...] = ()

    @property
    def id(self) -> str:
        """The expression id."""
        return str(self.document["id"])

    @property
    def is_baseline(self) -> bool:
        """Whether it comes from the catalogue."""
        return bool(self.document["origin"] == "baseline")

    @property
    def is_promoted(self) -> bool:
        """Whether it was evaluated beyond the first rung."""
        return any(record.rung >= 1 for record in self.rungs)


@dataclass(frozen=True, slots=True)
class GenerationRecord:
    """A generation's figures.

    Attributes:
        number: Counted from 0.
        payload: As the journal holds it.
        evaluations: Trainings of the campaign up to its end.
        evaluations_per_second: Trainings a second since the generation before; None where the
            clock did not advance.
        time: Seconds since the epoch at its end.
    """

    number: int
    payload: Mapping[str, Any]
    evaluations: int
    evaluations_per_second: float | None
    time: float


@dataclass(frozen=True, slots=True)
class FinishRecord:
    """Why and when a campaign ended."""

    reason: str
    time: float


@dataclass
class History:
    """The fold of a journal; `add` takes its events in order."""

    campaign: CampaignRecord | None = None
    candidates: dict[str, CandidateRecord] = field(default_factory=dict)
    generations: list[GenerationRecord] = field(default_factory=list)
    finish: FinishRecord | None = None
    evaluations: int = 0
    finals: Ledger = field(default_factory=Ledger)
    finals_ended: dict[int, float] = field(default_factory=dict)

    @property
    def recorded_candidate_runs(self) -> str:
        """Which candidates get a run, as the campaign was launched."""
        tracking = self.campaign.settings.get("tracking", {}) if self.campaign else {}
        return str(tracking.get("candidate_runs", "promoted"))

    def add(self, event: Event) -> None:
        """Takes the next event of the journal."""
        payload = event.payload
        match event.kind:
            case "campaign":
                self.campaign = CampaignRecord(
                    settings=payload["settings"],
                    dataset=payload["dataset"],
                    versions=payload["versions"],
                    campaign_file=payload["campaign_file"],
                    time=event.time,
                )
            case "candidate":
                self.candidates[event.key] = CandidateRecord(payload, event.time)
            case "evaluation":
                self._add_evaluation(payload, event.time)
                self.finish = None  # a larger budget has taken the campaign on
            case "generation":
                self._add_generation(payload, event.time)
                self.finish = None
            case "finished":
                self.finish = FinishRecord(payload["reason"], event.time)
            case _:
                self.finals.add(event)
                if event.kind == "finals_end":
                    self.finals_ended[payload["finals"]] = event.time

    def _add_evaluation(self, payload: Mapping[str, Any], time: float) -> None:
        fields = dict(payload)
        rung = RungRecord(fields.pop("rung"), Evaluation.from_json(fields), time)
        if rung.evaluation.outcome is not Outcome.REJECTED:
            self.evaluations += 1
        candidate = self.candidates[rung.evaluation.candidate_id]
        self.candidates[candidate.id] = replace(candidate, rungs=(*candidate.rungs, rung))

    def _add_generation(self, payload: Mapping[str, Any], time: float) -> None:
        evaluations, started = 0, self.campaign.time if self.campaign else time
        if self.generations:
            evaluations, started = self.generations[-1].evaluations, self.generations[-1].time
        seconds = time - started
        rate = (self.evaluations - evaluations) / seconds if seconds > 0 else None
        number = payload["generation"]
        self.generations.append(GenerationRecord(number, payload, self.evaluations, rate, time))
