"""What a campaign came to, in one sentence."""

from __future__ import annotations

from search.candidates.racing import Standing, ranked
from search.history import TITLES, History
from search.history.unscored import explain_unscored, has_found
from search.standings.leaderboard import scored
from search.texts.commands import command


def verdict(history: History, holding: str | None = None) -> str:
    """Whether anything was found that is better than what is published, and how sure that is.

    Args:
        history: Of the campaign.
        holding: The command that holds finals; by default that of a campaign in the usual place.
    """
    if not has_found(history):
        return explain_unscored(history)
    if history.finals.plans:
        # Late, since they load all that finals are held with: a tenth of a leaderboard's time.
        from search.finals import claim, finals_in

        finals = finals_in(history)
        if finals is not None and finals.ended is not None:
            return claim(finals)
    return _untested(history, holding or command("finals", history.name))


def trained_on(history: History) -> str:
    """The task by its name, with the data set that took the place of an unavailable one."""
    if history.launch is None:
        return "not launched"
    return history.launch.trained_on


def _untested(history: History, holding: str) -> str:
    found = [each for each in scored(history) if each.candidate.origin == "discovered"]
    highest = max(each.rung for each in found)
    best = ranked(each for each in found if each.rung == highest)[0]
    # Scores of other rungs say nothing about this one.
    published = ranked(
        standing
        for standing in scored(history)
        if standing.candidate.origin == "baseline" and standing.rung == best.rung
    )
    if not published:
        return f"No published function was trained as long as the best, {best.candidate.readable}."
    strongest, score = published[0], _score(best)
    if score > _score(strongest):
        ahead = f"Ahead of {_title(strongest)} by {_apart(score - _score(strongest))}"
        return f"{ahead}, not yet tested: {holding}"
    relu = next((each for each in published if each.candidate.variation == "relu"), None)
    if relu is None or score <= _score(relu):
        rival = relu or strongest
        return f"No function beat {_title(rival)} ({score:.3f} against {_score(rival):.3f})."
    return (
        f"No function beat {_title(strongest)} ({score:.3f} against {_score(strongest):.3f}); the "
        f"best is ahead of ReLU by {_apart(score - _score(relu))}, not yet tested: {holding}"
    )


def _score(standing: Standing) -> float:
    return standing.rank_key[1]


def _title(standing: Standing) -> str:
    name = standing.candidate.variation
    return TITLES.get(name, name)


def _apart(difference: float) -> str:
    return f"{difference:.2f}" if difference >= 0.01 else f"{difference:.1g}"
