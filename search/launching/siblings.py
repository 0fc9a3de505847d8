"""What campaigns that differ in their seeds have in common: trained by one, taken by the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators.evaluation.evaluation import Outcome
from grammars import BASELINES, expression_id, parse
from search.finals.entrant_results import is_scored
from search.history import (
    Begun,
    Entrant,
    FinalistScored,
    FinalistTrained,
    Happening,
    Ledger,
    Measured,
    Plan,
    Run,
    Stage,
    Trained,
    YardsticksSet,
    find_begun,
    find_measurement,
    find_training,
    find_yardsticks,
    read,
    read_history,
    write,
)
from search.journal.journal import FILE_NAME, Journal
from search.launching.tuning import whose_rates


@dataclass(frozen=True)
class Siblings:
    """Campaigns from other seeds, whose journals hold trainings that this one would repeat.

    A training is taken where nothing that decides it differs: the function as it is written, the
    task by its content, steps, seed, learning rate and versions. So a campaign comes to the same
    with siblings and without.

    Attributes:
        folders: Of those campaigns; one that is not there, or of other versions, gives nothing.
    """

    folders: tuple[Path, ...] = ()

    def share_search(self, journal: Journal) -> None:
        """Takes what is published from the rungs, and the yardsticks that it sets."""
        for own, theirs, other in self._alike(journal):
            if _rungs(own) == _rungs(theirs):
                published = {expression_id(parse(name)) for name in BASELINES}
                if own.seeds == theirs.seeds:
                    published |= own.published.keys() & theirs.published.keys()
                write(journal, list(_on_rungs(other, published, unknown_to=journal)))

    def share_rates(self, journal: Journal) -> None:
        """Takes what rivals and learning rates were chosen by, for all that no search wrote."""
        for _, _, other in self._alike(journal):
            found = {
                each.candidate.id
                for of in (journal, other)
                for each in read_history(of).candidates.values()
                if not each.is_baseline
            }
            write(journal, list(_of_rates(other, found, unknown_to=journal)))

    def share_runs(self, journal: Journal, plan: Plan) -> int:
        """Takes the training runs of finals, without their test scores; says how many."""
        known = read_history(journal).finals
        taken = {
            run.key: FinalistTrained(run)
            for held in self._held(journal)
            for stage in plan.stages
            for identity in stage.entrants
            for seed in range(plan.first_seed, plan.first_seed + stage.looks[-1])
            if known.run(stage, identity, seed) is None
            and (run := held.run(plan.entrant(identity), stage, seed)) is not None
        }
        write(journal, taken.values())
        return len(taken)

    def scores(self, journal: Journal, plan: Plan) -> Callable[[Stage, Run], FinalistScored | None]:
        """Gives what finds the test score of a run; to be asked once the test data are open."""
        all_held = list(self._held(journal))

        def score(stage: Stage, run: Run) -> FinalistScored | None:
            entrant = plan.entrant(run.candidate_id)
            for held in all_held:
                if (same := held.run(entrant, stage, run.seed)) is not None:
                    loss, accuracy = same.test_loss, same.test_accuracy
                    return FinalistScored(run.key, Outcome.SCORED, None, loss, accuracy)
            return None

        return score

    def _held(self, journal: Journal) -> Iterator[_Held]:
        for _, _, other in self._alike(journal):
            yield _Held(read_history(other).finals)

    def _alike(self, journal: Journal) -> Iterator[tuple[Begun, Begun, Journal]]:
        """Those of the same versions, with what both are."""
        own = find_begun(journal)
        for folder in self.folders:
            if own is None or not (folder / FILE_NAME).is_file():
                continue
            with Journal(folder / FILE_NAME, read_only=True) as other:
                theirs = find_begun(other)
                if theirs is not None and theirs.versions == own.versions:
                    yield own, theirs, other


class _Held:
    """The finals of a sibling."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        plans = ledger.plans.values()
        self._written = {e.candidate_id: e.written for plan in plans for e in plan.entrants}
        stages = [stage for plan in plans for stage in plan.stages]
        self._digests = {(each.task, each.dataset): each.trained.digest for each in stages}

    def run(self, entrant: Entrant, stage: Stage, seed: int) -> Run | None:
        """The training run that another campaign would make, scored on test data."""
        if self._written.get(entrant.candidate_id) != entrant.written:
            return None
        if self._digests.get((stage.task, stage.dataset)) != stage.trained.digest:
            return None
        run = self._ledger.run(stage, entrant.candidate_id, seed)
        if run is None or not is_scored(run) or run.test_accuracy is None:
            return None
        steps = [stage.own_steps.get(entrant.candidate_id, each) for each in stage.checkpoints]
        return run if [point.steps for point in run.curve] == steps else None


def _rungs(begun: Begun) -> Mapping[str, Any]:
    """All that decides what is trained on the rungs and on watched tasks."""
    return {
        "scoring": begun.settings["scoring"],
        "watch": begun.settings.get("watch"),
        "tasks": [begun.task, *begun.further_tasks],
        "dataset": begun.dataset,
    }


def _on_rungs(other: Journal, published: set[str], *, unknown_to: Journal) -> Iterator[Happening]:
    for told in read(other):
        match told.event:
            case YardsticksSet(rung) as event if find_yardsticks(unknown_to, rung) is None:
                yield event
            case Trained(key) as event if key.partition("@")[0] in published:
                if find_training(unknown_to, key) is None:
                    yield event


def _of_rates(other: Journal, found: set[str], *, unknown_to: Journal) -> Iterator[Happening]:
    for told in read(other):
        match told.event:
            case Measured(key) as event if (whose := whose_rates(key)) and whose not in found:
                if find_measurement(unknown_to, key) is None:
                    yield event
