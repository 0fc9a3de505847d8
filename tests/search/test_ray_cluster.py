"""A few Ray nodes on this machine, which die in mid-campaign, and others that join."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import pytest

from evaluators.datasets import load_all
from evaluators.evaluation.evaluation import Outcome
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import find_task
from grammars import parse
from search.candidates.generation import GenerationSummary
from search.candidates.racing import Standing
from search.executors import ProcessPool, RayCluster, WorkersUnusableError, Workload, ray_errors
from search.executors import ray_slots as module
from search.executors.ray_actor import WorkerActor
from search.executors.site import Site
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.library.campaign import Campaign
from search.standings.leaderboard import leaderboard

from .faulty import FaultyWorkload
from .own_tasks import OWN
from .store import MEASURED
from .test_campaign import run, settings, told
from .test_executors import EXPRESSIONS, FIDELITY, POISON, WORKLOAD
from .test_kills import FULL

LIMITS = {"batch": 4, "timeout_seconds": 60.0}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head without room for work and two nodes with one core each."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'actsearch[ray]'")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path.cwd()), *sys.path]))
    small = {"object_store_memory": 100_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    try:
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()


class NodeKiller:
    """Takes a node away a moment after the first generation, in the middle of the second."""

    def __init__(self, cluster: Any, node: Any) -> None:
        self._cluster, self._node = cluster, node
        self.killer = threading.Timer(1.0, self._kill)

    def _kill(self) -> None:
        self._cluster.remove_node(self._node, allow_graceful=False)

    def on_progress(self, rung: int, done: int, total: int) -> None:
        pass

    def on_generation(self, summary: GenerationSummary) -> None:
        if summary.generation == 0:
            self.killer.start()

    def on_best(self, standing: Standing) -> None:
        pass


def without_times(folder: Path) -> list[Any]:
    return [
        (kind, key, {k: v for k, v in payload.items() if k not in MEASURED})
        for kind, key, payload in told(folder)
    ]


def rows(folder: Path) -> list[dict[str, Any]]:
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return [asdict(row) for row in leaderboard(read_history(journal))]


SEVERAL: dict[str, Any] = {"tasks": ["digits-mlp", "mnist1d-mlp"], "learning_rates": [0.002, 0.004]}


MORE: Final = pytest.mark.skipif(not FULL, reason="ACTSEARCH_FULL_TESTS=1 loses these too")


@pytest.mark.parametrize(
    ("several", "own"),
    [
        pytest.param({}, None, id="one task"),
        pytest.param(SEVERAL, None, id="two tasks", marks=MORE),
        pytest.param({}, "files", id="a task from files", marks=MORE),
        pytest.param({}, "Python", id="a task from Python", marks=MORE),
    ],
)
def test_a_lost_node_costs_nothing_but_time(
    cluster: Any, tmp_path: Path, several: dict[str, Any], own: str | None
) -> None:
    chosen = settings(
        search={"population": 8},
        scoring={"rungs": [{"steps": 100}, {"steps": 200}], "reduction_factor": 3.0, **several},
        stop={"generations": 3},
    )
    others = [find_task(name) for name in chosen.search_tasks[1:]]
    first = WORKLOAD if own is None else Workload(OWN[own](tmp_path))
    workload = replace(first, others=tuple(others))
    further = {"further": workload.benches[1:]}
    with ProcessPool(workload, workers=2, **LIMITS) as local:
        run(tmp_path / "local", chosen, local, **further)
    # The driver shares the head's node; work is on the two others.
    node = max(cluster.worker_nodes, key=lambda each: each.node_id)
    killer = NodeKiller(cluster, node)
    with RayCluster(workload, workers=None, address=cluster.address, **LIMITS) as distant:
        assert distant.workers == 2
        run(tmp_path / "distant", chosen, distant, observers=[killer], **further)
        killer.killer.join()
        assert len(cluster.worker_nodes) == 1
        assert distant.losses >= 1
    assert without_times(tmp_path / "distant") == without_times(tmp_path / "local")
    assert rows(tmp_path / "distant") == rows(tmp_path / "local")


class ComingAndGoing:
    """Takes one node away during the search and one during the finals, and adds one between."""

    def __init__(self, cluster: Any) -> None:
        self._cluster, self.done = cluster, []

    def _kill(self) -> None:
        node = max(self._cluster.worker_nodes, key=lambda each: each.node_id)
        self._cluster.remove_node(node, allow_graceful=False)

    def on_progress(self, rung: int, done: int, total: int) -> None:
        pass

    def on_generation(self, summary: GenerationSummary) -> None:
        if summary.generation == 0:
            threading.Timer(0.5, self._kill).start()
            self.done.append("killed in the search")
        else:
            self._cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
            self.done.append("added")

    def on_best(self, standing: Standing) -> None:
        pass

    def on_finals(self, task: str, done: int, total: int) -> None:
        if "killed in the finals" not in self.done:
            self._kill()
            self.done.append("killed in the finals")


@pytest.mark.skipif(not FULL, reason="ACTSEARCH_FULL_TESTS=1 takes nodes away and adds some")
def test_nodes_come_and_go_and_the_journal_is_that_of_one_machine(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    wanted: dict[str, Any] = {
        "name": "roaming",
        "task": "digits-mlp",
        "seed": 3,
        "search": {"population": 8},
        "scoring": {"rungs": [{"steps": 100}, {"steps": 200}], "reduction_factor": 3.0, "batch": 4},
        "stop": {"generations": 2},
        "finals": {"top": 2, "seeds": 2, "max_seeds": 4, "steps": 100},
        "tracking": {"mlflow": False},
    }
    nodes = ComingAndGoing(cluster)
    here = Campaign(wanted, site=Site(tmp_path / "local", workers=2))
    there = Campaign(wanted, site=Site(tmp_path / "distant", executor="ray"))
    assert not here.run().interrupted
    assert not there.run(observers=[nodes]).interrupted
    assert nodes.done == ["killed in the search", "added", "killed in the finals"]
    assert len(cluster.worker_nodes) == 2

    def of(campaign: Campaign) -> list[Any]:
        # How long it was worked on is each machine's own.
        return [event for event in without_times(campaign.folder) if event[0] != "work"]

    assert of(there) == of(here)
    assert sum(kind == "finals_score" for kind, _, _ in of(there)) > 4


def test_the_culprit_is_found_as_locally(cluster: Any, tmp_path: Path) -> None:
    workload = FaultyWorkload(
        find_task("digits-mlp"), faults=((POISON, "segfault"),), log=tmp_path / "log"
    )
    expressions = [*EXPRESSIONS[:2], parse(POISON)]
    with RayCluster(workload, workers=1, address=cluster.address, **LIMITS) as executor:
        batches = executor.evaluate(expressions, FIDELITY, stopping=threading.Event())
        evaluations = [evaluation for batch in batches for evaluation in batch]
    assert [e.outcome for e in evaluations] == [Outcome.SCORED, Outcome.SCORED, Outcome.FAILED]
    assert evaluations[2].reason == "its worker died (SIGSEGV)"
    assert len(workload.attempts()) == 3


def test_without_room_it_says_so(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STARTING_SECONDS", 3.0)
    with (
        RayCluster(
            WORKLOAD, workers=1, gpus_per_worker=1.0, address=cluster.address, **LIMITS
        ) as executor,
        pytest.raises(WorkersUnusableError, match="started no worker within 3 s; `ray status`"),
    ):
        list(executor.evaluate(EXPRESSIONS, Fidelity(1, (0,)), stopping=threading.Event()))


def test_errors_of_workers_are_told_in_a_line_with_their_node(cluster: Any) -> None:
    import ray

    ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
    try:
        actor = ray.remote(WorkerActor)
        never_starts = actor.remote(WORKLOAD, [], [], "a test")
        with pytest.raises(ray.exceptions.RayActorError) as died:
            ray.get(never_starts.hello.remote(), timeout=60)
        starts = actor.remote(WORKLOAD, [load_all(WORKLOAD.task.data)], [], "a test")
        _, node = ray.get(starts.hello.remote(), timeout=60)
        with pytest.raises(ray.exceptions.RayTaskError) as raised:
            ray.get(starts.evaluate.remote(["relu(x)"], {}), timeout=60)
        addresses = {each["NodeID"]: each["NodeManagerAddress"] for each in ray.nodes()}
    finally:
        ray.shutdown()
    place = f" (on node {addresses[node]})"
    shorter = "ValueError: zip() argument 2 is shorter than argument 1"
    assert ray_errors.told(died.value) == shorter + place
    assert ray_errors.told(raised.value) == "KeyError: 'steps'" + place


def test_without_a_cluster_it_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'actsearch[ray]'")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(WorkersUnusableError, match="`ray start --head` starts one"):
        RayCluster(WORKLOAD, workers=1, **LIMITS)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(WorkersUnusableError, match=r"pip install 'actsearch\[ray\]'"):
        RayCluster(WORKLOAD, workers=1, **LIMITS)
