"""Everything that a report tells, read from the journal of its campaign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluation.fidelity import Fidelity
from grammars import Expression
from search.candidates.candidate import Candidate
from search.candidates.generation import GenerationSummary
from search.candidates.racing import Standing
from search.finals import (
    RIVALS,
    EntrantResults,
    Finals,
    RivalPractice,
    count_tried,
    finals_in,
    rival_practice,
)
from search.history import History, LaunchRecord, read_history
from search.history.unscored import explain_unscored, has_found
from search.journal.campaign_folder import located
from search.journal.journal import FILE_NAME, Journal
from search.report.diagnosis import Diagnosis, diagnose_runs
from search.standings.leaderboard import CandidateNotFoundError, standings
from search.standings.lineage import Ancestor, lineages
from search.trials.ablation import Ablation, ablation
from search.trials.measuring import Measurements

WINNERS: Final = 3
"""How many of a search's best the report looks at closely."""


@dataclass(frozen=True)
class EvaluationAtRung:
    """One evaluation in the order in which the campaign made them."""

    rung: int
    evaluation: Evaluation
    is_baseline: bool


@dataclass(frozen=True)
class Findings:
    """A campaign as its journal tells it.

    Attributes:
        name: Of the campaign's folder.
        launch: What is in force: settings, data set, versions, campaign file.
        seconds: Wall time at work.
        ending: Why the search ended; None while it runs or after an interruption.
        generations: Their summaries, in order.
        candidates: Everybody considered, by id.
        attempts: Evaluations in order, the rejected ones left out.
        tried: How many functions the search considered, by what became of them.
        standings: Everybody scored at the highest rung reached, best first.
        winners: The best discovered ones.
        rivals: ReLU, Swish and GELU, those that were scored.
        lineages: Ancestors of each winner.
        ablations: What was measured of the winners' parts.
        measured: What was measured beside the race, by `measuring.measurement_key`.
        diagnoses: Of the winners, then of the baselines.
        finals: As they stand; None if none were planned.
        practice: What choosing the luckiest would have claimed; None without finals.
    """

    name: str
    launch: LaunchRecord
    seconds: float
    ending: str | None
    generations: tuple[GenerationSummary, ...]
    candidates: Mapping[str, Candidate]
    attempts: tuple[EvaluationAtRung, ...]
    tried: Mapping[str, int]
    standings: tuple[Standing, ...]
    winners: tuple[Standing, ...]
    rivals: tuple[Standing, ...]
    lineages: tuple[Ancestor, ...]
    ablations: tuple[Ablation, ...]
    measured: Measurements
    diagnoses: tuple[Diagnosis, ...]
    finals: Finals | None
    practice: RivalPractice | None

    @property
    def short_names(self) -> Mapping[str, str]:
        """Of the finalists, by id: F1 is the leader, the others follow as the search ranks them."""
        if self.finals is None:
            return {}
        leader = self.finals.leader
        ids = [each.candidate_id for each in self.finals.plan.finalists]
        ids.sort(key=lambda each: leader is None or each != leader.candidate_id)
        return {candidate_id: f"F{number}" for number, candidate_id in enumerate(ids, 1)}

    @property
    def finals_rows(self) -> Sequence[EntrantResults]:
        """Of the finals on the campaign's own task: the finalists by name, then the others."""
        names = list(self.short_names)
        rows = self.finals.own.rows if self.finals else ()
        return sorted(
            rows,
            key=lambda row: (
                names.index(row.entrant.candidate_id)
                if row.entrant.candidate_id in names
                else len(names)
            ),
        )

    def name_of(self, candidate_id: str, formula: str) -> str:
        """A formula after the short name, where there is one."""
        short = self.short_names.get(candidate_id)
        return formula if short is None else f"{short}: {formula}"

    @property
    def divisible(self) -> tuple[Expression, ...]:
        """The winners of which parts are measured: those that are a single function."""
        return divisible(self.winners)

    @property
    def race(self) -> Fidelity:
        """The highest rung that anybody was scored on."""
        return self.standings[0].evaluation.fidelity

    @property
    def considered(self) -> int:
        """Proposals of the strategy, duplicates included."""
        return self.tried["considered"]


