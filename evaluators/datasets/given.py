"""Arrays from a script or a notebook as a task's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluators.datasets import loading
from evaluators.datasets.data import Given
from evaluators.datasets.own import named_arrays


def Arrays(  # noqa: N802 - reads as the kind of data that it makes
    x: Any,
    y: Any,
    *,
    name: str = "arrays",
    others: Mapping[str, Any] | None = None,
    **splitting: Any,
) -> Given:
    """Data from arrays in memory, checked at once and kept in the array cache by their content.

    Args:
        x: Inputs [examples, ...], of any kind that NumPy turns into numbers.
        y: Classes from 0 or texts [examples], or of each place in an example [examples, ...]; for
            regression numbers [examples] or [examples, targets].
        name: What records call them.
        others: Splits of one's own: arrays under x_test and y_test, and perhaps x_validation and
            y_validation; x and y are for training then. Without them they are drawn.
        **splitting: `targets`, `classes`, `standardise`, `validation`, `test` and `split_seed`; see
            `evaluators.datasets.data.Splitting`.

    Raises:
        DataError: If they cannot be used; the message says why in one sentence.
    """
    arrays = {"x": x, "y": y} if others is None else {"x_train": x, "y_train": y, **others}
    plain = {key: np.asarray(array) for key, array in arrays.items()}
    return loading.given(named_arrays(plain, source=name), Given(given=name, **splitting))
