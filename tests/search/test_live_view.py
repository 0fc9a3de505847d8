"""The live view on a real terminal: what it shows, resized and after a resume."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import pexpect
import pyte
import pytest

CAMPAIGN = """
task = "digits-mlp"
seed = 7
[search]
population = 8
[scoring]
rungs = [{ steps = 50 }, { steps = 100, seeds = 2 }]
[tracking]
mlflow = false
[stop]
generations = 40
"""
HEIGHT = 24
PATIENCE_SECONDS = 240.0

# What is below the first line, to the last: what is read may end within a picture of the screen.
REST = r"\n(.*\n)*scored \d+ trainings"


class Terminal:
    """The command on a terminal of its own, whose screen is read as people see it."""

    def __init__(self, width: int, *words: str) -> None:
        self.screen = pyte.Screen(width, HEIGHT)
        self._stream = pyte.ByteStream(self.screen)
        self.process = pexpect.spawn(
            sys.executable,
            ["-m", "search", *words],
            dimensions=(HEIGHT, width),
            env=os.environ | {"TERM": "xterm-256color"},
        )

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def until(self, pattern: str) -> str:
        """Reads on until the screen shows something; gives the whole screen."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not re.search(pattern, text := "\n".join(self.lines), flags=re.MULTILINE):
            assert time.monotonic() < end, f"{pattern!r} is not on the screen:\n{text}"
            try:
                self._stream.feed(self.process.read_nonblocking(4096, timeout=1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                pytest.fail(f"it ended without {pattern!r}:\n{text}")
        return text

    def resize(self, width: int) -> None:
        self.screen.resize(HEIGHT, width)
        self.process.setwinsize(HEIGHT, width)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "mine.toml").write_text(CAMPAIGN, encoding="utf-8")
    return [
        *("launch", str(tmp_path / "mine.toml"), "--workers", "1"),
        *("--runs-dir", str(tmp_path / "runs")),
    ]


def test_a_terminal_shows_the_best_beside_relu_and_gelu(words: list[str]) -> None:
    terminal = Terminal(120, *words)
    shown = terminal.until(rf"^mine .* 2/40 about .* left, .* at work{REST}")
    assert re.search(
        r"^rung \d .* \d+/\d+ +(50 steps x 1|100 steps x 2) seeds?", shown, re.MULTILINE
    )
    assert len(re.findall(r"^\d+ +\S.* (?:50 x 1|100 x 2) +-?\d\.\d{4}$", shown, re.MULTILINE)) >= 5
    assert re.search(r"\bGELU\b", shown)
    assert re.search(r"\bReLU\b", shown)
    assert re.search(r"^scored \d+ trainings$", shown, re.MULTILINE)
    for narrow in (80, 60):
        terminal.resize(narrow)
        time.sleep(1.0)
        shown = terminal.until(rf"^mine .*{REST}")
        for beginning in ("mine ", "rung ", "scored "):
            found = [line for line in terminal.lines if line.startswith(beginning)]
            assert len(found) == 1, f"torn at {narrow} columns:\n{shown}"
    terminal.process.sendintr()
    terminal.process.expect(pexpect.EOF, timeout=300)
    resumed = Terminal(80, *words)
    shown = resumed.until(r"^mine ")
    left = re.search(r"^mine .* (\d+)/40 about (.*) left, (.*) at work", shown, re.MULTILINE)
    assert left is not None, f"what was done is known at once:\n{shown}"
    assert int(left[1]) >= 2
    resumed.process.sendintr()
    resumed.process.expect(pexpect.EOF, timeout=300)
