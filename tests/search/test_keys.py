"""q on a real terminal, that is, on a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
import time

import pytest

SCRIPT = """
import sys, termios, threading
from search.cli.keys import on_q
before = termios.tcgetattr(sys.stdin.fileno())
pressed = threading.Event()
with on_q(pressed.set):
    print("ready", flush=True)
    print("pressed" if pressed.wait({patience}) else "not pressed", flush=True)
print("restored" if termios.tcgetattr(sys.stdin.fileno()) == before else "altered", flush=True)
"""


def typed(keys: bytes, *, patience: float) -> list[str]:
    """What the script says that is typed to."""
    ours, theirs = pty.openpty()
    code = SCRIPT.format(patience=patience)
    with subprocess.Popen(
        # setsid --ctty: only a terminal of one's own has a foreground.
        ["setsid", "--ctty", sys.executable, "-c", code],
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.write(ours, keys)
        said = process.stdout.read().split("\n")
    os.close(ours)
    os.close(theirs)
    return said


def test_q_acts_without_enter_and_the_terminal_is_given_back() -> None:
    begun = time.monotonic()
    assert typed(b"xq", patience=60.0)[:2] == ["pressed", "restored"]
    assert time.monotonic() - begun < 60.0


def test_other_keys_do_nothing() -> None:
    assert typed(b"xyz\n", patience=0.5)[:2] == ["not pressed", "restored"]


def test_nothing_happens_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from search.cli.keys import on_q

    acted: list[str] = []
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        before = threading.active_count()
        with on_q(lambda: acted.append("q")):
            assert threading.active_count() == before
    assert not acted
