"""Which functions a search has considered, so that equal ones are scored once."""

from __future__ import annotations

from grammars import Expression, FunctionIndex, expression_id


class Considered:
    """A memory of functions."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._functions = FunctionIndex()
        self._ids: set[str] = set()

    def add(self, expression: Expression) -> bool:
        """Remembers a function; whether it is new."""
        text = str(expression)
        is_new = text not in self._texts and self._is_new(text, expression)
        self._texts.add(text)  # most duplicates are written alike
        return is_new

    def _is_new(self, text: str, expression: Expression) -> bool:
        """Whether neither what it computes nor its canonical form is known.

        Most equal functions are found by what they compute. One with a parameter that changes
        nothing is not compared with those that have none, but shares their form and so their id.
        """
        if self._functions.find_or_add(text, expression) != text:
            return False
        held = len(self._ids)
        self._ids.add(expression_id(expression))
        return len(self._ids) > held
