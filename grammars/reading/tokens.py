"""Text cut into tokens, and the error that points at one of them."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from grammars.reading.hints import CHARACTERS
from grammars.reading.spellings import MODULES

# Longer words are cut in messages.
_LONGEST_WORD: Final = 40

# Signs as papers print them, each one character for one, so that positions stay.
_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}", "-"),
        **dict.fromkeys("\N{MIDDLE DOT}\N{DOT OPERATOR}\N{BULLET OPERATOR}", "*"),
        **dict.fromkeys("\N{MULTIPLICATION SIGN}\N{ASTERISK OPERATOR}", "*"),
        **dict.fromkeys("\N{DIVISION SIGN}\N{DIVISION SLASH}\N{FRACTION SLASH}", "/"),
    }
)
_RELATIONS: Final = {"\N{GREATER-THAN OR EQUAL TO}": ">=", "\N{LESS-THAN OR EQUAL TO}": "<="}
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_MODULE: Final = "|".join(MODULES)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>(?:{_MODULE})(?:\.[A-Za-z_][A-Za-z_0-9]*)+|[A-Za-z_][A-Za-z_0-9]*|[α-ωΦϕ])"
    r'|(?P<string>"[^"\n]*"|\'[^\'\n]*\')'
    r"|(?P<raised>⁻?[⁰¹²³⁴-⁹]+)"
    r"|(?P<symbol>\*\*|>=|<=|[-+*/^(),<>=\[\]|√≥≤;]))",
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
    """A lexical unit; `kind` is number, name, string, symbol, raised (an exponent) or end."""

    kind: str
    text: str
    position: int


def tokens(text: str) -> list[Token]:
    """Cuts a text into tokens, the last one of kind end; ParseError at a wrong character.

    Signs and letters of papers, such as `−`, `·`, `²` and the italic letters of formulas, are read
    as what they stand for.
    """
    found = []
    position = 0
    end = len(text.rstrip())
    plain = _plain(text)
    while position < end:
        match = _TOKEN.match(plain, position)
        if match is None or match.lastgroup is None:
            space = _SPACE.match(plain, position)
            position = space.end() if space else position
            raise ParseError(_unexpected(text[position]), text, position)
        kind = match.lastgroup
        word = match.group(kind)
        if kind == "raised":
            word = word.translate(_RAISED)
        found.append(Token(kind, _RELATIONS.get(word, word), match.start(kind)))
        position = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _plain(text: str) -> str:
    """The text with plain signs and letters, of the same length."""
    if text.isascii():
        return text
    # Formulas copied from a PDF are written in the mathematical alphabets.
    letters = (
        unicodedata.normalize("NFKC", c) if "\U0001d400" <= c <= "\U0001d7ff" else c for c in text
    )
    return "".join(letters).translate(_SIGNS)


def _unexpected(character: str) -> str:
    hint = CHARACTERS.get(character)
    return f"unexpected character {character!r}{f': {hint}' if hint else ''}"


def cut(word: str) -> str:
    """The word as a message shows it."""
    return word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}..."
