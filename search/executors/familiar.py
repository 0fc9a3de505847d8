"""What a worker has compiled lately, as far as those who hand out batches know."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import chain

from evaluators.training.trainers import superfluous


class Familiar:
    """The functions whose programs a worker keeps."""

    def __init__(self) -> None:
        """None yet."""
        self._recent: deque[set[str]] = deque()

    def among(self, texts: Sequence[str]) -> int:
        """How many of them it has compiled lately."""
        return len(set(texts).intersection(chain.from_iterable(self._recent)))

    def add(self, texts: Sequence[str]) -> bool:
        """Notes that it is handed a batch; whether there is anything to compile."""
        if self.among(texts) == len(set(texts)):
            return False
        for _ in range(superfluous([len(each) for each in self._recent], len(texts))):
            self._recent.popleft()
        self._recent.append(set(texts))
        return True
