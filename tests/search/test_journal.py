import sqlite3
import threading
from pathlib import Path

import pytest

from search.journal import FORMAT, Journal, JournalError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_what_is_appended_is_read_in_order(path: Path) -> None:
    with Journal(path) as journal:
        journal.append("candidate", "a", {"size": 3})
        journal.append_all([("evaluation", "a@0", {"loss": 0.5}), ("candidate", "b", {})])
    with Journal(path, read_only=True) as journal:
        assert [(e.sequence, e.kind, e.key) for e in journal.events()] == [
            (1, "candidate", "a"),
            (2, "evaluation", "a@0"),
            (3, "candidate", "b"),
        ]
        assert [e.key for e in journal.events("candidate", after=1)] == ["b"]
        assert journal.get("evaluation", "a@0") == {"loss": 0.5}
        assert journal.get("evaluation", "b@0") is None


def test_the_same_event_again_changes_nothing(path: Path) -> None:
    with Journal(path) as journal:
        journal.append("generation", "000000", {"best": 1.0, "id": "a"})
        before = list(journal.events())
        journal.append("generation", "000000", {"id": "a", "best": 1.0})
        assert list(journal.events()) == before


def test_another_event_in_its_place_is_refused_and_nothing_of_the_batch_stays(path: Path) -> None:
    with Journal(path) as journal:
        journal.append("generation", "000000", {"best": 1.0})
        with pytest.raises(JournalError, match=r"gave another generation '000000'.*left as it is"):
            journal.append_all([("candidate", "a", {}), ("generation", "000000", {"best": 2.0})])
        assert journal.get("candidate", "a") is None
        assert journal.get("generation", "000000") == {"best": 1.0}


def test_numbers_that_json_has_not_are_refused(path: Path) -> None:
    with Journal(path) as journal, pytest.raises(ValueError, match="not JSON compliant"):
        journal.append("evaluation", "a@0", {"loss": float("nan")})


def test_a_reader_follows_while_a_writer_writes(path: Path) -> None:
    with Journal(path) as writer, Journal(path, read_only=True) as reader:
        assert list(reader.events()) == []
        writer.append("candidate", "a", {})
        assert [e.key for e in reader.events()] == ["a"]


def test_a_reader_cannot_write(path: Path) -> None:
    Journal(path).close()
    with (
        Journal(path, read_only=True) as journal,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        journal.append("candidate", "a", {})


def test_an_absent_journal_cannot_be_read(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no journal"):
        Journal(path, read_only=True)
    assert not path.exists()


def test_a_journal_that_is_just_being_made_holds_nothing_yet(path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    with pytest.raises(FileNotFoundError, match="holds nothing yet"):
        Journal(path, read_only=True)


def test_a_file_that_is_no_journal_is_named_and_left_alone(path: Path) -> None:
    path.write_bytes(b"something else entirely, and long enough to be looked at" * 50)
    before = path.read_bytes()
    with pytest.raises(JournalError, match="is not a readable journal"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_journal_of_another_format_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(JournalError, match=f"has format {FORMAT + 1}, this program reads"):
        Journal(path)


def test_two_threads_may_write_in_turn(path: Path) -> None:
    with Journal(path) as journal:
        journal.append("candidate", "a", {})
        thread = threading.Thread(target=lambda: journal.append("candidate", "b", {}))
        thread.start()
        thread.join()
        assert [e.key for e in journal.events()] == ["a", "b"]
