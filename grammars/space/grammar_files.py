"""Grammars as TOML files: those shipped with the package, and those of users."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from grammars.reading.toml_files import TomlError, read_toml
from grammars.space.grammar import Grammar
from grammars.space.rules import ConstantRange, Nesting, ParameterRule

_FOLDER: Final = Path(__file__).parents[1]

# The models by the path of the table that they read, for hints about misspelt keys.
_TABLES: Final[Mapping[tuple[str, ...], type[BaseModel]]] = {
    (): Grammar,
    ("constants",): ConstantRange,
    ("parameters",): ParameterRule,
    ("nesting",): Nesting,
}


class GrammarError(ValueError):
    """A grammar that does not exist or cannot be read."""


@cache
def grammar_names() -> tuple[str, ...]:
    """The names of the shipped grammars, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load_grammar(name_or_path: str | Path) -> Grammar:
    """Reads a grammar.

    Args:
        name_or_path: The name of a shipped grammar, or the path of a file that ends in `.toml`.

    Returns:
        The grammar, checked: its limits leave something to write.

    Raises:
        GrammarError: If there is none, or with every error in the file at once.
    """
    if isinstance(name_or_path, str) and name_or_path in grammar_names():
        return _read(_FOLDER / f"{name_or_path}.toml")
    path = Path(name_or_path)
    if path.suffix == ".toml":
        return _read(path)
    near = difflib.get_close_matches(str(name_or_path), grammar_names(), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise GrammarError(
        f"unknown grammar {str(name_or_path)!r}; {hint}"
        f"shipped are {', '.join(grammar_names())}; a file of your own ends in .toml"
    )


def _read(path: Path) -> Grammar:
    try:
        content = read_toml(path)
    except OSError as error:
        raise GrammarError(
            f"cannot read the grammar {path}: {error.strerror or error}; name a file that is "
            f"there, or a shipped grammar: {', '.join(grammar_names())}"
        ) from error
    except TomlError as error:
        raise GrammarError(str(error)) from None
    try:
        return Grammar.model_validate(content)
    except ValidationError as error:
        lines = [_explained(detail) for detail in error.errors()]
        plural = "" if len(lines) == 1 else "s"
        message = f"{path} has {len(lines)} error{plural}:\n  " + "\n  ".join(lines)
        raise GrammarError(message) from error


def _explained(detail: Any) -> str:
    """One line for one error: the path of the key, what is wrong, what arrived."""
    location = tuple(part for part in detail["loc"] if part != "[key]")
    path = ".".join(str(part) for part in location) or "the file as a whole"
    match detail["type"]:
        case "extra_forbidden":
            known = list(_TABLES.get(location[:-1], Grammar).model_fields)
            near = difflib.get_close_matches(str(location[-1]), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            return f"{path}: unknown key; {hint}"
        case "missing":
            return f"{path}: missing; it is required"
        case "value_error":
            return f"{path}: {detail['msg'].removeprefix('Value error, ')}"
        case _:
            return f"{path}: {detail['msg']}; got {detail['input']!r}"
