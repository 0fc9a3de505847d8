"""Training states kept on disk, so that a longer run goes on where a shorter one ended."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np

from grammars import Activation

# Part of every key: training that would give other numbers gets another layout.
_LAYOUT: Final = "states-6"

DEFAULT_MAX_BYTES: Final = 1 << 30

# Of those, what one worker writes before it looks again how much there is; with thousands of
# states, looking takes longer than writing one.
_UNSEEN_SHARE: Final = 1 / 32


@dataclass(frozen=True)
class SavedState:
    """A state and the number of steps that led to it."""

    steps: int
    state: Any


class TrainingStates:
    """A cache: whatever is missing or damaged costs time, and never changes a result.

    Each training run, which is a candidate with a seed and a learning rate, keeps its longest state
    only.
    """

    def __init__(
        self, folder: Path, *, task: str, dataset: str, max_bytes: int = DEFAULT_MAX_BYTES
    ) -> None:
        """Opens the cache; the folder is made when something is kept.

        Args:
            folder: May be shared by all workers and tasks.
            task: Digest of the task, part of each key.
            dataset: Name of the data set, part of each key.
            max_bytes: Beyond it, or little more, the states that were written longest ago go.
        """
        self._folder, self._max_bytes = folder, max_bytes
        self._unseen_bytes = max_bytes  # for all it knows, it is full
        self._setting = (_LAYOUT, task, dataset, jax.__version__, jax.default_backend())

    def load(
        self,
        candidate: Activation,
        *,
        seed: int,
        learning_rate: float,
        at_most: int,
        like: Any,
    ) -> SavedState | None:
        """The state of a run after `at_most` steps or fewer.

        Args:
            candidate: As written, since rounding depends on how it is written.
            seed: Of the run.
            learning_rate: Of the run, on its plateau.
            at_most: Steps beyond which a state is of no use.
            like: A pytree of arrays, in whose form the state is returned.

        Returns:
            None if there is none, or none that can be read.
        """
        leaves, form = jax.tree.flatten(like)
        try:
            with np.load(self._path(candidate, seed, learning_rate), allow_pickle=False) as file:
                steps = int(file["steps"])
                if not 0 < steps <= at_most:
                    return None
                saved = [_typed(file[f"leaf{number}"], leaf) for number, leaf in enumerate(leaves)]
            forms = [(array.shape, array.dtype) for array in saved]
        except Exception:  # a damaged file makes NumPy raise eight kinds; checksums find the rest
            return None
        if forms != [(np.shape(leaf), np.asarray(leaf).dtype) for leaf in leaves]:
            return None
        return SavedState(steps, jax.tree.unflatten(form, saved))

    def save(
        self, candidate: Activation, *, seed: int, learning_rate: float, steps: int, state: Any
    ) -> None:
        """Keeps a state in place of that of a shorter run; a full or read-only disk is no error."""
        arrays = {f"leaf{n}": np.asarray(leaf) for n, leaf in enumerate(jax.tree.leaves(state))}
        path, unfinished = self._path(candidate, seed, learning_rate), None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(sum(array.nbytes for array in arrays.values()))
            # Written beside and renamed: a reader sees the whole of it or nothing.
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                unfinished = Path(file.name)
                np.savez(file, steps=np.int64(steps), **arrays)  # type: ignore[arg-type]
            unfinished.replace(path)
        except OSError:
            if unfinished is not None:  # where there is no room, it takes what others need
                unfinished.unlink(missing_ok=True)

    def _path(self, candidate: Activation, seed: int, learning_rate: float) -> Path:
        key = "\n".join([*self._setting, str(candidate), str(seed), repr(learning_rate)])
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"

    def _make_room(self, needed: int) -> None:
        """Deletes the oldest states until `needed` more bytes would fit; looks now and then."""
        self._unseen_bytes += needed
        if self._unseen_bytes <= self._max_bytes * _UNSEEN_SHARE:
            return
        self._unseen_bytes = 0
        entries = sorted(self._entries())
        excess = sum(size for _, size, _ in entries) + needed - self._max_bytes
        for _, size, path in entries:
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Time of writing, size and path; unfinished files of dead workers age and go as well."""
        for path in self._folder.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:  # another worker made room meanwhile
                continue
            yield status.st_mtime, status.st_size, path


def _typed(array: np.ndarray, like: Any) -> np.ndarray:
    """NumPy's files keep the bits of bfloat16 and forget what they mean."""
    wanted = np.asarray(like).dtype
    is_untold = array.dtype.kind == "V" and array.dtype.itemsize == wanted.itemsize
    return array.view(wanted) if is_untold else array
