"""The section `[polish]`: what is done for the best functions between the search and its finals."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from search.settings.section import Section


class PolishSettings(Section):
    """The best of a search have their constants tuned, and are then simplified.

    Both are verified by training on the last rung, with its seeds; without this section neither is
    done.

    Attributes:
        functions: How many of the best.
        trainings: For the constants of each at most; and again as many at most for simpler forms.
    """

    functions: Annotated[int, Field(ge=1, le=50)] = 3
    trainings: Annotated[int, Field(ge=1, le=1_000)] = 12
