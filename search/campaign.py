"""The loop of a campaign: ask, race, tell, remember."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from evaluators.evaluation import Outcome
from evaluators.evaluator import Bench
from grammars import BASELINES, Expression, Grammar, parse
from grammars.fingerprint import FunctionIndex
from search.candidate import Candidate
from search.executors import Executor, Interrupted
from search.hall_of_fame import HallOfFame
from search.journal import Journal
from search.racing import Racing, Standing
from search.recorder import Recorder
from search.settings import Settings
from search.stopping import Deadline, seconds_worked
from search.strategies import STRATEGIES, Strategy


@dataclass(frozen=True)
class GenerationSummary:
    """What one generation came to; it depends on the settings alone, never on time or place.

    Attributes:
        generation: Counted from 0.
        considered: Proposals of the strategy: the distinct ones and the duplicates.
        distinct: Proposals whose function was new: the rejected and the trained.
        duplicates: Proposals that were drawn again, since their function was known.
        rejected: Candidates that a probe rejected.
        trained: Candidates that were trained on the first rung.
        promoted: Candidates that were scored beyond it.
        best_score: Of the hall of fame's leader.
        best_id: Its candidate id.
        best_expression: Its expression.
        median_score: Of the candidates scored on the first rung only.
        spread: Interquartile range of those scores.
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


@dataclass(frozen=True)
class Ending:
    """Why a campaign ended.

    Attributes:
        reason: In words.
        interrupted: Whether it was cut short: launched again, it goes on.
    """

    reason: str
    interrupted: bool = False


class Observer(Protocol):
    """Is told how a campaign goes on; what it does never changes the campaign."""

    def on_progress(self, rung: int, done: int, total: int) -> None:
        """After each evaluation: `done` of `total` on this rung of this generation."""
        ...

    def on_generation(self, summary: GenerationSummary) -> None:
        """After each generation, once it is in the journal."""
        ...

    def on_best(self, standing: Standing) -> None:
        """Whenever the hall of fame has a new leader."""
        ...


