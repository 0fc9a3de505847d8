"""Data sets arrive whole and right, from wherever they are found, or not at all."""

import gzip
import hashlib
import json
import logging
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from evaluators import datasets
from evaluators.datasets import array_cache, idx, tfds_images
from evaluators.datasets.array_cache import Split, cached

REPOSITORY = Path(__file__).parents[2]
CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """Every test has folders of its own, no raw files and no network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.delenv("ACTSEARCH_MANUAL_DIR", raising=False)
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, CLOSED_PORT)
    for variable in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def mnist_home(raw_data_dir, tmp_path_factory):
    """A folder in which MNIST was prepared from raw files, once for all tests and workers."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "mnist-home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        datasets.prepare("mnist", manual_dir=raw_data_dir, data_dir=home / "tfds")
    return home


@pytest.fixture
def mnist_cache(mnist_home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(mnist_home / "cache"))
    return mnist_home / "cache"


def read_idx(path: Path) -> np.ndarray:
    """An IDX reader that shares nothing with ours."""
    content = gzip.decompress(path.read_bytes())
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(content[3])]
    return np.array(bytearray(content[-int(np.prod(shape)) :]), dtype=np.uint8).reshape(shape)


def rows(inputs: np.ndarray, labels: np.ndarray) -> list[bytes]:
    """Examples as bytes in an order of their own, to compare sets of them."""
    pairs = zip(inputs, labels, strict=True)
    return sorted(image.tobytes() + bytes([int(label)]) for image, label in pairs)


def split_rows(*splits: Split) -> list[bytes]:
    return sorted(row for split in splits for row in rows(split.inputs, split.labels))


def cached_file(cache: Path, name: str) -> Path:
    (path,) = cache.glob(f"actsearch/*/{name}")
    return path


# Every data set of the table that needs no file


@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [
        ("digits", (8, 8), (1257, 270, 270)),
        ("mnist1d", (40,), (3000, 1000, 1000)),
        ("mnist1d_large", (40,), (40_000, 5_000, 10_000)),
    ],
)
def test_a_bundled_data_set_is_split_as_documented(name, shape, counts):
    dataset = datasets.load(name)
    splits = (dataset.training, dataset.validation, datasets.load_test(name))
    assert dataset.name == name
    assert dataset.fallback_for is None
    assert tuple(len(split.labels) for split in splits) == counts
    assert len(set(split_rows(*splits))) == sum(counts), "the splits share examples"
    for split in splits:
        assert split.inputs.shape == (len(split.labels), *shape)
        assert split.labels.dtype == np.int32
        assert set(np.unique(split.labels)) == set(range(dataset.classes))
        assert isinstance(split.inputs, np.memmap)
        assert not split.inputs.flags.writeable


def test_digits_are_those_of_scikit_learn():
    dataset = datasets.load("digits")
    images, labels = load_digits(return_X_y=True)
    assert split_rows(dataset.training, dataset.validation, datasets.load_test("digits")) == rows(
        images.astype(np.uint8), labels
    )
    assert (dataset.training.inputs * dataset.scale).max() == 1.0


def test_mnist1d_leaves_the_global_generators_as_they_were():
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    datasets.load("mnist1d")
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002


def test_an_unknown_name_gets_the_nearest_right_one():
    with pytest.raises(datasets.UnknownDatasetError, match=r"'mnits'; did you mean 'mnist'\?"):
        datasets.load("mnits")
    with pytest.raises(datasets.UnknownDatasetError, match="there are: mnist, fashion_mnist"):
        datasets.load("digits", fallback="zzz")


