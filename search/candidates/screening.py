"""Who is trained at all, and who climbs, where learning curves let both be forecast."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from importlib.metadata import version

from evaluators.evaluation.fidelity import Fidelity
from evaluators.forecasting.forecaster import Forecast
from evaluators.forecasting.learning_curves import LearningCurves, LearningCurvesError, load_curves
from evaluators.tasks import Task, shipped_tasks, task_known_by_name
from grammars import Expression
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing, scores
from search.settings import Settings


def screening_of(settings: Settings, task: Task, dataset: str) -> Screening | None:
    """What a campaign's settings ask for; None if they ask for no forecasts.

    Args:
        settings: The campaign's.
        task: The campaign's.
        dataset: Name of the data set that is really used.

    Raises:
        LearningCurvesError: If the curves are missing, damaged, or not of this task, data set and
            rungs.
    """
    scoring = settings.scoring
    if scoring.forecast is None:
        return None
    curves = load_curves(scoring.forecast)
    learnt = curves.digest_of_task or task_known_by_name(curves.task).digest
    if (learnt, curves.dataset) != (task.digest, dataset):
        raise LearningCurvesError(_sentence(scoring.forecast, curves, learnt, task, dataset))
    for fidelity in scoring.fidelities[:-1]:
        curves.column(fidelity.steps)
    return Screening(curves, share=scoring.screening, fidelities=scoring.fidelities)


def _sentence(named: str, curves: LearningCurves, learnt: str, task: Task, dataset: str) -> str:
    """Why curves are not of a campaign's task and data."""
    if (curves.task, curves.dataset) != (task.name, dataset):
        return (
            f"scoring.forecast: the learning curves {named!r} are of {curves.task} on "
            f"{curves.dataset}, the campaign trains {task.name} on {dataset}; name others, or "
            "leave forecasts out"
        )
    shipped = [name for name, each in shipped_tasks().items() if each.digest == learnt]
    remedy = (
        f"train {shipped[0]}, which they are of"
        if shipped
        else f"make others with `actsearch curves FILE.json --task {task.name}`"
    )
    return (
        f"scoring.forecast: the learning curves {named!r} are of a task {curves.task!r} with "
        f"another content than the campaign's; {remedy}, or leave forecasts out"
    )


class Screening:
    """Decides by forecasts, over all candidates so far."""

    def __init__(
        self, curves: LearningCurves, *, share: float, fidelities: Sequence[Fidelity]
    ) -> None:
        """Nothing is known of any candidate yet.

        Args:
            curves: To forecast from.
            share: Of the candidates that are trained, above 0; 1 screens none out.
            fidelities: Of the rungs; the curves have scores at each but the last.
        """
        self._curves, self._share = curves, share
        self._forecast = Forecast(curves)
        self._steps = [fidelity.steps for fidelity in fidelities]
        self._promises: list[float] = []

    @property
    def digest(self) -> str:
        """Of all that a forecast depends on."""
        return f"{self._curves.digest}, scikit-learn {version('scikit-learn')}"

    def screen(self, candidates: Sequence[Candidate]) -> dict[str, str]:
        """Who is not to be trained.

        Args:
            candidates: New ones, of single functions.

        Returns:
            Why, in words, by candidate id.
        """
        if self._share == 1.0 or not candidates:
            return {}
        promises: list[float] = self._forecast.expected([*map(_function, candidates)]).tolist()
        for promise in promises:
            insort(self._promises, promise)
        known = len(self._promises)
        least = self._promises[known - max(1, round(self._share * known))]
        return {
            candidate.id: f"screened out: by its shape it is expected to score {promise:.3g}, and "
            f"{known - bisect_right(self._promises, promise)} of {known} so far better"
            for candidate, promise in zip(candidates, promises, strict=True)
            if promise < least
        }

    def promise(self, standings: Sequence[Standing]) -> Sequence[float]:
        """What standings of one rung are expected to score after long training; see `Promise`."""
        if not standings or standings[0].rung == len(self._steps) - 1:
            return scores(standings)
        functions = [_function(standing.candidate) for standing in standings]
        steps = self._steps[standings[0].rung]
        expected: list[float] = self._forecast.expected(
            functions, scores(standings), steps=steps
        ).tolist()
        return expected


def _function(candidate: Candidate) -> Expression:
    if not isinstance(candidate.expression, Expression):
        raise TypeError(f"only single functions can be forecast, got {candidate.expression}")
    return candidate.expression
