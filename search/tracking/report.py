"""Mirrors the report of a campaign: its page, figures and tables as artifacts of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from search.tracking import names
from search.tracking.tracker import Step


def write_report(client: Any, run_id: str, folder: Path) -> Iterator[Step]:
    """Yields the writing of each file of a report; then the UI lists its tables.

    Args:
        client: An `mlflow.MlflowClient`.
        run_id: Of the campaign's run.
        folder: The report's folder; what else lies in it is not mirrored.
    """
    for place, pattern in names.REPORT_FILES.items():
        for path in sorted((folder / place).glob(pattern)):
            yield partial(client.log_artifact, run_id, str(path), str(Path(names.REPORT, place)))
    tables = sorted((folder / names.REPORT_TABLES).glob("*.json"))
    paths = [f"{names.REPORT}/{names.REPORT_TABLES}/{table.name}" for table in tables]
    logged = [{"path": path, "type": "table"} for path in (names.TABLE_JSON, *paths)]
    yield partial(client.set_tag, run_id, "mlflow.loggedArtifacts", json.dumps(logged))
