"""Where a candidate comes from: its ancestors as a tree, with what each was worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from search.candidates.candidate import Candidate
from search.candidates.racing import Standing

# A candidate of the thirtieth generation may have a thousand ancestors; nobody reads them.
DEEPEST: Final = 8
MOST_ANCESTORS: Final = 60


@dataclass(frozen=True)
class Ancestor:
    """A candidate with those that it was made from.

    Attributes:
        candidate: Who.
        standing: Its evaluation on the highest rung; None if it was never scored.
        parents: Its own ancestors, nearest first; empty for one drawn at random.
        is_repeated: Whether it stands in this tree or another before, with its parents.
        hidden: Parents that are left out because the tree would grow too large.
    """

    candidate: Candidate
    standing: Standing | None
    parents: tuple[Ancestor, ...] = ()
    is_repeated: bool = False
    hidden: int = 0

    def walk(self) -> Iterator[Ancestor]:
        """This one, then its ancestors, branch by branch."""
        yield self
        for parent in self.parents:
            yield from parent.walk()


def lineages(
    candidate_ids: Iterable[str],
    candidates: Mapping[str, Candidate],
    standings: Mapping[str, Standing],
) -> tuple[Ancestor, ...]:
    """The ancestors of candidates, a tree for each.

    Args:
        candidate_ids: Whose.
        candidates: Everybody who was ever considered, by id.
        standings: Of those who were scored, by id.

    Returns:
        Each candidate itself as a root. A parent that the journal does not hold is left out; who
        occurs twice, in one tree or in two, is expanded where it is come upon first.
    """
    genealogist = _Genealogist(candidates, standings)
    return tuple(map(genealogist.tree, candidate_ids))


class _Genealogist:
    """Remembers who was expanded, so that shared ancestors are told once and circles end."""

    def __init__(
        self, candidates: Mapping[str, Candidate], standings: Mapping[str, Standing]
    ) -> None:
        self._candidates, self._standings = candidates, standings
        self._expanded: set[str] = set()
        self._listed = 0

    def tree(self, candidate_id: str) -> Ancestor:
        """A tree of the usual size, whatever others there are."""
        self._listed = 0
        return self.ancestor(candidate_id, depth=0)

    def ancestor(self, candidate_id: str, *, depth: int) -> Ancestor:
        candidate = self._candidates[candidate_id]
        standing = self._standings.get(candidate_id)
        self._listed += 1
        parents = [p for p in dict.fromkeys(candidate.parents) if p in self._candidates]
        if candidate_id in self._expanded:
            return Ancestor(candidate, standing, is_repeated=True)
        if depth >= DEEPEST:
            return Ancestor(candidate, standing, hidden=len(parents))
        self._expanded.add(candidate_id)
        found = []
        for parent in parents:
            if self._listed >= MOST_ANCESTORS:
                # Elsewhere there may be room for what is left out here.
                self._expanded.discard(candidate_id)
                break
            found.append(self.ancestor(parent, depth=depth + 1))
        return Ancestor(candidate, standing, tuple(found), hidden=len(parents) - len(found))
