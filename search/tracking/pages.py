"""Writes a campaign's history to MLflow, and only what is not there yet."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evaluators.evaluation.evaluation import Outcome
from grammars import shortened, title_of
from search.history import (
    CandidateRecord,
    FinishRecord,
    GenerationRecord,
    LaunchRecord,
)
from search.settings import FREE_SETTINGS
from search.texts.dotted import flatten
from search.texts.shortening import shorten
from search.tracking import names
from search.tracking.batches import batches, every_run, log
from search.tracking.curves import sheet
from search.tracking.descriptions import (
    describe_campaign,
    describe_candidate,
    describe_candidates,
)
from search.tracking.experiments import Experiments
from search.tracking.metrics import (
    candidate_metrics,
    generation_metrics,
    milliseconds,
)
from search.tracking.report import write_report
from search.tracking.tracker import Step
from search.tracking.views import (
    CAMPAIGN_VIEW,
    VIEW_TAG,
    candidates_view,
)

MAX_RUN_NAME: Final = 80
EXPERIMENT_TAGS: Final[dict[str, str]] = {
    # Without it the UI guesses, and may open on a page for language models.
    "mlflow.experimentKind": "custom_model_development",
}


@dataclass(frozen=True, slots=True)
class _CandidateRun:
    """A candidate's run as it stands in the store."""

    run_id: str
    evaluations_written: int

    def by_worth(self) -> tuple[int, str]:
        """Sorts first whichever more is written of."""
        return -self.evaluations_written, self.run_id


