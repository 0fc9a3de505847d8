"""Commands that people are told to type, written so that a shell reads them as they are meant."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

DEFAULT_RUNS_DIR: Final = Path("runs")
"""Where campaigns are kept unless `--runs-dir` says otherwise."""


def command(verb: str, *arguments: str | Path, runs_dir: Path | None = None) -> str:
    """A command, each of its words quoted where a shell would read it otherwise.

    Args:
        verb: Of the command line.
        arguments: Its arguments and options.
        runs_dir: Where the campaign is, for commands that need to be told; it is left out where
            they look there by themselves.
    """
    words = ["actsearch", verb, *map(str, arguments)]
    if runs_dir is not None and runs_dir.resolve() != DEFAULT_RUNS_DIR.resolve():
        words += ["--runs-dir", str(runs_dir)]
    return shlex.join(words)
