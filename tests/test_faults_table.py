"""The table of faults names tests that exist, in the files and with the parameters that it says."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_TABLE: Final = (_HERE.parent / "docs" / "faults.md").read_text(encoding="utf-8")
_ROWS: Final = [line for line in _TABLE.splitlines() if line.startswith("| ")][1:]
# `test_file.py::test_name[parameter]`, of which a row leaves out what it has just named.
_NAMED: Final = re.compile(r"(?:(test_\w+)\.py)?(?:::)?(test_\w+)?(?:\[([\w ]+)\])?")


@cache
def in_files(stem: str) -> tuple[set[str], set[str]]:
    """The tests in files of that name, and what may be the parameter of one: texts, functions."""
    tests, parameters = set[str](), set[str]()
    for path in _HERE.rglob(f"{stem}.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.FunctionDef(name=name):
                    (tests if name.startswith("test_") else parameters).add(name)
                case ast.Constant(value=str(text)):
                    parameters.add(text)
    return tests, parameters


def unknown(row: str) -> list[str]:
    """What a row names as a test, or in place of one, and does not exist."""
    missing = []
    file = test = ""
    for name in re.findall(r"`([^`]+)`", row.rstrip(" |").rpartition(" | ")[2]):
        found = _NAMED.fullmatch(name)
        if found is None:
            missing.append(name)
            continue
        file, test = found[1] or file, found[2] or ("" if found[1] else test)
        tests, parameters = in_files(file)
        exists = test in tests if test or not found[1] else bool(tests)
        if not exists or (found[3] and found[3] not in parameters):
            missing.append(name)
    return missing


def test_every_test_that_the_table_names_exists_and_so_do_its_parameters() -> None:
    assert len(_ROWS) >= 30
    assert {row: missing for row in _ROWS if (missing := unknown(row))} == {}


def test_every_test_that_is_named_elsewhere_exists() -> None:
    defined = {
        name
        for path in _HERE.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert set(re.findall(r"\b(test_\w+)\b(?!\.py)", _TABLE)) <= defined


def test_every_fault_names_a_test() -> None:
    assert [row for row in _ROWS if "`test_" not in row] == []


def test_what_does_not_exist_is_found() -> None:
    for named in (
        "`test_nowhere.py`",
        "`test_nowhere.py::test_bad_luck_is_no_fault`",
        "`test_kills.py::test_bad_luck_is_no_fault`",
        "`test_kills.py`, `test_bad_luck_is_no_fault`",
        "`test_executors.py::test_only_the_culprit_fails_and_the_reason_is_known[kil]`",
        "`test_executors.py::test_only_the_culprit_fails_and_the_reason_is_known[kill]`, `[hung]`",
        "`[kill]`",
    ):
        assert unknown(f"| a fault | what is done | what comes of it | {named} |"), named
