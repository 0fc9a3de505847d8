"""Locks by whatever the file system knows, or a refusal that says so."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluators.reading.file_locks import LocksUnsupportedError, locked

HOLD = """
import sys
from pathlib import Path
from evaluators.reading import file_locks
if sys.argv[2] == "ranges":
    file_locks.fcntl.flock = lambda *arguments: (_ for _ in ()).throw(OSError(37, "no locks"))
with file_locks.locked(Path(sys.argv[1]), wait=False):
    print("held", flush=True)
    sys.stdin.read()
"""
CODES = [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL]


def refusing(number: int) -> Callable[..., None]:
    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("kind", ["flock", "ranges"])
def test_a_lock_keeps_others_out_and_ends_with_its_process(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "ranges":
        monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(BlockingIOError), locked(path, wait=False):
        pass
    told: list[str] = []

    def told_of() -> None:
        told.append("waiting")
        holder.kill()

    with locked(path, wait=True, waiting=told_of):
        assert told == ["waiting"]
    holder.communicate()


@pytest.mark.parametrize("number", CODES)
def test_without_flock_ranges_lock_within_a_process_too(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", refusing(number))
    path = tmp_path / "lock"
    entered = threading.Event()

    def wait_for_it() -> None:
        with locked(path, wait=True):
            entered.set()

    thread = threading.Thread(target=wait_for_it)
    with locked(path, wait=False):
        with pytest.raises(BlockingIOError), locked(path, wait=False):
            pass
        thread.start()
        assert not entered.is_set()
    thread.join()
    assert entered.is_set()


@pytest.mark.parametrize("number", CODES)
def test_without_any_locks_the_way_out_is_named(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", refusing(number))
    monkeypatch.setattr(fcntl, "lockf", refusing(number))
    words = rf"without locks \({os.strerror(number)}\).*--runs-dir.*Lustre: with the option flock"
    for wait in (False, True):
        with pytest.raises(LocksUnsupportedError, match=words), locked(tmp_path / "x", wait=wait):
            pass


def test_other_errors_are_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", refusing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"), locked(tmp_path / "x", wait=False):
        pass
