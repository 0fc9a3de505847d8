"""Loading a task's data: from the array cache, else from wherever they can be made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluators.datasets import own
from evaluators.datasets.array_cache import CacheError, Split, cached
from evaluators.datasets.array_files import NamedArrays
from evaluators.datasets.data import Builtin, Data, Given, OfObjective, Own, Tfds
from evaluators.datasets.entries import Loadable, entry_of
from evaluators.datasets.tfds_images import DatasetDamaged, DatasetUnavailable, Locations
from evaluators.reading.files import cache_root

# Part of every cached path: a new rule for splitting gets a new number, and so new arrays.
_LAYOUT = "datasets-1"

_NOTHING = Split(np.zeros((0, 1), np.float32), np.zeros(0, np.float32))

_ROLES = ("training", "validation", "test")


@dataclass(frozen=True, eq=False)  # arrays have no one truth value to be equal by
class Dataset:
    """What training and validation see of a data set. Its test split is apart, in `load_test`.

    Attributes:
        name: the data set that was in fact loaded.
        training: examples to train on.
        validation: examples to compare candidates on.
        classes: the number of labels, which are 0 to classes - 1; 0 where targets are numbers.
        scale: inputs * scale is what a network should be given; it brings images to [0, 1].
        source: one sentence for people: whose data this is, and how it came here.
        fallback_for: the data set that was asked for, where this one takes its place.
        data: what was loaded, with the SHA-256 of its contents where it is a user's own.
    """

    name: str
    training: Split
    validation: Split
    classes: int
    scale: float
    source: str
    fallback_for: str | None = None
    data: Data | None = None


def load(
    data: Data | str,
    *,
    fallback: str | None = None,
    manual_dir: Path | None = None,
    data_dir: Path | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Dataset:
    """Loads the training and validation examples of a data set; never opens its test split.

    Args:
        data: what a task trains on; a text is a key of `TABLE`, or "tfds:NAME".
        fallback: the data set of `TABLE` to load instead if these cannot be found; announced, and
            told by `Dataset.fallback_for`. Without it nothing ever takes their place.
        manual_dir: a folder with the raw files; else the environment's ACTSEARCH_MANUAL_DIR.
        data_dir: TFDS's folder; else the environment's TFDS_DATA_DIR, else TFDS's own default.
        announce: told, in sentences, of every step that takes seconds.

    Returns:
        The data set, memory-mapped read-only.

    Raises:
        UnknownDatasetError: no such name.
        DatasetUnavailable: the data set cannot be found anywhere, nor the cache be written.
        DatasetDamaged: what was found is not the published data set.
        DataError: a user's own data cannot be used.
        UserCodeError: a user's function that makes data fails.
    """
    data = named(data)
    if fallback is not None:
        entry_of(Builtin(fallback))  # a misspelt one should not wait until it is needed
    locations = Locations.from_environment(
        manual_dir=manual_dir, data_dir=data_dir, announce=announce
    )
    try:
        return _load(data, locations)
    except DatasetDamaged:
        raise  # data that is wrong wants mending; only data that is missing may be replaced
    except DatasetUnavailable as error:
        if fallback is None:
            raise
        announce(
            f"{error}\nSo {fallback} takes its place, as asked: no result of this can be compared "
            f"with a result on {data.name}."
        )
        return replace(_load(Builtin(fallback), locations), fallback_for=data.name)


def load_test(data: Data | str) -> Split:
    """Loads the untouched test split of a data set: for the finals, and for nothing before them.

    Args:
        data: what a task trains on; a text is a key of `TABLE`, or "tfds:NAME".

    Returns:
        The test examples, memory-mapped read-only.

    Raises: as `load`.
    """
    data = named(data)
    # Targets may be scaled by what the training split says of them.
    locations = Locations.from_environment(announce=lambda _: None)
    return _as_asked(_splits(data, ("training", "test"), locations), data)["test"]


def prepare(
    data: Data | str,
    *,
    manual_dir: Path | None = None,
    data_dir: Path | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Dataset:
    """Gets a data set ready, its test split included, so that later loads need nothing but us.

    Args, returns and raises as `load`, without a fallback.
    """
    data = named(data)
    locations = Locations.from_environment(
        manual_dir=manual_dir, data_dir=data_dir, announce=announce
    )
    dataset = _load(data, locations)
    test = _splits(data, ("test",), locations)["test"]
    announce(
        f"{data.name} is ready in {_folder(data)}: {len(dataset.training.labels):,} training, "
        f"{len(dataset.validation.labels):,} validation and {len(test.labels):,} test examples"
    )
    return dataset


def load_all(data: Data) -> dict[str, Split]:
    """Every split of a data set, to be taken to another machine by `install`; for nothing else.

    Args, returns and raises as `load_test`, for all splits by name.
    """
    return _splits(data, _ROLES, Locations.from_environment(announce=lambda _: None))


def install(data: Data, splits: Mapping[str, Split]) -> None:
    """Puts what `load_all` gave on another machine into this one's array cache, if it has none.

    Raises:
        DatasetDamaged: something else arrived than the published data set.
        UnknownDatasetError, DatasetUnavailable: as for `load`.
    """
    locations = Locations.from_environment(announce=lambda _: None)
    _splits(data, tuple(splits), locations, build=lambda: splits)


def given(arrays: NamedArrays, data: Given) -> Given:
    """Keeps arrays that a script has given in the array cache, and says under which contents.

    Raises: as `load`.
    """
    data = replace(data, contents=own.contents_of(arrays))
    locations = Locations.from_environment(announce=lambda _: None)
    _splits(data, _ROLES, locations, build=lambda: own.build(data, arrays))
    return data


def named(data: Data | str) -> Data:
    """The data of a name, such as "mnist" or "tfds:cifar10"."""
    if not isinstance(data, str):
        return data
    kind, colon, name = data.partition(":")
    return Tfds(tfds=name) if colon and kind == "tfds" else Builtin(data)


def _load(data: Data, locations: Locations) -> Dataset:
    arrays: NamedArrays | None = None
    if isinstance(data, OfObjective):
        return Dataset(data.name, _NOTHING, _NOTHING, 0, 1.0, data.name, data=data)
    if isinstance(data, Own):
        data, arrays = own.resolved(data)
    entry = entry_of(data, arrays)
    splits = _as_asked(_splits(data, ("training", "validation"), locations, entry=entry), data)
    return Dataset(
        name=data.name,
        training=splits["training"],
        validation=splits["validation"],
        classes=_classes(splits["training"].labels, entry.classes),
        scale=_scale(splits["training"].inputs) if entry.scale is None else entry.scale,
        source=entry.source,
        data=data,
    )


def _as_asked(splits: Mapping[str, Split], data: Data) -> dict[str, Split]:
    """Classes as numbers where a task asks for that, in units of the training split's deviation."""
    if not isinstance(data, Builtin) or data.targets == "classes":
        return dict(splits)
    training = splits["training"].labels
    if training.dtype.kind == "f":
        return dict(splits)  # they are numbers already
    mean, deviation = training.mean(dtype=np.float64), training.std(dtype=np.float64)
    return {
        role: Split(split.inputs, ((split.labels - mean) / deviation).astype(np.float32)[:, None])
        for role, split in splits.items()
    }


