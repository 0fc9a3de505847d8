"""In which order a batch's runs are trained: one after the other, or together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from evaluators.evaluation.fidelity import Fidelity
from grammars import Activation

if TYPE_CHECKING:
    from evaluators.steps.batches import DeviceData
    from evaluators.tasks import Task
    from evaluators.training.lockstep import LockstepProgram
    from evaluators.training.program import TrainingProgram
    from evaluators.training.runs import Divergence, Trained
    from evaluators.training.training_states import TrainingStates

# Compiled programs take memory: 3 MB a candidate. Who climbs was compiled on the rung below; before
# it does, the next generation may be compiled already, and what other workers could not take. Small
# ones may be more: in finals each function has its own learning rate, and so its own batch.
_KEPT_PROGRAMS: Final = 3
_KEPT_CANDIDATES: Final = 32

# A candidate looks at the clock now and then only, and may come late by so much.
LATE_SECONDS: Final = 10.0


def compiling_allowance(count: int, timeout_seconds: float) -> float:
    """Seconds in which `count` candidates must be compiled; 2 + 0.2 `count` is what they need."""
    return 30.0 + timeout_seconds * (1.0 + count / 16.0)


@dataclass(frozen=True)
class Conditions:
    """Under which all candidates of an evaluator are trained.

    Attributes:
        task: What to train.
        data: The task's, or its fallback's.
        timeout_seconds: What one candidate's training may take for each seed, by the clock.
        states: Where training states are kept from one fidelity to the next.
        highest: The fidelity from which nothing goes on, so that no state is kept there.
        allow: See `Evaluator`.
        clock: Seconds; see `working_clock`.
    """

    task: Task
    data: DeviceData
    timeout_seconds: float
    states: TrainingStates | None
    highest: Fidelity | None
    allow: Callable[[float], None]
    clock: Callable[[], float]

    def arm(self, seconds: float) -> Callable[[], bool]:
        """Grants so many seconds from now, and sets the alarm.

        Returns:
            Whether they are over, whenever it is asked.
        """
        self.allow(seconds + LATE_SECONDS)
        deadline = self.clock() + seconds
        return lambda: self.clock() > deadline

    def keeps(self, fidelity: Fidelity) -> bool:
        """Whether anything goes on from a training state of that fidelity."""
        return self.highest is None or fidelity.budget != self.highest.budget


@dataclass(frozen=True)
class Attempt:
    """What became of one candidate at one fidelity.

    Attributes:
        runs: By seed, up to the first that diverged at least.
        seconds: Wall time, compiling shared evenly.
        is_out_of_time: Whether it was given up for want of time.
    """

    runs: Sequence[Trained | Divergence]
    seconds: float
    is_out_of_time: bool = False


class Trainer(Protocol):
    """Trains batches."""

    def train(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Attempt]:
        """What became of each candidate; those that were compiled lately are not compiled again."""
        ...


def superfluous(kept: Sequence[int], coming: int) -> int:
    """How many of the programs that were compiled first make room for the next one.

    Args:
        kept: Candidates of each program, the oldest first.
        coming: Candidates of the next.
    """
    gone = 0
    while len(kept) - gone >= _KEPT_PROGRAMS and sum(kept[gone:]) + coming > _KEPT_CANDIDATES:
        gone += 1
    return gone


class _Program(Protocol):
    @property
    def candidates(self) -> tuple[Activation, ...]: ...


_P = TypeVar("_P", bound=_Program)


class _Programs(Generic[_P]):
    """The programs that were compiled last."""

    def __init__(
        self, compile_: Callable[[Sequence[Activation]], _P], conditions: Conditions
    ) -> None:
        self._compile, self._conditions = compile_, conditions
        self._kept: deque[_P] = deque()

    def of(self, candidates: Sequence[Activation]) -> list[tuple[_P, int]]:
        """A program for each, and its number there; all that are new are compiled into one."""
        known = self._known()
        new = [candidate for candidate in candidates if str(candidate) not in known]
        if new:
            seconds = compiling_allowance(len(new), self._conditions.timeout_seconds)
            self._conditions.allow(seconds)
            # Before it is there, so that no more than are kept take memory at a time.
            sizes = [len(program.candidates) for program in self._kept]
            for _ in range(superfluous(sizes, len(new))):
                self._kept.popleft()
            self._kept.append(self._compile(new))
        places = known | self._known()
        return [places[str(candidate)] for candidate in candidates]

    def _known(self) -> dict[str, tuple[_P, int]]:
        return {
            str(candidate): (program, index)
            for program in self._kept
            for index, candidate in enumerate(program.candidates)
        }


class OneAfterTheOther:
    """For processors: each thread has its own worker, whose caches one network fills."""

    def __init__(self, conditions: Conditions) -> None:
        """Compiles nothing yet."""
        from evaluators.training.program import TrainingProgram

        self._conditions = conditions
        self._programs: _Programs[TrainingProgram] = _Programs(
            lambda new: TrainingProgram(new, conditions.task, conditions.data), conditions
        )

    def train(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Attempt]:
        """See `Trainer.train`."""
        begun = time.perf_counter()
        places = self._programs.of(candidates)
        compiling = (time.perf_counter() - begun) / len(candidates)
        return [self._attempt(*place, fidelity, compiling) for place in places]

    def _attempt(
        self, program: TrainingProgram, index: int, fidelity: Fidelity, compiling: float
    ) -> Attempt:
        from evaluators.training.runs import Divergence, OutOfTimeError

        begun, conditions = time.perf_counter() - compiling, self._conditions
        runs: list[Trained | Divergence] = []
        for seed in fidelity.seeds:
            out_of_time = conditions.arm(conditions.timeout_seconds)
            try:
                run = program.train(
                    index,
                    seed=seed,
                    steps=fidelity.steps,
                    learning_rate=fidelity.learning_rate,
                    states=conditions.states,
                    keep=conditions.keeps(fidelity),
                    out_of_time=out_of_time,
                )
            except OutOfTimeError:
                return Attempt(runs, time.perf_counter() - begun, is_out_of_time=True)
            runs.append(run)
            if isinstance(run, Divergence):
                break
        return Attempt(runs, time.perf_counter() - begun)


class Together:
    """For accelerators, which one network could not fill."""

    def __init__(self, conditions: Conditions, *, lanes: int) -> None:
        """Compiles nothing yet.

        Args:
            conditions: Of the training.
            lanes: Runs that are trained together.
        """
        from evaluators.training.lockstep import LockstepProgram

        self._conditions, self._lanes = conditions, lanes
        self._programs: _Programs[LockstepProgram] = _Programs(
            lambda new: LockstepProgram(new, conditions.task, conditions.data, lanes=lanes),
            conditions,
        )

    def train(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Attempt]:
        """See `Trainer.train`."""
        attempts = []
        for first in range(0, len(candidates), self._lanes):
            attempts += self._attempts(candidates[first : first + self._lanes], fidelity)
        return attempts

    def _attempts(self, candidates: Sequence[Activation], fidelity: Fidelity) -> list[Attempt]:
        from evaluators.training.runs import OutOfTimeError

        begun = time.perf_counter()
        places = self._programs.of(candidates)
        came_to: dict[tuple[LockstepProgram, int], list[Trained | Divergence]] = {}
        seconds = self._conditions.timeout_seconds * len(fidelity.seeds)
        try:
            for program in dict.fromkeys(program for program, _ in places):
                own = [place for place in places if place[0] is program]
                out_of_time = self._conditions.arm(seconds)
                runs = program.train(
                    [index for _, index in own],
                    seeds=fidelity.seeds,
                    steps=fidelity.steps,
                    learning_rate=fidelity.learning_rate,
                    states=self._conditions.states,
                    keep=self._conditions.keeps(fidelity),
                    out_of_time=out_of_time,
                )
                came_to |= zip(own, runs, strict=True)
        except OutOfTimeError:
            if len(candidates) == 1:
                return [Attempt([], time.perf_counter() - begun, is_out_of_time=True)]
            # Whoever held up the others is found alone.
            return [found for each in candidates for found in self._attempts([each], fidelity)]
        each_took = (time.perf_counter() - begun) / len(candidates)
        return [Attempt(came_to[place], each_took) for place in places]
