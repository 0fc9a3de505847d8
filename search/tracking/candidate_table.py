"""The table of every candidate as the JSON of an MLflow table, and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from search.history.considered import COLUMNS, CandidateRow


def table_json(rows: Iterable[CandidateRow]) -> str:
    """The rows in the format of `mlflow.log_table`, which can only append to what is there."""
    data = [[row[column] for column in COLUMNS] for row in rows]
    return json.dumps({"columns": list(COLUMNS), "data": data}, allow_nan=False)


def table_csv(rows: Iterable[CandidateRow]) -> str:
    """The rows as CSV with a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
