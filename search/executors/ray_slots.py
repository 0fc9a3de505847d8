"""The slots of a Ray cluster: an actor each, started where there is work and room for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.training.clock import awake_seconds
from grammars import Activation
from search.executors.familiar import Familiar
from search.executors.ray_actor import versions
from search.executors.ray_batch import RayBatch, evaluations_of
from search.executors.ray_errors import told

# A batch that loses its worker this often is given up, and the campaign with it. Candidates live
# and die in processes of their own, so that this is no fault of theirs, and none is recorded.
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
        self.actor = actor
        self.node = ""
        self.familiar = Familiar()

    def ask(self, texts: Sequence[str], fidelity: Fidelity) -> Any:
        """Ray's word for what `WorkerActor.evaluate` will say."""
        self.familiar.add(texts)
        return self.actor.evaluate.remote(list(texts), fidelity.to_json())


class RaySlots:
    """As many slots as there is work and room for; a lost node's work is done again elsewhere.

    A thread starts actors as batches wait for them, also on nodes that join later, and a batch
    goes only to an actor that has answered. So nothing waits for a node that will not come.
    """

    def __init__(
        self,
        ray: Any,
        start: Callable[[], Any],
        *,
        workers: int | None,
        room: Callable[[], int],
        now: Callable[[], float] = awake_seconds,
    ) -> None:
        """Prepares the slots.

        Args:
            ray: The module, connected.
            start: Asks the cluster for an actor.
            workers: Their number at most; None for as many as there is room for at the time.
            room: How many the cluster has room for now.
            now: A clock, in seconds.
        """
        self._ray, self._start, self._room, self._wanted = ray, start, room, workers
        self._now = now
        self._changed = threading.Condition()
        # All but the first, which belongs to the thread alone, are guarded by `_changed`.
        self._starting: dict[Any, _Slot] = {}
        self._ready: list[_Slot] = []
        self._busy: set[_Slot] = set()
        # In the order in which slots take them.
        self._waiting: OrderedDict[Future[list[Evaluation]], RayBatch] = OrderedDict()
        # Since when batches wait while nothing works, and what the last actor died of that started.
        self._idle_since, self._trouble = now(), ""
        # Why nothing will ever work here.
        self._failure = ""
        self._is_closed = False
        self.losses = 0
        """Batches that were lost with their worker or node and done again."""
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
        """Hands a batch to a free slot, rather to one that has compiled most of it lately.

        Returns:
            The batch's evaluations, or a `LostBatchError`. Until a slot has taken the batch it can
            be cancelled; slots take batches in the order in which they were submitted.
        """
        batch = RayBatch(expressions, fidelity)
        batch.future.add_done_callback(self._forget)
        with self._changed:
            if not self._waiting:
                self._idle_since = self._now()
            self._waiting[batch.future] = batch
        self._hand_out()
        return batch.future

    def _forget(self, future: Future[list[Evaluation]]) -> None:
        """No actor is started for a batch that was cancelled."""
        if future.cancelled():
            with self._changed:
                self._waiting.pop(future, None)

    def _hand_out(self) -> None:
        """Gives the batches that wait to the slots that are ready, or refuses them."""
        refused: list[RayBatch] = []
        with self._changed:
            while self._waiting and self._ready and not self._is_closed:
                _, batch = self._waiting.popitem(last=False)
                if batch.begin():
                    self._threads.submit(self._work, self._taken(batch.texts), batch)
            if why := "the executor is closed" if self._is_closed else self._failure:
                refused.extend(self._waiting.values())
                self._waiting.clear()
            self._changed.notify_all()
        for batch in refused:
            batch.refuse(why)

    def _taken(self, texts: Sequence[str]) -> _Slot:
        """The free slot that knows most of a batch."""
        slot = max(self._ready, key=lambda each: each.familiar.among(texts))
        self._ready.remove(slot)
        self._busy.add(slot)
        return slot

    def _work(self, slot: _Slot, batch: RayBatch) -> None:
        try:
            evaluations = evaluations_of(self._ray.get(slot.ask(batch.texts, batch.fidelity)))
        except self._ray.exceptions.RayError as error:
            self._lose(slot)
            self._repeat(batch, error)
        except BaseException as error:  # raised where the evaluations are wanted
            self._give_back(slot)
            batch.future.set_exception(error)
        else:
            self._give_back(slot)
            batch.future.set_result(evaluations)

    def _give_back(self, slot: _Slot) -> None:
        with self._changed:
            self._busy.discard(slot)
            self._ready.append(slot)
        self._hand_out()

    def _lose(self, slot: _Slot) -> None:
        """Takes nobody else to a node that has just lost an actor; new ones may start there."""
        with self._changed:
            self.losses += 1
            self._idle_since = self._now()
            self._busy.discard(slot)
            doubtful = [each for each in self._ready if each.node == slot.node]
            self._ready = [each for each in self._ready if each.node != slot.node]
        for each in (slot, *doubtful):
            self._end(each)

    def _repeat(self, batch: RayBatch, error: Exception) -> None:
        """Gives a batch that was lost to the next slot, unless that has been in vain too often."""
        batch.losses += 1
        if batch.losses == LOSSES_A_BATCH:
            batch.refuse(
                f"a batch lost its worker {LOSSES_A_BATCH} times, the last time with: "
                f"{told(error)}; nothing of it was recorded. `ray status` shows the nodes of the "
                "cluster; leave out those that fail or go too often, and launch again"
            )
            return
        with self._changed:
            self._waiting[batch.future] = batch
            self._waiting.move_to_end(batch.future, last=False)
        self._hand_out()

    def _keep(self) -> None:
        while not self._is_closed:
            try:
                self._look()
            except Exception as error:  # nobody else starts workers
                self._fail(f"no worker can be started: {type(error).__name__}: {told(error)}")
                return
            with self._changed:
                if not self._is_closed:
                    self._changed.wait(_LOOK_SECONDS)

    def _look(self) -> None:
        try:
            self._welcome()
            self._start_missing()
        except self._ray.exceptions.RayError as error:  # that may pass
            self._note(error)
        self._give_up()

    def _note(self, error: Exception) -> None:
        with self._changed:
            self._trouble = told(error)

    def _welcome(self) -> None:
        """Lets those work that have answered."""
        asked = list(self._starting)
        answered = self._ray.wait(asked, num_returns=len(asked), timeout=0)[0] if asked else []
        for word in answered:
            slot = self._starting.pop(word)
            try:
                theirs, slot.node = self._ray.get(word)
            except self._ray.exceptions.RayError as error:
                self._note(error)
                self._end(slot)
                continue
            if theirs != (ours := versions()):
                self._fail(
                    f"a node of the cluster has {theirs}, this one {ours}: results would not be "
                    "comparable; install the same versions everywhere"
                )
                return
            with self._changed:
                self._ready.append(slot)
            self._hand_out()

    def _start_missing(self) -> None:
        """Starts an actor for each batch that waits for one, as far as there may be more."""
        wanted = self.workers
        with self._changed:
            working = len(self._ready) + len(self._busy)
            missing = len(self._waiting) - len(self._ready) - len(self._starting)
        may_be = wanted - working - len(self._starting)
        for _ in range(min(missing, may_be)):
            slot = _Slot(self._start())
            self._starting[slot.actor.hello.remote()] = slot
        # Room that has gone before an actor took it: others wait for the same.
        for word in list(self._starting)[: max(0, -may_be)]:
            self._end(self._starting.pop(word))

    def _give_up(self) -> None:
        """Where batches wait and nothing has worked or started for long, nothing will."""
        with self._changed:
            if self._ready or self._busy or not self._waiting:
                self._idle_since, self._trouble = self._now(), ""
            is_hopeless = self._now() - self._idle_since > STARTING_SECONDS
            trouble = self._trouble
        if is_hopeless:
            died = f"the last one died as it started, with: {trouble}; " if trouble else ""
            self._fail(
                f"the cluster started no worker within {STARTING_SECONDS:g} s; {died}`ray status` "
                "shows its nodes and what they have free"
            )

    def _fail(self, why: str) -> None:
        with self._changed:
            self._failure = why
        self._hand_out()

    def _end(self, slot: _Slot) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(slot.actor)

    def close(self) -> None:
        """Ends all actors."""
        with self._changed:
            self._is_closed = True
        self._hand_out()
        self._keeper.join()
        self._threads.shutdown(wait=False)
        with self._changed:
            ready, slots = list(self._ready), [*self._starting.values(), *self._ready, *self._busy]
        with suppress(self._ray.exceptions.RayError):
            if asked := [slot.actor.close.remote() for slot in ready]:
                self._ray.wait(asked, num_returns=len(asked), timeout=CLOSING_SECONDS)
        for slot in slots:
            self._end(slot)