def test_importing_the_package_imports_no_heavy_one():
    code = (
        "import sys; import evaluators.datasets; "
        "print({'tensorflow_datasets', 'sklearn', 'mnist1d', 'requests'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


# The array cache


def test_load_never_opens_the_test_split(tmp_path):
    datasets.load("digits")
    cached_file(tmp_path / "cache", "digits/test-inputs.npy").write_bytes(b"gone")
    said = []
    assert len(datasets.load("digits", announce=said.append).training.labels) == 1257
    assert said == []
    assert len(datasets.load_test("digits").labels) == 270, "not made again when it is needed"


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("training-inputs.npy", lambda old: old[:-1] + bytes([old[-1] ^ 1]), "checksum is wrong"),
        ("training-inputs.npy", lambda old: old[: len(old) // 2], "training-inputs.npy is damaged"),
        ("validation-labels.npy", lambda old: b"", "validation-labels.npy is damaged"),
        ("manifest.json", lambda old: old[:-20], "manifest.json cannot be read"),
        ("manifest.json", lambda old: b'{"training": {}}', "manifest.json cannot be read"),
        (
            "manifest.json",
            lambda old: json.dumps(
                json.loads(old) | {"more": {"inputs": "", "labels": ""}}
            ).encode(),
            "other data than its name says",
        ),
    ],
    ids=["one bit", "half", "empty", "torn list", "short list", "other data"],
)
def test_a_damaged_cache_is_found_told_and_made_again(tmp_path, file, damage, message):
    before = split_rows(datasets.load("digits").training)
    path = cached_file(tmp_path / "cache", f"digits/{file}")
    path.write_bytes(damage(path.read_bytes()))
    said = []
    after = datasets.load("digits", announce=said.append)
    assert split_rows(after.training) == before
    assert len(said) == 1
    assert re.search(message, said[0])


def test_a_pickle_in_the_place_of_an_array_is_never_opened(tmp_path):
    datasets.load("digits")
    path = cached_file(tmp_path / "cache", "digits/training-inputs.npy")
    np.save(path, np.array([{"any": "object"}], dtype=object), allow_pickle=True)
    said = []
    datasets.load("digits", announce=said.append)
    assert "Python objects" in said[0]


def test_processes_that_race_for_the_cache_build_it_once(tmp_path):
    code = (
        "import os, sys, time, pathlib, numpy as np\n"
        "from evaluators.datasets.array_cache import Split, cached\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "def build():\n"
        "    (folder.parent / f'built-by-{os.getpid()}').touch()\n"
        "    time.sleep(0.5)\n"
        "    return {'all': Split(np.arange(9, dtype=np.uint8), np.arange(9, dtype=np.int32))}\n"
        "folder.parent.mkdir(exist_ok=True)\n"
        "splits = cached(folder, ['all'], build=build, announce=lambda _: None)\n"
        "print(splits['all'].inputs.sum())\n"
    )
    folder = tmp_path / "arrays" / "tiny"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [racer.communicate()[0].strip() for racer in racers] == ["36"] * 3
    assert len(list(folder.parent.glob("built-by-*"))) == 1
    assert not list(folder.parent.glob(".tiny-*")), "scratch folders were left behind"


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    left = tmp_path / ".tiny-0000" / "fresh"
    left.mkdir(parents=True)
    whole = {"all": Split(np.zeros(3, np.uint8), np.zeros(3, np.int32))}
    cached(tmp_path / "tiny", ["all"], build=lambda: whole, announce=lambda _: None)
    assert not left.parent.exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(datasets.DatasetUnavailable, match=r"kept on disk.*XDG_CACHE_HOME"):
        datasets.load("digits")


# With no data and no network


def test_without_data_and_network_the_error_names_three_ways(tmp_path):
    with pytest.raises(datasets.DatasetUnavailable) as caught:
        datasets.load("mnist", manual_dir=tmp_path / "raw")
    message = str(caught.value)
    for part in (
        f"set TFDS_DATA_DIR.*there is no folder {tmp_path}/tfds/mnist",
        f"--manual-dir DIR or set ACTSEARCH_MANUAL_DIR=DIR.*neither {tmp_path}/raw/mnist",
        "A network.*storage.googleapis.com failed: it cannot be reached .ProxyError",
        *map(re.escape, idx.ALL_FILES),
    ):
        assert re.search(part, message, re.DOTALL), (part, message)


def test_a_fallback_is_announced_and_told():
    said = []
    dataset = datasets.load("mnist", fallback="digits", announce=said.append)
    assert (dataset.name, dataset.fallback_for) == ("digits", "mnist")
    assert any("So digits takes its place" in line for line in said)


def test_a_fallback_that_is_not_needed_is_not_used():
    assert datasets.load("digits", fallback="mnist1d").name == "digits"


# Raw files


@pytest.fixture
def altered_mnist(raw_data_dir, tmp_path):
    """MNIST's raw files, directly in a folder, the training labels one byte short."""
    folder = tmp_path / "altered"
    shutil.copytree(raw_data_dir / "mnist", folder)
    labels = folder / "train-labels-idx1-ubyte.gz"
    labels.chmod(0o644)
    labels.write_bytes(labels.read_bytes()[:-1])
    return folder


def test_an_altered_raw_file_is_refused_by_name_even_with_a_fallback(altered_mnist):
    with pytest.raises(
        datasets.DatasetDamaged,
        match=r"altered/train-labels-idx1-ubyte\.gz is not the published file: it has 28,880 bytes",
    ):
        datasets.load("mnist", manual_dir=altered_mnist, fallback="digits")


def test_tfds_itself_refuses_an_altered_raw_file(altered_mnist, tmp_path):
    locations = tfds_images.Locations(tmp_path / "tfds", None, lambda _: None)
    with pytest.raises(Exception, match=r"train-labels-idx1-ubyte\.gz, has wrong checksum"):
        tfds_images._prepare("mnist", locations, manual_dir=altered_mnist)
    assert not (tmp_path / "tfds" / "mnist" / "3.0.1").exists()


def test_the_files_of_another_data_set_are_refused(raw_data_dir, monkeypatch):
    monkeypatch.setenv("ACTSEARCH_MANUAL_DIR", str(raw_data_dir / "mnist"))
    with pytest.raises(datasets.DatasetDamaged, match="fashion_mnist cannot be made from raw"):
        datasets.load("fashion_mnist")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "cannot be read as gzip"),
        (gzip.compress(bytes(20))[:-9], "cannot be read as gzip"),
        (gzip.compress(b"\0\0\x0d\1" + bytes(8)), "no IDX file of unsigned bytes with 1 axes"),
        (gzip.compress(b"\0\0\x08\1\0\0\0\5" + bytes(4)), r"shape \(5,\), but its length"),
    ],
    ids=["no gzip", "truncated", "floats", "short"],
)
def test_a_malformed_idx_file_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    with pytest.raises(idx.IdxError, match=f"labels.gz.*{message}"):
        idx.read_arrays(path, axes=1)


