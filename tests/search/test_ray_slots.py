"""Who gets which batch on a cluster, and what becomes of those whose node is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import pytest

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import parse
from search.executors import Interrupted, WorkersUnusableError
from search.executors.delivery import Delivery
from search.executors.ray_actor import versions
from search.executors.ray_errors import told
from search.executors.ray_slots import LOSSES_A_BATCH, RaySlots

from .simulation import BENCH, Simulation

FIDELITY = Fidelity(1, (0,))

# As Ray has them of an actor that raises an error as it starts, of one that raises it later, and of
# one whose node has died.
NEVER_STARTED = """\
The actor died because of an error raised in its creation task, \
\x1b[36mray::WorkerActor.__init__()\x1b[39m (pid=71, ip=10.0.0.3, actor_id=0cf4, repr=<actor>)
  File "/usr/lib/python3/dist-packages/search/executors/ray_actor.py", line 24, in <module>
    import optax
ModuleNotFoundError: No module named 'optax'"""
FULL_DISK = """\
\x1b[36mray::WorkerActor.evaluate()\x1b[39m (pid=72, ip=10.0.0.4, actor_id=0cf5, repr=<actor>)
  File "/usr/lib/python3/dist-packages/search/executors/ray_actor.py", line 69, in evaluate
    future = self._pool.submit(candidates, Fidelity.from_json(fidelity))
OSError: [Errno 28] No space left on device"""
NODE_DIED = """\
The actor died unexpectedly before finishing this task.
\tclass_name: WorkerActor
\tactor_id: 0cf6
\tip: 10.0.0.5
The actor is dead because its node has died."""


class RayError(Exception):
    pass


class Actor:
    """Stands in for an actor: a request is a function, which its answer runs."""

    def __init__(self, cluster: Cluster, node: str) -> None:
        self.cluster, self.node, self.batches = cluster, node, []
        self.hello = SimpleNamespace(remote=lambda: self._greeting)
        self.close = SimpleNamespace(remote=lambda: lambda: None)
        self.evaluate = SimpleNamespace(remote=self._request)

    def _greeting(self) -> Any:
        if self.cluster.stillborn:
            raise RayError(self.cluster.stillborn)
        return versions(), self.node

    def _request(self, texts: list[str], fidelity: Any) -> Callable[[], Any]:
        def answer() -> Any:
            self.cluster.meeting.wait(timeout=30)
            if self.node in self.cluster.dead or self.cluster.raised:
                raise RayError(self.cluster.raised or NODE_DIED)
            self.batches.append(texts)
            evaluations = [self.cluster.training.evaluation(parse(t), FIDELITY) for t in texts]
            return {"evaluations": [evaluation.to_json() for evaluation in evaluations]}

        return answer


class Cluster:
    """Nodes with room for two actors each."""

    def __init__(self, *nodes: str) -> None:
        self.nodes, self.dead, self.actors = list(nodes), set(), []
        # What actors raise as they start, and as they evaluate; on every node, by default on none.
        self.stillborn, self.raised = "", ""
        # A clock, and how far each start of an actor puts it forward.
        self.seconds, self.seconds_a_start = 0.0, 0.0
        self.training = Simulation()
        # So many batches are worked on before any of them ends.
        self.meeting = threading.Barrier(1)
        self.ray = SimpleNamespace(
            exceptions=SimpleNamespace(RayError=RayError),
            get=lambda request: request(),
            wait=lambda asked, **how: (asked, []),
            kill=lambda actor: actor in self.actors and self.actors.remove(actor),
        )

    def start(self) -> Actor:
        self.seconds += self.seconds_a_start
        living = [node for node in self.nodes if node not in self.dead]
        node = min(living, key=lambda each: sum(a.node == each for a in self.actors))
        self.actors.append(Actor(self, node))
        return self.actors[-1]

    def now(self) -> float:
        return self.seconds

    def room(self) -> int:
        return 2 * len(set(self.nodes) - self.dead)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster("a", "b")


def slots_of(cluster: Cluster, *, workers: int | None = None) -> RaySlots:
    return RaySlots(cluster.ray, cluster.start, workers=workers, room=cluster.room, now=cluster.now)


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


def failure_of(slots: RaySlots, text: str = "relu(x)") -> str:
    with pytest.raises(WorkersUnusableError) as raised:
        done(slots, text)
    return str(raised.value)


def test_workers_that_die_as_they_start_are_given_up_with_the_reason(cluster: Cluster) -> None:
    cluster.stillborn, cluster.seconds_a_start = NEVER_STARTED, 200.0
    slots = slots_of(cluster)
    assert failure_of(slots) == (
        "the cluster started no worker within 300 s; the last one died as it started, with: "
        "ModuleNotFoundError: No module named 'optax' (on node 10.0.0.3); `ray status` shows its "
        "nodes and what they have free"
    )
    assert cluster.seconds == 400.0, "two attempts"
    slots.close()
    assert cluster.actors == []


def test_workers_may_die_as_they_start_where_others_live(cluster: Cluster) -> None:
    start, often = cluster.start, threading.Event()

    def counted() -> Actor:
        if cluster.seconds > 600.0:
            often.set()
        return start()

    cluster.start = counted
    slots = slots_of(cluster)
    done(slots, "relu(x)")
    cluster.stillborn, cluster.seconds_a_start = NEVER_STARTED, 200.0
    cluster.meeting = threading.Barrier(2)
    futures = [slots.submit([parse(text)], FIDELITY) for text in ("tanh(x)", "sin(x)")]
    assert often.wait(timeout=30)
    for future in futures:
        cluster.meeting.wait(timeout=30)
        future.result(timeout=30)
    slots.close()


def test_the_five_minutes_begin_when_the_last_worker_is_lost(cluster: Cluster) -> None:
    slots = slots_of(cluster)
    done(slots, "relu(x)")
    cluster.seconds, cluster.seconds_a_start = 10_000.0, 200.0
    cluster.dead.add(cluster.actors[0].node)
    done(slots, "tanh(x)")
    assert slots.losses == 1
    slots.close()


def test_whatever_keeps_workers_from_being_started_is_said(cluster: Cluster) -> None:
    def start() -> Any:
        raise TypeError("cannot pickle '_io.TextIOWrapper' object")

    cluster.start = start
    slots = slots_of(cluster)
    for text in ("relu(x)", "tanh(x)"):
        assert failure_of(slots, text) == (
            "no worker can be started: TypeError: cannot pickle '_io.TextIOWrapper' object"
        )
    slots.close()


def delivered(cluster: Cluster, slots: RaySlots, texts: list[str]) -> Iterator[list[Evaluation]]:
    delivery = Delivery(slots, benches=(BENCH,), batch=len(texts))
    yield from delivery.evaluate([parse("relu")], FIDELITY, stopping=threading.Event())
    cluster.raised = FULL_DISK
    expressions = [parse(text) for text in texts]
    yield from delivery.evaluate(expressions, FIDELITY, stopping=threading.Event())


@pytest.mark.parametrize("texts", [["tanh(x)"], ["tanh(x)", "sin(x)"]], ids=["alone", "together"])
def test_where_nodes_fail_no_candidate_is_blamed(cluster: Cluster, texts: list[str]) -> None:
    slots = slots_of(cluster, workers=1)
    batches = delivered(cluster, slots, texts)
    assert [each.expression for each in next(batches)] == ["relu(x)"]
    with pytest.raises(WorkersUnusableError, match="a batch lost its worker 5 times") as raised:
        next(batches)
    assert "OSError: [Errno 28] No space left on device (on node 10.0.0.4);" in str(raised.value)
    assert slots.losses == LOSSES_A_BATCH
    slots.close()


def test_a_batch_that_waits_can_be_cancelled_and_slots_go_in_turn(cluster: Cluster) -> None:
    slots = slots_of(cluster, workers=1)
    cluster.meeting = threading.Barrier(2)
    texts = [f"x + {number}" for number in range(4)]
    futures = [slots.submit([parse(text)], FIDELITY) for text in texts]
    assert futures[1].cancel()
    for future in (futures[0], futures[2], futures[3]):
        cluster.meeting.wait(timeout=30)
        assert not future.cancel()
        future.result(timeout=30)
    assert [batch for actor in cluster.actors for batch in actor.batches] == [
        [texts[0]],
        [texts[2]],
        [texts[3]],
    ]
    slots.close()


def test_no_worker_is_started_for_what_was_cancelled(cluster: Cluster) -> None:
    cancelled, started = threading.Event(), threading.Event()
    cluster.room = lambda: 4 if cancelled.wait(timeout=30) else 0
    cluster.ray.wait = lambda asked, **how: started.set() or ([], asked)  # nobody answers
    slots = slots_of(cluster)
    futures = [slots.submit([parse(text)], FIDELITY) for text in ("relu(x)", "tanh(x)", "sin(x)")]
    assert futures[0].cancel()
    assert futures[2].cancel()
    cancelled.set()
    assert started.wait(timeout=30)
    assert len(cluster.actors) == 1
    slots.close()


def test_a_wish_to_stop_is_not_kept_waiting_by_batches_that_no_worker_has(
    cluster: Cluster,
) -> None:
    cluster.ray.wait = lambda asked, **how: ([], asked)  # nobody answers
    slots = slots_of(cluster)
    # The wish comes once all batches are submitted.
    wishes = chain([False], repeat(True))
    stopping = SimpleNamespace(is_set=lambda: next(wishes))
    delivery = Delivery(slots, benches=(BENCH,), batch=1)
    closing = threading.Timer(10.0, slots.close)  # which would end a delivery that waits
    closing.start()
    with pytest.raises(Interrupted):
        list(delivery.evaluate([parse("relu"), parse("tanh")], FIDELITY, stopping=stopping))
    closing.cancel()
    slots.close()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (NEVER_STARTED, "ModuleNotFoundError: No module named 'optax' (on node 10.0.0.3)"),
        (FULL_DISK, "OSError: [Errno 28] No space left on device (on node 10.0.0.4)"),
        (
            NODE_DIED,
            "The actor died unexpectedly before finishing this task. class_name: WorkerActor "
            "actor_id: 0cf6 ip: 10.0.0.5 The actor is dead because its node has died",
        ),
        ("", "RayError"),
    ],
    ids=["never started", "full disk", "node died", "no words"],
)
def test_what_ray_says_is_told_in_a_line(text: str, line: str) -> None:
    assert told(RayError(text)) == line
