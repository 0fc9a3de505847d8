"""What a campaign came to, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluators.statistics.comparison import Finding
from grammars import title_of
from search.candidates.racing import Standing, ranked
from search.history import History
from search.history.unscored import explain_unscored, has_found
from search.standings.leaderboard import scored
from search.texts.commands import command

if TYPE_CHECKING:
    from search.finals import Finals


def verdict(history: History, holding: str | None = None) -> str:
    """Whether anything was found that is better than what is published, and how sure that is.

    Args:
        history: Of the campaign.
        holding: The command that holds finals; by default that of a campaign in the usual place,
            and "" to leave it out.
    """
    if not has_found(history):
        return explain_unscored(history)
    if (finals := _ended_finals(history)) is not None:
        from search.finals import claim

        return claim(finals)
    return untested(history, holding)


def untested(history: History, holding: str | None = None) -> str:
    """How the best stands to what is published by the scores of the search, which prove nothing.

    Args:
        history: Of a campaign that has scored something.
        holding: As of `verdict`.
    """
    best, published = _best_and_published(history)
    if not published:
        return f"No published function was trained as long as the best, {best.candidate.readable}."
    if holding is None:
        holding = command("finals", history.name)
    strongest, score = published[0], _score(best)
    not_tested = f"not yet tested: {holding}" if holding else "not yet tested."
    if score > _score(strongest):
        return f"Ahead of {_title(strongest)} by {_apart(score - _score(strongest))}, {not_tested}"
    relu = next((each for each in published if each.candidate.variation == "relu"), None)
    if relu is None or score <= _score(relu):
        rival = relu or strongest
        return f"No function beat {_title(rival)} ({score:.3f} against {_score(rival):.3f})."
    return (
        f"No function beat {_title(strongest)} ({score:.3f} against {_score(strongest):.3f}); the "
        f"best is ahead of ReLU by {_apart(score - _score(relu))}, {not_tested}"
    )


def is_ahead(history: History) -> bool:
    """Whether anything found is worth taking along.

    By finals it is where the leader is better than a rival and worse than none, before them where
    the best scores higher than every published function. Something must have been scored.
    """
    if (finals := _ended_finals(history)) is not None:
        leader = finals.leader
        found = finals.own.comparisons_of(leader.candidate_id) if leader else ()
        findings = {each.finding for each in found}
        return Finding.BETTER in findings and Finding.WORSE not in findings
    best, published = _best_and_published(history)
    return bool(published) and _score(best) > _score(published[0])


def _ended_finals(history: History) -> Finals | None:
    if not history.finals.plans:
        return None
    # Late, since they load all that finals are held with: a tenth of a leaderboard's time.
    from search.finals import finals_in

    finals = finals_in(history)
    return None if finals is None or finals.ended is None else finals


def _best_and_published(history: History) -> tuple[Standing, list[Standing]]:
    """The best discovered, and all published functions on its rung, the best first."""
    found = [each for each in scored(history) if each.candidate.origin == "discovered"]
    highest = max(each.rung for each in found)
    best = ranked(each for each in found if each.rung == highest)[0]
    # Scores of other rungs say nothing about this one.
    published = ranked(
        standing
        for standing in scored(history)
        if standing.candidate.origin == "baseline" and standing.rung == best.rung
    )
    return best, list(published)


def _score(standing: Standing) -> float:
    return standing.rank_key[1]


def _title(standing: Standing) -> str:
    return title_of(standing.candidate.variation)


def _apart(difference: float) -> str:
    return f"{difference:.2f}" if difference >= 0.01 else f"{difference:.1g}"
