"""Data of a user's own: read from his files and functions, and refused in one sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest
import scipy.sparse
from pyarrow import csv, parquet

from evaluators.datasets import (
    ArrayFile,
    Arrays,
    Builtin,
    DataError,
    FunctionData,
    ModularAddition,
    load,
    load_all,
    load_test,
    own,
    read_data,
)
from evaluators.datasets.data import data_section, deciding_data
from evaluators.networks import MLP
from evaluators.reading.functions import UserCodeError
from evaluators.reading.sections import SectionError
from evaluators.steps.batches import DeviceData
from evaluators.tasks import Task, find_task, write_task


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


RANDOM = np.random.default_rng(0)
X = RANDOM.normal(3.0, 2.0, (100, 4))
Y = RANDOM.integers(0, 3, 100)
REAL = X @ np.array([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0], [0.0, 0.0]])


def archive(folder: Path, **arrays: Any) -> ArrayFile:
    np.savez(folder / "mine.npz", **arrays)
    data = read_data({"arrays": "mine.npz"}, folder=folder)
    assert isinstance(data, ArrayFile)
    return data


def test_an_archive_of_x_and_y_is_split_by_a_seed_and_standardised(tmp_path: Path) -> None:
    data = archive(tmp_path, x=X, y=Y)
    dataset = load(data)
    assert (dataset.name, dataset.classes, dataset.scale) == ("mine.npz", 3, 1.0)
    splits = load_all(dataset.data)
    assert [len(splits[role].labels) for role in ("training", "validation", "test")] == [70, 15, 15]
    training = dataset.training.inputs
    assert training.dtype == np.float32
    np.testing.assert_allclose(training.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(training.std(axis=0), 1.0, atol=1e-6)
    other = load(replace(data, split_seed=1))
    assert not np.array_equal(other.training.labels, dataset.training.labels)
    # Whoever has its description and the cache needs the file no more.
    (tmp_path / "mine.npz").unlink()
    again = read_data(data_section(dataset.data), folder=Path("/"))
    np.testing.assert_array_equal(load(again).training.inputs, training)


def test_given_splits_are_taken_as_they_are(tmp_path: Path) -> None:
    images = RANDOM.integers(0, 256, (30, 5, 5), dtype=np.uint8)
    labels = np.arange(30) % 4
    data = archive(
        tmp_path, x_train=images[:20], y_train=labels[:20], x_test=images[20:], y_test=labels[20:]
    )
    dataset = load(data)
    assert dataset.training.inputs.dtype == np.uint8
    assert dataset.scale == 1 / 255
    assert (len(dataset.training.labels), len(dataset.validation.labels)) == (17, 3)
    np.testing.assert_array_equal(load_test(dataset.data).inputs, images[20:])


def test_a_table_of_bytes_is_standardised_like_any_other() -> None:
    bits = RANDOM.integers(0, 2, (100, 6))
    of_bytes, of_numbers = (load(Arrays(bits.astype(kind), Y)) for kind in ("uint8", "float64"))
    assert of_bytes.scale == 1.0
    np.testing.assert_array_equal(of_bytes.training.inputs, of_numbers.training.inputs)


@pytest.mark.parametrize("unit", [1e-13, 1e-30])
def test_no_unit_is_too_small(unit: float) -> None:
    small, usual = (load(Arrays(X * u, REAL * u)) for u in (unit, 1.0))
    np.testing.assert_allclose(small.training.inputs, usual.training.inputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(small.training.labels, usual.training.labels, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [object, "category", "str"])
def test_texts_of_pandas_are_classes(kind: Any) -> None:
    labels = pandas.Series(np.array(["a", "b", "c"])[Y]).astype(kind)
    np.testing.assert_array_equal(
        load(Arrays(X, labels)).training.labels, load(Arrays(X, Y)).training.labels
    )


def with_index(folder: Path, name: str, index: str | None) -> ArrayFile:
    table = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "label": Y})
    table = table.sample(frac=1, random_state=0).rename_axis(index)
    if name.endswith("csv"):
        table.to_csv(folder / name)
    else:
        table.to_parquet(folder / name)
    return ArrayFile(arrays=str(folder / name), target="label")


@pytest.mark.parametrize(
    ("name", "index", "column"),
    [
        ("mine.csv", None, ""),
        ("mine.csv", "Unnamed: 0", "Unnamed: 0"),
        ("mine.parquet", None, "__index_level_0__"),
        ("mine.parquet", "number", "number"),
    ],
)
def test_the_index_of_a_pandas_table_is_no_feature(
    name: str, index: str | None, column: str, tmp_path: Path
) -> None:
    data = with_index(tmp_path, name, index)
    with pytest.raises(DataError, match=f"the column '{column}' looks like the index of a pandas"):
        load(data)
    assert load(replace(data, leave_out=(column,))).training.inputs.shape == (70, 2)


def test_targets_of_a_regression_are_standardised_numbers(tmp_path: Path) -> None:
    dataset = load(archive(tmp_path, x=X, y=REAL))
    assert dataset.classes == 0
    assert dataset.training.labels.shape == (70, 2)
    np.testing.assert_allclose(dataset.training.labels.std(axis=0), 1.0, atol=1e-6)
    single = load(archive(tmp_path, x=X[:, 0], y=REAL[:, 0]))
    assert (single.training.inputs.shape, single.training.labels.shape) == ((70, 1), (70, 1))


CLASSES = {
    "no setting": ({}, 3),
    "more classes than labels": ({"classes": 5}, 5),
    "numbers": ({"classes": 5, "targets": "numbers"}, 0),
}


@pytest.mark.parametrize("what", CLASSES)
@pytest.mark.parametrize("labels", [Y, np.stack([Y, 2 - Y], axis=1)], ids=["example", "place"])
def test_classes_are_as_many_as_the_setting_says(labels: np.ndarray, what: str) -> None:
    splitting, classes = CLASSES[what]
    assert load(Arrays(X, labels, **splitting)).classes == classes


def test_a_class_that_only_validation_examples_have_gets_an_output() -> None:
    others = {"x_validation": X, "y_validation": Y + 1, "x_test": X, "y_test": Y}
    dataset = load(Arrays(X, Y, others=others, classes=4))
    assert (dataset.validation.labels.max(), DeviceData(dataset, batch=32).outputs) == (3, 4)


SERIES = np.stack([RANDOM.normal(0.0, 1.0, (100, 6)), RANDOM.normal(50.0, 1000.0, (100, 6))], -1)


@pytest.mark.parametrize(
    ("shape", "standardise"),
    [((100, 6, 2), "channels"), ((100, 3, 2, 2), True)],
    ids=["series", "images"],
)
def test_each_channel_of_the_last_axis_is_standardised(
    shape: tuple[int, ...], standardise: bool | str
) -> None:
    data = Arrays(SERIES.reshape(shape), Y, standardise=standardise)
    training = load(data).training.inputs.reshape(-1, 2)
    np.testing.assert_allclose(training.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(training.std(axis=0), 1.0, atol=1e-5)


def test_three_axes_are_grey_images_and_one_feature() -> None:
    training = load(Arrays(SERIES, Y)).training.inputs
    assert (training.mean(), training.std()) == pytest.approx((0.0, 1.0), abs=1e-5)
    assert training[..., 0].std() < 0.01


def table(folder: Path, ending: str, **columns: Any) -> ArrayFile:
    write = csv.write_csv if ending == "csv" else parquet.write_table
    write(pyarrow.table(columns), folder / f"mine.{ending}")
    data = read_data({"arrays": f"mine.{ending}", "target": "y"}, folder=folder)
    assert isinstance(data, ArrayFile)
    return data


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_seconds_of_an_epoch_stay_apart(tmp_path: Path, ending: str) -> None:
    dataset = load(table(tmp_path, ending, x=1_700_000_000 + np.arange(100), y=Y))
    assert len(np.unique(dataset.training.inputs)) == 70


@pytest.mark.filterwarnings("error")
def test_numbers_beyond_float32_are_standardised_before_they_are_rounded(tmp_path: Path) -> None:
    dataset = load(table(tmp_path, "csv", x=X[:, 0] * 1e39, y=Y))
    assert dataset.training.inputs.std() == pytest.approx(1.0, abs=1e-5)


def test_a_table_that_float32_holds_is_read_to_the_same_bits_as_ever(tmp_path: Path) -> None:
    read = load(table(tmp_path, "csv", x=X[:, 0], y=Y)).training.inputs[:, 0]
    rows = np.sort(np.random.default_rng(0).permutation(100)[30:])
    rounded = X[rows, 0].astype(np.float32).astype(np.float64)
    expected = (rounded - rounded.mean()) / rounded.std()
    np.testing.assert_array_equal(read, expected.astype(np.float32))


def test_decimals_are_numbers(tmp_path: Path) -> None:
    decimals = [Decimal(n) / 4 for n in range(100)]
    dataset = load(table(tmp_path, "parquet", x=decimals, y=decimals))
    assert dataset.classes == 0
    np.testing.assert_array_equal(dataset.training.inputs, dataset.training.labels)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_has_a_target_column_and_its_texts_are_classes(tmp_path: Path, ending: str) -> None:
    kinds = np.array(["setosa", "virginica", "versicolor"])[Y]
    columns = {"id": [f"row {n}" for n in range(100)], "a": X[:, 0], "b": X[:, 1], "kind": kinds}
    write = csv.write_csv if ending == "csv" else parquet.write_table
    write(pyarrow.table(columns), tmp_path / f"mine.{ending}")
    section = {"arrays": f"mine.{ending}", "target": "kind", "leave_out": ["id"]}
    dataset = load(read_data(section, folder=tmp_path))
    assert (dataset.classes, dataset.training.inputs.shape) == (3, (70, 2))
    rows = load(replace(dataset.data, standardise=False, contents=None))
    names = sorted(set(kinds.tolist()))
    order = np.sort(np.random.default_rng(0).permutation(100)[30:])
    assert [names[label] for label in rows.training.labels] == kinds[order].tolist()
    two = {"arrays": f"mine.{ending}", "target": ["a", "b"], "leave_out": ["id", "kind"]}
    with pytest.raises(DataError, match=f"mine.{ending} has no column besides a, b, id, kind"):
        load(read_data(two, folder=tmp_path))


def test_arrays_of_a_script_are_known_by_their_content() -> None:
    data = Arrays(X.tolist(), Y.tolist(), split_seed=3)
    assert data == Arrays(X, Y, split_seed=3)
    assert data != Arrays(X + 1e-9, Y, split_seed=3)
    assert load(data).classes == 3
    restored = read_data(data_section(data), folder=Path("/"))
    np.testing.assert_array_equal(load(restored).validation.inputs, load(data).validation.inputs)
    whole = Arrays(X[:80], Y[:80], others={"x_test": X[80:], "y_test": Y[80:]})
    assert len(load_test(whole).labels) == 20


def test_arrays_that_the_cache_has_lost_must_be_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Arrays(X, Y, name="spirals")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    with pytest.raises(DataError, match="the arrays 'spirals' were given by a script, and the ca"):
        load(data)


def test_arrays_that_older_rules_have_made_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Arrays(X, Y)
    now = own.key(data)
    monkeypatch.setattr(own, "_RULES", own._RULES - 1)
    assert own.key(data) != now


def test_a_function_gives_arrays_and_what_it_gives_decides(tmp_path: Path) -> None:
    script = tmp_path / "my_data.py"
    (tmp_path / "beside.py").write_text("COUNT = 50\n")
    script.write_text(
        "import numpy as np\nfrom beside import COUNT\n\ndef load():\n"
        "    return np.arange(COUNT) * 0.1, np.arange(COUNT) % 2\n"
    )
    data = read_data({"function": "my_data.py:load"}, folder=tmp_path)
    assert isinstance(data, FunctionData)
    dataset = load(data)
    assert (dataset.name, dataset.classes) == ("my_data.py:load", 2)
    script.write_text(script.read_text().replace("0.1", "0.1 + 0.0"))
    same = load(read_data({"function": "my_data.py:load"}, folder=tmp_path))
    assert deciding_data(same.data) == deciding_data(dataset.data)
    script.write_text(script.read_text().replace("0.1", "0.2"))
    other = load(read_data({"function": "my_data.py:load"}, folder=tmp_path))
    assert deciding_data(other.data) != deciding_data(dataset.data)
    with pytest.raises(
        UserCodeError, match=r"my_data\.py is not there as it was when the task was"
    ):
        data.function.load()


def changed(**arrays: Any) -> Callable[[Path], ArrayFile]:
    return lambda folder: archive(folder, **{"x": X, "y": Y, **arrays})


def with_nan() -> np.ndarray:
    broken = X.copy()
    broken[7, 2] = np.nan
    return broken


BAD = {
    "nan": (changed(x=with_nan()), r"mine.npz: x has 1 values that are no finite.* row 7 \(co"),
    "nan target": (changed(y=np.full(100, np.nan)), "mine.npz: y has 100 values that are no fin"),
    "lengths": (changed(y=Y[:99]), "mine.npz: x has 100 rows and y has 99"),
    "negative": (changed(y=Y - 1), "label -1 is beyond the classes, which are 0 to 1"),
    "half classes": (
        lambda folder: replace(changed(y=Y + 0.5)(folder), targets="classes"),
        "labels are no whole numbers; with targets",
    ),
    "beyond": (
        lambda folder: replace(changed()(folder), classes=2),
        "label 2 is beyond the classes, which are 0 to 1",
    ),
    "one class": (changed(y=np.zeros(100, int)), "all training labels are 0, so there is nothing"),
    "another class": (
        changed(y=np.ones(100, int)),
        "all training labels are 1, so there is nothing",
    ),
    "one number": (
        lambda folder: replace(changed(y=np.full(100, 0.5))(folder), targets="numbers"),
        "all training targets are alike, so there is nothing to learn",
    ),
    "no rows": (changed(x=X[:1], y=Y[:1]), "of 1 examples would leave a split empty"),
    "names": (
        lambda folder: archive(folder, images=X, labels=Y),
        "mine.npz has no arrays of these names; it needs x and y, or x_train",
    ),
    "empty test": (
        lambda folder: archive(folder, x_train=X, y_train=Y, x_test=X[:0], y_test=Y[:0]),
        "the test split is empty; it needs one example at least",
    ),
    "shapes": (
        lambda folder: archive(folder, x_train=X, y_train=Y, x_test=X[:, :2], y_test=Y),
        r"test examples have the shape \[2\], training examples \[4\]",
    ),
    "places": (
        lambda folder: archive(folder, x_train=X, y_train=X.round() % 2 > 0, x_test=X, y_test=Y),
        r"the shape \[\] for each example, training labels \[4\]",
    ),
    "objects": (changed(y=np.array([{}] * 100)), "holds Python objects, which are never unpickled"),
    "complex": (changed(x=X * 1j), "mine.npz: x holds complex128, and should hold numbers"),
    "mixture": (
        lambda folder: archive(folder, x=X, y=Y, x_test=X, y_test=Y),
        "mine.npz has x, y, x_test, y_test; it needs x and y, or .* and none besides",
    ),
    "half a split": (
        lambda folder: archive(folder, x_train=X, y_train=Y, x_test=X, y_test=Y, x_validation=X),
        "has x_train, y_train, x_test, y_test, x_validation; it needs x and y, or x_train",
    ),
    "unknown class": (
        lambda folder: archive(folder, x_train=X, y_train=Y, x_test=X, y_test=Y + 1),
        "the test label 3 is beyond the classes, which are 0 to 2; .* `classes` says how many",
    ),
    "fewer targets": (
        lambda folder: archive(folder, x_train=X, y_train=REAL, x_test=X, y_test=REAL[:, :1]),
        r"test labels have the shape \[1\] for each example, training labels \[2\]",
    ),
    "more targets": (
        lambda folder: archive(folder, x_train=X, y_train=REAL, x_test=X, y_test=X),
        r"test labels have the shape \[4\] for each example, training labels \[2\]",
    ),
    "texts and classes": (
        lambda folder: archive(folder, x_train=X, y_train=Y, x_test=X, y_test=Y.astype(str)),
        "test labels are texts, training labels numbers; make all of them",
    ),
    "texts and numbers": (
        lambda folder: archive(folder, x_train=X, y_train=REAL, x_test=X, y_test=REAL.astype(str)),
        "test labels are texts, training labels numbers; make all of them",
    ),
    "too large": (
        lambda folder: replace(changed(x=X * 1e39)(folder), standardise=False),
        r"x of the training split has \d+ values beyond float32, such as .*e\+39; scale them",
    ),
    "too large target": (
        lambda folder: replace(changed(y=REAL * 1e39)(folder), standardise=False),
        "y of the training split has .* values beyond float32",
    ),
    "too large in a test": (
        lambda folder: archive(folder, x_train=X, y_train=Y, x_test=X * 1e50, y_test=Y),
        "x of the test split has 400 values beyond float32",
    ),
    "too large to be squared": (
        changed(x=X * 1e200),
        r"values of x up to .*e\+200 are too large to be standardised; scale them",
    ),
    "no features": (changed(x=X[:, :0]), r"x has the shape \[100, 0\], so there is nothing in an"),
    "no targets": (
        changed(y=REAL[:, :0]),
        r"y has the shape \[100, 0\], so there is nothing in an",
    ),
    "constant": (
        changed(x=np.full_like(X, 5.0)),
        "all training inputs are 0 or, before .* the same",
    ),
    "black": (changed(x=np.zeros((100, 5, 5), np.uint8)), "all training inputs are 0 or"),
    "grey": (changed(x=np.full((100, 5, 5), 7, np.uint8)), "all training inputs are 0 or"),
    "absent": (
        lambda folder: read_data({"arrays": "none.npz"}, folder=folder),
        "cannot read the arrays .*none.npz: No such file or directory; relative paths",
    ),
}


def test_texts_of_classes_may_be_bytes() -> None:
    texts = np.array(["cat", "dog", "cow"])[Y]
    wanted = load(Arrays(X, texts)).training.labels
    found = load(Arrays(X, texts.astype("S"))).training.labels
    assert np.array_equal(found, wanted)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("what", BAD)
def test_data_that_cannot_be_used_are_refused_in_one_sentence(what: str, tmp_path: Path) -> None:
    make, message = BAD[what]
    with pytest.raises(DataError, match=message) as caught:
        load(make(tmp_path))
    assert "\n" not in str(caught.value)


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (saved(X), "mine.npz is a single array, whatever its name ends in; save x and y together"),
        (b"", "mine.npz cannot be read as a NumPy archive: No data left in file"),
        (b"PK\5\6" + bytes(18), "mine.npz has no arrays of these names; it needs x and y"),
    ],
    ids=["an array", "no bytes", "no arrays"],
)
def test_what_is_no_archive_of_arrays_is_refused(
    content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load(read_data({"arrays": "mine.npz"}, folder=tmp_path))


BAD_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": (
        {"standardize": False},
        "Arrays.standardize: unknown key; did you mean 'standardi",
    ),
    "beyond": ({"test": 2.0}, "Arrays.test: input should be less than 1, got 2.0"),
    "type": ({"classes": "3"}, "Arrays.classes: input should be a valid integer, got '3'"),
    "value": ({"targets": "number"}, "Arrays.targets: input should be 'classes' or 'numbers', got"),
    "ours": ({"given": "mine"}, "Arrays.given: unknown key; known are targets, classes"),
    "split": (
        {"others": {"x_tset": X}},
        "Arrays.others: .* x_test and y_test.* a mapping with x_tset",
    ),
    "no mapping": ({"others": [X, Y]}, "Arrays.others: it must be a mapping .* got a list of 2"),
    "sparse": (
        {"x": scipy.sparse.csr_matrix(X)},
        r"arrays: x holds a sparse matrix \(csr_matrix\), .* give x\.toarray\(\)",
    ),
    "objects": (
        {"x": X.astype(object)},
        r"arrays: x holds Python objects \(float\), and should hold numbers; a column of pandas",
    ),
    "masked": (
        {"x": np.ma.masked_greater(X, 3.0)},
        r"arrays: x has \d+ masked values, and what is below the mask would be trained on",
    ),
    "ragged x": ({"x": [[1, 2], [3]]}, "arrays: x is no array: .* inhomogeneous shape"),
    "ragged y": ({"y": [[1, 2], [3]]}, "arrays: y is no array: .* inhomogeneous shape"),
}


@pytest.mark.parametrize("what", BAD_SETTINGS)
def test_arrays_of_a_script_are_refused_in_one_sentence(what: str) -> None:
    arguments, message = BAD_SETTINGS[what]
    with pytest.raises(DataError, match=message) as caught:
        Arrays(**{"x": X, "y": Y, **arguments})
    assert "\n" not in str(caught.value)


BAD_COLUMNS = {
    "date": ([date(2026, 1, 1)], r"holds date32\[day\], and targets are numbers or texts; turn it"),
    "time": ([time(12)], r"holds time64\[us\], and targets are numbers or texts; turn it"),
    "duration": ([timedelta(1)], r"holds duration\[us\], and targets are numbers or texts"),
    "list": ([[1, 2]], "holds list<element: int64>, and targets are numbers or texts"),
    "mapping": ([{"a": 1}], "holds struct<a: int64>, and targets are numbers or texts"),
    "bytes": (
        [b"\xff"],
        "mine.parquet: texts in the column 'y' are no UTF-8; save the file as UTF-8",
    ),
    "nothing": ([None], "mine.parquet, line 1: nothing stands in the column 'y'"),
}


@pytest.mark.parametrize("what", BAD_COLUMNS)
def test_a_column_that_is_no_target_is_refused(what: str, tmp_path: Path) -> None:
    values, message = BAD_COLUMNS[what]
    with pytest.raises(DataError, match=message):
        load(table(tmp_path, "parquet", x=X[:, 0], y=values * 100))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,y\n1,no\n2,\n3,yes\n", "mine.csv, line 3: nothing stands in the column 'y'"),
        ('a,y\n1,no\n2,"  "\n3,yes\n', "mine.csv, line 3: nothing stands in the column 'y'"),
        ("a,a,y\n1,2,0\n2,3,1\n", "mine.csv has 2 columns of the name 'a'; give each a name"),
        ("a,y,y\n1,2,0\n2,3,1\n", "mine.csv has 2 columns of the name 'y'; give each a name"),
        ("größe,y\n1,0\n2,1\n", "mine.csv: names of columns are no UTF-8; save the file as UTF-8"),
        ("a,y\n1,grün\n2,rot\n", "mine.csv: texts in the column 'y' are no UTF-8; save the file"),
        ("a,y\n", "mine.csv has columns and no rows; it needs one row for each example"),
    ],
)
def test_a_file_of_text_that_is_no_table_is_refused(
    content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.csv").write_text(content, encoding="latin-1")
    with pytest.raises(DataError, match=message):
        load(read_data({"arrays": "mine.csv", "target": "y"}, folder=tmp_path))


BAD_TABLES = {
    "no target": ({}, "say which column holds the targets.*there are a, b, city"),
    "no column": ({"target": "c"}, "has no column 'c'; there are a, b, city"),
    "text": (
        {"target": "b", "leave_out": ["a"]},
        "the column 'city' holds string, and features are numbers",
    ),
    "gap": ({"target": "b", "leave_out": ["city"]}, "mine.csv, line 4: nothing stands in the col"),
}


@pytest.mark.parametrize("what", BAD_TABLES)
def test_a_table_that_cannot_be_used_is_refused_in_one_sentence(what: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b,city\n1,0,Rome\n2,1,Oslo\n,0,Bern\n")
    section, message = BAD_TABLES[what]
    with pytest.raises(DataError, match=message):
        load(read_data({"arrays": "mine.csv", **section}, folder=tmp_path))


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("import numpy as np\n\nx = undefined\n", "load", r"my.py, line 3: importing it raised Na"),
        ("def load(:\n", "load", r"my.py, line 1: importing it raised SyntaxError: "),
        (
            "raise SystemExit(3)\n",
            "load",
            r"my.py, line 1: importing it ended the program \(exit 3\)",
        ),
        ("def load():\n    pass\n", "lode", "my.py, line 1: the file has no function 'lode'"),
        (
            "def load():\n    return [][0]\n",
            "load",
            r"my.py, line 2: calling load\(\) raised IndexE",
        ),
        (
            "\ndef load():\n    pass\n",
            "load",
            "my.py, line 2: it must return .* a NoneType",
        ),
        ("def load():\n    return {'a': 1}\n", "load", "line 1: it must .* a mapping with a$"),
        ("def load():\n    return [[1], [1, 2]], [{}]\n", "load", "line 1: x is no array"),
    ],
)
def test_a_function_that_fails_is_told_with_file_and_line(
    content: str, name: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "my.py").write_text(content)
    with pytest.raises((DataError, UserCodeError), match=message) as caught:
        load(read_data({"function": f"my.py:{name}"}, folder=tmp_path))
    assert "\n" not in str(caught.value)


def test_a_function_must_be_named_by_file_and_name(tmp_path: Path) -> None:
    for text in ("my.py", "my:load", "my.py:a b"):
        with pytest.raises(SectionError, match=r"data.function: a function is named by its file"):
            read_data({"function": text}, folder=tmp_path)
    with pytest.raises(SectionError, match=r"data\.function: cannot read .*my.py: No such file"):
        read_data({"function": "my.py:load"}, folder=tmp_path)


def test_a_file_that_has_changed_takes_no_place_of_another(tmp_path: Path) -> None:
    data = load(archive(tmp_path, x=X, y=Y)).data
    archive(tmp_path, x=X + 1.0, y=Y)
    assert len(load(data).training.labels) == 70  # from the cache
    with pytest.raises(DataError, match=r"mine.npz has changed: its contents are"):
        load(replace(data, split_seed=5))


def test_pairs_modulo_p_are_all_there_once() -> None:
    data = ModularAddition(7, training=0.4)
    splits = load_all(data)
    assert [len(splits[role].labels) for role in ("training", "validation", "test")] == [20, 14, 15]
    pairs = set()
    for split in splits.values():
        a, b = split.inputs[:, :7].argmax(axis=1), split.inputs[:, 7:].argmax(axis=1)
        np.testing.assert_array_equal((a + b) % 7, split.labels)
        assert (split.inputs.sum(axis=1) == 2).all()
        pairs |= set(zip(a.tolist(), b.tolist(), strict=True))
    assert len(pairs) == 49


def test_harmonics_are_validated_and_tested_where_nothing_was_trained() -> None:
    splits = load_all(Builtin("harmonics"))
    distances = {role: np.abs(split.inputs) for role, split in splits.items()}
    assert distances["training"].max() < distances["validation"].min()
    assert distances["validation"].max() < distances["test"].min()
    assert load("harmonics").classes == 0


@pytest.mark.parametrize(
    ("name", "shape", "classes"), [("diabetes", (310, 10), 0), ("breast_cancer", (399, 30), 2)]
)
def test_embedded_tables_are_standardised(name: str, shape: tuple[int, ...], classes: int) -> None:
    dataset = load(name)
    assert (dataset.training.inputs.shape, dataset.classes) == (shape, classes)
    np.testing.assert_allclose(dataset.training.inputs.std(axis=0), 1.0, atol=1e-5)


def test_a_digit_can_be_a_number() -> None:
    dataset = load(Builtin("digits", targets="numbers"))
    assert (dataset.name, dataset.classes) == ("digits as numbers", 0)
    assert dataset.training.labels.shape == (1_257, 1)
    assert dataset.training.labels.std() == pytest.approx(1.0, abs=1e-5)
    test = load_test(Builtin("digits", targets="numbers")).labels
    digits = load("digits").training.labels
    assert test * digits.std() + digits.mean() == pytest.approx(
        load_test("digits").labels[:, None], abs=1e-4
    )


def test_a_task_of_arrays_in_memory_is_written_as_a_file(tmp_path: Path) -> None:
    task = Task(data=Arrays(X, Y, name='"mine"'), network=MLP((8, 8)), name="spirals \\ ü")
    write_task(task, tmp_path / "mine.toml")
    read = find_task(str(tmp_path / "mine.toml"))
    assert read == task
    assert load(read.data).classes == 3


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_sums_of_which_a_split_would_have_none_are_refused(share: float) -> None:
    with pytest.raises(DataError, match=r"addition modulo 5: of 25 sums .* choose `training` so"):
        load(ModularAddition(5, share))


def test_a_batch_that_examples_do_not_fill_is_filled_with_different_ones() -> None:
    others = {"x_validation": X[:20], "y_validation": Y[:20], "x_test": X, "y_test": Y}
    data = DeviceData(load(Arrays(X, Y, others=others)), batch=50)
    examples = data.of_validation(0)
    present = np.asarray(examples.present[0])
    assert (present.sum(), present[:20].all()) == (20, True)
    inputs = np.asarray(examples.inputs[0])
    np.testing.assert_array_equal(inputs[20:40], inputs[:20])
    np.testing.assert_array_equal(inputs[40:], inputs[:10])
