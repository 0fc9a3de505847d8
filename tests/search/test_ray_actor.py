"""What an actor says of the node that it is on."""

from __future__ import annotations

import platform
from pathlib import Path

from evaluators.datasets import load, load_all
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import find_task
from search.executors import Workload
from search.executors.ray_actor import WorkerActor

from .own_tasks import written


def test_a_file_that_did_not_travel_is_named_with_the_node_and_what_to_do(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    path = written(here)
    network = here / "my_net.py"
    network.write_text(f"import initial_weights\n{network.read_text()}")
    (here / "initial_weights.py").touch()
    task = find_task(str(path))
    workload = Workload(task.on(load(task.data)))
    data = [load_all(each.data) for each in workload.tasks]
    files = [(each.file.name, each.file.read_bytes()) for each in task.functions]
    here.rename(tmp_path / "elsewhere")  # as on a node, where nobody has put the folder

    actor = WorkerActor(workload, data, files, launch="a test")
    with actor._pool:
        answer = actor.evaluate(["relu(x)"], Fidelity(1, (0,)).to_json())
    actor.close()
    assert list(answer) == ["unusable"]
    said = answer["unusable"]
    assert "my_net.py, line 1: importing it raised ModuleNotFoundError" in said
    assert "No module named 'initial_weights'" in said
    assert f"(on node {platform.node()}, to which only those of your files travel that" in said
    assert "\n" not in said
