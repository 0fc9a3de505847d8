"""The reference of commands and of settings, from what they say of themselves."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from pydantic import BaseModel

from search.settings.mapping import toml_value
from search.settings.template import described, plain, sections
from search.settings.whole import Settings


def pages() -> dict[str, str]:
    """The pages by their paths."""
    return {"reference/commands.md": _commands(), "reference/settings.md": _settings()}


def _commands() -> str:
    parts = ["# Commands", "", f"```text\n{_help()}\n```"]
    for verb in re.findall(r"^  (\w+)  ", _help().partition("Commands:")[2], re.MULTILINE):
        parts += [f"\n## actsearch {verb}\n", f"```text\n{_help(verb)}\n```"]
    return "\n".join(parts) + "\n"


def _help(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from search.cli import main; main()", *words, "--help"],
        env=os.environ | {"COLUMNS": "96", "TERMINAL_WIDTH": "96"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.replace("Usage: -c", "Usage: actsearch").strip()


def _settings() -> str:
    parts = [
        "# Settings of a campaign",
        "",
        "`actsearch init` writes a file with all of them. Every setting has a default; a misspelt",
        "one is named with the nearest right one.",
        "",
        *_table("At the top", Settings),
    ]
    for each in sections():
        parts += _table(f"[{each.name}]", each.model, each.meaning if each.is_optional else "")
    return "\n".join(parts) + "\n"


def _table(title: str, model: type[BaseModel], meaning: str = "") -> list[str]:
    meanings, own = described(model), {each.name for each in sections(model)}
    rows = []
    for name, info in model.model_fields.items():
        if name in own:
            continue
        default = None if info.is_required() else info.get_default(call_default_factory=True)
        shown = "" if default is None else f"`{toml_value(plain(default))}`"
        said = meanings.get(name, "").replace("|", "\\|")
        rows.append(f"| `{name}` | {shown} | {said} |")
    lead = [meaning, ""] if meaning else []
    return [f"## {title}", "", *lead, "| setting | default | meaning |", "|---|---|---|", *rows, ""]
