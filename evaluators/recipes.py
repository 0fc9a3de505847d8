"""How a network is trained."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from evaluators.sections import STRICT


@dataclass(frozen=True, config=STRICT)
class Recipe:
    """How a network is trained, the same for every candidate.

    Attributes:
        learning_rate: Of Adam (Kingma, Ba 2015), constant, so that a short run is the beginning of
            a long one.
        batch: Examples a step.
    """

    learning_rate: Annotated[float, Field(gt=0.0, allow_inf_nan=False, strict=False)] = 1e-3
    batch: Annotated[int, Field(ge=1, le=1_000_000)] = 128
