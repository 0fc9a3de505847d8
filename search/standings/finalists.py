"""Who goes to finals: of what was polished, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search.candidates.racing import Standing


def polished_first(
    ranked: Sequence[Standing], polished: Mapping[str, Sequence[str]]
) -> list[Standing]:
    """Puts what came of functions in their place, and leaves out what stood on the way.

    Args:
        ranked: Best first.
        polished: What became of functions step by step, by their ids; see `Polished`.
    """
    outcomes = {
        identity: path[-1]
        for candidate_id, path in polished.items()
        if path
        for identity in (candidate_id, *path)
    }
    standings = {standing.candidate.id: standing for standing in ranked}
    order = dict.fromkeys(outcomes.get(identity, identity) for identity in standings)
    return [standings[identity] for identity in order if identity in standings]
