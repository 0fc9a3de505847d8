"""A journal is read where nothing may be written, and written where no memory is shared."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from search.journal import journal
from search.journal import opening as journal_opening
from search.journal.file_systems import file_system, is_network
from search.journal.journal import FILE_NAME, Journal, JournalError

from .read_only import read_only

READ = """
import sys
from pathlib import Path
from search.journal.journal import Journal
with Journal(Path(sys.argv[1]), read_only=True) as journal:
    print(*(event.key for event in journal.events()))
"""
WRITE = """
import os, sys
from pathlib import Path
from search.journal.journal import Journal
journal = Journal(Path(sys.argv[1]))
for key in "abc":
    journal.append("candidate", key, {"size": 3})
print("written", flush=True)
sys.stdin.read()
os._exit(0)  # as SIGKILL: nothing is closed
"""
HERE = {"env": os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}, "text": True}


def read_by_another(path: Path, *before: str) -> str:
    done = subprocess.run(
        [*before, sys.executable, "-c", READ, str(path)], capture_output=True, check=False, **HERE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "runs#1 %20?").mkdir()
    return tmp_path / "runs#1 %20?" / FILE_NAME


@pytest.fixture
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has written three events, and ends as by SIGKILL when its input does."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **HERE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "written\n"
    yield process
    process.stdin.close()
    process.wait()
    process.stdout.close()


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def beside(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


def test_a_closed_journal_is_read_where_nothing_may_be_written(path: Path) -> None:
    with Journal(path) as written:
        written.append("candidate", "a", {"size": 3})
    with read_only(path.parent) as words:
        assert read_by_another(path, *words) == "a"
    assert beside(path) == {FILE_NAME}


def test_so_is_one_whose_writer_lives(path: Path, writer: subprocess.Popen[str]) -> None:
    with read_only(path.parent) as words:
        assert read_by_another(path, *words) == "a b c"


@pytest.mark.parametrize("lost", ["", "-shm"])
def test_so_is_one_whose_writer_was_killed(
    path: Path, writer: subprocess.Popen[str], lost: str
) -> None:
    end(writer)
    assert path.with_name(f"{FILE_NAME}-wal").stat().st_size > 0
    if lost:
        path.with_name(f"{FILE_NAME}{lost}").unlink()
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    with read_only(path.parent) as words:
        assert read_by_another(path, *words) == "a b c"
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


def test_a_damaged_journal_is_called_so_there_too(path: Path) -> None:
    with Journal(path) as written:
        written.append_all([("candidate", key, {}) for key in "abc"])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET key = 'x' WHERE sequence = 2")
    with read_only(path.parent) as words:
        done = subprocess.run(
            [*words, sys.executable, "-c", READ, str(path)],
            capture_output=True,
            check=False,
            **HERE,
        )
    assert "event 2 is missing or altered" in done.stderr


def test_what_changes_while_it_is_copied_is_copied_again_or_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(path) as written:
        written.append("candidate", "a", {})
    whole = path.read_bytes()
    monkeypatch.setattr(journal_opening, "_PAUSE_SECONDS", 0.0)
    changes = iter([whole[: len(whole) // 2], whole[:100], whole])
    backup = sqlite3.Connection.backup

    class Connection(sqlite3.Connection):
        def backup(self, target: sqlite3.Connection, **options: object) -> None:
            content = next(changes, None)
            if content is not None:
                path.write_bytes(content)
            backup(self, target)

    def connect(place: Path | str) -> sqlite3.Connection:
        return sqlite3.connect(place, uri=True, factory=Connection, isolation_level=None)

    monkeypatch.setattr(journal_opening, "_connect", connect)
    with closing(journal_opening._copied(path)) as copied:
        assert copied.execute("SELECT key FROM events").fetchall() == [("a",)]
    ever = iter(range(1, 1000))
    monkeypatch.setattr(journal_opening, "_stamps", lambda path: [(next(ever), 0, 0)])
    with pytest.raises(journal_opening.BeingWrittenError, match="written faster than it can be"):
        journal_opening._copied(path)


@pytest.fixture
def without_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite as on a file system that cannot share memory between processes."""

    def connect(place: Path | str) -> sqlite3.Connection:
        if place == Path(":memory:"):
            return sqlite3.connect(place, isolation_level=None)
        address = place if isinstance(place, str) else f"{place.absolute().as_uri()}?"
        return sqlite3.connect(
            f"{address}&vfs=unix-dotfile",
            uri=True,
            timeout=5.0,
            check_same_thread=False,
            isolation_level=None,
        )

    monkeypatch.setattr(journal_opening, "_connect", connect)


