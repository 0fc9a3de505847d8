"""MNIST and Fashion-MNIST through TensorFlow Datasets, without TensorFlow.

The stock builders need TensorFlow to unpack, to write
and to encode images; `_builder` replaces those parts and keeps the name, version and features,
so that what either has prepared (as array_record) the other can read.
"""

import contextlib
import io
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluators.datasets import idx, tfds_download
from evaluators.datasets.array_cache import Split
from evaluators.reading.files import cache_root

BUILDERS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}
"""Class name in tensorflow_datasets.image_classification, by data set."""

# The one file format that TFDS reads and writes whole without TensorFlow: its parquet writer
# loses rows.
FILE_FORMAT = "array_record"

# Of one split; MNIST's kin have 60,000. More is no such data set, and could fill the memory.
_MOST_EXAMPLES = 100_000


class DatasetUnavailable(Exception):  # noqa: N818 - says what the data set is
    """A data set could not be found anywhere; the message names the ways to get it."""


class DatasetDamaged(DatasetUnavailable):
    """Something was found, but is not the published data set; the message names what and where."""


class _AbsentError(Exception):
    """One way to a data set is closed; the message says why, the search goes on."""


@dataclass(frozen=True)
class Locations:
    """Where a data set may be found, and whom to tell about the search.

    Attributes:
        data_dir: the folder in which TFDS keeps prepared data sets.
        manual_dir: a folder with the four raw files, or with a folder of them for each data set.
        announce: told, in sentences, of every step that takes seconds.
    """

    data_dir: Path
    manual_dir: Path | None
    announce: Callable[[str], None]

    @classmethod
    def from_environment(
        cls,
        *,
        data_dir: Path | None = None,
        manual_dir: Path | None = None,
        announce: Callable[[str], None],
    ) -> "Locations":
        """Takes what is None from TFDS_DATA_DIR, else TFDS's default, and ACTSEARCH_MANUAL_DIR."""
        default_data_dir = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
        default_manual_dir = os.environ.get("ACTSEARCH_MANUAL_DIR")
        if manual_dir is None and default_manual_dir:
            manual_dir = Path(default_manual_dir)
        return cls(
            data_dir=(data_dir or Path(default_data_dir)).expanduser(),
            manual_dir=manual_dir and manual_dir.expanduser(),
            announce=announce,
        )


def read_splits(name: str, locations: Locations) -> tuple[Split, Split]:
    """Reads a data set through TFDS, preparing it first if need be.

    Args:
        name: a key of `BUILDERS`.
        locations: where to look.

    Returns:
        The training and the test examples, in the order of TFDS's files: inputs [n, 28, 28]
        uint8, labels [n] int32.

    Raises:
        DatasetUnavailable: there is no prepared data, no raw files and no network.
        DatasetDamaged: a raw file is not the published one, or prepared data cannot be decoded.
    """
    reasons = []
    for way in (_prepared_before, _from_raw_files, _from_network):
        try:
            return way(name, locations)
        except _AbsentError as reason:
            reasons.append(str(reason))
    raise DatasetUnavailable(_three_ways_out(name, reasons))


def _three_ways_out(name: str, reasons: list[str]) -> str:
    prepared, raw, network = reasons
    return (
        f"{name} is not at hand; there are three ways to get it:\n"
        f"  1. Data prepared by TFDS: set TFDS_DATA_DIR to the folder that holds {name}/.\n"
        f"     Now: {prepared}.\n"
        f"  2. The raw files {', '.join(idx.ALL_FILES)} in a folder DIR/{name}: "
        "give --manual-dir DIR or set ACTSEARCH_MANUAL_DIR=DIR.\n"
        f"     Now: {raw}.\n"
        "  3. A network: run again where the files can be downloaded.\n"
        f"     Now: {network}."
    )


def _prepared_before(name: str, locations: Locations) -> tuple[Split, Split]:
    folder = locations.data_dir / name
    if not folder.is_dir():
        raise _AbsentError(f"there is no folder {folder}")
    builder = _builder(name, locations.data_dir)
    if not _is_prepared(builder):
        raise _AbsentError(f"{folder} does not hold version {builder.version}")
    if builder.info.file_format.value != FILE_FORMAT:
        raise _AbsentError(
            f"{folder} was prepared as {builder.info.file_format.value}; "
            f"without TensorFlow only {FILE_FORMAT} can be read"
        )
    return _read(builder, locations)


def _from_raw_files(name: str, locations: Locations) -> tuple[Split, Split]:
    if locations.manual_dir is None:
        raise _AbsentError("no such folder was given")
    folder = idx.find_folder(locations.manual_dir, name)
    if folder is None:
        raise _AbsentError(
            f"neither {locations.manual_dir / name} nor {locations.manual_dir} has all four files"
        )
    try:
        idx.check_files(folder, _published_sha256(name))
    except idx.IdxError as error:
        raise DatasetDamaged(f"{name} cannot be made from raw files: {error}") from error
    return _prepare(name, locations, manual_dir=folder)


