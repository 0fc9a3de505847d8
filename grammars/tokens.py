"""Text cut into tokens, and the error that points at one of them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

# Longer words are cut in messages.
_LONGEST_WORD: Final = 40

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r'|(?P<string>"[^"\n]*"|\'[^\'\n]*\')'
    r"|(?P<symbol>\*\*|>=|<=|[-+*/^(),<>=\[\]]))",
    re.ASCII,
)
_SPACE: Final = re.compile(r"\s*", re.ASCII)


class ParseError(ValueError):
    """An expression that cannot be read.

    Attributes:
        problem: What is wrong, in words.
        text: The whole text.
        position: Index of the first offending character.
    """

    def __init__(self, problem: str, text: str, position: int) -> None:
        self.problem, self.text, self.position = problem, text, position
        super().__init__(f"{problem}\n{_pointed_at(text, position)}")

    def __reduce__(self) -> tuple[type[ParseError], tuple[str, str, int]]:
        # An exception is rebuilt from its message alone unless it says otherwise.
        return ParseError, (self.problem, self.text, self.position)


def _pointed_at(text: str, position: int) -> str:
    """A one-line excerpt with a caret below `position`."""
    start = max(0, position - 60)
    excerpt = re.sub(r"\s", " ", text[start : position + 20])
    return f"  {excerpt}\n  {' ' * (position - start)}^"


class Token(NamedTuple):
    """A lexical unit; `kind` is number, name, string, symbol or end."""

    kind: str
    text: str
    position: int


def tokens(text: str) -> list[Token]:
    """Cuts a text into tokens, the last one of kind end; ParseError at a wrong character."""
    found = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            space = _SPACE.match(text, position)
            position = space.end() if space else position
            raise ParseError(f"unexpected character {text[position]!r}", text, position)
        kind = match.lastgroup
        found.append(Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    found.append(Token("end", "", len(text)))
    return found


def cut(word: str) -> str:
    """The word as a message shows it."""
    return word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}..."
