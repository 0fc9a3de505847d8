"""Pages of the campaigns on record, and the links that lead to them."""

from __future__ import annotations

import re
from pathlib import Path


def pages(folder: Path) -> dict[str, str]:
    """Markdown by path in the site, of the records in a folder."""
    return {
        f"records/{path.parent.name}/index.md": path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("*/README.md"))
    }


def linked(markdown: str) -> str:
    """Leads links to campaigns on record, and from one to another, to the pages that show them."""
    markdown = re.sub(
        r"\]\(\.\./runs/records/([^)]*)/README\.md\)", r"](records/\1/index.md)", markdown
    )
    return re.sub(r"\]\(\.\./(\d{4}-[^)/]*)/README\.md\)", r"](../\1/index.md)", markdown)
