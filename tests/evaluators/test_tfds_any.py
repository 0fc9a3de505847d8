"""Image classification sets of TFDS: prepared ones are read, others prepared without TensorFlow."""

from __future__ import annotations

import http.server
import io
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds

from evaluators.datasets import DatasetUnavailable, Tfds, load, load_all, tfds_any

RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))


def prepare(folder: Path, images: dict[str, list[np.ndarray]], *, labels: int = 3) -> None:
    """Has TFDS prepare a set of the name `tiny`, as array_record."""

    class Tiny(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[misc,call-arg]
        name = "tiny"
        VERSION = tfds.core.Version("1.0.0")

        def _info(self) -> Any:
            shape = next(iter(images.values()))[0].shape
            sizes = {image.shape for split in images.values() for image in split}
            features = {
                "image": tfds.features.Image(shape=shape if len(sizes) == 1 else (None, None, 3)),
                "label": tfds.features.ClassLabel(num_classes=labels),
            }
            return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            return {split: self._generate_examples(split) for split in images}

        def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
            for number, image in enumerate(images[split]):
                yield number, {"image": image, "label": number % labels}

    with tfds_any.quiet(), tfds_any.without_tensorflow():
        Tiny(data_dir=folder).download_and_prepare(file_format="array_record")


def some(count: int, *shape: int) -> list[np.ndarray]:
    return [RANDOM.integers(0, 256, shape, dtype=np.uint8) for _ in range(count)]


def test_a_prepared_set_is_read_with_its_own_test_split(tmp_path: Path) -> None:
    prepare(tmp_path / "tfds", {"train": some(40, 6, 6, 3), "test": some(12, 6, 6, 3)})
    dataset = load("tfds:tiny")
    assert (dataset.name, dataset.classes, dataset.scale) == ("tfds:tiny", 3, 1 / 255)
    assert dataset.training.inputs.shape == (36, 6, 6, 3)
    assert dataset.training.inputs.dtype == np.uint8
    sizes = {role: len(split.labels) for role, split in load_all(Tfds(tfds="tiny")).items()}
    assert sizes == {"training": 36, "validation": 4, "test": 12}


def test_a_set_without_test_examples_has_them_drawn(tmp_path: Path) -> None:
    prepare(tmp_path / "tfds", {"train": some(100, 5, 5, 1)})
    sizes = {role: split.inputs.shape for role, split in load_all(Tfds(tfds="tiny")).items()}
    assert sizes == {"training": (75, 5, 5), "validation": (10, 5, 5), "test": (15, 5, 5)}


def test_images_of_different_sizes_are_refused(tmp_path: Path) -> None:
    prepare(tmp_path / "tfds", {"train": [*some(3, 5, 5, 3), *some(3, 6, 5, 3)]})
    with pytest.raises(DatasetUnavailable, match=r"images of different sizes, such as 5x5x3 and 6"):
        load("tfds:tiny")


def test_a_set_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetUnavailable, match=r"cifar11 is not prepared in .*DatasetNotFound"):
        load("tfds:cifar11")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """CIFAR-10's archive in small, and the address of a server that has it."""
    (tmp_path / "www").mkdir()
    names = [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]
    with tarfile.open(tmp_path / "www" / "cifar-10-binary.tar.gz", "w:gz") as archive:
        contents = {name: RANDOM.integers(0, 10, (10, 3073), dtype=np.uint8) for name in names}
        files = {name: array.tobytes() for name, array in contents.items()}
        files["batches.meta.txt"] = "\n".join(f"kind {n}" for n in range(10)).encode()
        for name, content in files.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    handler = partial(_Quiet, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/cifar-10-binary.tar.gz"
        server.shutdown()


def test_a_set_is_downloaded_and_prepared_without_tensorflow(
    served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = tfds.image_classification.Cifar10
    info = stock._cifar_info.fget
    near = property(lambda self: info(self)._replace(url=served))
    monkeypatch.setattr(stock, "_cifar_info", near)
    monkeypatch.setattr(stock, "url_infos", {})
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    tfds_any.child("cifar10", str(tmp_path / "tfds"))
    dataset = load("tfds:cifar10")
    assert dataset.training.inputs.shape == (45, 32, 32, 3)
    assert dataset.classes == 10
    assert "tensorflow" not in sys.modules
