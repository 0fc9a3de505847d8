"""Data of a task, as arrays; the only package that imports tensorflow_datasets."""

from evaluators.datasets.array_cache import Split
from evaluators.datasets.array_files import DataError
from evaluators.datasets.builtin import TABLE, UnknownDatasetError
from evaluators.datasets.data import (
    ArrayFile,
    Builtin,
    Data,
    FunctionData,
    Given,
    ModularAddition,
    OfObjective,
    Tfds,
    data_section,
    deciding_data,
    read_data,
)
from evaluators.datasets.given import Arrays
from evaluators.datasets.loading import (
    Dataset,
    install,
    load,
    load_all,
    load_test,
    prepare,
)
from evaluators.datasets.tfds_images import DatasetDamaged, DatasetUnavailable

__all__ = [
    "TABLE",
    "ArrayFile",
    "Arrays",
    "Builtin",
    "Data",
    "DataError",
    "Dataset",
    "DatasetDamaged",
    "DatasetUnavailable",
    "FunctionData",
    "Given",
    "ModularAddition",
    "OfObjective",
    "Split",
    "Tfds",
    "UnknownDatasetError",
    "data_section",
    "deciding_data",
    "install",
    "load",
    "load_all",
    "load_test",
    "prepare",
    "read_data",
]
