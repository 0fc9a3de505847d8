"""Arrays from a script or a notebook as a task's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from evaluators.datasets import loading
from evaluators.datasets.array_files import DataError
from evaluators.datasets.data import Given, Splitting
from evaluators.datasets.own import named_arrays, shown
from evaluators.reading.sections import SectionError, read_section

_OTHERS: Final = ("x_test", "y_test", "x_validation", "y_validation")


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
        DataError: If they or the settings cannot be used; the message says why in one sentence.
    """
    try:
        read_section(Splitting, splitting, place="Arrays")  # which knows no `given`
        data = read_section(Given, {"given": name, **splitting}, place="Arrays")
    except SectionError as error:
        raise DataError(str(error)) from None
    arrays = {"x": x, "y": y} if others is None else {"x_train": x, "y_train": y, **_known(others)}
    return loading.given(named_arrays(arrays, source=data.name), data)


def _known(others: Any) -> Mapping[str, Any]:
    if isinstance(others, Mapping) and set(others) <= set(_OTHERS):
        return others
    raise DataError(
        f"Arrays.others: it must be a mapping with x_test and y_test, and perhaps x_validation and "
        f"y_validation, got {shown(others)}"
    )
