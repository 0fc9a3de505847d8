"""Data of a user's own: found by their content, and kept where every process maps them."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluators.datasets.array_cache import Split
from evaluators.datasets.array_files import NAMES, DataError, NamedArrays, read_arrays
from evaluators.datasets.data import ArrayFile, FunctionData, Given, Own, deciding_data
from evaluators.datasets.splitting import split_arrays
from evaluators.reading.files import sha256_of
from evaluators.reading.functions import blamed

# Part of every cached path: a new rule for making splits of the same contents gets a new number.
_RULES: Final = 3


def resolved(data: Own) -> tuple[Own, NamedArrays | None]:
    """The data with their contents' SHA-256, and the arrays where these had to be made for it.

    Raises:
        DataError: If they cannot be read.
        UserCodeError: If the function that makes them fails.
    """
    if data.contents is not None:
        return data, None
    if isinstance(data, FunctionData):
        arrays = _returned(data)
        return replace(data, contents=contents_of(arrays)), arrays
    assert isinstance(data, ArrayFile)  # given arrays have their contents from the start
    return replace(data, contents=_contents_of_file(data)), None


def build(data: Own, arrays: NamedArrays | None) -> dict[str, Split]:
    """The splits of resolved data.

    Args:
        data: With its contents.
        arrays: Where they are at hand.

    Raises:
        DataError: If what is read is not what the contents say, or cannot be used.
        UserCodeError: If the function that makes them fails.
    """
    if arrays is None:
        arrays = _read_again(data)
    return split_arrays(arrays, data, source=source_of(data))


def key(data: Own) -> str:
    """Name of the folder in which resolved data are cached."""
    text = json.dumps(deciding_data(data), sort_keys=True)
    return f"own-{hashlib.sha256(f'{_RULES} {text}'.encode()).hexdigest()[:32]}"


def source_of(data: Own) -> str:
    """Where they come from, for people."""
    if isinstance(data, ArrayFile):
        return data.arrays
    return data.function.place if isinstance(data, FunctionData) else data.given


def contents_of(arrays: NamedArrays) -> str:
    """SHA-256 of arrays, their names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def named_arrays(returned: Any, *, source: str) -> NamedArrays:
    """Arrays under their names from a pair (x, y) or a mapping.

    Raises:
        DataError: If it is neither.
    """
    if isinstance(returned, Mapping) and returned and set(returned) <= set(NAMES):
        return {name: _array(array, name, source) for name, array in returned.items()}
    if isinstance(returned, tuple | list) and len(returned) == 2:
        return {name: _array(a, name, source) for name, a in zip("xy", returned, strict=True)}
    raise DataError(
        f"{source}: it must return a pair (x, y) or a mapping with x and y, or with x_train, "
        f"y_train and so on, got {shown(returned)}"
    )


def shown(value: Any) -> str:
    """What kind of value it is, for messages."""
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value))}"
    is_sequence = isinstance(value, tuple | list)
    return f"a {type(value).__name__}" + (f" of {len(value)}" if is_sequence else "")


def _array(value: Any, name: str, source: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:  # the last from tensors of PyTorch
        raise DataError(f"{source}: {name} is no array: {error}") from None
    if np.ma.is_masked(value):
        raise DataError(
            f"{source}: {name} has {np.ma.getmaskarray(value).sum():,} masked values, and what is "
            "below the mask would be trained on; fill them in or leave the rows out"
        )
    if array.dtype == object:
        return _of_objects(array, name, source)
    return array


def _of_objects(array: np.ndarray, name: str, source: str) -> np.ndarray:
    """Texts of classes, which pandas keeps as objects."""
    if name.startswith("y") and all(isinstance(each, str) for each in array.flat):
        return array.astype(str)
    kinds = sorted({type(each).__name__ for each in array.flat})
    if any(hasattr(each, "toarray") for each in array.flat):
        raise DataError(
            f"{source}: {name} holds a sparse matrix ({', '.join(kinds[:3])}), and networks take "
            f"dense ones; give {name}.toarray()"
        )
    allowed = "numbers, or texts for one class each" if name.startswith("y") else "numbers"
    raise DataError(
        f"{source}: {name} holds Python objects ({', '.join(kinds[:3])}), and should hold "
        f"{allowed}; a column of pandas becomes numbers by .to_numpy(float)"
    )


def _returned(data: FunctionData) -> NamedArrays:
    own = data.function
    # A command's own output, which may be JSON, is not to be mixed with what it prints.
    with redirect_stdout(sys.stderr):
        function = own.load()
        with blamed(own.path, doing=f"calling {own.name}()", line=own.line):
            returned = function()
    return named_arrays(returned, source=own.place)


def _contents_of_file(data: ArrayFile) -> str:
    try:
        return sha256_of(Path(data.arrays))
    except OSError as error:
        raise DataError(
            f"cannot read the arrays {data.arrays}: {error.strerror}; relative paths begin at the "
            "task file's folder"
        ) from None


def _read_again(data: Own) -> NamedArrays:
    if isinstance(data, Given):
        raise DataError(
            f"the arrays {data.given!r} were given by a script, and the cache has lost them; run "
            "it again"
        )
    now, arrays = resolved(replace(data, contents=None))
    if now.contents != data.contents:
        raise DataError(
            f"{source_of(data)} has changed: its contents are {str(now.contents)[:12]}..., and "
            f"{str(data.contents)[:12]}... are wanted; put them back, or start anew"
        )
    return read_arrays(now) if isinstance(now, ArrayFile) else arrays or {}
