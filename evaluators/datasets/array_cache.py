"""A cache of arrays on disk: built once, checked by checksum, memory-mapped by every process."""

import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluators.reading.file_locks import locked

_MANIFEST = "manifest.json"
_PARTS = ("inputs", "labels")

Checksums = dict[str, dict[str, str]]
"""The SHA-256 of each array, by the name of its split and part ("inputs" or "labels")."""


@dataclass(frozen=True, eq=False)  # arrays have no one truth value to be equal by
class Split:
    """Examples that are used together.

    Attributes:
        inputs: [n, ...] uint8 or float32; memory-mapped read-only when it comes from the cache.
        labels: [n] int32, from 0, or [n, ...] of a class for each place in an example; float32
            where they are numbers.
    """

    inputs: np.ndarray
    labels: np.ndarray


class CacheError(Exception):
    """A cached array is not what was written; the message names the file."""


def checksums(splits: Mapping[str, Split]) -> Checksums:
    """The SHA-256 of every array in `splits`, its type and shape included."""
    return {
        name: {part: _sha256(getattr(split, part)) for part in _PARTS}
        for name, split in splits.items()
    }


def fingerprint(sums: Checksums) -> str:
    """One SHA-256 for a whole data set, from the checksums of its arrays."""
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def cached(
    folder: Path,
    wanted: Sequence[str],
    *,
    build: Callable[[], Mapping[str, Split]],
    expected_fingerprint: str | None = None,
    announce: Callable[[str], None],
) -> dict[str, Split]:
    """Reads splits from `folder`, building the cache first where it is absent or damaged.

    Of several processes that ask at once, one builds while the others wait for it. The folder
    appears by a rename, so no reader ever meets half of it.

    Args:
        folder: where this data set's arrays live.
        wanted: names of the splits to return; the other splits stay unopened.
        build: makes all the splits, called at most once.
        expected_fingerprint: the `fingerprint` of the data set where it is known beforehand.
        announce: told of a damaged cache, and of waiting for another process.

    Returns:
        The wanted splits, memory-mapped read-only, by name.

    Raises:
        OSError: the folder cannot be written.
        CacheError: what `build` made does not have the expected fingerprint.
    """
    try:
        return _read(folder, wanted, expected_fingerprint)
    except (FileNotFoundError, CacheError):
        pass  # looked at again below, when no other process can be writing it
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _exclusive(folder.with_name(f"{folder.name}.lock"), announce):
        try:
            return _read(folder, wanted, expected_fingerprint)
        except FileNotFoundError:
            pass
        except CacheError as error:
            announce(f"{error}; making the cache again")
        _write(folder, build())
        return _read(folder, wanted, expected_fingerprint)


def _read(
    folder: Path, wanted: Sequence[str], expected_fingerprint: str | None
) -> dict[str, Split]:
    sums = _manifest(folder / _MANIFEST, wanted)
    if expected_fingerprint not in (None, fingerprint(sums)):
        raise CacheError(f"the array cache {folder} holds other data than its name says")
    return {name: Split(**_open_split(folder, name, sums[name])) for name in wanted}


def _manifest(path: Path, wanted: Sequence[str]) -> Checksums:
    try:
        sums = json.loads(path.read_text(encoding="utf-8"))
        return {name: {part: str(sums[name][part]) for part in _PARTS} for name in {*sums, *wanted}}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CacheError(f"the array cache's list {path} cannot be read") from error


def _open_split(folder: Path, name: str, sums: Mapping[str, str]) -> dict[str, np.ndarray]:
    arrays = {}
    for part in _PARTS:
        path = folder / f"{name}-{part}.npy"
        if _checksum_of_file(path, _stamp(path)) != sums[part]:
            raise CacheError(f"the cached array {path} is damaged: its checksum is wrong")
        arrays[part] = _map(path)
    return arrays


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


@functools.lru_cache(maxsize=64)
def _checksum_of_file(path: Path, stamp: tuple[int, int, int]) -> str:
    """The checksum of the array at `path`, computed once a process while `stamp` stays equal."""
    return _sha256(_map(path))


def _map(path: Path) -> np.ndarray:
    try:
        # Unlike np.load this never unpickles, whatever the file holds.
        return np.lib.format.open_memmap(path, mode="r")
    except (ValueError, TypeError) as error:
        raise CacheError(f"the cached array {path} is damaged: {error}") from error


def _sha256(array: np.ndarray) -> str:
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _write(folder: Path, splits: Mapping[str, Split]) -> None:
    """Puts `splits` in place of `folder`; the caller holds the lock."""
    for left_by_a_killed_process in folder.parent.glob(f".{folder.name}-*"):
        shutil.rmtree(left_by_a_killed_process, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        for name, split in splits.items():
            for part in _PARTS:
                np.save(fresh / f"{name}-{part}.npy", getattr(split, part), allow_pickle=False)
        (fresh / _MANIFEST).write_text(json.dumps(checksums(splits), indent=1), encoding="utf-8")
        if folder.exists():
            folder.rename(Path(scratch) / "replaced")
        fresh.rename(folder)


def _exclusive(path: Path, announce: Callable[[str], None]) -> AbstractContextManager[None]:
    """Holds the lock file `path`; the system frees it even if this process is killed."""
    waiting = f"waiting for another process that is making {path.with_suffix('')}"
    return locked(path, wait=True, waiting=lambda: announce(waiting))
