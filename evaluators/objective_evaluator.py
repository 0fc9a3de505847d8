"""From candidates to evaluations where a user's own objective says what they are worth."""

from __future__ import annotations

import contextlib
import inspect
import io
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any, Final, Literal

import psutil

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench, with_costs
from evaluators.reading.functions import UserCodeError, blamed
from evaluators.tasks.objectives import Objective, activation_for
from evaluators.training.trainers import LATE_SECONDS
from grammars import Activation, Expression, by_layer

# joblib's processes are loky's, of which joblib has a copy.
_LOKY: Final = ("loky", "joblib.externals.loky")
_SERVERS: Final = (
    ("multiprocessing.forkserver", "_forkserver", "_forkserver_pid"),
    ("multiprocessing.resource_tracker", "_resource_tracker", "_pid"),
    *((f"{name}.backend.resource_tracker", "_resource_tracker", "_pid") for name in _LOKY),
)


class ObjectiveEvaluator:
    """Calls the objective for candidate after candidate; one of them lives in each worker."""

    def __init__(
        self,
        objective: Objective,
        bench: Bench,
        *,
        timeout_seconds: float = math.inf,
        highest: Fidelity | None = None,
        split: Literal["validation", "test"] = "validation",
        allow: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Imports the user's file.

        Args:
            objective: What to call.
            bench: As what results are recorded.
            timeout_seconds: What one call may take.
            highest: The last fidelity of a ladder; costs are measured there.
            split: What the objective is told where it asks for it.
            allow: Told how many seconds the work that begins now may take until it is told again.

        Raises:
            UserCodeError: If the file cannot be imported or has no such function.
        """
        self._objective, self._bench = objective, bench
        self._timeout_seconds, self._highest, self._allow = timeout_seconds, highest, allow
        with _unheard():
            self._function = objective.function.load()
        self._told = {"split": split} if _has_split(self._function) else {}
        self._known = _children()

    def evaluate(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Evaluation]:
        """Calls the objective for every candidate and seed.

        Returns:
            One record each, in the same order: scored, diverged where a loss was no finite number,
            or failed where the objective raised or returned none.
        """
        records = [self._record(candidate, fidelity) for candidate in candidates]
        if self._highest is None or fidelity.budget != self._highest.budget:
            return records
        return with_costs(records, depth=1, allow=self._allow, seconds=self._timeout_seconds)

    def _record(self, candidate: Activation, fidelity: Fidelity) -> Evaluation:
        begun = time.perf_counter()
        results: list[SeedResult] = []
        outcome, reason = Outcome.SCORED, None
        try:
            for seed in fidelity.seeds:
                result = self._called(candidate, fidelity.steps, seed)
                if not math.isfinite(result.validation_loss):
                    outcome, reason = Outcome.DIVERGED, f"the loss was not finite (seed {seed})"
                    break
                results.append(result)
        except UserCodeError as error:
            outcome, reason = Outcome.FAILED, str(error)
        per_seed = tuple(results) if outcome is Outcome.SCORED else ()
        record = self._bench.record(candidate, fidelity, outcome, reason=reason, per_seed=per_seed)
        return replace(record, seconds=time.perf_counter() - begun)

    def _called(self, candidate: Activation, steps: int, seed: int) -> SeedResult:
        (expression,) = by_layer(candidate, 1)
        assert isinstance(expression, Expression)
        activation = activation_for(expression, self._objective.framework)
        function, owner = self._objective.function, os.getpid()
        self._allow(self._timeout_seconds + LATE_SECONDS)
        try:
            doing = f"{function.name}(), steps={steps}, seed={seed},"
            with _unheard(), blamed(function.path, doing=doing, line=function.line):
                returned = self._function(activation, steps=steps, seed=seed, **self._told)
        finally:
            if os.getpid() != owner:
                os._exit(1)  # a process that the objective forked and that came back here
            left = self._ended()
        if left:
            raise UserCodeError(
                f"{function.place}: {function.name} leaves processes of its own behind; "
                "it must end them before it returns"
            )
        return _result(returned, seed, f"{function.place}: {function.name}")

    def _ended(self) -> set[psutil.Process]:
        """Processes that were left behind, ended: the next candidate begins as the first one did.

        Also those that a pool has started since the last call, in place of some that were ended.
        """
        if _children() - self._known:
            _end_idle_pools()
        left = _children() - self._known
        for process in left:
            _end(process)
        self._known |= left  # whoever has started them may not have waited for their end yet
        return left


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """What a user's code prints is nobody's: it would only disturb what is shown of a campaign."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _has_split(function: Callable[..., Any]) -> bool:
    try:
        return "split" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some callables have none
        return False


def _children() -> set[psutil.Process]:
    """Processes that this one has started and not waited for; waiting is left to their owners.

    Without those that Python starts by itself, once, and that end with this one.
    """
    servers = _pids_of_servers()
    return {child for child in psutil.Process().children() if child.pid not in servers}


def _pids_of_servers() -> set[int | None]:
    """Of those that clean up after `multiprocessing` and joblib, or fork processes for it."""
    return {
        getattr(getattr(sys.modules.get(module), server, None), pid, None)
        for module, server, pid in _SERVERS
    }


def _end(process: psutil.Process) -> None:
    """Kills a process and all that it has started, whichever of them has ended by itself."""
    below: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        below = process.children(recursive=True)
    for each in (*below, process):
        with contextlib.suppress(psutil.Error):
            each.kill()


def _end_idle_pools() -> None:
    """Ends the pool that joblib keeps for the next call, and its processes for five minutes."""
    for name in _LOKY:
        pool = getattr(sys.modules.get(f"{name}.reusable_executor"), "_executor", None)
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)


def _result(returned: Any, seed: int, who: str) -> SeedResult:
    """What an objective returned as the result of a seed.

    Raises:
        UserCodeError: If it is no loss.
    """
    metrics = dict(returned) if isinstance(returned, Mapping) else {"loss": returned}
    numbers = {str(name): _number(value, str(name), who) for name, value in metrics.items()}
    if "loss" not in numbers:
        raise UserCodeError(f"{who} must return a mapping with 'loss', got {sorted(numbers)}")
    loss = numbers.pop("loss")
    if loss < 0.0:
        raise UserCodeError(
            f"{who} must return a loss of at least 0, since scores are logarithms, got {loss:g}"
        )
    accuracy = numbers.pop("accuracy", 1.0 / (1.0 + loss))
    if not math.isnan(loss) and not 0.0 <= accuracy <= 1.0:
        raise UserCodeError(f"{who} must return an accuracy from 0 to 1, got {accuracy:g}")
    # A metric may mean nothing for some candidates, and records have no numbers but finite ones.
    told = {name: number for name, number in numbers.items() if math.isfinite(number)}
    return SeedResult(seed, loss, accuracy, metrics=told)


def _number(value: Any, name: str, who: str) -> float:
    single = value
    if hasattr(value, "item"):  # an array or a tensor, of NumPy, JAX or PyTorch
        with contextlib.suppress(ValueError, TypeError, RuntimeError):
            single = value.item()
    if isinstance(single, bool) or not isinstance(single, Real):
        raise UserCodeError(
            f"{who} must return a loss, a number, or a mapping with 'loss', got {name} = {value!r}"[
                :500
            ]
        )
    try:
        return float(single)
    except OverflowError:  # of whole numbers of any size
        return math.inf if single == abs(single) else -math.inf
