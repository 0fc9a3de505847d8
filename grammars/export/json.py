"""The target `json`: our own format, read back wherever an expression is expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from grammars.export.function import Function
from grammars.export.lowering import ExportError
from grammars.expression import Expression
from grammars.parsing import parse

FORMAT: Final = "actsearch-expression"
VERSION: Final = 1
MAX_FILE_BYTES: Final = 1_000_000


def render(function: Function) -> str:
    """The text of a JSON document with the expression, its parameters and where it comes from."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "name": function.name,
        "expression": str(function.expression),
        "parameters": {
            parameter.original: {
                "per": parameter.per,
                "value": list(parameter.value)
                if isinstance(parameter.value, tuple)
                else parameter.value,
            }
            for parameter in function.parameters
        },
        "provenance": {**function.provenance.facts()},
    }
    return json.dumps(document, indent=2) + "\n"


def read_json(path: Path) -> Expression:
    """Reads an expression back from an exported JSON file.

    Args:
        path: A file that `render` wrote, or one like it.

    Returns:
        The expression, which the parser has held to its own limits.

    Raises:
        ExportError: If the file is too large, is not such a document, or is of a later version.
        ParseError: If the expression within cannot be read.
    """
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        raise ExportError(f"{path} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path} is not a JSON document: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ExportError(f'{path} is not an exported expression: it needs "format": "{FORMAT}"')
    if document.get("version") != VERSION:
        raise ExportError(
            f"{path} is of version {document.get('version')!r}; this program reads {VERSION}"
        )
    text = document.get("expression")
    if not isinstance(text, str):
        raise ExportError(f'{path}: "expression" must be a text, got {type(text).__name__}')
    return parse(text)
