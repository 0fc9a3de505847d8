"""For any data that a task can name: where they are cached, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evaluators.datasets import generated, own, tfds_any
from evaluators.datasets.array_cache import Split
from evaluators.datasets.array_files import NamedArrays
from evaluators.datasets.builtin import ContentsError, row_of
from evaluators.datasets.data import (
    ArrayFile,
    Builtin,
    Data,
    FunctionData,
    Given,
    ModularAddition,
    OfObjective,
    Tfds,
)
from evaluators.datasets.tfds_images import DatasetDamaged, Locations


@dataclass(frozen=True)
class Loadable:
    """What loading needs to know of data.

    Attributes:
        key: Name of the folder in the array cache.
        source: As in `Dataset`.
        build: Makes "training", "validation" and "test".
        fingerprint: Of these, where they are published.
        classes: As in `Dataset`; None where the training labels say it. Targets that are numbers
            have none, whatever stands here.
        scale: As in `Dataset`; None where the type of the inputs says it.
    """

    key: str
    source: str
    build: Callable[[Locations], Mapping[str, Split]]
    fingerprint: str | None = None
    classes: int | None = None
    scale: float | None = None


def entry_of(data: Data, arrays: NamedArrays | None = None) -> Loadable:
    """What loading needs to know.

    Args:
        data: With the SHA-256 of their contents where they are a user's own.
        arrays: Of a user's own data, where they are at hand.

    Raises:
        UnknownDatasetError: If there is no data set of that name.
    """
    match data:
        case Builtin():
            return _of_table(data)
        case ModularAddition():
            return Loadable(
                key=f"addition-{data.modular_addition}-{data.training:g}-{data.split_seed}",
                source=f"All pairs of numbers modulo {data.modular_addition} with their sum",
                build=lambda locations: generated.modular_addition(data),
                classes=data.modular_addition,
                scale=1.0,
            )
        case OfObjective():
            raise ValueError(f"{data.name} has whatever it needs; there is nothing to load")
        case Tfds():
            return Loadable(
                key=tfds_any.key(data),
                source=f"{data.tfds}, through TensorFlow Datasets",
                build=lambda locations: tfds_any.build(data, locations),
            )
        case ArrayFile() | FunctionData() | Given():
            return Loadable(
                key=own.key(data),
                source=own.source_of(data),
                build=lambda locations: own.build(data, arrays),
                classes=data.classes,
            )


def _of_table(data: Builtin) -> Loadable:
    row = row_of(data.builtin)

    def build(locations: Locations) -> Mapping[str, Split]:
        try:
            splits = row.build(data.builtin, locations)
            row.check(splits)
        except ContentsError as error:
            raise DatasetDamaged(
                f"what was read as {data.builtin} is not the published data set: {error}; "
                f"if TFDS prepared it, delete {locations.data_dir / data.builtin} and "
                f"{locations.data_dir / 'downloads' / data.builtin}, then run again"
            ) from error
        return splits

    classes = 0 if data.targets == "numbers" else row.classes
    return Loadable(data.builtin, row.source, build, row.fingerprint, classes, row.scale)
