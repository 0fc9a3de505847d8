"""The slots of a Ray cluster: an actor each, started where there is work and room for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation
from search.executors.delivery import LostBatchError
from search.executors.executor import WorkersUnusableError
from search.executors.familiar import Familiar
from search.executors.ray_actor import versions

# A batch that loses its node this often is given up; a candidate cannot do that by itself.
LOSSES_A_BATCH: Final = 5

# A cluster that starts nothing for so long, while nothing works either, is said to be of no use;
# one that grows by itself needs minutes for a node.
STARTING_SECONDS: Final = 300.0

# How long actors are asked to tidy up before they are ended; those that are busy don't hear it.
CLOSING_SECONDS: Final = 2.0

# Slots, each of which a thread waits for while it works.
MOST_SLOTS: Final = 10_000
_LOOK_SECONDS: Final = 0.2


class _Slot:
    """One actor on some node, and what its worker has compiled lately."""

    def __init__(self, actor: Any) -> None:
        self.actor, self.begun = actor, time.monotonic()
        self.node = ""
        self.familiar = Familiar()

    def ask(self, texts: Sequence[str], fidelity: Fidelity) -> Any:
        """Ray's word for what `WorkerActor.evaluate` will say."""
        self.familiar.add(texts)
        return self.actor.evaluate.remote(list(texts), fidelity.to_json())


class RaySlots:
    """As many slots as there is work and room for; a lost node's work is done again elsewhere.

    A thread starts actors as batches wait for them, also on nodes that join later, and hands a
    batch out only to an actor that has answered. So nothing waits for a node that will not come.
    """

    def __init__(
        self, ray: Any, start: Callable[[], Any], *, workers: int | None, room: Callable[[], int]
    ) -> None:
        """Prepares the slots.

        Args:
            ray: The module, connected.
            start: Asks the cluster for an actor.
            workers: Their number at most; None for as many as there is room for at the time.
            room: How many the cluster has room for now.
        """
        self._ray, self._start, self._room, self._wanted = ray, start, room, workers
        self._changed = threading.Condition()
        # All but the first, which belongs to the thread alone, are guarded by `_changed`.
        self._starting: dict[Any, _Slot] = {}
        self._ready: list[_Slot] = []
        self._busy: set[_Slot] = set()
        self._waiting = 0
        self._failure: WorkersUnusableError | None = None
        self._is_closed = False
        self.losses = 0
        """Batches that were lost with their node and done again."""
        self._threads = ThreadPoolExecutor(MOST_SLOTS, thread_name_prefix="ray-slot")
        self._keeper = threading.Thread(target=self._keep, name="ray-slots", daemon=True)
        self._keeper.start()

    @property
    def workers(self) -> int:
        """How many slots there may be now."""
        return self._wanted or max(1, self._room())

    def submit(
        self, expressions: Sequence[Activation], fidelity: Fidelity
    ) -> Future[list[Evaluation]]:
        """Hands a batch to a free slot, rather to one that has compiled most of it lately."""
        return self._threads.submit(self._evaluate, [str(e) for e in expressions], fidelity)

    def _evaluate(self, texts: list[str], fidelity: Fidelity) -> list[Evaluation]:
        for _ in range(LOSSES_A_BATCH):
            slot = self._taken(texts)
            try:
                answer = self._ray.get(slot.ask(texts, fidelity))
            except self._ray.exceptions.RayError:
                self._lose(slot)
                continue
            except BaseException:
                self._give_back(slot)
                raise
            self._give_back(slot)
            return _evaluations(answer)
        raise LostBatchError(f"its node was lost {LOSSES_A_BATCH} times", is_certain=True)

    def _taken(self, texts: Sequence[str]) -> _Slot:
        """The free slot that knows most of a batch, as soon as there is any."""
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            try:
                while not self._ready:
                    if self._failure is not None:
                        raise self._failure
                    if self._is_closed:
                        raise LostBatchError("the executor is closed", is_certain=True)
                    self._changed.wait()
                slot = max(self._ready, key=lambda each: each.familiar.among(texts))
                self._ready.remove(slot)
                self._busy.add(slot)
                return slot
            finally:
                self._waiting -= 1

    def _give_back(self, slot: _Slot) -> None:
        with self._changed:
            self._busy.discard(slot)
            self._ready.append(slot)
            self._changed.notify_all()

    def _lose(self, slot: _Slot) -> None:
        """Takes nobody else to a node that has just lost an actor; new ones may start there."""
        with self._changed:
            self.losses += 1
            self._busy.discard(slot)
            doubtful = [each for each in self._ready if each.node == slot.node]
            self._ready = [each for each in self._ready if each.node != slot.node]
        for each in (slot, *doubtful):
            self._end(each)

    def _keep(self) -> None:
        while not self._is_closed:
            with suppress(self._ray.exceptions.RayError):
                self._welcome()
                self._start_missing()
                self._give_up()
            with self._changed:
                if not self._is_closed:
                    self._changed.wait(_LOOK_SECONDS)

    def _welcome(self) -> None:
        """Lets those work that have answered."""
        asked = list(self._starting)
        answered = self._ray.wait(asked, num_returns=len(asked), timeout=0)[0] if asked else []
        for word in answered:
            slot = self._starting.pop(word)
            theirs, slot.node = self._ray.get(word)
            if theirs != (ours := versions()):
                self._fail(
                    f"a node of the cluster has {theirs}, this one {ours}: results would not be "
                    "comparable; install the same versions everywhere"
                )
                return
            with self._changed:
                self._ready.append(slot)
                self._changed.notify_all()

    def _start_missing(self) -> None:
        """Starts an actor for each batch that waits for one, as far as there may be more."""
        with self._changed:
            working = len(self._ready) + len(self._busy)
            missing = self._waiting - len(self._ready) - len(self._starting)
        may_be = self.workers - working - len(self._starting)
        for _ in range(min(missing, may_be)):
            slot = _Slot(self._start())
            self._starting[slot.actor.hello.remote()] = slot
        # Room that has gone before an actor took it: others wait for the same.
        for word in list(self._starting)[: max(0, -may_be)]:
            self._end(self._starting.pop(word))

    def _give_up(self) -> None:
        """Where nothing works, and nothing has started for long, nothing will."""
        begun = min((slot.begun for slot in self._starting.values()), default=time.monotonic())
        with self._changed:
            works = bool(self._ready or self._busy)
        if not works and time.monotonic() - begun > STARTING_SECONDS:
            self._fail(
                f"the cluster started no worker within {STARTING_SECONDS:g} s; `ray status` shows "
                "its nodes and what they have free"
            )

    def _fail(self, why: str) -> None:
        with self._changed:
            self._failure = WorkersUnusableError(why)
            self._changed.notify_all()

    def _end(self, slot: _Slot) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(slot.actor)

    def close(self) -> None:
        """Ends all actors."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._keeper.join()
        self._threads.shutdown(wait=False, cancel_futures=True)
        slots = [*self._starting.values(), *self._ready, *self._busy]
        with suppress(self._ray.exceptions.RayError):
            if asked := [slot.actor.close.remote() for slot in self._ready]:
                self._ray.wait(asked, num_returns=len(asked), timeout=CLOSING_SECONDS)
        for slot in slots:
            self._end(slot)


def _evaluations(answer: Mapping[str, Any]) -> list[Evaluation]:
    if "loss" in answer:
        raise LostBatchError(answer["loss"]["reason"], is_certain=answer["loss"]["is_certain"])
    if "unusable" in answer:
        raise WorkersUnusableError(answer["unusable"])
    return [Evaluation.from_json(document) for document in answer["evaluations"]]
