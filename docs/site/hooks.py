"""Pages that the build of the documentation makes itself: gallery, reference and records."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

import gallery
import records
import reference


def on_files(files: Files, config: Any) -> Files:
    """Adds them to those that lie in the folder."""
    kept = Path(__file__).parents[2] / "runs" / "records"
    made = {**gallery.pages(kept), **reference.pages(), **records.pages(kept)}
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **given: Any) -> str:
    """Leads links to campaigns on record to their pages."""
    return records.linked(markdown)
