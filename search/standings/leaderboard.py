"""The best functions of a campaign with the baselines among them, from its history."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from evaluators.evaluation.evaluation import OnTask
from grammars import BASELINES, CATALOGUE, expression_id, parse
from search.candidates.candidate import Candidate, Origin
from search.candidates.racing import Standing, ranked
from search.history import History, Introduced
from search.history.unscored import explain_unscored
from search.journal.campaign_folder import is_folder, located
from search.journal.journal import FILE_NAME
from search.settings.shipped import shipped_campaigns
from search.texts.commands import DEFAULT_RUNS_DIR
from search.texts.naming import titled

_SHOWN: Final = 80


class CampaignNotFoundError(ValueError):
    """No such campaign; the message lists those there are."""


class CandidateNotFoundError(ValueError):
    """No such candidate in the campaign."""


@dataclass(frozen=True)
class LeaderboardRow:
    """One line of the leaderboard; `score` is up, `validation_loss` down.

    Scores compare rows of the same `rung`, counted from 0.

    Over several tasks or learning rates `tasks` says what it came to on each of them; the loss and
    the accuracy are those of the first that it did not diverge on.
    """

    rank: int
    candidate_id: str
    expression: str
    origin: Origin
    name: str | None
    score: float
    validation_loss: float
    validation_accuracy: float
    size: int
    depth: int
    steps: int
    seeds: int
    generation: int
    rung: int = 0
    tasks: tuple[OnTask, ...] = ()

    @property
    def shown(self) -> str:
        """The function as people see it."""
        return titled(self.expression, self.name)


def find_campaign(campaign: str, runs_dir: Path) -> Path:
    """The folder of a campaign.

    Args:
        campaign: Its name, or the path of its folder.
        runs_dir: Where campaigns are kept.

    Returns:
        Its folder, the parent of which is the runs directory and the last part of which is the
        campaign's name: see `located`.

    Raises:
        CampaignNotFoundError: If there is none.
    """
    names = [path.parent.name for path in sorted(runs_dir.glob(f"*/{FILE_NAME}"))]
    if campaign in names:
        return located(runs_dir / campaign)
    if is_folder(str(runs_dir / campaign)) and (runs_dir / campaign / FILE_NAME).is_symlink():
        return located(runs_dir / campaign)  # whoever opens its journal says where it is missed
    if is_folder(campaign) and (Path(campaign) / FILE_NAME).is_file():
        return located(Path(campaign))
    shown = campaign if len(campaign) <= _SHOWN else f"{campaign[: _SHOWN - 1]}…"
    near = difflib.get_close_matches(shown, names, n=1)
    if (why := _without_campaigns(runs_dir)) is not None:
        raise CampaignNotFoundError(f"there is no campaign {shown!r}: {why}")
    hint = f"did you mean {near[0]!r}? " if near else ""
    if campaign in shipped_campaigns():
        hint = f"it is shipped, and not launched there yet: `actsearch launch {campaign}`; "
    listed = ", ".join(names) if names else "none yet; `actsearch launch CAMPAIGN.toml` makes one"
    raise CampaignNotFoundError(
        f"there is no campaign {shown!r} under {runs_dir}; {hint}campaigns there: {listed}"
    )


def check_runs_dir(runs_dir: Path) -> None:
    """Refuses what can hold no campaigns.

    Args:
        runs_dir: Where campaigns are to be looked for; the usual place need not be there yet.

    Raises:
        CampaignNotFoundError: If it is no folder, or is not there.
    """
    if (why := _without_campaigns(runs_dir)) is not None:
        raise CampaignNotFoundError(why)


def _without_campaigns(runs_dir: Path) -> str | None:
    """Why no campaigns can be there; None where they can."""
    what_to_do = "name the folder that campaigns are kept in: --runs-dir DIR"
    if os.path.isdir(runs_dir):
        return None
    if os.path.lexists(runs_dir):
        return f"{runs_dir} is no folder; {what_to_do}"
    # The first launch makes the usual one.
    return None if runs_dir == DEFAULT_RUNS_DIR else f"there is no folder {runs_dir}; {what_to_do}"


def scored(history: History) -> Iterator[Standing]:
    """Every scored candidate at its highest rung, in the order in which they came."""
    for record in history.candidates.values():
        if history.counts(record) and (highest := record.highest) is not None:
            yield Standing(record.candidate, highest.rung, highest.evaluation)


def standings(history: History) -> list[Standing]:
    """Every scored candidate at its highest rung, best first."""
    return ranked(scored(history))


def leaderboard(
    history: History, *, top: int | None = None, baselines: bool = False
) -> list[LeaderboardRow]:
    """The scored candidates, best first; what trained longer stands above what did not.

    Args:
        history: Of the campaign.
        top: How many, all by default.
        baselines: Whether those functions follow, at their ranks, that every campaign scores.
    """
    return [
        _row(rank, standing, history.candidates[standing.candidate.id].introduced)
        for rank, standing in enumerate(standings(history), 1)
        if top is None or rank <= top or (baselines and standing.candidate.variation in BASELINES)
    ]


def find_standing(history: History, candidate_id: str | None = None) -> Standing:
    """A candidate by its id or the beginning of it; the best discovered one by default.

    Raises:
        CandidateNotFoundError: If there is none, or more than one.
    """
    everything = standings(history)
    if candidate_id is None:
        discovered = [s for s in everything if s.candidate.origin == "discovered"]
        if not discovered:
            raise CandidateNotFoundError(explain_unscored(history))
        return discovered[0]
    matching = [s for s in everything if s.candidate.id.startswith(candidate_id)]
    if len(matching) != 1:
        found = "no" if not matching else "more than one"
        raise CandidateNotFoundError(
            f"{found} scored candidate has an id that begins with {candidate_id!r}; "
            "`actsearch leaderboard` shows the ids"
        )
    return matching[0]


def _name(candidate: Candidate) -> str | None:
    """Under which a function is published, be it given to a search or found anew."""
    if candidate.origin == "baseline":
        return candidate.variation
    return _published().get(candidate.id)


@cache
def _published() -> dict[str, str]:
    """Catalogue names by the functions' ids."""
    return {expression_id(parse(name)): name for name in CATALOGUE}


def _row(rank: int, standing: Standing, introduced: Introduced) -> LeaderboardRow:
    candidate, evaluation = standing.candidate, standing.evaluation
    score, loss = evaluation.score, evaluation.validation_loss
    accuracy = evaluation.validation_accuracy
    assert score is not None
    assert loss is not None
    assert accuracy is not None
    return LeaderboardRow(
        rank=rank,
        candidate_id=candidate.id,
        expression=candidate.readable,
        origin=candidate.origin,
        name=_name(candidate),
        score=score,
        validation_loss=loss,
        validation_accuracy=accuracy,
        size=introduced.size,
        depth=introduced.depth,
        steps=evaluation.fidelity.steps,
        seeds=len(evaluation.fidelity.seeds),
        generation=candidate.generation,
        rung=standing.rung,
        tasks=evaluation.over_tasks.tasks if evaluation.over_tasks else (),
    )
