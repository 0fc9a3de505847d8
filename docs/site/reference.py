"""The reference of commands and of settings, from what they say of themselves."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from pydantic import BaseModel

from search.settings.finals import FinalsSettings
from search.settings.mapping import toml_value
from search.settings.template import described, plain
from search.settings.whole import Settings

_SECTIONS = ("search", "scoring", "tracking", "stop")


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
        *_table("At the top", Settings, without=(*_SECTIONS, "finals")),
    ]
    for name in _SECTIONS:
        section = Settings.model_fields[name].annotation
        assert isinstance(section, type)
        parts += _table(f"[{name}]", section)
    return "\n".join([*parts, *_table("[finals]", FinalsSettings)]) + "\n"


def _table(title: str, model: type[BaseModel], without: tuple[str, ...] = ()) -> list[str]:
    meanings = described(model)
    rows = []
    for name, info in model.model_fields.items():
        if name in without:
            continue
        default = None if info.is_required() else info.get_default(call_default_factory=True)
        shown = "" if default is None else f"`{toml_value(plain(default))}`"
        meaning = meanings.get(name, "").replace("|", "\\|")
        rows.append(f"| `{name}` | {shown} | {meaning} |")
    return [f"## {title}", "", "| setting | default | meaning |", "|---|---|---|", *rows, ""]
