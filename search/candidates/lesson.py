"""What a campaign may learn from an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from grammars import Expression, parse


@dataclass(frozen=True)
class Lesson:
    """A function that another campaign has scored under this one's own conditions.

    Attributes:
        candidate_id: Its id.
        text: The function as it was written.
        rung: Of this campaign, on which functions are scored as that one was.
        score: What it came to.
        campaign: Which has scored it.
    """

    candidate_id: str
    text: str
    rung: int
    score: float
    campaign: str

    @cached_property
    def expression(self) -> Expression:
        """What the text says."""
        return parse(self.text)

    def to_json(self) -> dict[str, Any]:
        """A JSON document; `from_json` restores an equal lesson."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Lesson:
        """Restores a lesson from what `to_json` wrote."""
        return cls(**document)
