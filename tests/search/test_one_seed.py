"""One seed is one campaign: with any number of workers, in any process, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .one_seed import VARIANTS

SCRIPT = Path(__file__).with_name("one_seed.py")
ROOT = Path(__file__).parents[2]


def begin(folder: Path, *, workers: int, before: str, hash_seed: str) -> subprocess.Popen[bytes]:
    code = (
        f"{before}; import runpy, sys; sys.argv[1:] = [{str(folder)!r}, '{workers}']; "
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ
        | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        # Each is to compile for itself.
        | {"JAX_ENABLE_COMPILATION_CACHE": "false"},
    )


def test_one_seed_gives_one_journal(tmp_path: Path) -> None:
    """Real trainings: one worker, and two in a process that has imported other things first."""
    one, two = tmp_path / "one", tmp_path / "two"
    unrelated = "import random, decimal, xml.dom, sqlite3; random.seed(5); random.random()"
    runs = [
        begin(one, workers=1, before="pass", hash_seed="1"),
        begin(two, workers=2, before=unrelated, hash_seed="2"),
    ]
    assert [run.wait(timeout=500.0) for run in runs] == [0, 0]
    # All in one test: of several, two processes of tests would each make the journals.
    for variant in VARIANTS:
        first, second = (json.loads((each / f"{variant}.json").read_text()) for each in (one, two))
        assert first == second, variant
        scored = [told for kind, _, told in first if kind == "evaluation" and told["per_seed"]]
        # More than the baselines.
        assert len({told["candidate_id"] for told in scored}) > 12, variant
        assert [kind for kind, _, _ in first].count("generation") == 3, variant
