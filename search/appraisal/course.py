"""What a rung consists of, where candidates are appraised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluators.evaluation.fidelity import Fidelity
from evaluators.evaluator import Bench
from search.settings import ScoringSettings


@dataclass(frozen=True)
class Leg:
    """One task of a rung.

    Attributes:
        number: Of the task among the campaign's.
        named: As the campaign file names it.
        bench: Task and data set as they stand in evaluations.
    """

    number: int
    named: str
    bench: Bench


@dataclass(frozen=True)
class Course:
    """All that a candidate goes through on one rung.

    Attributes:
        rung: Its number.
        legs: The tasks.
        fidelity: Steps and seeds, the same on each.
        rates: The learning rates to choose from, ascending; empty for the recipes' own.
        explores: Whether candidates try other rates than the field's.
        rate_seeds: How many of the seeds choose the rate alone; 0 if all seeds are trained at each.
    """

    rung: int
    legs: tuple[Leg, ...]
    fidelity: Fidelity
    rates: tuple[float, ...]
    explores: bool
    rate_seeds: int = 0

    @property
    def choosing(self) -> Fidelity:
        """Steps and seeds at each rate that is tried."""
        return replace(self.fidelity, seeds=self.fidelity.seeds[: self.rate_seeds or None])

    @property
    def scoring(self) -> Fidelity:
        """Steps and seeds at the rate that was chosen, where these are others."""
        return replace(self.fidelity, seeds=self.fidelity.seeds[self.rate_seeds :])


def courses_of(scoring: ScoringSettings, benches: Sequence[Bench]) -> tuple[Course, ...]:
    """The rungs of a campaign.

    Args:
        scoring: The settings.
        benches: Of the tasks, by number.
    """
    names = scoring.tasks or (benches[0].task,)
    legs = {
        name: Leg(number, name, bench)
        for number, (name, bench) in enumerate(zip(names, benches, strict=True))
    }
    return tuple(
        Course(
            number,
            tuple(legs[name] for name in scoring.tasks_of(rung) or names),
            fidelity,
            scoring.learning_rates,
            explores=scoring.explores(number),
            rate_seeds=rung.rate_seeds or 0,
        )
        for number, (rung, fidelity) in enumerate(
            zip(scoring.rungs, scoring.fidelities, strict=True)
        )
    )
