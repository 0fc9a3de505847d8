"""The target `json`: our own format, from which a function is exported again as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from grammars.export.function import DEFAULT_NAME, Function
from grammars.export.lowering import ExportError
from grammars.export.provenance import Provenance
from grammars.parsing.parser import parse
from grammars.reading.text_files import TextFileError, read_text

FORMAT: Final = "actsearch-expression"
VERSION: Final = 1
MAX_FILE_BYTES: Final = 1_000_000


def render(function: Function) -> str:
    """The text of a JSON document with the expression, its parameters and where it comes from."""
    told = function.provenance
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
        "provenance": {
            "campaign": told.campaign,
            "candidate_id": told.candidate_id,
            "score": told.score,
            "properties": dict(told.properties),
            "version": told.version,
        },
    }
    return json.dumps(document, indent=2) + "\n"


def read_json(path: Path) -> Function:
    """Reads a function back from an exported JSON file.

    Args:
        path: A file that `render` wrote, or one like it; `expression` is all that it needs beside
            its format and version.

    Returns:
        The function with its name, what is known of it, and the values of its parameters. The
        parser has held the expression to its own limits.

    Raises:
        ExportError: If the file is too large, is not such a document, or is of a later version.
        ParseError: If the expression within cannot be read.
    """
    try:
        document: Any = json.loads(read_text(path, max_bytes=MAX_FILE_BYTES))
    except TextFileError as error:
        raise ExportError(str(error)) from None
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
    expression = parse(text)
    try:
        provenance = _provenance(document)
        name = str(document.get("name", DEFAULT_NAME))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ExportError(
            f'{path}: "parameters" and "provenance" are not as an export writes them: {error!r}; '
            "both may be left out"
        ) from error
    return Function(expression, name, provenance)


def _provenance(document: Mapping[str, Any]) -> Provenance:
    told = document.get("provenance", {})
    score = told.get("score")
    return Provenance(
        campaign=None if told.get("campaign") is None else str(told["campaign"]),
        candidate_id=str(told.get("candidate_id", "")),
        score=None if score is None else float(score),
        properties={str(k): str(v) for k, v in told.get("properties", {}).items()},
        parameters={
            name: parameter["value"] for name, parameter in document.get("parameters", {}).items()
        },
    )
