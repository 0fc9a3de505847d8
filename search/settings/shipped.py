"""Campaign files that come with actsearch, by their names."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[1]
# In a wheel beside the packages' modules, in a clone where campaign files are kept.
_FOLDERS: Final = (_PACKAGE / "shipped_campaigns", _PACKAGE.parent / "runs" / "campaigns")


def shipped_campaigns() -> dict[str, Path]:
    """The campaign files by name, in order of their names."""
    folder = next((each for each in _FOLDERS if each.is_dir()), None)
    return {} if folder is None else {path.stem: path for path in sorted(folder.glob("*.toml"))}


def campaign_path(source: str | Path) -> Path:
    """The campaign file that somebody means: a file, else a shipped campaign of that name.

    Raises:
        FileNotFoundError: If it is neither.
    """
    path = Path(source)
    if path.is_file():
        return path
    shipped = shipped_campaigns()
    if str(source) in shipped:
        return shipped[str(source)]
    if path.exists() or path.suffix == ".toml":
        return path  # whoever reads it says what is the matter
    near = difflib.get_close_matches(str(source), shipped, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise FileNotFoundError(
        f"{source} is neither a campaign file nor a shipped campaign; {hint}shipped are: "
        f"{', '.join(shipped) or 'none'}; `actsearch init {source}.toml` writes a file to start "
        "from"
    )
