"""The examples of the documentation, run as a user runs them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FULL = bool(os.environ.get("ACTSEARCH_FULL_TESTS"))
EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
# Several times what the longest takes on two cores.
SECONDS = 1800.0 if FULL else 600.0

# What each needs beside this program.
NEEDS = {
    "own-arrays": (),
    "pytorch-objective": ("torch",),
    "equinox-model": ("equinox",),
    "flax-notebook": ("flax", "nbclient"),
    "language-model": ("flax",),
}
LONG = pytest.mark.skipif(not FULL, reason="ACTSEARCH_FULL_TESTS=1 trains for minutes as well")
MARKS = {"language-model": LONG}


@pytest.mark.parametrize("name", [pytest.param(each, marks=MARKS.get(each, ())) for each in NEEDS])
def test_an_example_ends_with_leaderboard_finals_report_and_export(
    name: str, tmp_path: Path
) -> None:
    if missing := [each for each in NEEDS[name] if importlib.util.find_spec(each) is None]:
        pytest.skip(f"it needs {', '.join(missing)}, which `make test-export` installs")
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout + "".join(_shown(path) for path in folder.glob("*.ipynb"))
    assert re.search(r"Leaderboard of|expression +(name|\.\.\.)", told), told
    assert "The test set of" in told  # finals were held
    assert "activation.py: verified with" in told
    (run,) = (folder / "runs").glob("*/journal.*")
    assert (run.parent / "finals.json").is_file()
    assert (run.parent / "report" / "index.html").is_file()
    assert "def activation(" in (folder / "activation.py").read_text(encoding="utf-8")
    assert "Traceback" not in done.stderr


def _shown(notebook: Path) -> str:
    """What the cells of a notebook show, as text."""
    outputs = [
        output
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", ())
    ]
    texts = [output.get("text") or output["data"]["text/plain"] for output in outputs]
    return "\n".join("".join(text) for text in texts)


def test_every_example_is_run() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/README.md")} == set(NEEDS)
