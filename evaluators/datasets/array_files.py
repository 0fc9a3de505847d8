"""Arrays read from a user's files: NumPy archives, CSV and Parquet tables."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from evaluators.datasets.data import ArrayFile

NamedArrays = Mapping[str, np.ndarray]
"""Arrays under their names: x and y, or x_train, y_train and so on."""

NAMES: Final = ("x", "y", *(f"{a}_{s}" for s in ("train", "validation", "test") for a in "xy"))
"""All names that are looked at."""

# What damaged archives raise.
_UNREADABLE: Final = (
    OSError,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)

# What pandas calls an index that has no name: in CSV, when such a file was read and written again,
# and in Parquet.
_UNNAMED: Final = re.compile(r"(Unnamed: \d+|__index_level_\d+__)?").fullmatch

# Of a column's standard deviation; float32 keeps a standardised value about as well.
_LOSES_NOTHING: Final = 1e-6


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
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.ndarray):
            with loaded:
                return {name: loaded[name] for name in loaded.files if name in NAMES}
    except _UNREADABLE as error:
        why = str(error).partition("\n")[0]
        if "allow_pickle" in why:
            why = "it holds Python objects, which are never unpickled; save plain arrays"
        raise DataError(f"{path} cannot be read as a NumPy archive: {why}") from None
    raise DataError(
        f"{path} is a single array, whatever its name ends in; save x and y together with "
        "numpy.savez"
    )


def _read_csv(path: Path, data: ArrayFile) -> NamedArrays:
    import pyarrow
    from pyarrow import csv

    try:
        table = csv.read_csv(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path} cannot be read as CSV: {error}") from None
    columns = [(name, _with_gaps(column)) for name, column in _columns(table, path)]
    _check_no_index(columns, path, data, kept=_UNNAMED)
    return _of_columns(columns, path, data, first_row=2)


def _with_gaps(column: Any) -> Any:
    """A column with nothing in place of empty texts, which CSV cannot tell from it."""
    from pyarrow import compute, types

    if not types.is_string(column.type):
        return column
    return compute.if_else(compute.equal(compute.utf8_trim_whitespace(column), ""), None, column)


def _read_parquet(path: Path, data: ArrayFile) -> NamedArrays:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}") from None
    columns = _columns(table, path)
    # A name of its own does not make it a feature.
    of_pandas = (table.schema.pandas_metadata or {}).get("index_columns", ())
    named = {each for each in of_pandas if isinstance(each, str)}
    _check_no_index(columns, path, data, kept=lambda name: name in named or _UNNAMED(name))
    return _of_columns(columns, path, data, first_row=1)


def _check_no_index(
    columns: Sequence[tuple[str, Any]], path: Path, data: ArrayFile, *, kept: Callable[[str], Any]
) -> None:
    """Where rows are in the order of their classes, their numbers are the answer."""
    for name, _ in columns:
        if kept(name) and name not in (*_targets(data), *data.leave_out):
            raise DataError(
                f"{path}: the column {name!r} looks like the index of a pandas table, which would "
                "be a feature; write the table without it (index=False), or name it in leave_out"
            )


_READERS: Final[Mapping[str, Callable[[Path, ArrayFile], NamedArrays]]] = {
    ".npz": _read_npz,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _columns(table: Any, path: Path) -> list[tuple[str, Any]]:
    """The columns of a table with their names, one of which may occur twice."""
    try:
        return list(zip(table.column_names, table.columns, strict=True))
    except UnicodeDecodeError:
        raise DataError(f"{path}: names of columns are no UTF-8; save the file as UTF-8") from None


def _targets(data: ArrayFile) -> tuple[str, ...]:
    """Names of the columns that hold the targets; none where nothing is said."""
    return (data.target,) if isinstance(data.target, str) else data.target or ()


def _of_columns(
    columns: Sequence[tuple[str, Any]], path: Path, data: ArrayFile, *, first_row: int
) -> NamedArrays:
    """Features and targets of a table."""
    features, targets = _used([name for name, _ in columns], path, data)
    by_name = dict(columns)
    if not len(by_name[targets[0]]):
        raise DataError(f"{path} has columns and no rows; it needs one row for each example")
    inputs = [_numbers(by_name[name], path, name, first_row) for name in features]
    labels = [_labels(by_name[name], path, name, first_row) for name in targets]
    return {"x": np.stack(inputs, axis=1), "y": labels[0] if len(labels) == 1 else _many(labels)}


def _used(names: list[str], path: Path, data: ArrayFile) -> tuple[list[str], tuple[str, ...]]:
    """Names of features and of targets; every column but the targets' is a feature."""
    targets = _targets(data)
    if not targets:
        raise DataError(
            f"{path}: say which column holds the targets (target = ...); "
            f"there are {', '.join(names)}"
        )
    for name in (*targets, *data.leave_out):
        if name not in names:
            raise DataError(f"{path} has no column {name!r}; there are {', '.join(names)}")
    features = [n for n in names if n not in targets and n not in data.leave_out]
    if not features:
        raise DataError(f"{path} has no column besides {', '.join((*targets, *data.leave_out))}")
    counts = Counter(names)
    if twice := [name for name in (*features, *targets) if counts[name] > 1]:
        raise DataError(
            f"{path} has {counts[twice[0]]} columns of the name {twice[0]!r}; give each a name of "
            "its own"
        )
    return features, targets


def _numbers(column: Any, path: Path, name: str, first_row: int) -> np.ndarray:
    column = _plain(column)
    if not _holds_numbers(column):
        raise DataError(
            f"{path}: the column {name!r} holds {column.type}, and features are numbers; turn it "
            "into numbers, or name it in leave_out"
        )
    _check_present(column, path, name, first_row)
    return _rounded(column.to_numpy().astype(np.float64))


def _rounded(numbers: np.ndarray) -> np.ndarray:
    """As float32 where that loses nothing.

    All columns were read so once. Where it did no harm it stays, and with it every bit of what
    campaigns on such tables have recorded.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = numbers.astype(np.float32)
        lost = np.abs(rounded - numbers).max()
        return rounded if lost <= _LOSES_NOTHING * numbers.std() else numbers


def _labels(column: Any, path: Path, name: str, first_row: int) -> np.ndarray:
    from pyarrow import types

    column = _plain(column)
    _check_present(column, path, name, first_row)
    if _holds_numbers(column):
        numbers: np.ndarray = column.to_numpy()
        return numbers
    kind = column.type
    texts = (types.is_string, types.is_large_string, types.is_string_view, types.is_binary)
    if not any(is_text(kind) for is_text in texts):
        raise DataError(
            f"{path}: the column {name!r} holds {kind}, and targets are numbers or texts; turn it "
            "into numbers, or into texts for one class each"
        )
    try:
        # Texts without a mark of being such, or in another encoding, are read as bytes.
        labels: np.ndarray = column.cast("large_string").to_numpy().astype(str)
    except ValueError:
        raise DataError(
            f"{path}: texts in the column {name!r} are no UTF-8; save the file as UTF-8"
        ) from None
    return labels


def _plain(column: Any) -> Any:
    """Decimals as floating-point numbers, and what is kept in a dictionary as its values."""
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast("float64") if types.is_decimal(column.type) else column


def _holds_numbers(column: Any) -> bool:
    from pyarrow import types

    kind = column.type
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


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