class CampaignPages:
    """One campaign's run and its candidates' runs in an open store.

    What exists is looked up by tags when the pages are opened, and each method writes the
    difference. Timestamps are those of the journal, so that writing something twice writes the
    same row twice, which MLflow ignores.
    """

    def __init__(
        self, client: Any, experiments: Experiments, campaign: str, record: LaunchRecord
    ) -> None:
        self._client = client
        self._campaign = campaign
        self._experiment = experiments.id_of(
            "campaign", {**EXPERIMENT_TAGS, VIEW_TAG: json.dumps(CAMPAIGN_VIEW)}
        )
        self._title = experiments.title
        self._candidates_experiment = experiments.id_of(
            "candidates",
            {
                **EXPERIMENT_TAGS,
                VIEW_TAG: json.dumps(candidates_view(_scored_tasks(record))),
                "mlflow.note.content": describe_candidates(campaign),
            },
        )
        self.run_id, self._generations_written = self._find_or_create_run(record)
        self._candidate_runs = self._existing_candidate_runs()
        # Whose creation has failed, or so it seems: the answer alone may have been lost.
        self._uncertain: set[str] = set()
        self._launch = record

    def write_campaign(self, record: LaunchRecord) -> None:
        """Writes settings, versions, data set and campaign file."""
        self._launch = record
        # What may change between launches becomes tags: MLflow's params could not follow.
        free = {key: record.settings.get(key) or {} for key in FREE_SETTINGS}
        settings = {key: value for key, value in record.settings.items() if key not in free}
        self._write_missing_params(flatten(settings))
        tags = {
            "trained_on": record.trained_on,
            "dataset": record.dataset.name,
            "dataset_source": record.dataset.source,
            **{f"version.{package}": version for package, version in record.versions.items()},
            **flatten(free),
            "mlflow.note.content": describe_campaign(self._campaign, self._title, record),
        }
        if fallback_for := record.dataset.fallback_for:
            tags["fallback_for"] = fallback_for
        self._log(self.run_id, tags=tags)
        self._delete_free_tags_except(tags)
        self._client.log_inputs(self.run_id, datasets=[_dataset_input(record)])
        self._client.log_text(self.run_id, record.campaign_file, names.CAMPAIGN_FILE)

    def write_generations(self, generations: Iterable[GenerationRecord]) -> None:
        """Writes the figures of each generation as metrics of the campaign's run."""
        missing = [
            record
            for record in generations
            if record.summary.generation >= self._generations_written
        ]
        if not missing:
            return
        metrics = [metric for record in missing for metric in generation_metrics(record)]
        *whole, rest = batches(metrics)
        for batch in whole:
            self._log(self.run_id, metrics=batch)
        last = missing[-1]
        form = last.summary.best_expression
        best = {
            "best_id": last.summary.best_id,
            "best_expression": None if form is None else shortened(form),
        }
        written = last.summary.generation + 1
        self._log(self.run_id, metrics=rest, tags={**best, names.GENERATIONS_WRITTEN: written})
        self._generations_written = written

    def write_candidate(self, record: CandidateRecord) -> None:
        """Writes a candidate with its evaluations as a run of its own."""
        known = self._candidate_runs.get(record.candidate.id) or self._found(record.candidate.id)
        if known is not None and known.evaluations_written >= len(record.rungs):
            return
        run_id = known.run_id if known else self._create_candidate_run(record)
        last = record.rungs[-1].evaluation
        status = "FAILED" if last.outcome is Outcome.FAILED else "FINISHED"
        self._client.set_terminated(run_id, status, milliseconds(record.rungs[-1].time))
        # MLflow writes the tags of a batch last, so what says "written" comes after all the rest,
        # and an interruption before it makes the next attempt write the whole run again.
        self._log(
            run_id,
            metrics=list(candidate_metrics(record)),
            params={
                "function": _readable(record),
                "expression": record.candidate.text,
                "canonical": record.introduced.canonical,
            },
            tags={
                "outcome": str(last.outcome),
                "reason": last.reason,
                "mlflow.note.content": describe_candidate(record, self._launch, self.run_id),
                names.EVALUATIONS_WRITTEN: len(record.rungs),
            },
        )
        self._candidate_runs[record.candidate.id] = _CandidateRun(run_id, len(record.rungs))

    def write_curves(self, generation: int, records: Sequence[CandidateRecord]) -> None:
        """Writes the picture of a generation's candidates, unless all their runs are there.

        It is written before them: where they are, it is.
        """
        if any(record.candidate.id not in self._candidate_runs for record in records):
            self._client.log_text(self.run_id, sheet(records), names.curves_picture(generation))

    def write_state(self, finish: FinishRecord | None, *, is_running: bool) -> None:
        """Writes whether the campaign runs, was interrupted or has finished."""
        if finish is not None:
            self._log(self.run_id, tags={"state": "finished", "finish_reason": finish.reason})
            self._client.set_terminated(self.run_id, "FINISHED", milliseconds(finish.time))
            return
        self._log(self.run_id, tags={"state": "running" if is_running else "interrupted"})
        self._client.update_run(self.run_id, status="RUNNING" if is_running else "KILLED")

    def write_table(self, *, as_json: str, as_csv: str) -> None:
        """Writes the table of every candidate."""
        self._client.log_text(self.run_id, as_json, names.TABLE_JSON)
        self._client.log_text(self.run_id, as_csv, names.TABLE_CSV)
        table = [{"path": names.TABLE_JSON, "type": "table"}]
        self._log(self.run_id, tags={"mlflow.loggedArtifacts": json.dumps(table)})

    def write_picture(self, picture: Any, artifact: str) -> None:
        """Writes the file at the path `picture` under the artifact's folder."""
        folder, _, _ = artifact.rpartition("/")
        self._client.log_artifact(self.run_id, str(picture), folder)

    def write_report(self, folder: Path) -> Iterator[Step]:
        """Yields the writing of the report that lies in the folder."""
        return write_report(self._client, self.run_id, folder)

    def _find_or_create_run(self, record: LaunchRecord) -> tuple[str, int]:
        found = self._client.search_runs(
            [self._experiment], f"tags.{names.KIND} = 'campaign'", max_results=1
        )
        if found:
            written = found[0].data.tags.get(names.GENERATIONS_WRITTEN, "0")
            return found[0].info.run_id, int(written)
        run = self._client.create_run(
            self._experiment,
            start_time=milliseconds(record.time),
            tags={
                names.KIND: "campaign",
                names.CAMPAIGN: self._campaign,
                "mlflow.user": _user(),
            },
            run_name=self._campaign,
        )
        return run.info.run_id, 0

    def _existing_candidate_runs(self) -> dict[str, _CandidateRun]:
        """By candidate; of two runs of one, the one of which less is written is deleted.

        There are two where the answer to a creation was lost, and came to pass after all.
        """
        chosen: dict[str, _CandidateRun] = {}
        # All at first: MLflow's pages begin at a number, which changes as runs are deleted.
        for candidate_id, run in list(self._listed(f"tags.{names.KIND} = 'candidate'")):
            other = chosen.setdefault(candidate_id, run)
            if other is not run:
                kept, double = sorted((run, other), key=_CandidateRun.by_worth)
                self._client.delete_run(double.run_id)
                chosen[candidate_id] = kept
        return chosen

    def remove_doubles(self) -> None:
        """Leaves one run of each candidate, whatever became of lost requests."""
        self._candidate_runs = self._existing_candidate_runs()

    def _found(self, candidate_id: str) -> _CandidateRun | None:
        """A run whose creation seemed to fail."""
        if candidate_id not in self._uncertain:
            return None
        listed = dict(self._listed(f"tags.{names.CANDIDATE_ID} = '{candidate_id}'"))
        return listed.get(candidate_id)

    def _listed(self, query: str) -> Iterator[tuple[str, _CandidateRun]]:
        for run in every_run(self._client, self._candidates_experiment, query):
            tags = run.data.tags
            written = int(tags.get(names.EVALUATIONS_WRITTEN, "0"))
            yield tags[names.CANDIDATE_ID], _CandidateRun(run.info.run_id, written)

    def _create_candidate_run(self, record: CandidateRecord) -> str:
        candidate = record.candidate
        self._uncertain.add(candidate.id)
        run = self._client.create_run(
            self._candidates_experiment,
            start_time=milliseconds(record.time),
            tags={
                names.KIND: "candidate",
                names.CAMPAIGN: self._campaign,
                names.CANDIDATE_ID: candidate.id,
                "origin": candidate.origin,
                "variation": candidate.variation,
                "generation": str(candidate.generation),
                "parents": " ".join(candidate.parents),
            },
            run_name=shorten(_run_name(record), MAX_RUN_NAME),
        )
        self._uncertain.discard(candidate.id)
        return str(run.info.run_id)

    def _delete_free_tags_except(self, tags: Mapping[str, Any]) -> None:
        """A limit that a later launch does not have any more is not shown any more."""
        for key in self._client.get_run(self.run_id).data.tags:
            if key.partition(".")[0] in FREE_SETTINGS and tags.get(key) is None:
                self._client.delete_tag(self.run_id, key)

    def _write_missing_params(self, params: Mapping[str, Any]) -> None:
        present = self._client.get_run(self.run_id).data.params
        missing = {key: value for key, value in params.items() if key not in present}
        self._log(self.run_id, params=missing)

    def _log(self, run_id: str, **what: Any) -> None:
        log(self._client, run_id, **what)


def _user() -> str:
    """Who launches; in a container a user may be a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def _scored_tasks(record: LaunchRecord) -> list[str]:
    """Names of the tasks that candidates are scored on, where there are several."""
    return record.settings.get("scoring", {}).get("tasks") or []


def _readable(record: CandidateRecord) -> str:
    return shortened(record.introduced.canonical, written=record.candidate.text)


def _run_name(record: CandidateRecord) -> str:
    name, title = _readable(record), title_of(record.candidate.variation)
    return f"{title}: {name}" if record.is_baseline and title != name else name


def _dataset_input(record: LaunchRecord) -> Any:
    """The data set as MLflow's "input": a name, a source and a digest of the two."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    name, source = str(record.dataset.name), str(record.dataset.source)
    digest = hashlib.sha256(f"{name}\n{source}".encode()).hexdigest()[:8]
    described = json.dumps({"source": source})
    dataset = Dataset(name=name, digest=digest, source_type="code", source=described)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
