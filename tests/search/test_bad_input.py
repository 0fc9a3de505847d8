"""What is wrong with a user's own network, data or objective, as the commands tell it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from search.cli.app import INPUT_ERROR, main

from .test_kills import FULL

NETWORK: Final = '[data]\nbuiltin = "digits"\n[network]\nfunction = "mine.py:network"\n'
DATA: Final = """
[data]
function = "mine.py:load"
[network]
kind = "mlp"
hidden = [8]
[recipe]
batch = 16
"""
OBJECTIVE: Final = 'objective = "mine.py:score"\n'
CAMPAIGN: Final = """
name = "mine"
task = "mine.toml"
search.population = 4
stop.generations = 1
tracking.mlflow = false
scoring = { rungs = [{ steps = 1 }], timeout_seconds = 0.5 }
"""


@dataclass(frozen=True)
class Wrong:
    """A task with a mistake.

    Attributes:
        task: Its file.
        code: The file mine.py beside it.
        told: What is said, after the folder.
    """

    task: str
    code: str
    told: str


def network(outputs: str, *, told: str, task: str = NETWORK) -> Wrong:
    code = f"""
import numpy as np

def network(shape, outputs):
    def init(seed):
        return np.zeros((64, outputs), "float32")

    def apply(weights, inputs, activate):
        return {outputs}

    return init, apply
"""
    return Wrong(task, code, rf"mine\.py, line 4: {told}")


def data(returned: str, *, told: str, more: str = "") -> Wrong:
    code = f"""
import numpy as np

def load():
    x, y = np.arange(90.0).reshape(-1, 1), np.arange(90) % 3
    return {returned}
"""
    task = DATA.replace("[network]", f"{more}\n[network]")
    return Wrong(task, code, rf"mine\.py, line 4: {told}")


def objective(*lines: str, told: str) -> Wrong:
    code = "\n".join(["import os, time", "def score(activation, steps, seed):", *lines])
    return Wrong(OBJECTIVE, code, told)


Z: Final = "inputs.reshape(-1, 64) @ weights"
CASES: Final = {
    "outputs of another shape": network(
        f"activate({Z})[:, :9]",
        told=r"the network must return one array of shape \[8, 10\] .*, got \[8, 9\]$",
    ),
    "no outputs": network("None", told=r"the network must return one array .*, got nothing$"),
    "an activation that is never called": network(
        Z, told=r"the network never calls the activation that it is given, .* call activate\(z\)"
    ),
    "wrong calls": network(
        f"activate({Z})",
        task=NETWORK + "calls = 3\n",
        told="the network calls its activation 1 times, and network.calls is 3; set it to that, ",
    ),
    "a wrong signature": Wrong(
        NETWORK,
        "def network(shape):\n    pass",
        r"mine\.py, line 1: making the network raised TypeError: network\(\) takes 1 positional",
    ),
    "no number": data(
        "np.where(x == 7, np.nan, x), y",
        told="x has 1 values that are no finite numbers, the first in row 7 ",
    ),
    "a label beyond the classes": data(
        "x, y",
        more="classes = 2",
        told="the training label 2 is beyond the classes, which are 0 to 1$",
    ),
    "an empty split": data(
        "{'x_train': x, 'y_train': y, 'x_test': x[:0], 'y_test': y[:0]}",
        told="the test split is empty; it needs one example at least$",
    ),
    "data whose module raises": Wrong(
        DATA, "\nraise OSError('gone')", r"mine\.py, line 2: importing it raised OSError: gone$"
    ),
    "a network whose module raises": Wrong(
        NETWORK, "import nothing_such", r"mine\.py, line 1: importing it raised ModuleNotFoundErr"
    ),
    "an objective whose module raises": Wrong(
        OBJECTIVE, "\n\n1 / 0", r"mine\.py, line 3: importing it raised ZeroDivisionError: "
    ),
    "an objective with a wrong signature": Wrong(
        OBJECTIVE,
        "\ndef score(activation):\n    return 1.0",
        r"mine\.py, line 2: score\(\), steps=1, seed=0, raised TypeError: score\(\) got an unexp",
    ),
    "an objective that returns None": objective(
        "    pass", told=r"mine\.py, line 2: score must return a loss, .* got loss = None$"
    ),
    "an objective that forks": objective(
        "    os.fork()",
        "    return 1.0",
        told=r"mine\.py, line 2: score leaves processes of its own behind; it must end them",
    ),
    "an objective that crashes": objective(
        "    os.abort()",
        told=r"mine\.py, line 2 does not work with relu for one step: its worker died \(SIGABRT\)$",
    ),
    "an objective that needs memory": objective(
        "    return bytearray(1 << 36)",
        told=r"mine\.py, line 3: score\(\), steps=1, seed=0, raised MemoryError$",
    ),
    "an objective that hangs": objective(
        "    time.sleep(1e6)",
        told=r"mine\.py, line 2 does not work with relu for one step: it did not end in time \(",
    ),
}
SLOW: Final = pytest.mark.skipif(not FULL, reason="ACTSEARCH_FULL_TESTS=1 waits for what hangs")

Commanded = Callable[..., str]


@pytest.fixture
def commanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Commanded:
    """Runs a command on a task; what it says where it ends with the status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(words: list[str], task: str, code: str, *, status: int) -> str:
        (tmp_path / "mine.py").write_text(code)
        (tmp_path / "mine.toml").write_text(task)
        (tmp_path / "campaign.toml").write_text(CAMPAIGN)
        monkeypatch.setattr(sys, "argv", ["actsearch", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert ended.value.code == status, err
        return err if status else out

    return run


def refused(commanded: Commanded, words: list[str], wrong: Wrong) -> None:
    said = commanded(words, wrong.task, wrong.code, status=INPUT_ERROR)
    start = re.escape(f"actsearch: {Path.cwd()}/")
    assert re.match(start + wrong.told, said), said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "what", [pytest.param(each, marks=SLOW if each.endswith("hangs") else ()) for each in CASES]
)
def test_a_launch_tells_it_in_a_sentence_with_file_and_line_and_records_nothing(
    what: str, commanded: Commanded
) -> None:
    refused(commanded, ["launch", "campaign.toml"], CASES[what])
    assert not Path("runs").exists()


def test_finals_that_an_objective_cannot_have_are_refused_before_the_search(
    commanded: Commanded,
) -> None:
    code = "def score(activation, steps, seed):\n    return 1.0"
    words = ["launch", "campaign.toml", "--set", "finals.own_rates=true"]
    said = commanded(words, OBJECTIVE, code, status=INPUT_ERROR)
    assert "finals.own_rates: mine is an objective of its own, which decides on learning" in said


@pytest.mark.parametrize("what", ["wrong calls", "an objective that returns None"])
@pytest.mark.parametrize(
    "words", [["evaluate", "relu"], ["calibrate"], ["curves", "new.json"]], ids=lambda each: each[0]
)
def test_so_do_other_commands_that_train(words: list[str], what: str, commanded: Commanded) -> None:
    refused(commanded, [*words, "--task", "mine.toml"], CASES[what])
    assert not Path("new.json").exists()


def test_what_is_printed_disturbs_no_output(commanded: Commanded) -> None:
    speaking = "import os\nprint('here')\nos.system('echo here')\n"
    body = "    print('here')\n    os.system('echo here')\n    return 0.5\n"
    words = ["evaluate", "relu", "--csv", "--workers", "1", "--task", "mine.toml"]
    scored = speaking + f"def score(activation, steps, seed):\n{body}"
    assert commanded(words, OBJECTIVE, scored, status=0).startswith("expression,")
