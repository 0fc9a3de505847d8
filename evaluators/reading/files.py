"""Files of a user's own, known by their content, wherever they lie."""

from __future__ import annotations

import hashlib
import os
import uuid
from functools import lru_cache
from pathlib import Path


def cache_root() -> Path:
    """The folder of all that this program keeps for itself: $XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "actsearch"


def sha256_of(path: Path) -> str:
    """Of a file's content; computed once a process while it stays as it is.

    Raises:
        OSError: If it cannot be read.
    """
    status = path.stat()
    return _sha256(path, (status.st_ino, status.st_size, status.st_mtime_ns))


def kept_file(path: Path, sha256: str) -> Path | None:
    """Where a file of that content is: at its path, or where `keep_file` has put it."""
    for place in (path, _kept(path.name, sha256)):
        try:
            if sha256_of(place) == sha256:
                return place
        except OSError:
            continue
    return None


def keep_file(name: str, content: bytes) -> None:
    """Keeps a file's content for `kept_file` to find; a damaged one of its name is replaced.

    Raises:
        OSError: If it cannot be written.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    place = _kept(name, sha256)
    if kept_file(place, sha256) is not None:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    # Others may keep the same at the same time: each writes a file of its own.
    partial = place.with_name(f".{name}.{uuid.uuid4().hex}")
    try:
        partial.write_bytes(content)
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)


def _kept(name: str, sha256: str) -> Path:
    return cache_root() / "files" / sha256 / name


@lru_cache(maxsize=256)
def _sha256(path: Path, stamp: tuple[int, int, int]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
