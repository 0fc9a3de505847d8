"""Locks on files that end with their process, however it ends."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

try:
    import fcntl
except ImportError:
    raise ImportError(
        "actsearch runs on Linux and macOS; on Windows, install it in WSL: "
        "https://learn.microsoft.com/windows/wsl/install"
    ) from None

# What systems say where a file system knows no locks, or nobody serves them.
_NO_LOCKS: Final = frozenset(
    {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
)
_POLL_SECONDS: Final = 0.1

# Locks by range belong to a process, not to who opened the file: within it, this tells them apart.
_held: Final[set[tuple[int, int]]] = set()
_guard: Final = threading.Lock()


class LocksUnsupportedError(RuntimeError):
    """A file system on which nothing can keep a second process out."""


@contextmanager
def locked(path: Path, *, wait: bool, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Holds the lock of a file.

    Args:
        path: Made where it is absent, and left there.
        wait: Whether to wait for another holder.
        waiting: Is called once before waiting.

    Raises:
        BlockingIOError: If another holds it and we do not wait.
        LocksUnsupportedError: If its file system has no locks.
        OSError: If it cannot be opened.
    """
    with path.open("a") as file:
        try:
            release = _lock(file)
        except BlockingIOError:
            if not wait:
                raise
            waiting()
            release = _patiently(file)
        try:
            yield
        finally:
            release()


def _patiently(file: IO[str]) -> Callable[[], None]:
    while True:
        try:
            return _lock(file)
        except BlockingIOError:
            time.sleep(_POLL_SECONDS)


def _lock(file: IO[str]) -> Callable[[], None]:
    """Locks a file by the first way that its file system knows; what unlocks it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lambda: None  # closing the file does
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        return _lock_by_range(file)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise LocksUnsupportedError(
            f"{Path(file.name).parent} is on a file system without locks ({error.strerror}), so "
            "that nothing could keep a second process out: choose a folder on a local disk "
            "(--runs-dir for campaigns, --journal-dir for their journals alone), or have it "
            "mounted with locks (NFS: with its lock service; Lustre: with the option flock)"
        ) from error


def _lock_by_range(file: IO[str]) -> Callable[[], None]:
    status = os.fstat(file.fileno())
    identity = (status.st_dev, status.st_ino)
    with _guard:
        if identity in _held:
            raise BlockingIOError(errno.EAGAIN, "held by this process", file.name)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except PermissionError as error:  # some systems say so where another holds it
            raise BlockingIOError(errno.EAGAIN, error.strerror, file.name) from None
        _held.add(identity)

    def release() -> None:
        with _guard:
            _held.discard(identity)

    return release