class Campaign:
    """One search, from its settings to its hall of fame.

    Everything follows from the settings. So a campaign that is run again over its journal goes
    through the same states, reading evaluations instead of repeating them: that is resuming.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        grammar: Grammar,
        bench: Bench,
        journal: Journal,
        executor: Executor,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._settings, self._journal, self._observers = settings, journal, observers
        self.stopping = threading.Event()
        self.hall_of_fame = HallOfFame()
        fidelities = settings.scoring.fidelities
        self._strategy: Strategy = STRATEGIES[settings.search.strategy](
            grammar, settings.search, seed=settings.seed
        )
        self._racing = Racing(
            rungs=len(fidelities), reduction_factor=settings.scoring.reduction_factor
        )
        self._recorder = Recorder(
            journal,
            executor,
            bench=bench,
            fidelities=fidelities,
            stopping=self.stopping,
            on_progress=self._on_progress,
        )
        self._known = FunctionIndex()
        self._baselines: dict[str, Candidate] = {}
        self._duplicates = self._trained = self._unimproved = 0
        self._exhausted = False

    def run(self) -> Ending:
        """Runs to the end, or until `stopping` is set and the running batches are done."""
        with self._deadline() as deadline:
            try:
                self._score_baselines()
                generation = 0
                while (reason := self._end(generation)) is None:
                    self._run_generation(generation)
                    generation += 1
            except Interrupted:
                if deadline.passed:
                    return Ending(f"its {self._settings.stop.minutes:g} minutes are over")
                return Ending("stopped on request", interrupted=True)
        self._journal.append(
            "finished", f"{generation:06d}", {"reason": reason, "generations": generation}
        )
        return Ending(reason)

    def _run_generation(self, generation: int) -> None:
        self._duplicates = 0
        candidates = self._strategy.ask(
            self._settings.search.population, generation=generation, admit=self._admit
        )
        self._exhausted = len(candidates) < self._settings.search.population
        self._record(candidates)
        trainable = self._recorder.reject(candidates)
        standings = self._racing.run(trainable, self._recorder.evaluate)
        self._strategy.tell(standings)
        is_new_best = self.hall_of_fame.add(
            standing for standing in standings if standing.candidate.id not in self._baselines
        )
        self._trained += len(trainable)
        self._unimproved = 0 if is_new_best else self._unimproved + 1
        summary = self._summary(generation, candidates, trainable, standings)
        self._journal.append("generation", f"{generation:06d}", asdict(summary))
        self.hall_of_fame.write(self._journal.path.parent)
        for observer in self._observers:
            observer.on_generation(summary)
            if is_new_best and self.hall_of_fame.best is not None:
                observer.on_best(self.hall_of_fame.best)

    def _score_baselines(self) -> None:
        """Puts the functions to beat through every rung, under the very same protocol."""
        baselines = [
            Candidate.of(parse(name), generation=0, origin="baseline", variation=name)
            for name in BASELINES
        ]
        self._baselines = {baseline.id: baseline for baseline in baselines}
        self._record(baselines)
        for rung in range(len(self._settings.scoring.rungs)):
            evaluations = list(self._recorder.evaluate(baselines, rung))
            # What ruined its worker once is not let near another.
            baselines = [
                baseline
                for baseline, evaluation in zip(baselines, evaluations, strict=True)
                if evaluation.outcome is not Outcome.FAILED
            ]

    def _record(self, candidates: Sequence[Candidate]) -> None:
        # A rediscovered baseline stays the baseline: it may breed, but it is no discovery.
        self._journal.append_all(
            ("candidate", candidate.id, candidate.to_json())
            for candidate in candidates
            if candidate.origin == "baseline" or candidate.id not in self._baselines
        )

    def _admit(self, expression: Expression) -> bool:
        """Whether the function is new to the search; equal functions are scored once."""
        held = len(self._known)
        self._known.find_or_add(str(expression), expression)
        is_new = len(self._known) > held
        self._duplicates += not is_new
        return is_new

    def _deadline(self) -> Deadline:
        minutes = self._settings.stop.minutes
        if minutes is None:
            return Deadline(None, self.stopping)
        return Deadline(60.0 * minutes - seconds_worked(self._journal), self.stopping)

    def _end(self, generation: int) -> str | None:
        """Why the campaign is at its end before this generation, None if it goes on."""
        if self.stopping.is_set():
            raise Interrupted
        stop = self._settings.stop
        if generation >= stop.generations:
            return f"{generation} generations are done"
        if stop.evaluations is not None and self._trained >= stop.evaluations:
            return f"{self._trained} candidates are trained"
        if self._exhausted:
            return "the strategy finds no more functions in the grammar"
        if stop.patience is not None and self._unimproved >= stop.patience:
            return f"{self._unimproved} generations brought nothing better"
        return self._target_reached()

    def _target_reached(self) -> str | None:
        target, best = self._settings.stop.target_score, self.hall_of_fame.best
        score = None if best is None else best.evaluation.score
        if target is None or score is None or score < target:
            return None
        return f"the score {score:.4g} reaches the target {target:g}"

    def _summary(
        self,
        generation: int,
        candidates: Sequence[Candidate],
        trainable: Sequence[Candidate],
        standings: Sequence[Standing],
    ) -> GenerationSummary:
        lowest = (s.evaluation.score for s in standings if s.rung == 0)
        scores = [score for score in lowest if score is not None]
        best = self.hall_of_fame.best
        quartiles = statistics.quantiles(scores, n=4) if len(scores) > 1 else None
        return GenerationSummary(
            generation=generation,
            considered=len(candidates) + self._duplicates,
            distinct=len(candidates),
            duplicates=self._duplicates,
            rejected=len(candidates) - len(trainable),
            trained=len(trainable),
            promoted=sum(standing.rung > 0 for standing in standings),
            best_score=best.evaluation.score if best else None,
            best_id=best.candidate.id if best else None,
            best_expression=str(best.candidate.canonical) if best else None,
            median_score=statistics.median(scores) if scores else None,
            spread=quartiles[2] - quartiles[0] if quartiles else None,
        )

    def _on_progress(self, rung: int, done: int, total: int) -> None:
        for observer in self._observers:
            observer.on_progress(rung, done, total)
