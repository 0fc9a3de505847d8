"""Who gets which batch on a cluster, and what becomes of those whose node is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from evaluators.evaluation.fidelity import Fidelity
from grammars import parse
from search.executors.ray_actor import versions
from search.executors.ray_slots import RaySlots

FIDELITY = Fidelity(1, (0,))


class RayError(Exception):
    pass


class Actor:
    """Stands in for an actor: a request is a function, which its answer runs."""

    def __init__(self, cluster: Cluster, node: str) -> None:
        self.cluster, self.node, self.batches = cluster, node, []
        self.hello = SimpleNamespace(remote=lambda: lambda: (versions(), node))
        self.close = SimpleNamespace(remote=lambda: lambda: None)
        self.evaluate = SimpleNamespace(remote=self._request)

    def _request(self, texts: list[str], fidelity: Any) -> Callable[[], Any]:
        def answer() -> Any:
            self.cluster.meeting.wait(timeout=30)
            if self.node in self.cluster.dead:
                raise RayError
            self.batches.append(texts)
            return {"evaluations": []}

        return answer


class Cluster:
    """Nodes with room for two actors each."""

    def __init__(self, *nodes: str) -> None:
        self.nodes, self.dead, self.actors = list(nodes), set(), []
        # So many batches are worked on before any of them ends.
        self.meeting = threading.Barrier(1)
        self.ray = SimpleNamespace(
            exceptions=SimpleNamespace(RayError=RayError),
            get=lambda request: request(),
            wait=lambda asked, **how: (asked, []),
            kill=lambda actor: actor in self.actors and self.actors.remove(actor),
        )

    def start(self) -> Actor:
        living = [node for node in self.nodes if node not in self.dead]
        node = min(living, key=lambda each: sum(a.node == each for a in self.actors))
        self.actors.append(Actor(self, node))
        return self.actors[-1]

    def room(self) -> int:
        return 2 * len(set(self.nodes) - self.dead)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster("a", "b")


def slots_of(cluster: Cluster) -> RaySlots:
    return RaySlots(cluster.ray, cluster.start, workers=None, room=cluster.room)


def done(slots: RaySlots, *texts: str) -> None:
    futures = [slots.submit([parse(text)], FIDELITY) for text in texts]
    for future in futures:
        future.result(timeout=30)


def test_a_batch_goes_back_to_the_worker_that_compiled_it(cluster: Cluster) -> None:
    slots = slots_of(cluster)
    texts = ["relu(x)", "tanh(x)", "sin(x)", "cos(x)"]
    cluster.meeting = threading.Barrier(4)
    done(slots, *texts)
    assert len(cluster.actors) == 4
    for order in (texts[::-1], [*texts[2:], *texts[:2]]):
        done(slots, *order)
    assert all(len({batch[0] for batch in actor.batches}) == 1 for actor in cluster.actors)
    slots.close()
    assert cluster.actors == []


def test_nothing_goes_to_a_node_that_is_lost(cluster: Cluster) -> None:
    slots = slots_of(cluster)
    cluster.meeting = threading.Barrier(4)
    done(slots, "relu(x)", "tanh(x)", "sin(x)", "cos(x)")
    cluster.meeting = threading.Barrier(1)
    cluster.dead.add("a")
    done(slots, "relu(x)", "tanh(x)", "sin(x)", "cos(x)")
    assert 1 <= slots.losses <= 2, "of its two actors, whichever was busy"
    assert {actor.node for actor in cluster.actors} == {"b"}
    assert slots.workers == 2
    slots.close()


def test_a_node_that_joins_gets_work(cluster: Cluster) -> None:
    slots = slots_of(cluster)
    cluster.nodes.append("c")
    cluster.meeting = threading.Barrier(6)
    done(slots, *(f"x + {number}" for number in range(12)))
    assert slots.workers == 6
    assert {actor.node for actor in cluster.actors} == {"a", "b", "c"}
    slots.close()


def test_only_as_many_actors_start_as_there_is_work_for(cluster: Cluster) -> None:
    slots = slots_of(cluster)
    done(slots, "relu(x)")
    done(slots, "tanh(x)")
    assert len(cluster.actors) == 1
    slots.close()


def test_closing_lets_nobody_wait(cluster: Cluster) -> None:
    cluster.ray.wait = lambda asked, **how: ([], asked)  # nobody answers
    slots = slots_of(cluster)
    future = slots.submit([parse("relu(x)")], FIDELITY)
    threading.Timer(0.3, slots.close).start()
    with pytest.raises(Exception, match="the executor is closed"):
        future.result(timeout=30)
