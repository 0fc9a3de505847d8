"""What shows a campaign is a row of a table: MLflow, or anything else that takes what there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from search.history import CandidateRecord, GenerationRecord, LaunchRecord
from search.journal.journal import FILE_NAME
from search.tracking import Destination, Mirror, Shown, Tracker, TrackingError, mirror
from search.tracking.trackers import TRACKERS

WriteCampaign = Callable[..., Path]

# The only files that it would touch are its own, such as search/tracking/json_lines.py, and
# search/tracking/trackers.py, with the row that the fixture adds.


class JsonLines(Tracker):
    """A line for each candidate and generation, appended to a file."""

    def __init__(self, destination: Destination, shown: Shown, launch: LaunchRecord) -> None:
        assert destination.uri is not None
        folder = Path(destination.uri.removeprefix("jsonl:"))
        folder.mkdir(exist_ok=True)
        self.path = folder / f"{shown.name}-{shown.identity[:8]}.jsonl"
        self._known = self.path.read_text().splitlines() if self.path.exists() else []

    def write_launch(self, launch: LaunchRecord) -> None:
        self._write("campaign", seed=launch.settings["seed"])

    def write_candidate(self, record: CandidateRecord) -> None:
        scores = [rung.evaluation.score for rung in record.rungs]
        self._write("candidate", expression=record.candidate.text, scores=scores)

    def write_generations(self, records: Sequence[GenerationRecord]) -> None:
        for record in records:
            self._write("generation", best=record.summary.best_score)

    def _write(self, kind: str, **fields: object) -> None:
        line = json.dumps({"kind": kind, **fields})
        if line not in self._known:
            with self.path.open("a") as file:
                file.write(f"{line}\n")
            self._known.append(line)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRACKERS, "jsonl", JsonLines)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "FIRST_RETRY_SECONDS", 0.01)


def mirror_to(uri: str, folder: Path) -> Mirror:
    return Mirror(
        folder / FILE_NAME,
        destination=Destination(folder.parent, uri),
        campaign_dir=folder,
        candidate_runs="all",
    )


def lines_in(folder: Path) -> list[str]:
    (path,) = folder.glob("demo-*.jsonl")
    return path.read_text().splitlines()


@pytest.mark.usefixtures("table")
def test_a_row_is_all_that_a_new_tracker_needs(
    tmp_path: Path, write_campaign_in: WriteCampaign
) -> None:
    folder, shown = write_campaign_in(tmp_path), tmp_path / "shown"
    mirror_to(f"jsonl:{shown}", folder).catch_up()
    once = lines_in(shown)
    kinds = [json.loads(line)["kind"] for line in once]
    assert [kinds.count(kind) for kind in ("campaign", "candidate", "generation")] == [1, 9, 2]
    promoted = next(line for line in once if "softplus" in line)
    assert json.loads(promoted)["scores"] == pytest.approx([1.204, 2.254], abs=1e-3)

    following = mirror_to(f"jsonl:{shown}", folder)
    following.start()
    assert following.close(timeout_seconds=30.0).events_behind == 0
    assert lines_in(shown) == once, "nothing is written twice"


@pytest.mark.usefixtures("table")
def test_a_step_that_fails_is_done_again_and_no_other(
    tmp_path: Path, write_campaign_in: WriteCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, shown = write_campaign_in(tmp_path), tmp_path / "shown"
    write, asked = JsonLines.write_candidate, []

    def write_sometimes(tracker: JsonLines, record: CandidateRecord) -> None:
        asked.append(record.candidate.text)
        if len(asked) % 2:
            raise ConnectionResetError("one of two requests is lost")
        write(tracker, record)

    monkeypatch.setattr(JsonLines, "write_candidate", write_sometimes)
    following = mirror_to(f"jsonl:{shown}", folder)
    following.start()
    status = following.close(timeout_seconds=30.0)
    assert (status.events_behind, status.error) == (0, None)
    assert asked[::2] == asked[1::2]
    assert len(set(asked)) == len(asked) // 2 == 9


@pytest.mark.usefixtures("table")
def test_what_fails_again_and_again_is_opened_anew_and_said(
    tmp_path: Path, write_campaign_in: WriteCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, shown = write_campaign_in(tmp_path), tmp_path / "shown"
    opened = []

    class OutOfRoom(JsonLines):
        def __init__(self, *place: object) -> None:
            opened.append(place)
            super().__init__(*place)  # type: ignore[arg-type]

        def write_generations(self, records: Sequence[GenerationRecord]) -> None:
            raise OSError("no space left on device")

    monkeypatch.setitem(TRACKERS, "jsonl", OutOfRoom)
    following = mirror_to(f"jsonl:{shown}", folder)
    following.start()
    status = following.close(timeout_seconds=3.0)
    assert status.events_behind > 0
    assert "no space left" in str(status.error)
    assert len(opened) > 1
    following._thread.join(30.0)
    with pytest.raises(TrackingError, match="no space left on device"):
        mirror_to(f"jsonl:{shown}", folder).catch_up()


def test_an_address_that_nothing_knows_is_refused(
    tmp_path: Path, write_campaign_in: WriteCampaign
) -> None:
    with pytest.raises(TrackingError, match="nothing here can show a campaign at 'gopher:"):
        mirror_to("gopher://museum", write_campaign_in(tmp_path)).catch_up()
