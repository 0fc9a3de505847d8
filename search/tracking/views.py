"""What one sees first in the MLflow UI: links that open on it, saved columns, descriptions."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from search.tracking import names
from search.tracking.history import CampaignRecord

# A "shared view" of the UI is a tag of the experiment; a link that names its key opens with it.
VIEW_KEY: Final = "actsearch"
VIEW_TAG: Final = f"mlflow.sharedViewState.{VIEW_KEY}"

_COLUMNS: Final = (
    ("metrics", ("fitness", "validation_loss", "validation_accuracy", "rung", "size", "seconds")),
    ("params", ("expression",)),
    ("tags", ("origin", "variation", "generation", "outcome")),
)

_COLUMN_KEYS: Final = [
    f"{section}.`{column}`" for section, columns in _COLUMNS for column in columns
]

CANDIDATES_VIEW: Final[dict[str, Any]] = {
    "orderByKey": f"metrics.`{names.FITNESS}`",
    "orderByAsc": False,
    "selectedColumns": _COLUMN_KEYS,
}


def charts_link(base_url: str, experiment_id: str) -> str:
    """The page that draws a campaign's metrics by generation.

    Args:
        base_url: Of the dashboard, such as `http://127.0.0.1:5000`.
        experiment_id: Of the experiment that bears the campaign's name.
    """
    return _runs_page(base_url, experiment_id, compareRunsMode="CHART")


def candidates_link(base_url: str, experiment_id: str) -> str:
    """The page that lists a campaign's candidates, the fittest first.

    Args:
        base_url: Of the dashboard, such as `http://127.0.0.1:5000`.
        experiment_id: Of the experiment `<campaign>/candidates`.
    """
    return _runs_page(base_url, experiment_id, viewStateShareKey=VIEW_KEY)


def describe_campaign(campaign: str, record: CampaignRecord) -> str:
    """The markdown that heads the campaign's run."""
    dataset = record.dataset
    lines = [
        f"# {campaign}",
        "",
        record.settings.get("description") or "A search for activation functions.",
        "",
        f"Trained on **{dataset['name']}** ({dataset['source']}).",
    ]
    if fallback_for := dataset.get("fallback_for"):
        lines += ["", f"> **Fallback**: {fallback_for} could not be had; its place was taken."]
    lines += [
        "",
        "* **Metrics** go by generation. A score is minus the mean log validation loss: higher is "
        "better, and 0.1 more means a loss about 10 % lower.",
        f"* **`{names.TABLE_JSON}`** holds every candidate, those that were rejected included.",
        f"* **`{names.candidates_experiment(campaign)}`** is the experiment that holds the "
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
