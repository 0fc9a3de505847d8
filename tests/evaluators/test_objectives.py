"""Objectives of a user's own: what they are given, what they return, and what is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from evaluators.objective_evaluator import ObjectiveEvaluator
from evaluators.reading.functions import UserCodeError
from evaluators.tasks import Task, TaskError, find_task
from evaluators.tasks.objectives import Objective, activation_for, read_objective
from grammars import evaluate, parse

SWISH = 'x * sigmoid(param("b", 1.5) * x)'


def objective(folder: Path, body: str, arguments: str = "activation, steps, seed") -> Objective:
    (folder / "mine.py").write_text(f"import os\n\ndef score({arguments}):\n    {body}\n")
    return read_objective("mine.py:score", folder=folder)


def tried(own: Objective, *, split: str = "validation", seeds: int = 1) -> Evaluation:
    evaluator = ObjectiveEvaluator(own, Bench("t", "d"), split=split)  # type: ignore[arg-type]
    (record,) = evaluator.evaluate([parse("tanh(x)")], Fidelity(7, tuple(range(seeds))))
    return record


def test_an_objective_is_called_with_steps_and_seed_and_may_tell_more(tmp_path: Path) -> None:
    body = "return {'loss': float(activation(0.5)) + seed, 'steps': steps, 'accuracy': 0.25}"
    record = tried(objective(tmp_path, body), seeds=2)
    assert record.outcome is Outcome.SCORED
    losses = [result.validation_loss for result in record.per_seed]
    assert losses == pytest.approx([np.tanh(0.5), np.tanh(0.5) + 1.0])
    assert [dict(result.metrics) for result in record.per_seed] == [{"steps": 7.0}] * 2
    assert record.validation_accuracy == 0.25
    assert Evaluation.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    "made", ["numpy.float32(0.5)", "jax.numpy.array([0.5])", "torch.tensor(0.5)"]
)
def test_a_loss_may_be_an_array_of_one_number(made: str, tmp_path: Path) -> None:
    package = made.partition("(")[0].rpartition(".")[0]
    pytest.importorskip(package)
    assert tried(objective(tmp_path, f"import {package}; return {made}")).validation_loss == 0.5


def test_a_loss_alone_is_enough_and_a_split_is_told_who_asks(tmp_path: Path) -> None:
    arguments = "activation, *, steps, seed, split"
    own = objective(tmp_path, "return {'validation': 1.0, 'test': 3.0}[split]", arguments)
    assert tried(own).validation_loss == 1.0
    assert tried(own, split="test").validation_loss == 3.0
    assert tried(own, split="test").validation_accuracy == 0.25  # 1 / (1 + loss)


WRONG = {
    "None": ("return None", r"mine.py, line 3: score must return a loss.* got loss = None"),
    "text": ("return 'low'", "got loss = 'low'"),
    "nothing": ("return {'error': 1.0}", r"must return a mapping with 'loss', got \['error'\]"),
    "negative": ("return -1.0", "must return a loss of at least 0, .* got -1"),
    "accuracy": ("return {'loss': 1.0, 'accuracy': 97}", "an accuracy from 0 to 1, got 97"),
    "raises": ("return 1 / 0", r"mine.py, line 4: score\(\), steps=7, seed=0, raised ZeroDivis"),
    "exits": ("raise SystemExit(2)", r"ended the program \(exit 2\)"),
    "array": ("return [[1.0, 2.0]]", r"got loss = \[\[1.0, 2.0\]\]"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_loss_fails_in_one_sentence_with_file_and_line(
    what: str, tmp_path: Path
) -> None:
    body, message = WRONG[what]
    record = tried(objective(tmp_path, body))
    assert record.outcome is Outcome.FAILED
    assert re.search(message, str(record.reason)), record.reason
    assert "\n" not in str(record.reason)


def test_a_loss_that_is_not_finite_diverged(tmp_path: Path) -> None:
    record = tried(objective(tmp_path, "return float('nan')"))
    assert (record.outcome, record.reason) == (
        Outcome.DIVERGED,
        "the loss was not finite (seed 0)",
    )


def test_metrics_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    body = "return {'loss': 0.5, 'f1': float('nan'), 'far': 10**400, 'low': float('-inf'), 'n': 3}"
    record = tried(objective(tmp_path, body))
    assert (record.outcome, record.validation_loss) == (Outcome.SCORED, 0.5)
    assert dict(record.per_seed[0].metrics) == {"n": 3.0}
    json.dumps(record.to_json(), allow_nan=False)


def test_what_it_prints_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tried(objective(tmp_path, "print('step 1'); return 1.0"))
    assert record.outcome is Outcome.SCORED
    assert capsys.readouterr().out == ""


def _reaped() -> None:
    """What was left, and not a server that another test has started and that never ends."""
    for child in psutil.Process().children():
        if child.status() == psutil.STATUS_ZOMBIE:
            os.waitpid(child.pid, 0)


def test_a_process_that_it_forks_comes_back_nowhere_and_is_told(tmp_path: Path) -> None:
    record = tried(objective(tmp_path, "os.fork(); return 1.0"))
    assert record.outcome is Outcome.FAILED
    assert "score leaves processes of its own behind" in str(record.reason)
    _reaped()


SLEEPER = """
import subprocess
LEFT = []

def score(activation, steps, seed):
    LEFT.append(subprocess.Popen(["sleep", "100"]))
    if activation(1.0) > 0.9:
        assert seed == 0, "half way"
        return 1.0
    LEFT[-1].kill()
    LEFT[-1].wait()
    return 1.0
