"""The data sets that installed packages carry or compute: no file to fetch, no network."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from evaluators.datasets.array_cache import Split


def digits() -> Split:
    """All 1,797 handwritten digits that scikit-learn embeds.

    Returns:
        inputs [1797, 8, 8] uint8 from 0 to 16, labels [1797].

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998, https://doi.org/10.24432/C50P49 (its test set).
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return Split(images.reshape(-1, 8, 8).astype(np.uint8), labels.astype(np.int32))


def embedded_table(name: str) -> tuple[np.ndarray, np.ndarray]:
    """One of the small tables that scikit-learn embeds.

    Args:
        name: "diabetes" (Efron, Hastie, Johnstone, Tibshirani, "Least Angle Regression", 2004):
            442 patients, 10 features, progression of the disease a year later. "breast_cancer"
            (Wolberg, Mangasarian, Street, Street, "Breast Cancer Wisconsin (Diagnostic)", UCI
            Machine Learning Repository, 1995, https://doi.org/10.24432/C5DW2B): 569 tumours, 30
            features, malignant or benign.

    Returns:
        Features [n, features] and targets [n], float64 and for classes int64.
    """
    from sklearn import datasets

    loaded = {"diabetes": datasets.load_diabetes, "breast_cancer": datasets.load_breast_cancer}
    features, targets = loaded[name](return_X_y=True)
    return np.asarray(features), np.asarray(targets)


def mnist1d(*, samples: int = 5_000, test: int = 1_000, seed: int = 42) -> tuple[Split, Split]:
    """Signals of MNIST-1D, computed; by default the 4,000 and 1,000 that are published.

    Args:
        samples: How many in all, a multiple of 10.
        test: How many of them are test examples.
        seed: Of the package's generators; 42 is the published set's.

    Returns:
        The training and the test examples: inputs [n, 40] float32 with mean 0 and standard
        deviation 1, labels [n]; in random order.

    Source: Sam Greydanus and Dmitry Kobak, "Scaling Down Deep Learning with MNIST-1D", ICML 2024,
    https://arxiv.org/abs/2011.14439
    """
    from mnist1d.data import get_dataset_args, make_dataset

    settings = get_dataset_args()
    settings.num_samples, settings.seed = samples, seed
    settings.train_split = (samples - test) / samples
    with _borrowed_generators():
        made = make_dataset(settings)
    return (
        Split(made["x"].astype(np.float32), made["y"].astype(np.int32)),
        Split(made["x_test"].astype(np.float32), made["y_test"].astype(np.int32)),
    )


@contextmanager
def _borrowed_generators() -> Iterator[None]:
    """Gives the global generators back as they were: mnist1d seeds both of them."""
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - the legacy generator is what it reseeds
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
