"""Data sets by name, as arrays; the only package that imports tensorflow_datasets."""

from evaluators.datasets.array_cache import Split
from evaluators.datasets.data import Builtin, Data, data_section, deciding_data, read_data
from evaluators.datasets.loading import (
    Dataset,
    install,
    load,
    load_all,
    load_test,
    prepare,
)
from evaluators.datasets.table import TABLE, UnknownDatasetError
from evaluators.datasets.tfds_images import DatasetDamaged, DatasetUnavailable

__all__ = [
    "TABLE",
    "Builtin",
    "Data",
    "Dataset",
    "DatasetDamaged",
    "DatasetUnavailable",
    "Split",
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
