"""How events are written in the journal: the only place that knows its keys and documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from evaluators.evaluation.evaluation import Evaluation, Outcome
from search.candidates.candidate import Candidate
from search.candidates.generation import GenerationSummary
from search.candidates.lesson import Lesson
from search.history.events import (
    Begun,
    DatasetRecord,
    Evaluated,
    FinalistScored,
    FinalistTrained,
    FinalsEnded,
    FinalsLooked,
    FinalsPlanned,
    GenerationEnded,
    Happening,
    Introduced,
    Learnt,
    Measured,
    Polished,
    Relaunched,
    SearchEnded,
    Settled,
    TestDataOpened,
    Told,
    Trained,
    Worked,
    YardsticksSet,
)
from search.history.finals_checks import check_plan, check_run, check_step
from search.history.finals_plan import Plan
from search.history.finals_steps import Look, Run
from search.journal.coding import Kind
from search.journal.journal import Event, Journal, JournalError

Entry = tuple[Kind, str, Mapping[str, Any]]
"""What the journal takes: kind, key and document."""

_BEGUN: Final = "settings"


def write(journal: Journal, events: Iterable[Happening]) -> None:
    """Records events in one transaction; see `Journal.append_all`."""
    journal.append_all(map(entry, events))


def read(journal: Journal, *, after: int = 0) -> Iterator[Told]:
    """Yields what a journal tells beyond a position, in order.

    Raises:
        JournalError: If an event there is damaged, or another version wrote it.
    """
    for row in journal.events(after=after):
        try:
            event = _READERS[row.kind](row)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise JournalError(
                f"{journal.path} holds an event that this version does not understand "
                f"({row.kind} {row.key!r}: {error!r}); use the version of actsearch that wrote it, "
                "or restore a copy"
            ) from error
        yield Told(row.sequence, row.time, event)


def find_begun(journal: Journal) -> Begun | None:
    """What a campaign is; None if the journal does not hold it yet."""
    document = journal.get("campaign", _BEGUN)
    return None if document is None else _read_begun(document)


def find_lessons(journal: Journal) -> tuple[Lesson, ...]:
    """What a campaign has learnt from earlier ones, in the order in which it was recorded."""
    return tuple(Lesson.from_json(row.payload) for row in journal.events("lesson"))


def find_settings(journal: Journal) -> Mapping[str, Any] | None:
    """The settings of the last launch, as its version wrote them; None before the first."""
    found = None
    for row in journal.events("campaign", "launch"):
        found = row.payload
    return None if found is None else dict(found["settings"])


def find_evaluation(journal: Journal, candidate_id: str, rung: int) -> Evaluation | None:
    """The evaluation of a candidate on a rung; None if it was not made."""
    document = journal.get("evaluation", _evaluation_key(candidate_id, rung))
    return None if document is None else Evaluation.from_json(document)


def find_training(journal: Journal, key: str) -> Evaluation | None:
    """One training of a candidate, by `Trained.key`; None if it was not made."""
    document = journal.get("training", key)
    return None if document is None else Evaluation.from_json(document)


def find_measurement(journal: Journal, key: str) -> Evaluation | None:
    """One measurement, by `Measured.key`; None if it was not made."""
    document = journal.get("measurement", key)
    return None if document is None else Evaluation.from_json(document)


def find_polished(journal: Journal) -> frozenset[str]:
    """Ids of all that came of functions which were polished."""
    return frozenset(key for row in journal.events("polish") for key in row.payload["path"])


def find_yardsticks(journal: Journal, rung: int) -> Mapping[str, Any] | None:
    """What a rung measures by; None if that is not settled."""
    return journal.get("yardsticks", str(rung))


def as_recorded(begun: Begun) -> Begun:
    """The event as it is read back: JSON knows no tuples."""
    return _read_begun(json.loads(json.dumps(asdict(begun))))


def entry(event: Happening) -> Entry:
    """An event as the journal takes it."""
    match event:
        case Begun():
            document = asdict(event)
            # As before there were any.
            if event.lessons is None:
                del document["lessons"]
            if not event.published:
                del document["published"]
            return "campaign", _BEGUN, document
        case Learnt(lesson):
            return "lesson", lesson.candidate_id, lesson.to_json()
        case Relaunched():
            return "launch", f"{event.number:04d}", asdict(event)
        case Introduced(candidate):
            return "candidate", candidate.id, candidate.to_json()
        case YardsticksSet(rung, yardsticks):
            return "yardsticks", str(rung), yardsticks
        case Trained(key, evaluation):
            return "training", key, evaluation.to_json()
        case Evaluated(rung, evaluation):
            key = _evaluation_key(evaluation.candidate_id, rung)
            return "evaluation", key, {"rung": rung, **evaluation.to_json()}
        case GenerationEnded(summary):
            return "generation", f"{summary.generation:06d}", summary.to_json()
        case SearchEnded(reason, generations):
            # A generation that the minutes have cut may be taken on by more of them, and cut again.
            return "finished", f"{generations:06d}: {reason}", asdict(event)
        case Worked(of, launch, part):
            document = asdict(event)
            del document["part"]
            return "work", f"{of}/{launch:04d}/{part:06d}", document
        case Measured(key, evaluation):
            return "measurement", key, evaluation.to_json()
        case Polished(candidate_id, path):
            return "polish", candidate_id, {"path": list(path)}
        case Settled(number):
            return "settled", f"{number:04d}", asdict(event)
        case _:
            return _finals_entry(event)


def _finals_entry(event: Happening) -> Entry:
    match event:
        case FinalsPlanned(plan):
            return "finals_plan", f"{plan.number:04d}", plan.to_json()
        case FinalistTrained(run):
            return "finals_run", run.key, run.to_json()
        case FinalsLooked(finals, task, planned, look):
            document = {"finals": finals, "task": task, **asdict(look)}
            return "finals_look", f"{finals:04d}/{task}/{planned}", document
        case TestDataOpened(finals, dataset):
            return "test_opening", f"{finals:04d}/{dataset}", asdict(event)
        case FinalistScored(key):
            document = asdict(event)
            del document["run_key"]
            return "finals_score", key, document
        case FinalsEnded(finals):
            return "finals_end", f"{finals:04d}", asdict(event)
    raise TypeError(f"{event!r} is no event of a campaign")


def _evaluation_key(candidate_id: str, rung: int) -> str:
    return f"{candidate_id}@{rung}"


def _read_begun(document: Mapping[str, Any]) -> Begun:
    dataset = document["dataset"]
    return Begun(
        settings=document["settings"],
        # Journals of old have none of these four.
        task=document.get("task"),
        grammar=document.get("grammar", {}),
        seeds=tuple(document.get("seeds", ())),
        forecast=document.get("forecast"),
        dataset=DatasetRecord(dataset["name"], dataset["source"], dataset.get("fallback_for")),
        versions=document["versions"],
        campaign_file=document["campaign_file"],
        further_tasks=tuple(document.get("further_tasks", ())),
        lessons=document.get("lessons"),
        published=document.get("published", {}),
    )


def _read_introduced(row: Event) -> Introduced:
    document = row.payload
    candidate = Candidate.from_json(document)
    return Introduced(candidate, document["canonical"], document["size"], document["depth"])


def _read_plan(row: Event) -> FinalsPlanned:
    plan = Plan.from_json(row.payload)
    check_plan(row.payload, plan)
    return FinalsPlanned(plan)


def _read_run(row: Event) -> FinalistTrained:
    check_run(row.payload)
    return FinalistTrained(Run.from_json(row.payload))


def _read_look(row: Event) -> FinalsLooked:
    fields = dict(row.payload)
    finals, task = fields.pop("finals"), fields.pop("task")
    planned = int(row.key.rpartition("/")[2])
    check_step(FinalsLooked, {"finals": finals, "task": task, "planned": planned, "look": fields})
    return FinalsLooked(finals, task, planned, Look(**fields))


def _read_opening(row: Event) -> TestDataOpened:
    check_step(TestDataOpened, row.payload)
    return TestDataOpened(**row.payload)


def _read_end(row: Event) -> FinalsEnded:
    check_step(FinalsEnded, row.payload)
    return FinalsEnded(**row.payload)


def _read_score(row: Event) -> FinalistScored:
    document = row.payload
    check_step(FinalistScored, {**document, "run_key": row.key})
    return FinalistScored(
        row.key,
        Outcome(document["outcome"]),
        document["reason"],
        document["test_loss"],
        document["test_accuracy"],
    )


_READERS: Final[Mapping[Kind, Callable[[Event], Happening]]] = {
    "campaign": lambda row: _read_begun(row.payload),
    "lesson": lambda row: Learnt(Lesson.from_json(row.payload)),
    "launch": lambda row: Relaunched(**row.payload),
    "candidate": _read_introduced,
    "yardsticks": lambda row: YardsticksSet(int(row.key), row.payload),
    "training": lambda row: Trained(row.key, Evaluation.from_json(row.payload)),
    "evaluation": lambda row: Evaluated(row.payload["rung"], Evaluation.from_json(row.payload)),
    "generation": lambda row: GenerationEnded(GenerationSummary.from_json(row.payload)),
    "finished": lambda row: SearchEnded(row.payload["reason"], row.payload["generations"]),
    "work": lambda row: Worked(**row.payload, part=int(row.key.rpartition("/")[2])),
    "measurement": lambda row: Measured(row.key, Evaluation.from_json(row.payload)),
    "polish": lambda row: Polished(row.key, tuple(row.payload["path"])),
    "settled": lambda row: Settled(**row.payload),
    "finals_plan": _read_plan,
    "finals_run": _read_run,
    "finals_look": _read_look,
    "test_opening": _read_opening,
    "finals_score": _read_score,
    "finals_end": _read_end,
}
