"""Where a campaign is: one runs directory and one name, however its folder was named."""

from __future__ import annotations

import os
from pathlib import Path


def located(folder: Path) -> Path:
    """The folder of a campaign as everything that concerns it sees it.

    Its parent, with links followed, is the runs directory; its last part is the campaign's name. A
    folder that is itself a link keeps its own name and its place: where it points to says nothing
    about either. `.` is the folder that the shell is in.

    Args:
        folder: Its path, from wherever.
    """
    path = _shell_folder() / folder
    if path.name in ("", ".."):
        path = path.resolve()
    return path.parent.resolve() / path.name


def is_folder(text: str) -> bool:
    """Whether a text names a folder; one that can be no path does not."""
    try:
        return Path(text).is_dir()
    except OSError:  # too long, or within a folder that may not be searched
        return False


def _shell_folder() -> Path:
    """The working directory, by the links that the shell went through to it."""
    shown, actual = Path(os.environ.get("PWD", "")), Path.cwd()
    try:
        return shown if shown.is_absolute() and shown.samefile(actual) else actual
    except OSError:
        return actual
