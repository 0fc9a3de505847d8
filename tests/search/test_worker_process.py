"""Workers start from modules of ours: no script is imported, and no file beside it stands in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from search.executors import WorkersUnusableError
from search.executors.worker_process import socket_folder

# Nothing guards it; if a worker imported it, that worker would say so and evaluate again.
SCRIPT = """
import os, sys, threading
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import find_task
from grammars import parse
from search.executors import ProcessPool, Workload

print("running as", __name__, flush=True)
with ProcessPool(
    Workload(find_task("digits-mlp")), workers=2, batch=1, timeout_seconds=60.0
) as executor:
    batches = executor.evaluate(
        [parse("relu"), parse("tanh(x)")], Fidelity(20, (0,)), stopping=threading.Event()
    )
    for record in (record for batch in batches for record in batch):
        print(record.canonical, record.outcome.value, flush=True)
"""
SAID = ["running as __main__", "relu(x) scored", "tanh(x) scored"]


def run(*arguments: str, folder: Path, given: str | None = None) -> list[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=given,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("way", ["a file", "standard input"])
def test_a_script_needs_no_guard(tmp_path: Path, way: str) -> None:
    if way == "a file":
        (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
        assert run("script.py", folder=tmp_path) == SAID
    else:
        assert run("-", folder=tmp_path, given=SCRIPT) == SAID


def test_a_search_py_in_the_working_directory_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "search.py").write_text("raise SystemExit('another search')", encoding="utf-8")
    command = Path(sys.executable).with_name("actsearch")
    done = subprocess.run(
        [command, "evaluate", "relu", "--task", "digits-mlp", "--steps", "20", "--workers", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "scored" in done.stdout


@pytest.mark.parametrize("name", ["t" * 113, "ü" * 60], ids=["letters", "bytes"])
def test_a_temporary_folder_of_any_length_will_do(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    monkeypatch.setenv("TMPDIR", str(tmp_path / name))
    assert run("script.py", folder=tmp_path) == SAID
    assert list((tmp_path / name).iterdir()) == [], "what was put there went with it"


def test_sockets_are_made_where_their_names_fit(tmp_path: Path) -> None:
    short, absent, closed = Path("/tmp"), Path("/nowhere"), tmp_path / "no folder"
    closed.touch(mode=0o600)
    assert socket_folder(short, others=()) == short
    assert socket_folder(Path("/" + "a" * 74), others=()) == Path("/" + "a" * 74)
    long = Path("/" + "a" * 75)
    assert socket_folder(long, others=(absent, closed, tmp_path, short)) == tmp_path
    with pytest.raises(WorkersUnusableError, match=r"at most 75 bytes, .* has 76; set TMPDIR"):
        socket_folder(long, others=(absent, closed))