def read_findings(folder: Path) -> Findings:
    """Reads a campaign.

    Args:
        folder: Of the campaign; a campaign that runs can be read as well.

    Raises:
        CandidateNotFoundError: If it has not scored any discovered function yet.
    """
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        return _read(located(folder).name, journal)


def pick_winners(scored: list[Standing], finals: Finals | None) -> tuple[Standing, ...]:
    """The leader of the finals and other finalists; without finals the best of the search.

    Args:
        scored: All standings; one of them at least is of a discovered function.
        finals: Of the campaign, None if there are none.
    """
    discovered = [standing for standing in scored if standing.candidate.origin == "discovered"]
    if finals is not None:
        finalists = {entrant.candidate_id for entrant in finals.plan.finalists}
        leader = finals.leader.candidate_id if finals.leader else None
        discovered = [s for s in discovered if s.candidate.id in finalists] or discovered
        discovered.sort(key=lambda standing: standing.candidate.id != leader)
    highest = discovered[0].rung
    return tuple(s for s in discovered[:WINNERS] if s.rung == highest)


def divisible(winners: Iterable[Standing]) -> tuple[Expression, ...]:
    """Those that are a single function, in canonical form."""
    forms = (winner.candidate.canonical for winner in winners)
    return tuple(form for form in forms if isinstance(form, Expression))


def pick_rivals(scored: list[Standing]) -> tuple[Standing, ...]:
    """ReLU, Swish and GELU, in this order."""
    baselines = {s.candidate.variation: s for s in scored if s.candidate.origin == "baseline"}
    return tuple(baselines[name] for name in RIVALS if name in baselines)


def _read(name: str, journal: Journal) -> Findings:
    history = read_history(journal)
    if history.launch is None or not has_found(history):
        raise CandidateNotFoundError(explain_unscored(history))
    scored, finals = standings(history), finals_in(history)
    winners, rivals = pick_winners(scored, finals), pick_rivals(scored)
    candidates = {key: record.candidate for key, record in history.candidates.items()}
    by_id = {standing.candidate.id: standing for standing in scored}
    race = scored[0].evaluation.fidelity
    parts = (ablation(function, race, measured=history.measured) for function in divisible(winners))
    return Findings(
        name=name,
        launch=history.launch,
        seconds=history.work.seconds(),
        ending=history.finish.reason if history.finish else None,
        generations=tuple(record.summary for record in history.generations),
        candidates=candidates,
        attempts=tuple(_attempts(history)),
        tried=count_tried(history),
        standings=tuple(scored),
        winners=winners,
        rivals=rivals,
        lineages=lineages([winner.candidate.id for winner in winners], candidates, by_id),
        ablations=tuple(part for part in parts if part is not None),
        measured=history.measured,
        diagnoses=_diagnoses(winners, scored, finals),
        finals=finals,
        practice=rival_practice(history),
    )


def _attempts(history: History) -> Iterator[EvaluationAtRung]:
    for rung, evaluation in ((each.rung, each.evaluation) for each in history.evaluations):
        if evaluation.outcome is not Outcome.REJECTED:
            record = history.candidates.get(evaluation.candidate_id)
            yield EvaluationAtRung(rung, evaluation, record is not None and record.is_baseline)


def _diagnoses(
    winners: Sequence[Standing], scored: Sequence[Standing], finals: Finals | None
) -> tuple[Diagnosis, ...]:
    """From every run of the finals; without finals from the race, whose last seed carries them."""
    baselines = [standing for standing in scored if standing.candidate.origin == "baseline"]
    rows = {row.entrant.candidate_id: row for row in finals.own.rows} if finals else {}
    found = []
    for standing in (*winners, *baselines):
        row = rows.get(standing.candidate.id)
        carriers = row.runs if row else [standing.evaluation]
        diagnosed = [each.diagnostics for each in carriers if each.diagnostics is not None]
        found.append(diagnose_runs(standing, diagnosed))
    return tuple(diagnosis for diagnosis in found if diagnosis is not None)
