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
    told = _inputs({role: part[0] for role, part in parts.items()}, how)
    asked = _labels({role: part[1] for role, part in parts.items()}, how, source)
    return {role: Split(told[role], asked[role]) for role in _ROLES}


def _checked(name: str, array: np.ndarray, source: str) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind not in ("fiubU" if name.startswith("y") else "fiub"):
        raise DataError(f"{source}: {name} holds {array.dtype}, and should hold numbers")
    if array.ndim == 0:
        raise DataError(f"{source}: {name} is a single value, and should have one row an example")
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
    if {"x", "y"} <= arrays.keys():
        whole = (arrays["x"], arrays["y"])
        if len(whole[0]) != len(whole[1]):
            raise DataError(f"{source}: x has {len(whole[0]):,} rows and y has {len(whole[1]):,}")
        shares = {"validation": how.validation, "test": how.test}
        return _drawn(whole, shares, how, source)
    given = {
        role: (arrays[f"x_{name}"], arrays[f"y_{name}"])
        for role, name in _GIVEN.items()
        if {f"x_{name}", f"y_{name}"} <= arrays.keys()
    }
    if not {"training", "test"} <= given.keys():
        raise DataError(
            f"{source} has {', '.join(arrays) or 'no arrays of these names'}; it needs x and y, or "
            "x_train, y_train, x_test, y_test and perhaps x_validation, y_validation"
        )
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


def _inputs(inputs: Mapping[str, np.ndarray], how: Splitting) -> dict[str, np.ndarray]:
    """Bytes stay as they are, images of [0, 1] in the end; all else becomes float32."""
    if all(each.dtype == np.uint8 for each in inputs.values()):
        return {role: np.ascontiguousarray(each) for role, each in inputs.items()}
    floats = {role: each.astype(np.float64) for role, each in inputs.items()}
    if how.standardise:
        # A feature is a column of a table, or a channel of images.
        training = floats["training"]
        axes = tuple(range(training.ndim if training.ndim == 3 else max(1, training.ndim - 1)))
        floats = _standardised(floats, axes)
    return {role: each.astype(np.float32) for role, each in floats.items()}


def _standardised(arrays: Mapping[str, np.ndarray], axes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Mean 0 and standard deviation 1 over training; what does not vary there becomes 0."""
    training = arrays["training"]
    mean, deviation = training.mean(axis=axes), training.std(axis=axes)
    divisor = np.where(deviation > 1e-12 * np.maximum(1.0, np.abs(mean)), deviation, np.inf)
    return {role: (each - mean) / divisor for role, each in arrays.items()}


def _labels(labels: Mapping[str, np.ndarray], how: Splitting, source: str) -> dict[str, np.ndarray]:
    training = labels["training"]
    are_numbers = how.targets == "numbers" or (how.targets is None and training.dtype.kind == "f")
    if are_numbers:
        return _numbers(labels, how, source)
    if training.dtype.kind == "U":
        labels = _numbered(labels, source)
    return _classes(labels, how, source)


def _numbers(
    labels: Mapping[str, np.ndarray], how: Splitting, source: str
) -> dict[str, np.ndarray]:
    if labels["training"].dtype.kind == "U":
        raise DataError(f"{source}: targets are texts, which cannot be taken for numbers")
    floats = {role: each.astype(np.float64).reshape(len(each), -1) for role, each in labels.items()}
    if how.standardise:
        floats = _standardised(floats, (0,))
    return {role: each.astype(np.float32) for role, each in floats.items()}


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
        if (places := flat.shape[1:]) != (wanted := numbered["training"].shape[1:]):
            raise DataError(
                f"{source}: {role} labels have the shape {list(places)} for each example, training "
                f"labels {list(wanted)}"
            )
    classes = how.classes or int(numbered["training"].max()) + 1
    for role, each in numbered.items():
        beyond = each[(each < 0) | (each >= classes)]
        if len(beyond):
            raise DataError(
                f"{source}: the {role} label {beyond[0]} is beyond the classes, which are 0 to "
                f"{classes - 1}"
            )
    if not 2 <= classes <= _MOST_CLASSES:
        raise DataError(
            f"{source}: there are {classes:,} classes; 2 to {_MOST_CLASSES:,} can be told apart, "
            'and with targets = "numbers" labels are learnt by regression'
        )
    return {role: each.astype(np.int32) for role, each in numbered.items()}
