"""What one sees first in the MLflow UI: links that open on it, saved columns and charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from evaluators.statistics.comparison import listed
from search.history import TITLES, Measure
from search.tracking import names

# A "shared view" of the UI is a tag of the experiment; a link that names its key opens with it.
VIEW_KEY: Final = "actsearch"
VIEW_TAG: Final = f"{names.SHARED_VIEW}{VIEW_KEY}"


def _table(*, sorted_by: str, ascending: bool = False, **columns: Sequence[str]) -> dict[str, Any]:
    """A table of runs in the order of a metric, with these columns of metrics, params, tags."""
    keys = [f"{section}.`{name}`" for section, names in columns.items() for name in names]
    return {
        "orderByKey": f"metrics.`{sorted_by}`",
        "orderByAsc": ascending,
        "selectedColumns": keys,
        # Else the UI sorts them by their names.
        "columnOrder": keys,
    }


def _charts(*sections: tuple[str, int, Sequence[dict[str, Any]]]) -> dict[str, Any]:
    """Sections of charts, each with a name and columns; the UI draws all other metrics below."""
    return {
        # Else the UI sorts the sections by their names, and its own comes first.
        "isAccordionReordered": True,
        "compareRunSections": [
            {"uuid": name, "name": name, "display": True, "isReordered": True, "columns": columns}
            for name, columns, _ in sections
        ],
        "compareRunCharts": [
            {
                "uuid": f"{name}/{number}",
                "metricSectionId": name,
                "runsCountToCompare": 10,
                "deleted": False,
                "isGenerated": False,
                **chart,
            }
            for name, _, charts in sections
            for number, chart in enumerate(charts)
        ],
    }


def _lines(*metrics: str) -> dict[str, Any]:
    """Which the UI titles by their metrics, whatever else it is told."""
    return {
        "type": "LINE",
        "metricKey": metrics[0],
        "selectedMetricKeys": list(metrics),
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


def _parallel_coordinates(*metrics: str) -> dict[str, Any]:
    """A line for each run that has all of them, coloured by the last."""
    return {
        "type": "PARALLEL",
        "selectedParams": [],
        "selectedMetrics": list(metrics),
        "showAllRuns": True,
    }


def _scatter(*, across: str, up: str) -> dict[str, Any]:
    """A dot for each run that the list beside it shows."""
    axes = {"xaxis": across, "yaxis": up}
    return {
        "type": "SCATTER",
        "runsCountToCompare": 100,
        **{axis: {"key": key, "type": "METRIC"} for axis, key in axes.items()},
    }


CAMPAIGN_VIEW: Final = _charts(
    (
        f"Best so far beside {listed(list(TITLES.values()))}",
        2,
        [
            _lines("best_score", *(f"{names.RIVAL_PREFIX}{rival}" for rival in TITLES)),
            _lines("best_score", "median_score"),
        ],
    ),
    (
        "The search by generation",
        2,
        [
            _lines("diversity"),
            _lines("considered", "distinct", "rejected", "trained", "promoted"),
            _lines("evaluations_per_second"),
        ],
    ),
)

_CANDIDATES_TABLE: Final = _table(
    sorted_by=names.FITNESS,
    metrics=("validation_loss", "validation_accuracy", names.FITNESS, "rung", "cost", "size"),
    params=("function",),
    tags=("origin", "variation", "generation", "outcome"),
)


def candidates_view(tasks: Sequence[str]) -> dict[str, Any]:
    """The candidates, the fittest first, with charts that compare them.

    Args:
        tasks: Names of those that they are scored on, where there are several.
    """
    scores = [f"{names.SCORE_PREFIX}{names.as_name(task)}" for task in tasks]
    coordinates = *(scores or ["validation_accuracy"]), "cost", "size", names.FITNESS
    charts = _charts(
        ("Score, cost and size", 1, [_parallel_coordinates(*coordinates)]),
        (
            "What fitness costs",
            2,
            [_scatter(across=each, up=names.FITNESS) for each in ("cost", "size")],
        ),
    )
    # The UI hides all runs but the first ten unless it is told otherwise.
    shown = {"runsHiddenMode": "SHOW_ALL"}
    return {**_CANDIDATES_TABLE, **charts, **shown}


def _finals_table(measured: Sequence[str], *, ascending: bool) -> dict[str, Any]:
    compared = (f"{figure}_{rival}" for rival in TITLES for figure in ("difference", "p"))
    return _table(
        sorted_by=measured[0],
        ascending=ascending,
        metrics=(*measured, *compared),
        tags=("role", "verdict"),
    )


_FINALS_TABLES: Final = {
    "accuracy": _finals_table(("mean_percent", "deviation_points"), ascending=False),
    "log_loss": _finals_table(("log_test_loss", "mean_percent"), ascending=True),
}


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


def comparison_link(base_url: str, experiment_id: str) -> str:
    """The page that draws a campaign's candidates: scores by task, cost and size.

    Args:
        base_url: Of the dashboard, such as `http://127.0.0.1:5000`.
        experiment_id: Of the experiment `<campaign>/candidates`.
    """
    return _runs_page(base_url, experiment_id, compareRunsMode="CHART", viewStateShareKey=VIEW_KEY)


def finals_link(base_url: str, experiment_id: str) -> str:
    """The page that compares the functions of a campaign's finals, the best first.

    Args:
        base_url: Of the dashboard, such as `http://127.0.0.1:5000`.
        experiment_id: Of the experiment `<campaign>/finals`.
    """
    return _runs_page(base_url, experiment_id, viewStateShareKey=VIEW_KEY)


def finals_view(number: int, task: str, measure: Measure) -> dict[str, Any]:
    """The functions of one finals on one task, since figures of two tasks can't be compared.

    What comes first is the best by what the finals compare by.
    """
    only = f"tags.{names.FINALS} = '{number}' and tags.task = '{task}'"
    return {**_FINALS_TABLES[measure.setting], "searchFilter": only}


def _runs_page(base_url: str, experiment_id: str, **query: str) -> str:
    # Without a workflow type the UI opens on a page for language models.
    parameters = urlencode({"workflowType": "machine_learning", **query})
    return f"{base_url}/#/experiments/{experiment_id}/runs?{parameters}"
