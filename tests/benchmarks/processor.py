"""Processor time and memory of processes below this one, as Linux counts them."""

from __future__ import annotations

import os
import resource
from pathlib import Path

_PROC = Path("/proc")


def cpu_seconds() -> float:
    """Processor time of this process and of all that live below it."""
    ticks = 0
    for process in [os.getpid(), *_below()]:
        try:
            stat = (_PROC / str(process) / "stat").read_text()
        except OSError:  # it has ended meanwhile
            continue
        fields = stat.rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def largest_child() -> float:
    """Resident bytes of the largest process below this one."""
    return max(
        float(int((_PROC / str(process) / "statm").read_text().split()[1])) * resource.getpagesize()
        for process in _below()
    )


def _below() -> list[int]:
    """The processes that this one started, and those that they did."""
    parents = {}
    for entry in _PROC.glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1])
    below = [os.getpid()]
    for process in below:
        below.extend(child for child, parent in parents.items() if parent == process)
    return below[1:]
