"""Data sets by name, as arrays; the only package that imports tensorflow_datasets."""

from evaluators.datasets.array_cache import Split
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
    "Dataset",
    "DatasetDamaged",
    "DatasetUnavailable",
    "Split",
    "UnknownDatasetError",
    "install",
    "load",
    "load_all",
    "load_test",
    "prepare",
]
