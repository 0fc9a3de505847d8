"""How the journal writes an event as text, and the checksum that holds events together."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal

import orjson

Kind = Literal[
    "campaign",
    "lesson",
    "launch",
    "candidate",
    "evaluation",
    "training",
    "yardsticks",
    "generation",
    "finished",
    "work",
    "measurement",
    "polish",
    "settled",
    "finals_plan",
    "finals_run",
    "finals_look",
    "test_opening",
    "finals_score",
    "finals_end",
]

Row = tuple[int, Kind, str, float, str]
"""An event as the file holds it, without its checksum: sequence, kind, key, time, payload."""

_CHECKSUM_BYTES: Final = 16

# Made once: `json.dumps` makes an encoder for each call, which takes longer than encoding.
_ENCODE_PAYLOAD: Final = json.JSONEncoder(sort_keys=True, allow_nan=False).encode
# Types that SQLite gives back only from a damaged file are written somehow, and differ.
_ENCODE_ROW: Final = json.JSONEncoder(default=repr).encode
_QUOTE: Final = json.encoder.encode_basestring_ascii


def encoded(payload: Any) -> str:
    """The text of a document, always the same for equal documents.

    Raises:
        TypeError, ValueError: If it is none, such as one that holds NaN.
    """
    return _ENCODE_PAYLOAD(payload)


def decoded(text: str) -> Any:
    """What `encoded` wrote.

    Raises:
        ValueError: If nobody wrote that.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        # Half a character, such as a path may hold that is no text, is refused by orjson alone.
        return json.loads(text)


def checksum_of(before: str, row: Row) -> str:
    """Of an event and, through the checksum before it, of all events up to it."""
    sequence, kind, key, moment, payload = row
    try:
        # What the encoder writes, in a third of its time.
        text = (
            f"[{_QUOTE(before)}, {sequence:d}, {_QUOTE(kind)}, {_QUOTE(key)}, {moment!r}, "
            f"{_QUOTE(payload)}]"
        )
    except (TypeError, ValueError):
        text = _ENCODE_ROW([before, *row])
    return hashlib.blake2b(text.encode(), digest_size=_CHECKSUM_BYTES).hexdigest()
