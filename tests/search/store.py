"""What an MLflow store holds, read without MLflow."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from search.tracking import artifacts_path, database_path

MEASURED = ("seconds", "relative_cost", "evaluations_per_second")
"""What tells of the machine and the moment, and may differ between equal campaigns."""


def contents(store: Path | str, *, with_times: bool = True) -> list[tuple[Any, ...]]:
    """Every row that the mirror wrote, without the ids that MLflow draws at random.

    Args:
        store: The runs directory with it, or its address.
        with_times: Whether to say when things happened and how long they took.
    """
    when, point = ("", "") if not with_times else (", r.start_time, r.end_time", ", m.timestamp")
    measured = "" if with_times else f" AND m.key NOT IN {MEASURED}"
    queries = (
        f"SELECT e.name, r.name, r.status{when} FROM runs r",
        "SELECT e.name, r.name, 'param', p.key, p.value FROM runs r JOIN params p USING (run_uuid)",
        "SELECT e.name, r.name, 'tag', t.key, t.value FROM runs r JOIN tags t USING (run_uuid)",
        f"SELECT e.name, r.name, m.key, m.value, m.step{point} "
        f"FROM runs r JOIN metrics m ON m.run_uuid = r.run_uuid{measured}",
        "SELECT e.name, r.name, 'latest', m.key, m.value, m.step "
        f"FROM runs r JOIN latest_metrics m ON m.run_uuid = r.run_uuid{measured}",
    )
    rows: list[tuple[Any, ...]] = []
    with closing(_connected(store)) as database:
        for query in queries:
            rows += database.execute(
                f"{query} JOIN experiments e USING (experiment_id) "
                "WHERE r.lifecycle_stage = 'active'"
            ).fetchall()
        rows += database.execute(
            "SELECT d.name, d.digest, i.destination_type FROM inputs i "
            "JOIN datasets d ON d.dataset_uuid = i.source_id"
        ).fetchall()
    return sorted(map(without_ids, rows), key=repr)


def without_ids(row: Sequence[Any]) -> tuple[Any, ...]:
    """A description links to the picture in another run, by its id."""
    return tuple(
        re.sub(r"run_uuid=[0-9a-f]{32}", "", value) if isinstance(value, str) else value
        for value in row
    )


def _connected(store: Path | str) -> Any:
    """A runs directory's database, or that at an address of PostgreSQL."""
    if isinstance(store, Path):
        return sqlite3.connect(database_path(store))
    import psycopg

    return psycopg.connect(store)


def artifacts(runs_dir: Path) -> dict[str, bytes]:
    """Every artifact by its place, without the id of its run."""
    root = artifacts_path(runs_dir)
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            campaign, _, *rest = path.relative_to(root).parts
            found["/".join([campaign, *rest])] = path.read_bytes()
    return found