def _classes(labels: np.ndarray, told: int | None) -> int:
    if labels.dtype.kind == "f":
        return 0
    return int(labels.max()) + 1 if told is None else told


def _scale(inputs: np.ndarray) -> float:
    return 1 / 255 if inputs.dtype == np.uint8 else 1.0


def _folder(data: Data) -> Path:
    return cache_root() / _LAYOUT / entry_of(data).key


def _splits(
    data: Data,
    wanted: Sequence[str],
    locations: Locations,
    *,
    entry: Loadable | None = None,
    build: Callable[[], Mapping[str, Split]] | None = None,
) -> dict[str, Split]:
    if isinstance(data, OfObjective):
        return dict.fromkeys(wanted, _NOTHING)
    entry = entry or entry_of(data)
    try:
        return cached(
            cache_root() / _LAYOUT / entry.key,
            wanted,
            build=build or (lambda: entry.build(locations)),
            expected_fingerprint=entry.fingerprint,
            announce=locations.announce,
        )
    except CacheError as error:
        raise DatasetDamaged(str(error)) from error
    except OSError as error:
        raise DatasetUnavailable(
            f"{data.name} cannot be kept on disk ({error}); XDG_CACHE_HOME and TFDS_DATA_DIR name "
            f"the folders, now {cache_root()} and {locations.data_dir}"
        ) from error
