"""The journal as a memory: what was trained once is read, and not trained again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from evaluators.evaluation.evaluation import Evaluation
from grammars import Activation, activation_id
from search.history.documents import find_measurement, write
from search.history.events import Measured
from search.journal.journal import Journal

How = TypeVar("How")
"""In what way functions are trained, such as a rung or a fidelity."""


@dataclass(frozen=True)
class Memory(Generic[How]):
    """Where single trainings are kept.

    Attributes:
        key: Of the training of a function, by its id.
        find: What a key stands for, if it is known.
        keep: Makes trainings durable, by their keys.
    """

    key: Callable[[str, How], str]
    find: Callable[[str], Evaluation | None]
    keep: Callable[[Mapping[str, Evaluation]], None]

    @classmethod
    def of_measurements(cls, journal: Journal, key: Callable[[str, How], str]) -> Memory[How]:
        """Those beside the search, as events of their own."""
        return cls(
            key,
            partial(find_measurement, journal),
            lambda some: write(journal, (Measured(*each) for each in some.items())),
        )


def remembered(
    asked: Sequence[tuple[How, Sequence[Activation]]],
    *,
    memory: Memory[How],
    train: Callable[
        [list[tuple[How, list[Activation]]]], Iterable[tuple[How, Sequence[Evaluation]]]
    ],
) -> list[list[Evaluation]]:
    """One training of each function that is asked for, durable by then.

    Args:
        asked: What to train, and how; equal functions are trained once.
        memory: What is in it is not trained again.
        train: Yields the trainings of what is not, batch by batch; not called where there is none.
    """
    keys = [[memory.key(activation_id(f), how) for f in some] for how, some in asked]
    found = {key: memory.find(key) for each in keys for key in each}
    missing: list[tuple[How, list[Activation]]] = []
    for (how, some), own in zip(asked, keys, strict=True):
        unknown = {key: f for key, f in zip(own, some, strict=True) if found[key] is None}
        if unknown:
            missing.append((how, list(unknown.values())))
    for how, batch in train(missing) if missing else ():
        trainings = {memory.key(each.candidate_id, how): each for each in batch}
        memory.keep(trainings)
        found |= trainings
    return [[each for key in own if (each := found[key])] for own in keys]