# MNIST itself


def test_mnist_has_its_published_sizes_and_labels(mnist_cache, raw_data_dir):
    dataset = datasets.load("mnist")
    test = datasets.load_test("mnist")
    assert dataset.training.inputs.shape == (55_000, 28, 28)
    assert dataset.validation.inputs.shape == (5_000, 28, 28)
    assert test.inputs.shape == (10_000, 28, 28)
    histogram = np.bincount(dataset.training.labels) + np.bincount(dataset.validation.labels)
    assert histogram.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    assert dataset.training.inputs.dtype == np.uint8
    assert (dataset.training.inputs[:100] * dataset.scale).max() == pytest.approx(1.0)


def test_mnist_is_the_raw_files_byte_for_byte(mnist_cache, raw_data_dir):
    dataset = datasets.load("mnist")
    raw = {file: read_idx(raw_data_dir / "mnist" / file) for file in idx.ALL_FILES}
    assert split_rows(dataset.training, dataset.validation) == rows(
        raw["train-images-idx3-ubyte.gz"], raw["train-labels-idx1-ubyte.gz"]
    )
    assert split_rows(datasets.load_test("mnist")) == rows(
        raw["t10k-images-idx3-ubyte.gz"], raw["t10k-labels-idx1-ubyte.gz"]
    )


def test_mnist_training_and_validation_share_no_image(mnist_cache):
    dataset = datasets.load("mnist")
    training = {hashlib.sha256(image.tobytes()).digest() for image in dataset.training.inputs}
    validation = {hashlib.sha256(image.tobytes()).digest() for image in dataset.validation.inputs}
    assert not training & validation


def test_a_cached_mnist_needs_neither_tfds_nor_files_nor_network(mnist_cache):
    said = []
    assert datasets.load("mnist", fallback="digits", announce=said.append).name == "mnist"
    assert said == []


def test_data_that_only_tensorflow_reads_is_told_and_left_alone(mnist_home, tmp_path):
    folder = tmp_path / "tfds" / "mnist" / "3.0.1"
    folder.mkdir(parents=True)
    for name in ("dataset_info.json", "features.json"):
        text = (mnist_home / "tfds" / "mnist" / "3.0.1" / name).read_text()
        (folder / name).write_text(text.replace("array_record", "tfrecord"))
    with pytest.raises(
        datasets.DatasetUnavailable, match="was prepared as tfrecord; without Tenso"
    ):
        datasets.load("mnist")


