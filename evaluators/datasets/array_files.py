"""Arrays read from a user's files: NumPy archives, CSV and Parquet tables."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluators.datasets.data import ArrayFile

NamedArrays = Mapping[str, np.ndarray]
"""Arrays under their names: x and y, or x_train, y_train and so on."""

NAMES: Final = ("x", "y", *(f"{a}_{s}" for s in ("train", "validation", "test") for a in "xy"))
"""All names that are looked at."""


class DataError(ValueError):
    """A user's data cannot be used; the message is a sentence that names where they come from."""


def read_arrays(data: ArrayFile) -> NamedArrays:
    """The arrays of a file.

    Raises:
        DataError: If it cannot be read, or is of none of the three formats.
    """
    path = Path(data.arrays)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path} cannot be read: a file of arrays ends in {', '.join(_READERS)}, "
            f"got {path.suffix or 'no ending'!r}"
        )
    if not path.is_file():
        raise DataError(f"there is no file {path}; paths begin at the task file's folder")
    return reader(path, data)


def _read_npz(path: Path, data: ArrayFile) -> NamedArrays:
    if data.target is not None or data.leave_out:
        raise DataError(
            f"{path}: in an archive y is the target; target and leave_out are of tables"
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name in NAMES}
    except (OSError, ValueError, zipfile.BadZipFile, KeyError) as error:
        why = str(error).partition("\n")[0]
        if "allow_pickle" in why:
            why = "it holds Python objects, which are never unpickled; save plain arrays"
        raise DataError(f"{path} cannot be read as a NumPy archive: {why}") from None


def _read_csv(path: Path, data: ArrayFile) -> NamedArrays:
    import pyarrow
    from pyarrow import csv

    try:
        table = csv.read_csv(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path} cannot be read as CSV: {error}") from None
    return _of_table(table, path, data, first_row=2)


def _read_parquet(path: Path, data: ArrayFile) -> NamedArrays:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}") from None
    return _of_table(table, path, data, first_row=1)


_READERS: Final[Mapping[str, Callable[[Path, ArrayFile], NamedArrays]]] = {
    ".npz": _read_npz,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _of_table(table: Any, path: Path, data: ArrayFile, *, first_row: int) -> NamedArrays:
    """Features and targets of a table; every column but the targets' is a feature."""
    targets = (data.target,) if isinstance(data.target, str) else data.target or ()
    if not targets:
        raise DataError(
            f"{path}: say which column holds the targets (target = ...); "
            f"there are {', '.join(table.column_names)}"
        )
    for name in (*targets, *data.leave_out):
        if name not in table.column_names:
            raise DataError(
                f"{path} has no column {name!r}; there are {', '.join(table.column_names)}"
            )
    features = [n for n in table.column_names if n not in targets and n not in data.leave_out]
    if not features:
        raise DataError(f"{path} has no column besides {', '.join((*targets, *data.leave_out))}")
    columns = [_numbers(table.column(name), path, name, first_row) for name in features]
    labels = [_labels(table.column(name), path, name, first_row) for name in targets]
    return {"x": np.stack(columns, axis=1), "y": labels[0] if len(labels) == 1 else _many(labels)}


def _numbers(column: Any, path: Path, name: str, first_row: int) -> np.ndarray:
    from pyarrow import types

    kind = column.type
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        raise DataError(
            f"{path}: the column {name!r} holds {kind}, and features are numbers; turn it into "
            f"numbers, or name it in leave_out"
        )
    _check_present(column, path, name, first_row)
    numbers: np.ndarray = column.to_numpy().astype(np.float32)
    return numbers


def _labels(column: Any, path: Path, name: str, first_row: int) -> np.ndarray:
    _check_present(column, path, name, first_row)
    labels: np.ndarray = column.to_numpy()
    return labels.astype(str) if labels.dtype == object else labels


def _check_present(column: Any, path: Path, name: str, first_row: int) -> None:
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy())) + first_row
        raise DataError(
            f"{path}, line {row}: nothing stands in the column {name!r} (and in "
            f"{column.null_count} rows altogether); fill them in or leave the rows out"
        )


def _many(labels: list[np.ndarray]) -> np.ndarray:
    if any(each.dtype.kind not in "fiub" for each in labels):
        raise DataError("several targets must all be numbers")
    return np.stack(labels, axis=1).astype(np.float64)
