"""What can happen to a campaign: one frozen type for each kind of event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from evaluators.evaluation.evaluation import Evaluation, Outcome
from search.candidates.candidate import Candidate
from search.candidates.generation import GenerationSummary
from search.candidates.lesson import Lesson
from search.history.finals_plan import Plan
from search.history.finals_steps import Look, Run

WorkState = Literal["begun", "going on", "ended"]

POLISHING: Final = "polish/"
"""With what the keys of all begin that was measured in polishing."""


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """The data set that a campaign really trains on.

    Attributes:
        name: Of the data set.
        source: Where it came from.
        fallback_for: The data set that it stands in for; None where it is the task's own.
    """

    name: str
    source: str
    fallback_for: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A campaign was launched for the first time: all that makes it the one that it is.

    Attributes:
        settings: `Settings` as JSON, of the version that wrote them.
        task: As its file read; None in journals of old, which know it by name.
        grammar: As its file read.
        seeds: The functions that `start_from` came to.
        forecast: What forecasts depend on; None if there are none.
        dataset: That is really used.
        versions: Of each package that takes part.
        campaign_file: Its text.
        further_tasks: That candidates are scored on as well.
        lessons: SHA-256 of what was learnt from earlier campaigns; None for nothing.
        published: Those of `seeds` that the catalogue knew then, or that only scale what it knew:
            what they are, by their ids. To score them is no discovery.
    """

    settings: Mapping[str, Any]
    task: Mapping[str, Any] | None
    grammar: Mapping[str, Any]
    seeds: tuple[str, ...]
    forecast: str | None
    dataset: DatasetRecord
    versions: Mapping[str, str]
    campaign_file: str
    further_tasks: tuple[Mapping[str, Any], ...] = ()
    lessons: str | None = None
    published: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learnt:
    """A campaign learns from what an earlier one has scored, as it was at the first launch."""

    lesson: Lesson


@dataclass(frozen=True, slots=True)
class Relaunched:
    """A campaign was launched again with other settings than those in force, such as a new budget.

    Attributes:
        number: Of these settings, counted from 2.
        settings: `Settings` as JSON; they are in force from here on.
        campaign_file: The text that they were read from.
    """

    number: int
    settings: Mapping[str, Any]
    campaign_file: str


@dataclass(frozen=True, slots=True)
class Introduced:
    """A candidate was considered for the first time.

    Attributes:
        candidate: The candidate.
        canonical: Its canonical form, as it was written then.
        size: Nodes of that form.
        depth: Edges from its root to its deepest leaf.
    """

    candidate: Candidate
    canonical: str
    size: int
    depth: int

    @classmethod
    def of(cls, candidate: Candidate) -> Introduced:
        """The event for a candidate."""
        form = candidate.canonical
        return cls(candidate, str(form), form.size, form.depth)


@dataclass(frozen=True, slots=True)
class YardsticksSet:
    """What a rung over several tasks measures by, as `Yardstick.to_json` writes it, by task."""

    rung: int
    yardsticks: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trained:
    """A candidate was trained on one task of a rung at one learning rate: a part of evaluations.

    Attributes:
        key: The candidate, the rung, and what distinguishes the training there.
        evaluation: What came of it.
    """

    key: str
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A candidate was evaluated on a rung, counted from 0; a rejection is on the first."""

    rung: int
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class GenerationEnded:
    """All of a generation were evaluated."""

    summary: GenerationSummary


TIME_IS_OVER: Final = "minutes are over"
"""How the reason of a search ends that its budget of time has cut."""


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """The search came to its end, which a larger budget may move: why, and after how much."""

    reason: str
    generations: int


@dataclass(frozen=True, slots=True)
class Worked:
    """A launch works on a part of the campaign.

    Attributes:
        of: The part: the search, or finals by their number.
        launch: Number of the launches that worked on it, counted from 1.
        part: Number of this event within its launch, counted from 0.
        state: Whether it has begun, is going on or has ended.
        seconds: Since it began, on a clock that stands still while the process is stopped.
    """

    of: str
    launch: int
    part: int
    state: WorkState
    seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A function that is no candidate was evaluated, under `measuring.measurement_key`."""

    key: str
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Polished:
    """One of the best functions of a search that has ended was tuned and simplified.

    Attributes:
        candidate_id: Of the function.
        path: Ids of what became of it step by step, the outcome last; empty if it stays as it is.
    """

    candidate_id: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """Search and polishing are at their end, and all that they leave behind is written.

    Attributes:
        number: Of these events, counted from 1.
        budget: Parts of `Settings` as JSON that a later launch may change to take them on.
    """

    number: int
    budget: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FinalsPlanned:
    """Finals were decided on."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class FinalistTrained:
    """A function was trained with one seed, for whichever finals need it."""

    run: Run


@dataclass(frozen=True, slots=True)
class FinalsLooked:
    """A stage was looked at.

    Attributes:
        finals: Their number.
        task: Of the stage.
        planned: The number of seeds for which the look was planned.
        look: What was seen.
    """

    finals: int
    task: str
    planned: int
    look: Look


@dataclass(frozen=True, slots=True)
class TestDataOpened:
    """Test data of a data set are about to be scored, on so many trained networks."""

    finals: int
    dataset: str
    runs: int


@dataclass(frozen=True, slots=True)
class FinalistScored:
    """A trained network was scored on test data.

    Attributes:
        run_key: `Run.key` of its training.
        outcome: Whether that worked.
        reason: Why not.
        test_loss: Mean cross-entropy in nats.
        test_accuracy: Share that is classified rightly, 0 to 1.
    """

    run_key: str
    outcome: Outcome
    reason: str | None
    test_loss: float | None
    test_accuracy: float | None


@dataclass(frozen=True, slots=True)
class FinalsEnded:
    """Finals came to their end."""

    finals: int
    reason: str


Happening = (
    Begun
    | Learnt
    | Relaunched
    | Introduced
    | YardsticksSet
    | Trained
    | Evaluated
    | GenerationEnded
    | SearchEnded
    | Worked
    | Measured
    | Polished
    | Settled
    | FinalsPlanned
    | FinalistTrained
    | FinalsLooked
    | TestDataOpened
    | FinalistScored
    | FinalsEnded
)
"""Whatever the journal can tell."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event at its place in the journal.

    Attributes:
        sequence: Position, growing from 1; 0 for one that is about to be written.
        time: Seconds since the epoch at which it was written.
        event: What happened.
    """

    sequence: int
    time: float
    event: Happening
