"""One generation: what was asked for, and what it came to."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from search.candidates.candidate import Candidate
from search.candidates.racing import Standing
from search.candidates.vitals import Forecasting, Vitals


@dataclass(frozen=True)
class Asked:
    """A generation that a strategy has proposed and nobody has scored yet.

    Attributes:
        number: Counted from 0.
        candidates: Distinct ones, in the order of the strategy.
        trainable: Those that passed the probes.
        duplicates: Proposals that were drawn again, since their function was known.
        exhausted: Whether the strategy found fewer than it was asked for.
    """

    number: int
    candidates: Sequence[Candidate]
    trainable: Sequence[Candidate]
    duplicates: int
    exhausted: bool


@dataclass(frozen=True)
class Watched:
    """How the leader did against the best baseline on tasks that the search does not use.

    Attributes:
        lead: Mean over the tasks of its advantages, in spreads of the baselines.
        by_task: The advantages.
    """

    lead: float
    by_task: Mapping[str, float]

    def __str__(self) -> str:
        each = ", ".join(f"{task} {advantage:+.2f}" for task, advantage in self.by_task.items())
        return f"leads on watched tasks by {self.lead:+.2f} spreads ({each})"


@dataclass(frozen=True)
class GenerationSummary:
    """What one generation came to; it depends on the settings alone, never on time or place.

    Attributes:
        generation: Counted from 0.
        considered: Proposals of the strategy: the distinct ones and the duplicates.
        distinct: Proposals whose function was new: the rejected and the trained.
        duplicates: Proposals that were drawn again, since their function was known.
        rejected: Candidates that a probe or a forecast rejected.
        trained: Candidates that were trained on the first rung.
        promoted: Candidates that were scored beyond it.
        best_score: Of the hall of fame's leader.
        best_id: Its candidate id.
        best_expression: Its expression.
        median_score: Of the candidates scored on the first rung only.
        spread: Interquartile range of those scores.
        diversity: Mean structural distance within the population, 0 to 1; None without one.
        rates: The probability of each mutation from now on, by its name.
        forecasting: What the strategy's model of scores is worth; None without one.
        watched: How the leader did elsewhere, where it was looked at after this generation.
    """

    generation: int
    considered: int
    distinct: int
    duplicates: int
    rejected: int
    trained: int
    promoted: int
    best_score: float | None
    best_id: str | None
    best_expression: str | None
    median_score: float | None
    spread: float | None
    diversity: float | None
    rates: Mapping[str, float]
    forecasting: Forecasting | None = None
    watched: Watched | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON document, the same whatever strategies without a model come to have beside it."""
        document = asdict(self)
        forecasting = document.pop("forecasting") or {}
        if document["watched"] is None:
            del document["watched"]
        return document | {f"forecast_{name}": value for name, value in forecasting.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> GenerationSummary:
        """Restores what `to_json` wrote; figures that are younger than the document are None."""
        known: dict[str, Any] = {each.name: document.get(each.name) for each in fields(cls)}
        forecasting = None
        if "forecast_considered" in document:
            figures: Any = {f.name: document[f"forecast_{f.name}"] for f in fields(Forecasting)}
            forecasting = Forecasting(**figures)
        watched = document.get("watched")
        return cls(
            **{
                **known,
                "rates": document.get("rates") or {},
                "forecasting": forecasting,
                "watched": None if watched is None else Watched(**watched),
            }
        )


def summarise(
    asked: Asked,
    standings: Sequence[Standing],
    *,
    best: Standing | None,
    vitals: Vitals,
    watched: Watched | None = None,
) -> GenerationSummary:
    """Counts what a generation came to.

    Args:
        asked: The generation.
        standings: Those that are new or have changed.
        best: The hall of fame's leader.
        vitals: Of the strategy after it.
        watched: How the leader did elsewhere, if it was looked at.
    """
    lowest = (standing.evaluation.score for standing in standings if standing.rung == 0)
    scores = [score for score in lowest if score is not None]
    quartiles = statistics.quantiles(scores, n=4) if len(scores) > 1 else None
    return GenerationSummary(
        generation=asked.number,
        considered=len(asked.candidates) + asked.duplicates,
        distinct=len(asked.candidates),
        duplicates=asked.duplicates,
        rejected=len(asked.candidates) - len(asked.trainable),
        trained=len(asked.trainable),
        promoted=sum(standing.rung > 0 for standing in standings),
        best_score=best.evaluation.score if best else None,
        best_id=best.candidate.id if best else None,
        best_expression=str(best.candidate.canonical) if best else None,
        median_score=statistics.median(scores) if scores else None,
        spread=quartiles[2] - quartiles[0] if quartiles else None,
        diversity=vitals.diversity,
        rates=vitals.rates,
        forecasting=vitals.forecasting,
        watched=watched,
    )
