"""The command in a process of its own, and the workers below it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Starts the command, in a process group of its own, as a terminal would."""
    return subprocess.Popen(
        [sys.executable, "-m", "search", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def workers_of(process: int) -> list[int]:
    """The processes that evaluate for this one: children of its children, by /proc."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(fields[1])
    servers = [child for child, parent in parents.items() if parent == process]
    return [child for child, parent in parents.items() if parent in servers]