"""


@pytest.mark.parametrize("seed", [0, 1], ids=["returns", "raises"])
def test_processes_left_behind_end_and_blame_no_other_candidate(seed: int, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SLEEPER)
    own = read_objective("mine.py:score", folder=tmp_path)
    evaluator = ObjectiveEvaluator(own, Bench("t", "d"))
    candidates = [parse(text) for text in ("x", "tanh(x)", "x", "tanh(x)")]
    records = evaluator.evaluate(candidates, Fidelity(7, (seed,)))
    assert [record.outcome for record in records] == [Outcome.FAILED, Outcome.SCORED] * 2
    message = "raised AssertionError: half way" if seed else "leaves processes of its own behind"
    assert all(message in str(record.reason) for record in records[::2])
    _reaped()
    assert not any(map(_sleeps, psutil.Process().children()))


def _sleeps(child: psutil.Process) -> bool:
    with suppress(psutil.ZombieProcess):  # which has ended
        return "sleep" in child.cmdline()
    return False


ENDS = {
    "pool": """
        with multiprocessing.get_context({method!r}).Pool(1) as pool:
            return pool.apply(abs, (1.0,))
    """,
    "shared memory": """
        memory = SharedMemory(create=True, size=10)
        memory.close()
        memory.unlink()
        return 1.0
    """,
    "joblib": """
        joblib = __import__("joblib")
        return joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(1.0) for _ in range(4))[0]
    """,
}
CALLED = """
import sys
from evaluators.objective_evaluator import ObjectiveEvaluator
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from evaluators.tasks.objectives import read_objective
from grammars import parse
from pathlib import Path

if __name__ == "__main__":
    own = read_objective("mine.py:score", folder=Path.cwd())
    evaluator = ObjectiveEvaluator(own, Bench("t", "d"))
    for record in evaluator.evaluate([parse("x"), parse("tanh(x)")], Fidelity(7, (0,))):
        print(record.outcome, record.reason)
"""


@pytest.mark.parametrize(
    ("what", "method"),
    [("pool", "spawn"), ("pool", "forkserver"), ("shared memory", ""), ("joblib", "")],
)
def test_what_python_itself_keeps_running_is_not_left_behind(
    what: str, method: str, tmp_path: Path
) -> None:
    if what == "joblib":
        pytest.importorskip("joblib")
    head = "import multiprocessing\nfrom multiprocessing.shared_memory import SharedMemory\n"
    body = textwrap.indent(textwrap.dedent(ENDS[what].format(method=method)), "    ")
    (tmp_path / "mine.py").write_text(f"{head}def score(activation, steps, seed):\n{body}")
    (tmp_path / "script.py").write_text(CALLED)
    # A process of its own: here another test may have started it already.
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["scored None"] * 2


def test_numpy_and_jax_are_given_functions(tmp_path: Path) -> None:
    import jax

    expression = parse(SWISH)
    points = np.linspace(-3, 3, 7)
    expected = evaluate(expression, points)
    assert activation_for(expression, "numpy")(points) == pytest.approx(expected)
    assert activation_for(expression, "numpy")([1, 2]).dtype == np.float64
    for_jax = activation_for(expression, "jax")
    assert np.asarray(for_jax(points)) == pytest.approx(expected, rel=1e-5)
    slope = jax.grad(lambda b: for_jax(np.float32(1.0), {"b": b}))(1.5)
    assert float(slope) == pytest.approx(float(jax.nn.sigmoid(1.5) * (1 - jax.nn.sigmoid(1.5))))


def test_pytorch_is_given_a_module_that_owns_its_parameters() -> None:
    torch = pytest.importorskip("torch")
    module = activation_for(parse(SWISH), "pytorch")
    assert isinstance(module, torch.nn.Module)
    points = np.linspace(-3, 3, 7)
    out = module(torch.tensor(points)).detach().numpy()
    assert out == pytest.approx(evaluate(parse(SWISH), points), rel=1e-6)
    (parameter,) = module.parameters()
    module(torch.ones(3)).sum().backward()
    assert float(parameter.grad) != 0.0


def test_an_objective_in_a_file_is_a_task_known_by_its_content(tmp_path: Path) -> None:
    objective(tmp_path, "return 1.0")
    path = tmp_path / "mine.toml"
    path.write_text('objective = "mine.py:score"\n')
    task = find_task(str(path))
    assert (task.name, task.data.name) == ("mine", "mine.py:score")
    assert Task.from_json(task.to_json()) == task
    objective(tmp_path, "return 2.0")
    assert find_task(str(path)).digest != task.digest
    assert task.objective is not None
    with pytest.raises(UserCodeError, match=r"mine\.py is not there as it was when"):
        task.objective.function.load()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("objective = 3", "objective: it must be a table, got 3"),
        ('objective = "mine"', "objective.function: a function is named by its file and its name"),
        ('[objective]\nframework = "torch"', r"objective.function: missing; it is required"),
        (
            '[objective]\nfunction = "mine.py:score"\nframework = "torch"',
            "objective.framework: input should be 'numpy', .*or 'keras', got 'torch'",
        ),
        (
            'objective = "mine.py:score"\n[recipe]\nbatch = 3',
            "recipe: unknown; there are name, description, objective",
        ),
    ],
)
def test_a_wrong_objective_is_told_with_its_place(text: str, message: str, tmp_path: Path) -> None:
    objective(tmp_path, "return 1.0")
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(TaskError, match=message):
        find_task(str(tmp_path / "wrong.toml"))
