"""The copy of the campaign file that a launch leaves beside the journal."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from search.journal.journal import FILE_NAME as JOURNAL
from search.settings import SettingsError
from search.texts.writing import write_whole

FILE_NAME: Final = "campaign.toml"

_HEADING: Final = "# A copy made at launch: change the original. SHA-256 of what follows: "


def keep_copy(folder: Path, campaign_file: str) -> None:
    """Puts a copy of the campaign file into the campaign's folder.

    Args:
        folder: Of the campaign.
        campaign_file: Text of the file; if it is such a copy itself, so it is kept.

    Raises:
        SettingsError: If the copy that is there was altered; it stays as it is, since it may hold
            changes that somebody meant to keep.
    """
    path = folder / FILE_NAME
    if path.exists() and not _is_untouched(path):
        raise SettingsError(
            f"{path} was altered since it was copied there at launch (its checksum is wrong); it "
            "was left as it is. The campaign does not read it: move it away, and launch the "
            "campaign from a file of your own"
        )
    write_whole(path, _heading(body := without_heading(campaign_file)) + body)


def is_copy_of_campaign(path: Path) -> bool:
    """Whether a file is the copy that a launch has left beside the journal of its campaign."""
    if path.name != FILE_NAME or not os.path.lexists(path.parent / JOURNAL):
        return False
    with suppress(OSError):
        return path.read_bytes().startswith(_HEADING.encode())
    return False


def _is_untouched(path: Path) -> bool:
    try:
        text = path.read_bytes().decode()  # line ends as they are
    except UnicodeDecodeError:
        return False
    return text == _heading(body := without_heading(text)) + body


def _heading(body: str) -> str:
    return f"{_HEADING}{hashlib.sha256(body.encode()).hexdigest()}\n"


def without_heading(text: str) -> str:
    """The text of a campaign file, also where it is such a copy."""
    first, _, rest = text.partition("\n")
    return rest if first.startswith(_HEADING) else text
