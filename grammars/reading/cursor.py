"""A place in a text between tokens, from which a parser reads on or says what it expected."""

from __future__ import annotations

from typing import Final

from grammars.reading.tokens import ParseError, Token, cut, tokens

MAX_TEXT_LENGTH: Final = 10_000

NO_EQUATIONS: Final = "neither options by name nor 'f(x) =' are read: write the expression alone"
_OPENING: Final = ("(", "|", "√")


class Cursor:
    """The tokens of a text, read one after another."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT_LENGTH:
            raise ParseError(
                f"the text has {len(text):,} characters; at most {MAX_TEXT_LENGTH:,} are allowed",
                text,
                MAX_TEXT_LENGTH,
            )
        self.text = text
        self._tokens = tokens(text)
        self._index = 0

    @property
    def next(self) -> Token:
        """The token that is read next."""
        return self._tokens[self._index]

    def ahead(self, count: int) -> Token:
        """A later token; the end where there are no more."""
        return self._tokens[min(self._index + count, len(self._tokens) - 1)]

    @property
    def found(self) -> str:
        """The next token as a message names it."""
        return "the end of the text" if self.next.kind == "end" else repr(cut(self.next.text))

    def advance(self) -> Token:
        """Reads the next token, whatever it is; the end is never passed."""
        token = self.next
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def at(self, symbol: str) -> bool:
        """Whether the next token is this symbol."""
        return self.next.kind == "symbol" and self.next.text == symbol

    def take(self, *symbols: str) -> str | None:
        """Reads the next token if it is one of `symbols`."""
        if self.next.kind == "symbol" and self.next.text in symbols:
            return self.advance().text
        return None

    def expect(self, symbol: str) -> None:
        """Reads a symbol.

        Raises:
            ParseError: If something else comes next.
        """
        if not self.take(symbol):
            raise self.expected(repr(symbol))

    def string(self, expected: str) -> str:
        """Reads a text in quotes; ParseError with what was expected if there is none."""
        if self.next.kind != "string":
            raise self.error(f"expected {expected}, found {self.found}")
        return self.advance().text[1:-1]

    def end(self) -> None:
        """ParseError unless everything is read."""
        if self.next.kind != "end":
            raise self.expected("an operator or the end")

    def expected(self, what: str) -> ParseError:
        """The error that something else was expected, with what was probably meant."""
        # In a list the comma between two functions may be what is missing.
        hint = self._misplaced() if "]" in what else self._juxtaposed() or self._misplaced()
        return self.error(f"expected {what}, found {self.found}{f'; {hint}' if hint else ''}")

    def error(self, problem: str, token: Token | None = None) -> ParseError:
        """An error that points at a token, the next one by default."""
        return ParseError(problem, self.text, (token or self.next).position)

    def string_named(self, content: str) -> Token:
        """The last token that is this text in quotes; the first token if there is none."""
        named = [t for t in self._tokens if t.kind == "string" and t.text[1:-1] == content]
        return named[-1] if named else self._tokens[0]

    def _juxtaposed(self) -> str | None:
        """What to write where one operand follows another without an operator."""
        if self._index == 0 or not self._begins_an_operand(self.next):
            return None
        before, after = self._tokens[self._index - 1], cut(self.next.text)
        if before.kind == "name" and before.text not in ("x", "pi", "e"):
            argument = "..." if self.next.kind == "symbol" else after
            return f"write {before.text}({argument}) to apply {before.text!r}"
        if before.kind == "number" and self.next.kind == "name":
            return f"write {cut(before.text)} * {after}"
        if before.kind in ("number", "name", "raised") or before.text in (")", "|"):
            return "write '*' between factors"
        return None

    def _misplaced(self) -> str | None:
        """What to write instead of a sign that the language has in other places only."""
        before, after = self._tokens[self._index - 1], self.ahead(1)
        if self.at(",") and before.kind == after.kind == "number":
            return f"write {cut(before.text)}.{cut(after.text)} with a decimal point"
        if self.at("="):
            return NO_EQUATIONS
        return None

    @staticmethod
    def _begins_an_operand(token: Token) -> bool:
        return token.kind in ("number", "name") or token.text in _OPENING
