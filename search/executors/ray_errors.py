"""What Ray's errors say, in a line."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 500

# In the heading of a traceback: ray::WorkerActor.hello() (pid=7, ip=10.0.0.3, actor_id=...).
_NODE: Final = re.compile(r"\bip=([^,)\s]+)")


def told(error: Exception) -> str:
    """What was raised, and on which node, as far as Ray knows.

    Of a traceback that is its last line; lists of what is known of an actor become one line.
    """
    text = str(error).strip()
    lines = text.splitlines()
    if not any(line.startswith("  File ") for line in lines):
        return _short(" ".join(text.split()) or type(error).__name__)
    node = _NODE.search(text)
    return _short(lines[-1].strip()) + (f" (on node {node[1]})" if node else "")


def _short(line: str) -> str:
    return line[:_LONGEST].rstrip(".")
