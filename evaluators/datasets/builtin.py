"""Every data set of this program's own, each with the fixed rule that splits it."""

import difflib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from evaluators.datasets import bundled, generated, tfds_images
from evaluators.datasets.array_cache import Split, checksums, fingerprint
from evaluators.datasets.data import Splitting
from evaluators.datasets.splitting import split_arrays
from evaluators.datasets.tfds_images import Locations


class ContentsError(ValueError):
    """Examples are not those of the published data set; the message says in what."""


class UnknownDatasetError(ValueError):
    """No data set has this name; the message gives the nearest and all others."""


@dataclass(frozen=True)
class BuiltinDataset:
    """One row of the table of data sets.

    Attributes:
        source: as in `Dataset`.
        scale: as in `Dataset`.
        build: makes "training", "validation" and "test" of the given data set.
        fingerprint: of the three splits; None where they are computed in floating point, which
            may differ in the last bit from machine to machine.
        classes: as in `Dataset`.
    """

    source: str
    scale: float
    build: Callable[[str, Locations], dict[str, Split]]
    fingerprint: str | None
    classes: int = 10

    def check(self, splits: Mapping[str, Split]) -> None:
        """Raises ContentsError unless `splits` can be, and where known are, the published data."""
        for role, split in splits.items():
            if len(split.inputs) != len(split.labels) or not np.isfinite(split.inputs).all():
                raise ContentsError(f"the {role} inputs are not finite, one for each label")
            if self.classes and not 0 <= split.labels.min() <= split.labels.max() < self.classes:
                raise ContentsError(f"there are {role} labels beyond 0 to {self.classes - 1}")
        found = fingerprint(checksums(splits))
        if self.fingerprint not in (None, found):
            raise ContentsError(f"the fingerprint is {found}, but {self.fingerprint} is right")


def row_of(name: str) -> BuiltinDataset:
    """The row of `TABLE` under this name, or an error that gives the nearest name."""
    if name in TABLE:
        return TABLE[name]
    nearest = difflib.get_close_matches(name, TABLE, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    raise UnknownDatasetError(
        f"unknown data set {name!r}{hint} (there are: {', '.join(TABLE)}; "
        "of TensorFlow Datasets any, as tfds:NAME)"
    )


def _by_content(examples: Split) -> Split:
    """Orders examples by the SHA-256 of their own bytes.

    The order is as good as random, comes from the data alone and not from the order in which a
    file format happens to keep it, and puts equal images side by side, into the same split.
    """
    keys = [
        hashlib.sha256(image.tobytes() + label.tobytes()).digest()
        for image, label in zip(examples.inputs, examples.labels, strict=True)
    ]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return Split(examples.inputs[order], examples.labels[order])


def _cut(examples: Split, **sizes: int) -> dict[str, Split]:
    """Cuts `examples` into consecutive splits of the given sizes, which use all of them."""
    if len(examples.labels) != sum(sizes.values()):
        raise ContentsError(
            f"{len(examples.labels):,} examples for {' and '.join(sizes)}, "
            f"but {sum(sizes.values()):,} are right"
        )
    bounds = np.cumsum([0, *sizes.values()])
    return {
        role: Split(examples.inputs[start:stop], examples.labels[start:stop])
        for role, start, stop in zip(sizes, bounds[:-1], bounds[1:], strict=True)
    }


def _tfds_images(name: str, locations: Locations) -> dict[str, Split]:
    train, test = tfds_images.read_splits(name, locations)
    return {
        **_cut(_by_content(train), training=55_000, validation=5_000),
        **_cut(_by_content(test), test=10_000),
    }


def _digits(name: str, _: Locations) -> dict[str, Split]:
    return _cut(_by_content(bundled.digits()), training=1_257, validation=270, test=270)


def _mnist1d(name: str, _: Locations) -> dict[str, Split]:
    train, test = bundled.mnist1d()  # in random order already
    return {**_cut(train, training=3_000, validation=1_000), **_cut(test, test=1_000)}


def _mnist1d_large(name: str, _: Locations) -> dict[str, Split]:
    train, test = bundled.mnist1d(samples=55_000, test=10_000, seed=43)
    return {**_cut(train, training=40_000, validation=5_000), **_cut(test, test=10_000)}


def _embedded(name: str, _: Locations) -> dict[str, Split]:
    features, targets = bundled.embedded_table(name)
    return split_arrays({"x": features, "y": targets}, Splitting(), source=name)


def _harmonics(name: str, _: Locations) -> dict[str, Split]:
    return generated.harmonics()


TABLE: Mapping[str, BuiltinDataset] = {
    "mnist": BuiltinDataset(
        source="MNIST handwritten digits (LeCun, Cortes, Burges 1998), through TFDS",
        scale=1 / 255,
        build=_tfds_images,
        fingerprint="4d83792cb4114d64702d9f52e74c00e59072a94263165edf06b0f4832fe3c055",
    ),
    "fashion_mnist": BuiltinDataset(
        source="Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, Zalando SE), through TFDS",
        scale=1 / 255,
        build=_tfds_images,
        fingerprint="cbaff8b3d5964a5f3f20e09dc274915b53b826f92fdb9722d2ae919cc4b941e8",
    ),
    "digits": BuiltinDataset(
        source="Optical recognition of handwritten digits (Alpaydin, Kaynak 1998), "
        "embedded in scikit-learn",
        scale=1 / 16,
        build=_digits,
        fingerprint="c00b444eca0d5902bf1cd3ac3f4ca81aebe79aaa9006a4b2d9bc574b307db0a6",
    ),
    "mnist1d": BuiltinDataset(
        source="MNIST-1D (Greydanus, Kobak 2024), computed by the package mnist1d",
        scale=1.0,
        build=_mnist1d,
        fingerprint=None,
    ),
    # Networks learn the 3,000 training examples of the published set by heart within a thousand
    # steps; what then comes first is what learns slowly.
    "mnist1d_large": BuiltinDataset(
        source="MNIST-1D (Greydanus, Kobak 2024), 55,000 signals computed by the package mnist1d",
        scale=1.0,
        build=_mnist1d_large,
        fingerprint=None,
    ),
    "diabetes": BuiltinDataset(
        source="Diabetes (Efron, Hastie, Johnstone, Tibshirani 2004), embedded in scikit-learn",
        scale=1.0,
        build=_embedded,
        fingerprint=None,
        classes=0,
    ),
    "breast_cancer": BuiltinDataset(
        source="Breast Cancer Wisconsin (Wolberg, Mangasarian, Street 1995), embedded in "
        "scikit-learn",
        scale=1.0,
        build=_embedded,
        fingerprint=None,
        classes=2,
    ),
    "harmonics": BuiltinDataset(
        source="A sum of two sines, computed; validated and tested outside the training range",
        scale=1.0,
        build=_harmonics,
        fingerprint=None,
        classes=0,
    ),
}
"""Every data set, by name."""
