"""Any image classification set of TensorFlow Datasets, without TensorFlow."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import numpy as np

from evaluators.datasets.array_cache import Split
from evaluators.datasets.array_files import DataError
from evaluators.datasets.data import Splitting, Tfds
from evaluators.datasets.splitting import split_arrays
from evaluators.datasets.tfds_download import child_environment, give_up, reach
from evaluators.datasets.tfds_images import (
    FILE_FORMAT,
    DatasetDamaged,
    DatasetUnavailable,
    Locations,
    as_png,
    quiet,
)
from evaluators.reading.files import cache_root

_CHILD: Final = "import sys; from evaluators.datasets.tfds_any import child; child(*sys.argv[1:])"
_REACH_SECONDS: Final = 10
_PREPARING_SECONDS: Final = 3_600.0

# What TFDS's own modules use of TensorFlow where they read files.
_FILES_ONLY: Final = SimpleNamespace(
    compat=SimpleNamespace(as_text=str),
    io=SimpleNamespace(
        gfile=SimpleNamespace(
            GFile=open,
            exists=os.path.exists,
            glob=glob.glob,
            isdir=os.path.isdir,
            listdir=os.listdir,
            makedirs=partial(os.makedirs, exist_ok=True),
        )
    ),
)

# All of a set's images are in memory while its cache is made.
_MOST_BYTES: Final = 4 << 30
_VALIDATION: Final = 0.1
_TEST: Final = 0.15


def key(data: Tfds) -> str:
    """Name of the folder in which the data are cached."""
    return f"tfds-{re.sub(r'[^A-Za-z0-9_.-]', '-', data.tfds)}-{data.split_seed}"


def build(data: Tfds, locations: Locations) -> Mapping[str, Split]:
    """Reads a set that is prepared, or else has TFDS download and prepare it.

    The set's own test split is for testing; where it has none its validation split, and where it
    has neither, a share that is drawn. A tenth of the training examples validates unless the set
    has a split for that as well.

    Raises:
        DatasetUnavailable: If it is not prepared and cannot be downloaded, or is none of images of
            one size with one label each.
        DatasetDamaged: If what TFDS prepared cannot be read.
    """
    builder = _prepared(data.tfds, locations) or _downloaded(data.tfds, locations)
    image, label = _features(builder, data.tfds)
    locations.announce(f"reading {data.tfds} from {builder.data_path}")
    try:
        with quiet():
            read = {n: _read(builder, n, image, label) for n in _names(builder, data.tfds)}
    except DatasetUnavailable:
        raise
    except Exception as error:  # whatever a decoder of records, protocol buffers or PNG may raise
        raise DatasetDamaged(
            f"the data that TFDS prepared in {builder.data_path} cannot be read "
            f"({type(error).__name__}: {error}); delete that folder and run again"
        ) from error
    how = Splitting(
        targets="classes", validation=_VALIDATION, test=_TEST, split_seed=data.split_seed
    )
    try:
        return split_arrays(_arranged(read), how, source=data.name)
    except DataError as error:
        raise DatasetUnavailable(str(error)) from error


def _prepared(name: str, locations: Locations) -> Any:
    """A builder of what was prepared before; None where nothing was."""
    from tensorflow_datasets.core import read_only_builder

    for folder in (locations.data_dir, cache_root() / "tensorflow_datasets"):
        with contextlib.suppress(Exception), quiet():  # it raises half a dozen kinds
            builder = read_only_builder.builder_from_files(name, data_dir=folder)
            if builder.info.file_format.value == FILE_FORMAT:
                return builder
    return None


def _downloaded(name: str, locations: Locations) -> Any:
    locations.announce(f"having TFDS download and prepare {name} in {locations.data_dir}")
    command = [sys.executable, "-c", _CHILD, name, str(locations.data_dir)]
    try:
        done = subprocess.run(
            command,
            env=child_environment(),
            stdout=subprocess.PIPE,
            text=True,
            timeout=_PREPARING_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _unavailable(name, locations, f"{_PREPARING_SECONDS:g} s were not enough") from None
    if done.returncode != 0:
        reason = done.stdout.strip() or f"its process ended with status {done.returncode}"
        raise _unavailable(name, locations, reason)
    builder = _prepared(name, locations)
    if builder is None:
        raise _unavailable(name, locations, f"nothing was found in {locations.data_dir} afterwards")
    return builder


def _unavailable(name: str, locations: Locations, reason: str) -> DatasetUnavailable:
    return DatasetUnavailable(
        f"{name} is not prepared in {locations.data_dir} as {FILE_FORMAT} (TFDS_DATA_DIR names "
        f"another folder), and could not be downloaded and prepared: {reason}"
    )


def child(name: str, data_dir: str) -> None:
    """Downloads and prepares, or exits with status 1 and the reason on standard output."""
    import tensorflow_datasets as tfds

    try:
        with quiet():
            builder = tfds.builder(name, data_dir=data_dir)
            if urls := list(builder.url_infos):
                reach(urls[0], seconds=_REACH_SECONDS)
            with without_tensorflow(sys.modules[type(builder).__module__]):
                builder.download_and_prepare(
                    file_format=FILE_FORMAT,
                    download_config=tfds.download.DownloadConfig(try_download_gcs=False),
                )
    except Exception as error:  # a builder may do, and so raise, anything
        give_up(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")


@contextlib.contextmanager
def without_tensorflow(*modules: ModuleType) -> Iterator[None]:
    """Lets TFDS read files, unpack archives and encode images where it would ask TensorFlow.

    Args:
        modules: Of data sets; many use TensorFlow for opening files and for nothing else.
    """
    from tensorflow_datasets.core.download import extractor
    from tensorflow_datasets.core.features import image_feature

    def encode(encoder: Any, image: np.ndarray) -> bytes:
        if encoder.encoding_format not in (None, "png"):
            raise ValueError(f"images are encoded as PNG here, not {encoder.encoding_format}")
        return as_png(image[..., 0] if image.shape[-1] == 1 else image).getvalue()

    with contextlib.ExitStack() as patches:
        for module in (extractor, *(each for each in modules if hasattr(each, "tf"))):
            patches.enter_context(_replaced(module, "tf", _FILES_ONLY))
        patches.enter_context(_replaced(image_feature._ImageEncoder, "_encode_image", encode))
        yield


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _features(builder: Any, name: str) -> tuple[str, str]:
    """Names of the image and the label."""
    from tensorflow_datasets import features

    found = dict(builder.info.features)
    supervised = builder.info.supervised_keys or ()
    images = [key for key, value in found.items() if isinstance(value, features.Image)]
    labels = [key for key, value in found.items() if isinstance(value, features.ClassLabel)]
    image = next((key for key in images if key in supervised), images[0] if images else None)
    label = next((key for key in labels if key in supervised), labels[0] if labels else None)
    if image is None or label is None:
        raise DatasetUnavailable(
            f"tfds:{name} is no image classification set: it has {', '.join(found)}"
        )
    return image, label


def _names(builder: Any, name: str) -> list[str]:
    names = [each for each in ("train", "validation", "test") if each in builder.info.splits]
    if "train" not in names:
        raise DatasetUnavailable(
            f"tfds:{name} has no split 'train'; it has {', '.join(builder.info.splits)}"
        )
    return names


def _read(builder: Any, split: str, image: str, label: str) -> tuple[np.ndarray, np.ndarray]:
    source = builder.as_data_source(split=split)
    first = source[0][image]
    if (size := first.nbytes * len(source)) > _MOST_BYTES:
        raise DatasetUnavailable(
            f"{split} of {builder.name} has {len(source):,} images of {first.nbytes:,} bytes, "
            f"{size / 2**30:.1f} GiB together; at most {_MOST_BYTES >> 30} GiB are read"
        )
    examples = source.__getitems__(range(len(source)))  # far faster than one by one
    shapes = {example[image].shape for example in examples}
    if len(shapes) > 1:
        sizes = " and ".join("x".join(map(str, shape)) for shape in sorted(shapes)[:2])
        raise DatasetUnavailable(
            f"{builder.name} has images of different sizes, such as {sizes}; resize them, and give "
            "them as arrays of your own"
        )
    images = np.stack([example[image] for example in examples])
    return (
        images[..., 0] if images.shape[-1] == 1 else images,
        np.array([example[label] for example in examples], dtype=np.int32),
    )


def _arranged(read: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """The splits under the names that `split_arrays` knows."""
    if set(read) == {"train"}:
        return {"x": read["train"][0], "y": read["train"][1]}
    # Where validation examples are all there are besides, they are what results are reported on.
    roles = {"validation": "test"} if "test" not in read else {}
    return {
        f"{letter}_{roles.get(split, split)}": array
        for split, arrays in read.items()
        for letter, array in zip("xy", arrays, strict=True)
    }
