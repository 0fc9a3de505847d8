"""Pages that the build of the documentation makes itself: the gallery and the reference."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

import gallery
import reference

_RECORDS = Path(__file__).parents[2] / "runs" / "records"


def on_files(files: Files, config: Any) -> Files:
    """Adds them to those that lie in the folder."""
    for path, text in {**gallery.pages(_RECORDS), **reference.pages(), **_records()}.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **given: Any) -> str:
    """Leads links to campaigns on record to the pages that show them."""
    return re.sub(
        r"\]\(\.\./runs/records/([^)]*)/README\.md\)", r"](records/\1/index.md)", markdown
    )


def _records() -> dict[str, str]:
    return {
        f"records/{path.parent.name}/index.md": path.read_text(encoding="utf-8")
        for path in sorted(_RECORDS.glob("*/README.md"))
    }