# Fashion-MNIST, which shares its files' names with MNIST: 500 examples a split are enough


@pytest.fixture(scope="session")
def part_of_fashion(raw_data_dir, tmp_path_factory):
    """A TFDS folder with an incomplete Fashion-MNIST, and what was printed while it was made."""
    import tensorflow_datasets as tfds

    data_dir = tmp_path_factory.mktemp("fashion")
    config = tfds.download.DownloadConfig(
        manual_dir=raw_data_dir / "fashion_mnist", max_examples_per_split=500
    )
    with tfds_images.quiet():
        tfds_images._builder("fashion_mnist", data_dir).download_and_prepare(
            file_format="array_record", download_config=config
        )
    return data_dir


def test_fashion_mnist_is_not_mnist(part_of_fashion, raw_data_dir):
    locations = tfds_images.Locations(part_of_fashion, None, lambda _: None)
    train, test = tfds_images.read_splits("fashion_mnist", locations)
    for split, (images, labels) in ((train, idx.FILES["train"]), (test, idx.FILES["test"])):
        folder = raw_data_dir / "fashion_mnist"
        expected = read_idx(folder / images)[:500], read_idx(folder / labels)[:500]
        assert rows(split.inputs, split.labels) == rows(*expected)


def test_prepared_data_with_lost_rows_never_becomes_a_data_set(part_of_fashion):
    with pytest.raises(
        datasets.DatasetDamaged, match="500 examples for training and validation, but 60,000"
    ):
        datasets.load("fashion_mnist", data_dir=part_of_fashion, fallback="digits")


def test_prepared_data_beyond_all_measure_is_not_read(part_of_fashion, monkeypatch):
    monkeypatch.setattr(tfds_images, "_MOST_EXAMPLES", 100)
    with pytest.raises(datasets.DatasetDamaged, match="train has 500 examples; at most 100 are"):
        datasets.load("fashion_mnist", data_dir=part_of_fashion)


def test_prepared_data_that_is_truncated_is_refused_by_name(part_of_fashion, tmp_path):
    shutil.copytree(part_of_fashion, tmp_path / "tfds")
    (shard,) = (tmp_path / "tfds").glob("fashion_mnist/*/fashion_mnist-train.array_record*")
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    with pytest.raises(
        datasets.DatasetDamaged, match=r"in .*/fashion_mnist/3\.0\.1 cannot be read"
    ):
        datasets.load("fashion_mnist")


def test_reading_through_tfds_is_quiet_and_leaves_logging_alone(part_of_fashion, capfd):
    handlers, level = logging.root.handlers[:], logging.getLogger("absl").level
    said = []
    locations = tfds_images.Locations(part_of_fashion, None, said.append)
    tfds_images.read_splits("fashion_mnist", locations)
    assert capfd.readouterr() == ("", "")
    assert len(said) == 1
    assert logging.root.handlers == handlers
    assert logging.getLogger("absl").level == level


def test_a_folder_without_data_gets_our_sentence_and_no_warning_of_tfds(tmp_path, caplog, capfd):
    (tmp_path / "tfds" / "mnist" / "3.0.1").mkdir(parents=True)
    with pytest.raises(datasets.DatasetUnavailable, match=r"does not hold version 3\.0\.1"):
        datasets.load("mnist")
    assert not caplog.records
    assert "WARNING" not in capfd.readouterr().err


def test_the_published_fingerprint_decides(part_of_fashion):
    entry = datasets.TABLE["digits"]
    splits = entry.build("digits", tfds_images.Locations(part_of_fashion, None, lambda _: None))
    entry.check(splits)
    labels = splits["test"].labels.copy()
    labels[0] = (labels[0] + 1) % 10
    with pytest.raises(ValueError, match="the fingerprint is"):
        entry.check(splits | {"test": Split(splits["test"].inputs, labels)})
    labels[0] = 10
    with pytest.raises(ValueError, match="test labels beyond 0 to 9"):
        entry.check(splits | {"test": Split(splits["test"].inputs, labels)})
    assert array_cache.fingerprint(array_cache.checksums(splits)) == entry.fingerprint
