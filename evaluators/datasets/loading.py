"""Loading a data set by name: from the array cache, else from wherever it can be made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluators.datasets.array_cache import CacheError, Split, cache_root, cached
from evaluators.datasets.data import Builtin, Data
from evaluators.datasets.table import ContentsError, entry_of
from evaluators.datasets.tfds_images import DatasetDamaged, DatasetUnavailable, Places

# Part of every cached path: a new rule for splitting gets a new number, and so new arrays.
_LAYOUT = "datasets-1"


@dataclass(frozen=True, eq=False)  # arrays have no one truth value to be equal by
class Dataset:
    """What training and validation see of a data set. Its test split is apart, in `load_test`.

    Attributes:
        name: the data set that was in fact loaded.
        training: examples to train on.
        validation: examples to compare candidates on.
        classes: the number of labels, which are 0 to classes - 1.
        scale: inputs * scale is what a network should be given; it brings images to [0, 1].
        source: one sentence for people: whose data this is, and how it came here.
        fallback_for: the data set that was asked for, where this one takes its place.
    """

    name: str
    training: Split
    validation: Split
    classes: int
    scale: float
    source: str
    fallback_for: str | None = None


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
        data: what a task trains on; a text is a key of `TABLE`.
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
    """
    name = _named(data)
    entry_of(fallback or name)  # a misspelt fallback should not wait until it is needed
    places = Places.from_environment(manual_dir=manual_dir, data_dir=data_dir, announce=announce)
    try:
        return _load(name, places)
    except DatasetDamaged:
        raise  # data that is wrong wants mending; only data that is missing may be replaced
    except DatasetUnavailable as error:
        if fallback is None:
            raise
        announce(
            f"{error}\nSo {fallback} takes its place, as asked: no result of this can be compared "
            f"with a result on {name}."
        )
        return replace(_load(fallback, places), fallback_for=name)


def load_test(data: Data | str) -> Split:
    """Loads the untouched test split of a data set: for the finals, and for nothing before them.

    Args:
        data: what a task trains on; a text is a key of `TABLE`.

    Returns:
        The test examples, memory-mapped read-only.

    Raises:
        UnknownDatasetError, DatasetUnavailable, DatasetDamaged: as for `load`.
    """
    places = Places.from_environment(announce=lambda _: None)
    return _splits(_named(data), ("test",), places)["test"]


def prepare(
    name: str,
    *,
    manual_dir: Path | None = None,
    data_dir: Path | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Dataset:
    """Gets a data set ready, its test split included, so that later loads need nothing but us.

    Args, returns and raises as `load`, without a fallback.
    """
    places = Places.from_environment(manual_dir=manual_dir, data_dir=data_dir, announce=announce)
    dataset = _load(name, places)
    test = _splits(name, ("test",), places)["test"]
    announce(
        f"{name} is ready in {_folder(name)}: {len(dataset.training.labels):,} training, "
        f"{len(dataset.validation.labels):,} validation and {len(test.labels):,} test examples"
    )
    return dataset


def load_all(data: Data) -> dict[str, Split]:
    """Every split of a data set, to be taken to another machine by `install`; for nothing else.

    Args, returns and raises as `load_test`, for all splits by name.
    """
    everything = ("training", "validation", "test")
    return _splits(data.name, everything, Places.from_environment(announce=lambda _: None))


def install(data: Data, splits: Mapping[str, Split]) -> None:
    """Puts what `load_all` gave on another machine into this one's array cache, if it has none.

    Raises:
        DatasetDamaged: something else arrived than the published data set.
        UnknownDatasetError, DatasetUnavailable: as for `load`.
    """
    places = Places.from_environment(announce=lambda _: None)
    _splits(data.name, tuple(splits), places, build=lambda: splits)


def _named(data: Data | str) -> str:
    return (Builtin(data) if isinstance(data, str) else data).builtin


def _load(name: str, places: Places) -> Dataset:
    entry = entry_of(name)
    splits = _splits(name, ("training", "validation"), places)
    return Dataset(
        name=name,
        training=splits["training"],
        validation=splits["validation"],
        classes=entry.classes,
        scale=entry.scale,
        source=entry.source,
    )


def _folder(name: str) -> Path:
    return cache_root() / _LAYOUT / name


def _splits(
    name: str,
    wanted: Sequence[str],
    places: Places,
    *,
    build: Callable[[], Mapping[str, Split]] | None = None,
) -> dict[str, Split]:
    try:
        return cached(
            _folder(name),
            wanted,
            build=build or (lambda: _build(name, places)),
            expected_fingerprint=entry_of(name).fingerprint,
            announce=places.announce,
        )
    except CacheError as error:
        raise DatasetDamaged(str(error)) from error
    except OSError as error:
        raise DatasetUnavailable(
            f"{name} cannot be kept on disk ({error}); XDG_CACHE_HOME and TFDS_DATA_DIR name the "
            f"folders, now {cache_root()} and {places.data_dir}"
        ) from error


def _build(name: str, places: Places) -> dict[str, Split]:
    """Makes the splits of a data set, and refuses those that are not the published ones."""
    entry = entry_of(name)
    try:
        splits = entry.build(name, places)
        entry.check(splits)
    except ContentsError as error:
        raise DatasetDamaged(
            f"what was read as {name} is not the published data set: {error}; "
            f"if TFDS prepared it, delete {places.data_dir / name} and "
            f"{places.data_dir / 'downloads' / name}, then run again"
        ) from error
    return splits
