"""How a target writes a primitive: a template, and how strongly what it gives binds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grammars.expressions.expression import ATOM


@dataclass(frozen=True)
class Form:
    """How a target writes one primitive.

    Attributes:
        text: A template with `{0}`, `{1}` ... for the operands.
        strength: How strongly its outermost operation binds, as in `expression`.
        operands: The weakest strength that each operand may have without parentheses; 0 within
            the parentheses of a call.
        helper: Name of a helper function that the text calls, "" for none.
    """

    text: str
    strength: int = ATOM
    operands: tuple[int, ...] = (0, 0, 0)
    helper: str = ""

    @property
    def repeats(self) -> bool:
        """Whether the first operand is written more than once, and so must be a name."""
        return self.text.count("{0}") > 1


# The targets that write sums and products as Python and C do.
INFIX_TARGETS: Final = ("c", "jax", "keras", "numpy", "pytorch", "sympy")
