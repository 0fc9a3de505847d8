import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from search.journal.journal import FORMAT, Journal, JournalError


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
    with Journal(path) as journal:
        journal.append("candidate", "a", {})
        assert [event.sequence for event in journal.events()] == [1, 2]


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
        pytest.raises(JournalError, match=r"cannot be read or written now .*readonly"),
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


def test_threads_read_their_own_rows_while_one_writes(path: Path) -> None:
    with Journal(path) as journal:
        journal.append_all([("evaluation", str(n), {"n": n}) for n in range(50)])
        writing = threading.Event()

        def read(number: int) -> list[Any]:
            writing.wait()
            return [journal.get("evaluation", str(number)) for _ in range(200)]

        with ThreadPoolExecutor(8) as pool:
            read_at_once = [pool.submit(read, number) for number in range(8)]
            writing.set()
            for number in range(50, 120):
                journal.append("evaluation", str(number), {"n": number})
            for number, each in enumerate(read_at_once):
                assert each.result() == [{"n": number}] * 200


def test_two_threads_may_write_in_turn(path: Path) -> None:
    with Journal(path) as journal:
        journal.append("candidate", "a", {})
        thread = threading.Thread(target=lambda: journal.append("candidate", "b", {}))
        thread.start()
        thread.join()
        assert [e.key for e in journal.events()] == ["a", "b"]


def alter(path: Path, statement: str) -> None:
    """Changes a closed journal behind its back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


ALTERATIONS = {
    "a payload": "UPDATE events SET payload = '{\"size\": 8}' WHERE sequence = 2",
    "a key": "UPDATE events SET key = 'e' WHERE sequence = 2",
    "a kind": "UPDATE events SET kind = 'generation' WHERE sequence = 2",
    "a time": "UPDATE events SET time = time + 1.0 WHERE sequence = 2",
    "a type": "UPDATE events SET payload = x'00ff' WHERE sequence = 2",
    "text that is none": "UPDATE events SET payload = CAST(x'ff' AS TEXT) WHERE sequence = 2",
    "a checksum": "UPDATE events SET checksum = '00' WHERE sequence = 2",
    "an event left out": "DELETE FROM events WHERE sequence = 2",
    "the first event left out": "DELETE FROM events WHERE sequence = 1",
    "the last event cut off": "DELETE FROM events WHERE sequence = 4",
    "all events cut off": "DELETE FROM events",
    "an event added": "INSERT INTO events VALUES (5, 'candidate', 'z', 1.0, '{}', '00')",
    "an event of another journal": "UPDATE events SET payload = '{}', key = 'z' WHERE sequence = 4",
    "the table": "DROP TABLE events",
}


@pytest.mark.parametrize("statement", ALTERATIONS.values(), ids=ALTERATIONS)
@pytest.mark.parametrize("read_only", [False, True], ids=["writer", "reader"])
def test_whatever_was_altered_is_found_and_left_alone(
    path: Path, statement: str, read_only: bool
) -> None:
    with Journal(path) as journal:
        for key in "abcd":
            journal.append("candidate", key, {"size": 3})
    alter(path, statement)
    before = path.read_bytes()
    with (
        pytest.raises(JournalError, match=r"is not a readable journal .*left as it is.*launch"),
        Journal(path, read_only=read_only) as journal,
    ):
        # Whoever asks for one kind still learns that an event of another was altered.
        list(journal.events("evaluation"))
    assert path.read_bytes() == before


def test_an_altered_event_is_found_by_whoever_asks_for_it_alone(path: Path) -> None:
    with Journal(path) as journal, Journal(path, read_only=True) as reader:
        journal.append_all([("candidate", key, {"size": 3}) for key in "abc"])
        alter(path, "UPDATE events SET payload = '{}' WHERE sequence = 2")
        assert reader.get("candidate", "a") == {"size": 3}
        with pytest.raises(JournalError, match="event 2 is missing or altered"):
            reader.get("candidate", "b")


def test_a_reader_that_follows_checks_from_where_it_stands(path: Path) -> None:
    with Journal(path) as journal, Journal(path, read_only=True) as reader:
        journal.append_all([("candidate", key, {}) for key in "abc"])
        assert [event.key for event in reader.events(after=2)] == ["c"]
        journal.append("candidate", "d", {})
        alter(path, "UPDATE events SET key = 'x' WHERE sequence = 4")
        with pytest.raises(JournalError, match="event 4 is missing or altered"):
            list(reader.events(after=3))


def test_a_file_cut_short_is_found(path: Path) -> None:
    with Journal(path) as journal:
        journal.append_all([("candidate", str(n), {"text": "x" * 400}) for n in range(200)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(JournalError, match="is not a readable journal"):
        Journal(path)
    assert path.read_bytes() == whole[: len(whole) // 2]


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    alter(path, "CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="a database of another program"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_full_disk_takes_the_transaction_back_and_keeps_the_rest(path: Path) -> None:
    with Journal(path) as journal:
        journal.append("candidate", "a", {})
        # What SQLite does at this limit is what it does when the file system is full.
        (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
        journal._connection.execute(f"PRAGMA max_page_count = {pages}")
        batch = [("candidate", str(n), {"text": "x" * 400}) for n in range(200)]
        with pytest.raises(JournalError, match=r"disk is full.*what it holds is safe.*has room"):
            journal.append_all(batch)
        assert [event.key for event in journal.events()] == ["a"]
        journal._connection.execute("PRAGMA max_page_count = 100000")
        journal.append_all(batch)
    with Journal(path) as journal:
        assert sum(1 for _ in journal.events()) == 201


def test_it_is_closed_while_other_threads_read(path: Path) -> None:
    with Journal(path) as journal:
        journal.append_all([("candidate", str(number), {}) for number in range(50)])

    def read_on(journal: Journal) -> None:
        number = 0
        while journal.get("candidate", str(number % 50)) is not None:
            number += 1

    for _ in range(20):
        journal = Journal(path)
        with ThreadPoolExecutor(3) as readers:
            ends = [readers.submit(read_on, journal) for _ in range(3)]
            threading.Event().wait(0.02)
            journal.close()
            assert all(isinstance(end.exception(), JournalError) for end in ends)
