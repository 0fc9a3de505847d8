"""The functions that a campaign starts from: named ones, or another campaign's best."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from grammars import Expression, Grammar, functions_of, parse_activation
from search.hall_of_fame import FILE_NAME
from search.settings import SettingsError

MAX_FILE_BYTES: Final = 10_000_000


def read_seeds(start_from: Iterable[str], grammar: Grammar) -> list[Expression]:
    """Reads what `start_from` of a campaign file names.

    Args:
        start_from: Catalogue names and expressions, each of which the grammar must be able to
            write, and folders of campaigns, of whose hall of fame those are taken that it can.
        grammar: Of the search.

    Raises:
        SettingsError: With every seed that cannot be used, and why.
    """
    seeds: list[Expression] = []
    problems: list[str] = []
    for text in start_from:
        try:
            seeds.extend(_read(text, grammar))
        except ValueError as error:
            problems.append(f"  {text!r}: {error}")
    if problems:
        raise SettingsError("\n".join(["search.start_from cannot be used:", *problems]))
    return seeds


def _read(text: str, grammar: Grammar) -> Iterator[Expression]:
    if (folder := Path(text)).is_dir():
        yield from _best_of(folder, grammar)
        return
    for expression in functions_of(parse_activation(text)):
        if (words := grammar.violation(expression)) is not None:
            raise ValueError(f"the grammar {grammar.name!r} cannot write {expression}: {words}")
        yield expression


def _best_of(folder: Path, grammar: Grammar) -> list[Expression]:
    path = folder / FILE_NAME
    if not path.is_file():
        raise ValueError(f"the folder has no {FILE_NAME}; name the folder of a campaign")
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        raise ValueError(f"{FILE_NAME} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["expression"] for row in csv.DictReader(file) if row.get("expression")]
    # What was found for single layers is worth a try in every other.
    expressions = [each for text in texts for each in functions_of(parse_activation(text))]
    writable = [each for each in expressions if grammar.violation(each) is None]
    if not writable:
        raise ValueError(
            f"the grammar {grammar.name!r} can write none of the {len(texts)} functions there"
        )
    return writable
