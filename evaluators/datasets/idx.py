"""The four IDX files in which MNIST and its kin are published, found, checked and read."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
"""Images and labels of each split, under the names that MNIST gave them and its kin kept."""

ALL_FILES = tuple(name for pair in FILES.values() for name in pair)

_UNSIGNED_BYTES = 0x08  # the only element type that these data sets use


class IdxError(ValueError):
    """A file is not the IDX file that it should be; the message names it."""


def find_folder(manual_dir: Path, dataset: str) -> Path | None:
    """Finds the folder with all four files: manual_dir/dataset, or else manual_dir itself."""
    for folder in (manual_dir / dataset, manual_dir):
        if all((folder / name).is_file() for name in ALL_FILES):
            return folder
    return None


def check_files(folder: Path, sha256: Mapping[str, str]) -> None:
    """Compares the four files in `folder` with their published checksums.

    Args:
        folder: a folder with all four files.
        sha256: the published checksum of each file, by file name.

    Raises:
        IdxError: a file is truncated, altered or of another data set.
    """
    for name in ALL_FILES:
        path = folder / name
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256[name]:
            raise IdxError(
                f"{path} is not the published file: it has {path.stat().st_size:,} bytes and "
                f"sha256 {found}, but {sha256[name]} is right; fetch it again or take it away"
            )


def read_arrays(path: Path, *, axes: int) -> np.ndarray:
    """Reads one gzipped IDX file of unsigned bytes.

    Args:
        path: the file.
        axes: the number of axes that it must have: 3 for images, 1 for labels.

    Returns:
        uint8 array with `axes` axes.

    Raises:
        IdxError: the file is no gzip, no IDX, or has other axes or another length than it says.

    Source: Yann LeCun, Corinna Cortes, Christopher Burges, "The MNIST database of handwritten
    digits", section "File formats", http://yann.lecun.com/exdb/mnist/
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise IdxError(f"{path} cannot be read as gzip: {error}") from error
    if content[:4] != bytes((0, 0, _UNSIGNED_BYTES, axes)):
        raise IdxError(f"{path} is no IDX file of unsigned bytes with {axes} axes")
    header_bytes = 4 + 4 * axes
    shape = np.frombuffer(content[4:header_bytes], dtype=">u4").astype(int)
    if len(content) - header_bytes != np.prod(shape):
        raise IdxError(f"{path} says shape {tuple(shape.tolist())}, but its length is another")
    return np.frombuffer(content, dtype=np.uint8, offset=header_bytes).reshape(shape)