def _from_network(name: str, locations: Locations) -> tuple[Split, Split]:
    base = _stock(name).URL
    locations.announce(f"downloading {name} from {base} (one minute at most)")
    try:
        tfds_download.download(
            name,
            [base + file for file in idx.ALL_FILES],
            _writable_data_dir(name, locations) / "downloads",
        )
    except tfds_download.DownloadError as error:
        raise _AbsentError(str(error)) from error
    return _prepare(name, locations)


def _prepare(
    name: str, locations: Locations, *, manual_dir: Path | None = None
) -> tuple[Split, Split]:
    import tensorflow_datasets as tfds

    data_dir = _writable_data_dir(name, locations)
    locations.announce(
        f"preparing {name} with TFDS in {data_dir} from "
        f"{manual_dir or 'the downloaded files'}; this takes up to a minute, once"
    )
    builder = _builder(name, data_dir)
    config = tfds.download.DownloadConfig(manual_dir=manual_dir, try_download_gcs=False)
    with quiet():
        builder.download_and_prepare(file_format=FILE_FORMAT, download_config=config)
    return _read(builder, locations)


def _writable_data_dir(name: str, locations: Locations) -> Path:
    """TFDS's folder, or one of our own where TFDS's holds a form of `name` that we cannot read."""
    if _is_prepared(_builder(name, locations.data_dir)):
        return cache_root() / "tensorflow_datasets"
    return locations.data_dir


def _read(builder: Any, locations: Locations) -> tuple[Split, Split]:
    locations.announce(f"reading {builder.name} from {builder.data_path}")
    try:
        with quiet():
            return _read_split(builder, "train"), _read_split(builder, "test")
    except Exception as error:  # whatever a decoder of records, protocol buffers or PNG may raise
        raise DatasetDamaged(
            f"the data that TFDS prepared in {builder.data_path} cannot be read "
            f"({type(error).__name__}: {error}); delete that folder and run again"
        ) from error


def _read_split(builder: Any, split: str) -> Split:
    source = builder.as_data_source(split=split)
    if (count := len(source)) > _MOST_EXAMPLES:
        raise ValueError(f"{split} has {count:,} examples; at most {_MOST_EXAMPLES:,} are read")
    examples = source.__getitems__(range(len(source)))  # far faster than one by one
    return Split(
        inputs=np.stack([example["image"][..., 0] for example in examples]),
        labels=np.array([example["label"] for example in examples], dtype=np.int32),
    )


def _stock(name: str) -> Any:
    """The class that TFDS itself builds `name` with."""
    import tensorflow_datasets as tfds

    return getattr(tfds.image_classification, BUILDERS[name])


def _builder(dataset: str, data_dir: Path) -> Any:
    """TFDS's builder of `dataset`, able to prepare it without TensorFlow."""

    class Builder(_stock(dataset), skip_registration=True):  # type: ignore[misc,call-arg]
        """Reads the IDX files with NumPy and writes the images with Pillow."""

        name = dataset

        def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[Any]]:
            # Not download_and_extract: its cache goes by file name, which all of MNIST's kin share.
            paths = dl_manager.download({file: self.URL + file for file in idx.ALL_FILES})
            return {
                split: self._generate_examples(paths[images], paths[labels])
                for split, (images, labels) in idx.FILES.items()
            }

        def _generate_examples(self, images: Any, labels: Any) -> Iterator[Any]:
            pairs = zip(
                idx.read_arrays(Path(images), axes=3),
                idx.read_arrays(Path(labels), axes=1),
                strict=True,
            )
            for key, (image, label) in enumerate(pairs):
                yield key, {"image": as_png(image), "label": int(label)}

    with quiet():
        return Builder(data_dir=data_dir)


def _is_prepared(builder: Any) -> bool:
    with quiet():  # on a folder that it only just made TFDS's reader has a warning
        return bool(builder.is_prepared())


def as_png(image: np.ndarray) -> io.BytesIO:
    """An image [height, width] or [height, width, 3] as a PNG file in memory."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, format="png")
    file.seek(0)
    return file


def _published_sha256(name: str) -> dict[str, str]:
    """The checksums that TFDS has registered for the files of `name`, by file name."""
    stock = _stock(name)
    return {file: stock.url_infos[stock.URL + file].checksum for file in idx.ALL_FILES}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps TFDS's prints, progress bars and log lines from people, who get our sentences."""
    absl_logger = logging.getLogger("absl")
    level, root_handlers = absl_logger.level, logging.root.handlers[:]
    absl_logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        absl_logger.setLevel(level)
        # absl configures the root logger by the way, and would bind it to the stream above.
        logging.root.handlers[:] = root_handlers
