"""Keeps a campaign's journal elsewhere than in its folder, where locks may be slow or none."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from search.journal.campaign_folder import located
from search.journal.journal import FILE_NAME

_DIGITS: Final = 8


def place_journal(folder: Path, journal_dir: Path) -> None:
    """Lets a link in a campaign's folder say where its journal is, unless it has one already.

    Everybody who sees both places reads and writes the journal through the link. Below
    `journal_dir` each campaign has a folder of its own, whichever runs directory it is in.

    Args:
        folder: Of the campaign; it exists.
        journal_dir: Where journals are kept; made where it is absent.

    Raises:
        OSError: If a link or a folder cannot be made.
    """
    path = folder / FILE_NAME
    if path.exists() or path.is_symlink():
        return
    place = located(folder)
    digest = hashlib.sha256(bytes(place)).hexdigest()[:_DIGITS]
    kept = journal_dir.resolve() / f"{place.name}-{digest}"
    kept.mkdir(parents=True, exist_ok=True)
    path.symlink_to(kept / FILE_NAME)


def beside_journal(folder: Path, name: str) -> Path:
    """A file, such as a lock, that is where a campaign's journal is really kept."""
    return (folder / FILE_NAME).resolve().parent / name
