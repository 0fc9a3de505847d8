"""The command in a process of its own, and the workers below it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def start(
    *arguments: str | Path, before: Sequence[str] = (), streams: int | None = None
) -> subprocess.Popen[str]:
    """Starts the command, in a process group of its own, as a terminal would.

    Args:
        arguments: Of the command.
        before: What the command is started by.
        streams: All its standard streams, two pipes by default.
    """
    return _started([*before, sys.executable, "-m", "search", *map(str, arguments)], streams)


def start_script(*arguments: str | Path) -> subprocess.Popen[str]:
    """Starts a script of a user's, likewise."""
    return _started([sys.executable, *map(str, arguments)], None)


def _started(words: Sequence[str], streams: int | None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words,
        stdin=streams,
        stdout=subprocess.PIPE if streams is None else streams,
        stderr=subprocess.PIPE if streams is None else streams,
        text=True,
        start_new_session=True,
        preexec_fn=_heed_hangups,  # noqa: PLW1509  # nothing but a system call
    )


def _heed_hangups() -> None:
    """Also where these tests run under nohup, whose children ignore them."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


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
