"""The functions that a campaign starts from: named ones, or another campaign's best."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from grammars import Expression, Grammar, fitted, functions_of, parse_activation
from grammars.reading.text_files import read_text
from search.candidates.hall_of_fame import FILE_NAME
from search.journal.campaign_folder import is_folder
from search.settings import SettingsError

MAX_FILE_BYTES: Final = 10_000_000

# What may have been meant as a path, and what can hardly have been meant as anything else.
_PATH: Final = re.compile(r"[\w./~ -]*")
_FOLDERS: Final = re.compile(r"[~.]|[\w. -]*/[\w./ -]*$")


def read_starting_points(start_from: Iterable[str], grammar: Grammar) -> list[Expression]:
    """Reads what `start_from` of a campaign file names.

    Args:
        start_from: Catalogue names and expressions, which the grammar must be able to write, in
            an equal form if not as they stand, and folders of campaigns, of whose hall of fame
            those are taken that it can.
        grammar: Of the search.

    Raises:
        SettingsError: With every one that cannot be used, and why.
    """
    points: list[Expression] = []
    problems: list[str] = []
    for text in start_from:
        try:
            points.extend(_read(text, grammar))
        except ValueError as error:
            problems.append(f"  {text!r}: {error}")
    if problems:
        raise SettingsError("\n".join(["search.start_from cannot be used:", *problems]))
    return points


def _read(text: str, grammar: Grammar) -> Iterator[Expression]:
    """What a text means as a function decides first: no folder that happens to lie around may."""
    try:
        activation = parse_activation(text, defined=grammar.defined)
    except ValueError as error:
        if is_folder(text):
            yield from _best_of(Path(text), grammar)
            return
        hint = _hint(Path(text)) if _PATH.fullmatch(text) else ""
        if hint or _FOLDERS.match(text):
            raise ValueError(f"no such folder{hint}; nor is it an expression: {error}") from None
        raise
    for expression in functions_of(activation):
        if (form := fitted(expression, grammar)) is None:
            words = grammar.violation(expression)
            raise ValueError(f"the grammar {grammar.name!r} cannot write {expression}: {words}")
        yield form


def _hint(path: Path) -> str:
    """What the path may have meant: the folder of a file, or a campaign beside it."""
    try:
        if path.is_file():
            return f" but a file; name its folder, {str(path.parent)!r}"
        beside = [str(each.parent) for each in path.parent.glob(f"*/{FILE_NAME}")]
    except OSError:
        return ""
    near = difflib.get_close_matches(str(path), beside, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _best_of(folder: Path, grammar: Grammar) -> list[Expression]:
    path = folder / FILE_NAME
    if not path.is_file():
        raise ValueError(f"the folder has no {FILE_NAME}; name the folder of a campaign")
    lines = read_text(path, max_bytes=MAX_FILE_BYTES).splitlines()
    texts = [row["expression"] for row in csv.DictReader(lines) if row.get("expression")]
    # What was found for single layers is worth a try in every other.
    expressions = [
        each
        for text in texts
        for each in functions_of(parse_activation(text, defined=grammar.defined))
    ]
    writable = [each for each in expressions if grammar.violation(each) is None]
    if not writable:
        raise ValueError(
            f"the grammar {grammar.name!r} can write none of the {len(texts)} functions there"
        )
    return writable
