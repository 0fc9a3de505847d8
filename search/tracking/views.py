"""What one sees first in the MLflow UI: links that open on it, saved columns, descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from search.history import TITLES, LaunchRecord
from search.tracking import names

# A "shared view" of the UI is a tag of the experiment; a link that names its key opens with it.
VIEW_KEY: Final = "actsearch"
VIEW_TAG: Final = f"mlflow.sharedViewState.{VIEW_KEY}"


def _table(*, sorted_by: str, **columns: Sequence[str]) -> dict[str, Any]:
    """A table of runs, the highest first, with these columns of metrics, params and tags."""
    keys = [f"{section}.`{name}`" for section, names in columns.items() for name in names]
    return {
        "orderByKey": f"metrics.`{sorted_by}`",
        "orderByAsc": False,
        "selectedColumns": keys,
    }


def _charts(section: str, *charts: Sequence[str]) -> dict[str, Any]:
    """A section of line charts, each of some metrics; the UI draws all others below it."""
    return {
        # Else the UI sorts the sections by their names, and its own comes first.
        "isAccordionReordered": True,
        "compareRunSections": [
            {"uuid": section, "name": section, "display": True, "isReordered": True, "columns": 2}
        ],
        "compareRunCharts": [_line_chart(section, metrics) for metrics in charts],
    }


def _line_chart(section: str, metrics: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "LINE",
        "uuid": f"{section}/{metrics[0]}",
        "metricSectionId": section,
        "metricKey": metrics[0],
        "selectedMetricKeys": list(metrics),
        "runsCountToCompare": 10,
        "deleted": False,
        "isGenerated": False,
        "lineSmoothness": 0,
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "range": {},
        "ignoreOutliers": False,
        "displayPoints": True,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


CAMPAIGN_VIEW: Final = _charts(
    "The search by generation",
    ("best_score", "median_score"),
    ("diversity",),
    ("considered", "distinct", "rejected", "trained", "promoted"),
    ("evaluations_per_second",),
)

CANDIDATES_VIEW: Final = _table(
    sorted_by=names.FITNESS,
    metrics=("fitness", "validation_loss", "validation_accuracy", "rung", "size", "seconds"),
    params=("function",),
    tags=("origin", "variation", "generation", "outcome"),
)

_FINALS_TABLE: Final = _table(
    sorted_by="mean_percent",
    metrics=(
        "mean_percent",
        "deviation_points",
        *(f"{figure}_{rival}" for rival in TITLES for figure in ("difference", "p")),
    ),
    tags=("role", "verdict"),
)


def charts_link(base_url: str, experiment_id: str) -> str:
    """The page that draws a campaign's metrics by generation.

    Args:
        base_url: Of the dashboard, such as `http://127.0.0.1:5000`.
        experiment_id: Of the experiment that bears the campaign's name.
    """
    return _runs_page(base_url, experiment_id, compareRunsMode="CHART", viewStateShareKey=VIEW_KEY)


def candidates_link(base_url: str, experiment_id: str) -> str:
    """The page that lists a campaign's candidates, the fittest first.

    Args:
        base_url: Of the dashboard, such as `http://127.0.0.1:5000`.
        experiment_id: Of the experiment `<campaign>/candidates`.
    """
    return _runs_page(base_url, experiment_id, viewStateShareKey=VIEW_KEY)


def finals_link(base_url: str, experiment_id: str) -> str:
    """The page that compares the functions of a campaign's finals, the most accurate first.

    Args:
        base_url: Of the dashboard, such as `http://127.0.0.1:5000`.
        experiment_id: Of the experiment `<campaign>/finals`.
    """
    return _runs_page(base_url, experiment_id, viewStateShareKey=VIEW_KEY)


def finals_view(number: int, task: str) -> dict[str, Any]:
    """The functions of one finals on one task: accuracies on two tasks can't be compared."""
    only = f"tags.{names.FINALS} = '{number}' and tags.task = '{task}'"
    return {**_FINALS_TABLE, "searchFilter": only}


def describe_campaign(campaign: str, experiment: str, record: LaunchRecord) -> str:
    """The markdown that heads the campaign's run, in the experiment of that name."""
    dataset = record.dataset
    lines = [
        f"# {campaign}",
        "",
        record.settings.get("description") or "A search for activation functions.",
        "",
        f"Trained on **{dataset.name}** ({dataset.source}).",
    ]
    if fallback_for := dataset.fallback_for:
        lines += ["", f"> **Fallback**: {fallback_for} could not be had; its place was taken."]
    lines += [
        "",
        "* **Metrics** go by generation. A score is minus the mean log validation loss: higher is "
        "better, and 0.1 more means a loss about 10 % lower.",
        f"* **`{names.TABLE_JSON}`** holds every candidate, those that were rejected included.",
        f"* **`{names.candidates_experiment(experiment)}`** is the experiment that holds the "
        f"candidates as runs; sort it by `{names.FITNESS}`.",
        f"* **`{names.REPORT_PAGE}`** is the report, once it is written: what may be claimed, and "
        "everything behind it.",
        f"* **`{names.FUNCTIONS_PICTURE}`** shows the best function and its derivative.",
    ]
    return "\n".join(lines)


def describe_candidates(campaign: str) -> str:
    """The markdown that heads the experiment of the candidates."""
    return (
        f"The candidates of the campaign `{campaign}`, one run each; the baselines are among them "
        "and were scored under the same protocol. The step of a metric is the rung: a candidate "
        "on a higher rung was trained for longer, so compare fitness among equals in `rung`."
    )


def _runs_page(base_url: str, experiment_id: str, **query: str) -> str:
    # Without a workflow type the UI opens on a page for language models.
    parameters = urlencode({"workflowType": "machine_learning", **query})
    return f"{base_url}/#/experiments/{experiment_id}/runs?{parameters}"
