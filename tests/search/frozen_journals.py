"""Journals that an earlier version wrote, and what a campaign needs to go on where they stop."""

from __future__ import annotations

import gzip
import json
import os
import platform
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from grammars import Activation, activation_id
from search.executors import Interrupted
from search.journal.journal import FILE_NAME

from .ownerless import Ownerless

FOLDER: Final = Path(__file__).parent / "frozen"

CAMPAIGNS: Final = {
    "genetic": "genetic",
    "interrupted": "genetic",
    "islands": "islands",
    "layers": "layers",
}
"""The campaign of each frozen journal; "interrupted" is how "genetic" was after a SIGTERM."""

# What an earlier version could write; a later one may add kinds of its own beside them.
KINDS: Final = (
    "campaign",
    "candidate",
    "evaluation",
    "generation",
    "finished",
    "measurement",
    "finals_plan",
    "finals_run",
    "finals_look",
    "test_opening",
    "finals_score",
    "finals_end",
)

# They tell of the machine, and differ from one time to the next.
_TIMES: Final = ("seconds", "relative_cost")

_MACHINE: Final = FOLDER / "machine.json"

# What a later version writes beside what was frozen; without it it must be the same.
_YOUNGER_IN_STAGES: Final = "definition"

Told = dict[tuple[str, str], Mapping[str, Any]]
"""Payloads by kind and key, without what tells of time and what is younger than the frozen ones."""


@cache
def frozen(name: str) -> bytes:
    """The file of a frozen journal."""
    return gzip.decompress((FOLDER / f"{name}.sqlite.gz").read_bytes())


def campaign_file(name: str) -> Path:
    """The campaign file that a frozen journal was launched from."""
    return FOLDER / f"{CAMPAIGNS[name]}.toml"


def thaw(name: str, runs_dir: Path, *, events: int | None = None) -> Path:
    """Writes a frozen journal, or the beginning of one, as its campaign's; returns the folder."""
    folder = runs_dir / CAMPAIGNS[name]
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_bytes(frozen(name))
    if events is not None:
        with closing(sqlite3.connect(folder / FILE_NAME)) as database, database:
            database.execute("DELETE FROM events WHERE sequence > ?", (events,))
            database.execute("UPDATE sqlite_sequence SET seq = ?", (events,))
    return folder


def told(folder: Path) -> Told:
    """What the journal in a folder tells, of the kinds that were frozen."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as database:
        rows = database.execute("SELECT kind, key, payload FROM events ORDER BY sequence")
        return {(kind, key): _comparable(text) for kind, key, text in rows if kind in KINDS}


def without_gradients(events: Told) -> Told:
    """The same without the norms of gradients, which Adam's moments stood for then."""

    def kept(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        diagnostics = payload.get("diagnostics")
        if diagnostics is None:
            return payload
        others = {key: each for key, each in diagnostics.items() if key != "gradient_norms"}
        return {**payload, "diagnostics": others}

    return {key: kept(payload) for key, payload in events.items()}


def payloads(events: Told, kind: str) -> list[Mapping[str, Any]]:
    """Those of one kind, in order."""
    return [payload for (its_kind, _), payload in events.items() if its_kind == kind]


def _comparable(payload: str) -> Mapping[str, Any]:
    document = {key: value for key, value in json.loads(payload).items() if key not in _TIMES}
    for stage in document.get("stages", []):
        stage.pop(_YOUNGER_IN_STAGES, None)
    return document


def recorded_versions(events: Told) -> Any:
    """Lets a launch find the packages that a journal was begun with, whichever are installed.

    For training that is read instead of repeated: then the packages decide nothing.
    """
    versions = events["campaign", "settings"]["versions"]
    return mock.patch("search.launching.identity.version", side_effect=versions.__getitem__)


@dataclass(frozen=True)
class RecordedTraining(Ownerless):
    """An executor that gives what a journal tells of training, as often as it is asked.

    Attributes:
        events: Of the journal.
        bench: Task and data set.
        split: On which trained networks are scored.
    """

    events: Told
    bench: Bench
    split: str

    def evaluate(
        self, expressions: Sequence[Activation], fidelity: Fidelity, *, stopping: threading.Event
    ) -> Iterator[list[Evaluation]]:
        for expression in expressions:
            if stopping.is_set():
                raise Interrupted
            yield [self._evaluation(expression, fidelity)]

    def _evaluation(self, expression: Activation, fidelity: Fidelity) -> Evaluation:
        identity, (seed, *_) = activation_id(expression), fidelity.seeds
        granted = {"steps": fidelity.steps, "seeds": list(fidelity.seeds)}
        for rung in (0, 1):
            found = self.events.get(("evaluation", f"{identity}@{rung}"))
            if found is not None and found["fidelity"] == granted:
                return Evaluation.from_json({k: v for k, v in found.items() if k != "rung"})
        return self._of_finals(expression, identity, fidelity, seed)

    def _of_finals(
        self, expression: Activation, identity: str, fidelity: Fidelity, seed: int
    ) -> Evaluation:
        (run,) = (
            run
            for run in payloads(self.events, "finals_run")
            if (run["candidate_id"], run["task"], run["seed"]) == (identity, self.bench.task, seed)
        )
        if self.split == "test":
            key = f"{identity}/{run['task']}/{run['dataset']}/{run['steps']}/{seed}"
            scored = self.events["finals_score", key]
            loss, accuracy = scored["test_loss"], scored["test_accuracy"]
        else:
            (point,) = (point for point in run["curve"] if point["steps"] == fidelity.steps)
            loss, accuracy = point["validation_loss"], point["validation_accuracy"]
        result = SeedResult(seed, loss, accuracy)
        record = self.bench.record(expression, fidelity, Outcome.SCORED, per_seed=(result,))
        return Evaluation.from_json({**record.to_json(), "diagnostics": run["diagnostics"]})


def this_machine() -> Mapping[str, Any]:
    """What decides, beside the packages, how training rounds: the processor's vector units."""
    described: dict[str, Any] = {"machine": platform.machine()}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        match name.strip():
            case "vendor_id" | "cpu family" | "model":
                described.setdefault(name.strip(), value.strip())
            case "flags":
                units = {"avx", "fma", "f16c", "amx", "sse"}
                flags = [flag for flag in value.split() if any(map(flag.startswith, units))]
                described.setdefault("vectors", sorted(flags))
    return described


def why_it_rounds_otherwise(events: Told) -> str | None:
    """Why training here need not give the frozen bits; None where it must."""
    from importlib.metadata import version

    for package, recorded in events["campaign", "settings"]["versions"].items():
        if (here := version(package)) != recorded:
            return f"{package} is {here} here, and was {recorded}"
    if not os.path.exists("/proc/cpuinfo"):
        return "the processor of this machine is not known"
    if this_machine() != json.loads(_MACHINE.read_text(encoding="utf-8")):
        return f"another processor wrote the journal; this one is {this_machine()}"
    return None
