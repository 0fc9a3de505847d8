"""The table of faults names tests that exist, each of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_TABLE: Final = (_HERE.parent / "docs" / "faults.md").read_text(encoding="utf-8")


def test_every_test_that_the_table_names_exists() -> None:
    defined = {
        (path.stem, name)
        for path in _HERE.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    with_file = set(re.findall(r"\b(test_\w+)\.py::(test_\w+)", _TABLE))
    named = set(re.findall(r"\b(test_\w+)\b(?!\.py)", _TABLE))
    assert len(named) >= 30
    assert with_file <= defined
    assert named <= {name for _, name in defined}


def test_every_fault_names_a_test() -> None:
    rows = [line for line in _TABLE.splitlines() if line.startswith("| ")][1:]
    unnamed = [row for row in rows if "test_" not in row and "the same, `[" not in row]
    assert unnamed == []
