"""Functions whose shapes are as different as can be, to begin a search with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Beyond so many standard deviations a feature tells nothing more.
_FARTHEST = 3.0


def spread_out(shapes: np.ndarray) -> list[int]:
    """Puts functions in such an order that every beginning of it covers their shapes.

    Farthest-first traversal (Gonzalez, Clustering to Minimize the Maximum Intercluster Distance,
    1985): it begins with the most ordinary shape; each further one is the farthest from those
    before.

    Args:
        shapes: See `evaluators.probing.shapes` [functions, features].

    Returns:
        Numbers of the functions; those whose shape stands earlier already are left out.
    """
    places = standardised(shapes, like=shapes)
    order: list[int] = []
    nearest = np.full(len(shapes), np.inf)
    following = int(np.argmin((places**2).sum(axis=1))) if len(shapes) else -1
    while len(order) < len(shapes) and nearest[following] > 0.0:
        order.append(following)
        nearest = np.minimum(nearest, ((places - places[following]) ** 2).sum(axis=1))
        following = int(np.argmax(nearest))
    return order


def standardised(shapes: np.ndarray, *, like: np.ndarray) -> np.ndarray:
    """Shapes in standard deviations of `like` from its mean, bounded [functions, features]."""
    return Standard.of(like)(shapes)


@dataclass(frozen=True)
class Standard:
    """The scale of some shapes, on which others are put as often as one likes.

    Attributes:
        mean: Of each feature [features].
        deviation: Standard deviation of each, 1 where all are equal [features].
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, shapes: np.ndarray) -> Standard:
        """The scale of these [functions, features]."""
        deviation = shapes.std(axis=0)
        return cls(shapes.mean(axis=0), np.where(deviation > 0.0, deviation, 1.0))

    def __call__(self, shapes: np.ndarray) -> np.ndarray:
        """Shapes in standard deviations from the mean, bounded [functions, features]."""
        bounded: np.ndarray = np.clip((shapes - self.mean) / self.deviation, -_FARTHEST, _FARTHEST)
        return bounded