def mode_of(path: Path) -> str:
    """How the file itself says that it is written; 2 is the write-ahead log."""
    return {1: "by locks", 2: "shared"}[path.read_bytes()[18]]


def append(path: Path, key: str) -> None:
    with Journal(path) as written:
        written.append("candidate", key, {})


@pytest.mark.usefixtures("without_shared_memory")
def test_without_shared_memory_a_journal_is_written_and_followed(path: Path) -> None:
    with Journal(path) as written, Journal(path, read_only=True) as reader:
        for count, key in enumerate("abc", 1):
            written.append("candidate", key, {})
            assert len(list(reader.events())) == count
    assert mode_of(path) == "by locks"
    append(path, "d")
    with Journal(path, read_only=True) as reader:
        assert [event.key for event in reader.events()] == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("without_shared_memory")
def test_what_a_killed_writer_left_in_its_log_is_read_without_shared_memory(
    path: Path, writer: subprocess.Popen[str]
) -> None:
    end(writer)
    with Journal(path, read_only=True) as reader:
        assert [event.key for event in reader.events()] == ["a", "b", "c"]
    append(path, "d")
    assert mode_of(path) == "by locks"
    with Journal(path, read_only=True) as reader:
        assert [event.key for event in reader.events()] == ["a", "b", "c", "d"]


def test_a_journal_moves_between_file_systems_and_goes_on(
    path: Path, writer: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    end(writer)  # and leaves a log that is not in the file yet
    with monkeypatch.context() as patch:
        patch.setattr(journal_opening, "file_system", lambda path: "nfs4")
        append(path, "d")
        assert mode_of(path) == "by locks"
        assert f"{FILE_NAME}-wal" not in beside(path)
    append(path, "e")
    assert mode_of(path) == "shared"
    with Journal(path, read_only=True) as reader:
        assert [event.key for event in reader.events()] == ["a", "b", "c", "d", "e"]


def test_on_a_network_others_read_while_one_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_opening, "file_system", lambda path: "lustre")
    with Journal(path) as written:
        for key in "abc":
            written.append("candidate", key, {})
        assert read_by_another(path) == "a b c"
        written.append("candidate", "d", {})
        assert read_by_another(path) == "a b c d"
    assert mode_of(path) == "by locks"


def test_a_journal_of_another_program_is_left_alone_there_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_opening, "file_system", lambda path: "nfs")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="a database of another program"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_file_system_without_locks_is_named_with_the_way_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(path, "a")
    for module in (journal, journal_opening):
        monkeypatch.setattr(module, "file_system", lambda path: "nfs")
    monkeypatch.setattr(journal_opening, "_BUSY_SECONDS", 0.0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        # What SQLite says where locks fail, it says where another holds one.
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError, match=r"locked.*\(nfs\) has no locks, .*a local disk"):
            Journal(path)


MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /home rw - nfs4 server:/home rw,vers=4.2
31 30 0:41 / /home/me/my\040disk rw - fuse.sshfs me@there: rw
32 22 0:42 / /data rw shared:9 master:2 - ext4 /dev/vdb rw
33 22 0:43 / /data rw - lustre mgs:/fs rw
"""


@pytest.mark.parametrize(
    ("place", "kind", "network"),
    [
        ("/", "ext4", False),
        ("/usr/nowhere/at/all", "ext4", False),
        ("/home", "nfs4", True),
        ("/home/me/runs", "nfs4", True),
        ("/home/me/my disk/runs", "fuse.sshfs", True),
        ("/homeless", "ext4", False),
        ("/data/runs", "lustre", True),
    ],
)
def test_the_file_system_of_a_path_is_known(
    tmp_path: Path, place: str, kind: str, network: bool
) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert file_system(Path(place), mounts=tmp_path / "mountinfo") == kind
    assert is_network(kind) is network


def test_where_nothing_is_said_of_mounts_nothing_is_believed(tmp_path: Path) -> None:
    assert file_system(tmp_path, mounts=tmp_path / "absent") == ""
    assert not is_network("")
    assert file_system(Path("/proc/self")) == "proc"
