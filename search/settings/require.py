"""The section `[search.require]`: what a function must be to be trained at all."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from search.settings.section import Section

Slope = Annotated[float, Field(ge=-1e6, le=1e6)]


class RequireSettings(Section):
    """What a function must be to be trained at all; what is left out is not asked.

    Attributes:
        monotone: Rising or falling throughout.
        bounded_below: Whether it has a greatest lower bound.
        bounded: Whether it has bounds on both sides.
        odd: f(-x) = -f(x); kept by construction.
        even: f(-x) = f(x); kept by construction.
        zero_at_zero: Whether f(0) = 0; kept by construction.
        smooth: Without kinks and jumps.
        slopes: Least and greatest slope.
        max_relative_cost: Estimated time of f and f' together, in units of ReLU's.
    """

    monotone: Literal[True] | None = None
    bounded_below: Literal[True] | None = None
    bounded: Literal[True] | None = None
    odd: Literal[True] | None = None
    even: Literal[True] | None = None
    zero_at_zero: Literal[True] | None = None
    smooth: Literal[True] | None = None
    slopes: Annotated[tuple[Slope, Slope], Field(strict=False)] | None = None
    max_relative_cost: Annotated[float, Field(gt=0.0, le=1e6)] | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> RequireSettings:
        if self.slopes is not None and self.slopes[0] >= self.slopes[1]:
            raise ValueError(f"slopes: the least comes first, got {list(self.slopes)}")
        if self.odd and self.even:
            raise ValueError("only 0 is odd and even; drop one")
        if self.even and self.monotone:
            raise ValueError("an even function is not monotone unless it is constant; drop one")
        if self.even and self.slopes is not None and self.slopes[0] >= 0.0:
            raise ValueError(
                "slopes: an even function has slopes of both signs, got a least slope of "
                f"{self.slopes[0]:g}; make it negative"
            )
        return self

    @property
    def symmetry(self) -> Literal["odd", "even"] | None:
        """What it must be about 0."""
        return "odd" if self.odd else "even" if self.even else None
