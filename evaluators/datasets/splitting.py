"""From a user's arrays to splits: checked, drawn where none are given, standardised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from evaluators.datasets.array_cache import Split
from evaluators.datasets.array_files import DataError, NamedArrays
from evaluators.datasets.data import Splitting

_MOST_CLASSES: Final = 10_000
_ROLES: Final = ("training", "validation", "test")
_GIVEN: Final = {"training": "train", "validation": "validation", "test": "test"}

_TRAIN_AND_TEST: Final = frozenset({"x_train", "y_train", "x_test", "y_test"})

# Of a mixture one part would be left out without a word.
_ALLOWED: Final = (
    frozenset({"x", "y"}),
    _TRAIN_AND_TEST,
    _TRAIN_AND_TEST | {"x_validation", "y_validation"},
)

Parts = dict[str, tuple[np.ndarray, np.ndarray]]


def split_arrays(arrays: NamedArrays, how: Splitting, *, source: str) -> dict[str, Split]:
    """Splits of a user's arrays.

    Args:
        arrays: x and y, or x_train, y_train, x_test, y_test and perhaps x_validation,
            y_validation. x is [examples, ...], y is [examples], or [examples, targets] of numbers,
            or [examples, ...] of a class for each place in an example.
        how: What they are, and how they are split.
        source: Where they come from, for messages.

    Raises:
        DataError: If they cannot be used; the message says why in one sentence.
    """
    checked = {name: _checked(name, array, source) for name, array in arrays.items()}
    parts = _parts(checked, how, source)
    for role, (inputs, labels) in parts.items():
        if not len(labels):
            raise DataError(f"{source}: the {role} split is empty; it needs one example at least")
        if len(inputs) != len(labels):
            raise DataError(
                f"{source}: the {role} split has {len(inputs):,} inputs and {len(labels):,} labels"
            )
        if inputs.shape[1:] != parts["training"][0].shape[1:]:
            raise DataError(
                f"{source}: {role} examples have the shape {list(inputs.shape[1:])}, training "
                f"examples {list(parts['training'][0].shape[1:])}"
            )
    told = _inputs({role: part[0] for role, part in parts.items()}, how, source)
    asked = _labels({role: part[1] for role, part in parts.items()}, how, source)
    return {role: Split(told[role], asked[role]) for role in _ROLES}


def _checked(name: str, array: np.ndarray, source: str) -> np.ndarray:
    array = np.asarray(array)
    if name.startswith("y") and array.dtype.kind in "ST":  # texts as bytes, or of any length
        array = array.astype(str)
    if array.dtype.kind not in ("fiubU" if name.startswith("y") else "fiub"):
        raise DataError(f"{source}: {name} holds {array.dtype}, and should hold numbers")
    if array.ndim == 0:
        raise DataError(f"{source}: {name} is a single value, and should have one row an example")
    if 0 in array.shape[1:]:
        raise DataError(
            f"{source}: {name} has the shape {list(array.shape)}, so there is nothing in an "
            "example; give each one number at least"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = ~np.isfinite(array)
        row = int(np.argmax(bad.reshape(len(array), -1).any(axis=1)))
        raise DataError(
            f"{source}: {name} has {int(bad.sum()):,} values that are no finite numbers, the first "
            f"in row {row} (counted from 0); fill them in or leave the rows out"
        )
    return array[:, None] if name.startswith("x") and array.ndim == 1 else array


def _parts(arrays: NamedArrays, how: Splitting, source: str) -> Parts:
    """Inputs and labels by role: as given, the rest drawn."""
    if arrays.keys() not in _ALLOWED:
        raise DataError(
            f"{source} has {', '.join(arrays) or 'no arrays of these names'}; it needs x and y, or "
            "x_train, y_train, x_test, y_test and perhaps x_validation, y_validation, and none "
            "besides: rename them or leave them out"
        )
    if "x" in arrays:
        whole = (arrays["x"], arrays["y"])
        if len(whole[0]) != len(whole[1]):
            raise DataError(f"{source}: x has {len(whole[0]):,} rows and y has {len(whole[1]):,}")
        shares = {"validation": how.validation, "test": how.test}
        return _drawn(whole, shares, how, source)
    given = {
        role: (arrays[f"x_{name}"], arrays[f"y_{name}"])
        for role, name in _GIVEN.items()
        if f"x_{name}" in arrays
    }
    if "validation" not in given:
        share = {"validation": how.validation}
        given |= _drawn(given["training"], share, how, source)
    return given


def _drawn(
    whole: tuple[np.ndarray, np.ndarray],
    shares: Mapping[str, float],
    how: Splitting,
    source: str,
) -> Parts:
    """Cuts a random order into the shares; the rest is for training."""
    inputs, labels = whole
    count = len(labels)
    sizes = {role: round(share * count) for role, share in shares.items()}
    if sum(sizes.values()) >= count or not all(sizes.values()):
        told = ", ".join(f"{size} for {role}" for role, size in sizes.items())
        raise DataError(f"{source}: {told} of {count} examples would leave a split empty")
    order = np.random.default_rng(how.split_seed).permutation(count)
    parts, first = {}, 0
    for role, size in sizes.items():
        rows = np.sort(order[first : first + size])
        parts[role], first = (inputs[rows], labels[rows]), first + size
    rows = np.sort(order[first:])
    return {"training": (inputs[rows], labels[rows]), **parts}


def _inputs(inputs: Mapping[str, np.ndarray], how: Splitting, source: str) -> dict[str, np.ndarray]:
    """Images of bytes stay as they are, to be of [0, 1] in the end; all else becomes float32."""
    if all(each.dtype == np.uint8 and each.ndim > 2 for each in inputs.values()):
        told = {role: np.ascontiguousarray(each) for role, each in inputs.items()}
        varies = np.ptp(told["training"]) > 0
    else:
        told = _as_float32("x", inputs, how, source)
        varies = told["training"].any()
    if not varies:
        raise DataError(
            f"{source}: all training inputs are 0 or, before they were standardised, the same; "
            "give features in which examples differ"
        )
    return told


def _as_float32(
    letter: str, arrays: Mapping[str, np.ndarray], how: Splitting, source: str
) -> dict[str, np.ndarray]:
    """Standardised where that is wanted, and only then rounded."""
    exact = {role: each.astype(np.float64) for role, each in arrays.items()}
    if how.standardise:
        axes = exact["training"].ndim
        is_grey = axes == 3 and how.standardise != "channels"
        exact = _standardised(letter, exact, source, over=axes if is_grey else max(1, axes - 1))
    rounded = {}
    for role, each in exact.items():
        with np.errstate(over="ignore"):
            rounded[role] = each.astype(np.float32)
        if (beyond := ~np.isfinite(rounded[role])).any():
            raise DataError(
                f"{source}: {letter} of the {role} split has {int(beyond.sum()):,} values beyond "
                f"float32, such as {each[beyond][0]:.3g}; scale them down to 1e38 at most, or "
                "leave the rows out"
            )
    return rounded


def _standardised(
    letter: str, arrays: Mapping[str, np.ndarray], source: str, *, over: int
) -> dict[str, np.ndarray]:
    """Mean 0 and standard deviation 1 over training; what does not vary there becomes 0.

    Taken over so many axes, the first ones: the others tell one feature from another.
    """
    training = arrays["training"]
    axes = tuple(range(over))
    largest = np.abs(training).max(axis=axes)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = training.mean(axis=axes), training.std(axis=axes)
        if not np.isfinite(deviation).all():
            raise DataError(
                f"{source}: values of {letter} up to {largest.max():.3g} are too large to "
                "be standardised; scale them down to 1e38 at most"
            )
        # Beside its own values, whatever their unit: what is left is rounding.
        divisor = np.where(deviation > 1e-12 * largest, deviation, np.inf)
        return {role: (each - mean) / divisor for role, each in arrays.items()}


def _labels(labels: Mapping[str, np.ndarray], how: Splitting, source: str) -> dict[str, np.ndarray]:
    training = labels["training"]
    for role, each in labels.items():
        if (each.dtype.kind == "U") != (training.dtype.kind == "U"):
            raise DataError(
                f"{source}: {role} labels are {_kind(each)}, training labels {_kind(training)}; "
                "make all of them the one or the other"
            )
    are_numbers = how.targets == "numbers" or (how.targets is None and training.dtype.kind == "f")
    if are_numbers:
        return _numbers(labels, how, source)
    if training.dtype.kind == "U":
        labels = _numbered(labels, source)
    return _classes(labels, how, source)


def _kind(labels: np.ndarray) -> str:
    return "texts" if labels.dtype.kind == "U" else "numbers"


def _numbers(
    labels: Mapping[str, np.ndarray], how: Splitting, source: str
) -> dict[str, np.ndarray]:
    if labels["training"].dtype.kind == "U":
        raise DataError(f"{source}: targets are texts, which cannot be taken for numbers")
    rows = {role: each.reshape(len(each), -1) for role, each in labels.items()}
    _check_shapes(rows, source)
    if np.ptp(rows["training"], axis=0).max(initial=0) == 0:
        raise DataError(
            f"{source}: all training targets are alike, so there is nothing to learn; give targets "
            "that vary"
        )
    return _as_float32("y", rows, how, source)


def _check_shapes(labels: Mapping[str, np.ndarray], source: str) -> None:
    wanted = labels["training"].shape[1:]
    for role, each in labels.items():
        if each.shape[1:] != wanted:
            raise DataError(
                f"{source}: {role} labels have the shape {list(each.shape[1:])} for each example, "
                f"training labels {list(wanted)}"
            )


def _numbered(labels: Mapping[str, np.ndarray], source: str) -> dict[str, np.ndarray]:
    """Numbers for texts, in the order of the alphabet."""
    names = np.unique(labels["training"])
    for role, each in labels.items():
        if strange := sorted(set(each.ravel().tolist()) - set(names.tolist())):
            raise DataError(
                f"{source}: the {role} label {strange[0]!r} does not occur among training examples"
            )
    return {role: np.searchsorted(names, each) for role, each in labels.items()}


def _classes(
    labels: Mapping[str, np.ndarray], how: Splitting, source: str
) -> dict[str, np.ndarray]:
    numbered = {}
    for role, each in labels.items():
        flat = each.reshape(len(each)) if each.size == len(each) else each
        if np.any(flat != np.floor(flat)):
            raise DataError(
                f"{source}: {role} labels are no whole numbers; with "
                'targets = "numbers" they are learnt by regression'
            )
        numbered[role] = flat.astype(np.int64)
    _check_shapes(numbered, source)
    classes = how.classes or int(numbered["training"].max()) + 1
    unsaid = "; labels begin at 0, and for data of your own `classes` says how many there are"
    hint = unsaid if how.classes is None else ""
    if np.ptp(numbered["training"]) == 0:
        raise DataError(
            f"{source}: all training labels are {numbered['training'].flat[0]}, so there is "
            "nothing to tell apart; give examples of two classes at least"
        )
    for role, each in numbered.items():
        beyond = each[(each < 0) | (each >= classes)]
        if len(beyond):
            raise DataError(
                f"{source}: the {role} label {beyond[0]} is beyond the classes, which are 0 to "
                f"{classes - 1}{hint}"
            )
    if not 2 <= classes <= _MOST_CLASSES:
        raise DataError(
            f"{source}: there are {classes:,} classes; 2 to {_MOST_CLASSES:,} can be told apart, "
            'and with targets = "numbers" labels are learnt by regression'
        )
    return {role: each.astype(np.int32) for role, each in numbered.items()}
