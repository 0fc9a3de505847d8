"""The best functions of a campaign with the baselines among them, read from its journal."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evaluators.evaluation import Evaluation, OnTask, Outcome
from search.campaign_folder import is_folder, located
from search.candidate import Candidate, Origin
from search.hall_of_fame import ranked
from search.journal import FILE_NAME, Journal
from search.racing import Standing
from search.unscored import explain_unscored

_SHOWN: Final = 80


class CampaignNotFoundError(ValueError):
    """No such campaign; the message lists those there are."""


class CandidateNotFoundError(ValueError):
    """No such candidate in the campaign."""


@dataclass(frozen=True)
class LeaderboardRow:
    """One line of the leaderboard; `score` is up, `validation_loss` down.

    Over several tasks or learning rates `tasks` says what it came to on each of them; the loss and
    the accuracy are those of the first.
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
    tasks: tuple[OnTask, ...] = ()


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
    if is_folder(campaign) and (Path(campaign) / FILE_NAME).is_file():
        return located(Path(campaign))
    shown = campaign if len(campaign) <= _SHOWN else f"{campaign[: _SHOWN - 1]}…"
    near = difflib.get_close_matches(shown, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(names) if names else "none yet; `actsearch launch CAMPAIGN.toml` makes one"
    raise CampaignNotFoundError(
        f"there is no campaign {shown!r} under {runs_dir}; {hint}campaigns there: {listed}"
    )


def standings(journal: Journal) -> list[Standing]:
    """Every scored candidate at its highest rung, best first."""
    candidates = {e.key: Candidate.from_json(e.payload) for e in journal.events("candidate")}
    highest: dict[str, Standing] = {}
    for event in journal.events("evaluation"):
        rung, evaluation = read_evaluation(event.payload)
        candidate = candidates.get(evaluation.candidate_id)
        if candidate is None or evaluation.outcome is not Outcome.SCORED:
            continue
        standing = Standing(candidate, rung, evaluation)
        if candidate.id not in highest or rung > highest[candidate.id].rung:
            highest[candidate.id] = standing
    return ranked(highest.values())


def leaderboard(journal: Journal) -> list[LeaderboardRow]:
    """All scored candidates, best first; what trained longer stands above what did not."""
    return [_row(rank, standing) for rank, standing in enumerate(standings(journal), 1)]


def find_standing(journal: Journal, candidate_id: str | None = None) -> Standing:
    """A candidate by its id or the beginning of it; the best discovered one by default.

    Raises:
        CandidateNotFoundError: If there is none, or more than one.
    """
    everything = standings(journal)
    if candidate_id is None:
        discovered = [s for s in everything if s.candidate.origin == "discovered"]
        if not discovered:
            raise CandidateNotFoundError(explain_unscored(journal))
        return discovered[0]
    matching = [s for s in everything if s.candidate.id.startswith(candidate_id)]
    if len(matching) != 1:
        found = "no" if not matching else "more than one"
        raise CandidateNotFoundError(
            f"{found} scored candidate has an id that begins with {candidate_id!r}; "
            "`actsearch leaderboard` shows the ids"
        )
    return matching[0]


def read_evaluation(payload: Any) -> tuple[int, Evaluation]:
    """An evaluation and its rung from what the journal holds."""
    fields = dict(payload)
    return fields.pop("rung"), Evaluation.from_json(fields)


def _row(rank: int, standing: Standing) -> LeaderboardRow:
    candidate, evaluation = standing.candidate, standing.evaluation
    score, loss = evaluation.score, evaluation.validation_loss
    accuracy = evaluation.validation_accuracy
    assert score is not None
    assert loss is not None
    assert accuracy is not None
    form = candidate.canonical
    return LeaderboardRow(
        rank=rank,
        candidate_id=candidate.id,
        expression=candidate.readable,
        origin=candidate.origin,
        name=candidate.variation if candidate.origin == "baseline" else None,
        score=score,
        validation_loss=loss,
        validation_accuracy=accuracy,
        size=form.size,
        depth=form.depth,
        steps=evaluation.fidelity.steps,
        seeds=len(evaluation.fidelity.seeds),
        generation=candidate.generation,
        tasks=evaluation.over_tasks.tasks if evaluation.over_tasks else (),
    )
