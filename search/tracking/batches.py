"""What MLflow takes in one request, and gives in one page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from search.texts.shortening import shorten
from search.tracking.metrics import present

# MLflow cuts params at 6,000 characters and tags at 8,000 without a word; we cut visibly.
MAX_TEXT: Final = 5_900
# MLflow takes a thousand things at once, tags among them.
METRICS_A_BATCH: Final = 900
RUNS_A_PAGE: Final = 1_000


def every_run(client: Any, experiment_id: str, query: str = "") -> Iterator[Any]:
    """Yields the runs of an experiment that a query selects, in MLflow's own order."""
    token = None
    while True:
        page = client.search_runs([experiment_id], query, max_results=RUNS_A_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def log(
    client: Any,
    run_id: str,
    *,
    metrics: list[Any] | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> None:
    """Writes one batch to a run; what is None is left out, and what is too long cut visibly."""
    from mlflow.entities import Param, RunTag

    client.log_batch(
        run_id,
        metrics=metrics or [],
        params=[Param(key, _text(value)) for key, value in present(params)],
        tags=[RunTag(key, _text(value)) for key, value in present(tags)],
        synchronous=True,
    )


def batches(metrics: list[Any]) -> list[list[Any]]:
    """Metrics as few requests take them; the last batch may be empty, and leaves room for tags."""
    cuts = range(0, len(metrics) + 1, METRICS_A_BATCH)
    return [metrics[start : start + METRICS_A_BATCH] for start in cuts]


def _text(value: Any) -> str:
    """A setting or a tag as MLflow takes it."""
    return shorten(json.dumps(value) if isinstance(value, list | tuple) else str(value), MAX_TEXT)
