"""The loop of a campaign: ask, race, tell, remember."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from evaluators.evaluation.evaluation import Evaluation, Outcome
from evaluators.evaluator import Bench
from grammars import BASELINES, Activation, Expression, Grammar, parse
from search.appraisal import Appraiser, Watch, courses_of, watch_course
from search.candidates.candidate import Candidate
from search.candidates.generation import Asked, Watched, summarise
from search.candidates.hall_of_fame import HallOfFame
from search.candidates.racing import RaceBrokenError, Racing, Standing, scores
from search.candidates.requirements import unmet
from search.candidates.screening import Screening
from search.executors import Executor, Interrupted
from search.history import (
    TIME_IS_OVER,
    GenerationEnded,
    Introduced,
    SearchEnded,
    find_begun,
    find_lessons,
    find_polished,
    read_history,
    write,
)
from search.journal.journal import Journal
from search.loop.considered import Considered
from search.loop.observing import Observer
from search.loop.race_ahead import RaceAhead
from search.loop.recorder import Recorder
from search.loop.stopping import Deadline, EitherEvent
from search.settings import RequireSettings, Settings
from search.strategies import Learner, begin

# Share of the minutes that running batches may take beyond them; then they are given up.
GRACE: Final = 0.05


@dataclass(frozen=True)
class Ending:
    """Why a campaign ended.

    Attributes:
        reason: In words.
        interrupted: Whether it was cut short: launched again, it goes on.
    """

    reason: str
    interrupted: bool = False


STOPPED: Final = Ending("stopped on request", interrupted=True)


class Loop:
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
        hidden_layers: int,
        journal: Journal,
        executor: Executor,
        further: Sequence[Bench] = (),
        watched: Sequence[Bench] = (),
        screening: Screening | None = None,
        hall_of_fame: HallOfFame | None = None,
        observers: Sequence[Observer] = (),
        stopping: threading.Event | None = None,
    ) -> None:
        self._settings, self._journal, self._observers = settings, journal, observers
        self._executor = executor
        self.stopping = stopping or threading.Event()
        self._time_is_up = threading.Event()
        self._ending = EitherEvent(self.stopping, self._time_is_up)
        self.hall_of_fame = hall_of_fame or HallOfFame()
        fidelities = settings.scoring.fidelities
        self._strategy = begin(
            grammar,
            settings.search,
            seed=settings.seed,
            hidden_layers=hidden_layers,
            lessons=find_lessons(journal),
        )
        self._screening = screening
        self._racing = Racing(
            rungs=len(fidelities),
            reduction_factor=settings.scoring.reduction_factor,
            promise=screening.promise if screening else scores,
        )
        self._appraiser = (
            Appraiser(
                journal,
                executor,
                courses_of(settings.scoring, (bench, *further)),
                aggregate=settings.scoring.aggregate,
                stopping=self._ending,
            )
            if settings.scoring.is_appraised
            else None
        )
        self._watch = self._watching(watched, first=1 + len(further))
        self._recorder = Recorder(
            journal,
            self._appraiser.evaluate if self._appraiser else self._evaluate_plainly,
            bench=bench,
            lowest=fidelities[0],
            on_progress=self._on_progress,
        )
        self._considered: defaultdict[int, Considered] = defaultdict(Considered)
        self._baselines: dict[str, Candidate] = {}
        self._published = begun.published if (begun := find_begun(journal)) else {}
        self._polished = find_polished(journal)
        self._ahead: deque[tuple[Asked, RaceAhead]] = deque()
        self._recorded = sum(1 for _ in journal.events("generation"))
        self._duplicates = self._trained = self._unimproved = 0
        self._exhausted = False

    def run(self) -> Ending:
        """Runs to the end, or until `stopping` is set and the running batches are done."""
        with self._deadline():
            try:
                self._score_baselines()
                generations, reason = self._run_generations()
            except Interrupted:
                self._record_what_ran_ahead()
                if self.stopping.is_set():  # a wish counts, whether the time is up or not
                    return STOPPED
                generations = sum(1 for _ in self._journal.events("generation"))
                reason = f"its {self._settings.stop.minutes:g} {TIME_IS_OVER}"
        write(self._journal, [SearchEnded(reason, generations)])
        return Ending(reason)

    def _run_generations(self) -> tuple[int, str]:
        """Runs generation after generation; how many, and why there are no more.

        A strategy may be asked for some of them before it is told of the one that is running. How
        many is a setting, so that what it knows depends on nothing else.
        """
        ahead, limit = self._settings.generations_ahead, self._settings.stop.generations
        generation = 0
        while (reason := self._end(generation)) is None:
            if ahead:
                while len(self._ahead) <= ahead and generation + len(self._ahead) < limit:
                    asked = self._ask(generation + len(self._ahead))
                    race = RaceAhead(self._racing, asked.trainable, self._recorder.ahead)
                    self._ahead.append((asked, race))
                asked, race = self._ahead.popleft()
                self._end_generation(asked, race.standings(self._recorder.record))
            else:
                asked = self._ask(generation)
                standings = self._racing.run(asked.trainable, self._recorder.evaluate)
                self._end_generation(asked, standings)
            generation += 1
        return generation, reason

    def _record_what_ran_ahead(self) -> None:
        """Once evaluating has stopped: what has come to an end counts when it is launched again."""
        for _, race in self._ahead:
            with suppress(Interrupted, RaceBrokenError):
                race.standings(self._recorder.record)

    def _ask(self, generation: int) -> Asked:
        count = self._settings.search.generation_size
        self._duplicates = 0
        proposed = self._strategy.ask(count, generation=generation, admit=self._admit)
        candidates = [self._labelled(each) for each in proposed]
        self._record(candidates)
        trainable = self._recorder.reject(candidates)
        if (require := self._settings.search.require) is not None:
            trainable = self._recorder.dismiss(trainable, self._lacking(trainable, require))
        if self._screening is not None:
            # A rediscovered baseline has been trained already.
            unknown = [each for each in trainable if each.id not in self._baselines]
            trainable = self._recorder.dismiss(trainable, self._screening.screen(unknown))
        return Asked(
            generation,
            candidates,
            trainable,
            duplicates=self._duplicates,
            exhausted=len(candidates) < count,
        )

    def _labelled(self, candidate: Candidate) -> Candidate:
        """Under its name, where it is published and was given to start from."""
        name = self._published.get(candidate.id) if candidate.is_given else None
        if name is None:
            return candidate
        return replace(candidate, origin="baseline", variation=name)

    def _lacking(self, candidates: Sequence[Candidate], require: RequireSettings) -> dict[str, str]:
        """What candidates lack that is required, by id; baselines are measured by anyway."""
        reasons = {
            each.id: unmet(each.expression, require)
            for each in candidates
            if each.id not in self._baselines
        }
        return {key: reason for key, reason in reasons.items() if reason is not None}

    def _end_generation(self, asked: Asked, standings: Sequence[Standing]) -> None:
        self._strategy.tell(standings)
        is_new_best = self.hall_of_fame.add(
            standing
            for standing in standings
            if standing.candidate.origin == "discovered"
            and standing.candidate.id not in self._baselines
        )
        self.hall_of_fame.is_current = asked.number + 1 >= self._recorded
        self._trained += len(asked.trainable)
        self._exhausted = asked.exhausted
        self._unimproved = 0 if is_new_best else self._unimproved + 1
        best = self.hall_of_fame.best
        summary = summarise(
            asked,
            standings,
            best=best,
            vitals=self._strategy.vitals,
            watched=self._watched(best, asked.number),
        )
        write(self._journal, [GenerationEnded(summary)])
        self.hall_of_fame.write(self._journal.path.parent)
        for observer in self._observers:
            observer.on_generation(summary)
            if is_new_best and best is not None:
                observer.on_best(best)

    def _watching(self, benches: Sequence[Bench], *, first: int) -> Watch | None:
        settings = self._settings
        if settings.watch is None:
            return None
        course = watch_course(settings.watch, settings.scoring, benches, first=first)
        appraiser = Appraiser(
            self._journal, self._executor, [course], aggregate="mean", stopping=self._ending
        )
        baselines = [parse(name) for name in BASELINES]
        return Watch(appraiser, settings.watch, baselines=baselines)

    def _watched(self, best: Standing | None, generation: int) -> Watched | None:
        """How the leader does on tasks that the search does not use, where it is time to look."""
        if self._watch is None or best is None or not self._watch.is_due(generation):
            return None
        return self._watch.meet(best.candidate.expression)

    def _score_baselines(self) -> None:
        """Puts the functions to beat through every rung, under the very same protocol."""
        baselines = [
            Candidate.of(parse(name), generation=0, origin="baseline", variation=name)
            for name in BASELINES
        ]
        self._baselines = {baseline.id: baseline for baseline in baselines}
        write(self._journal, map(Introduced.of, baselines))
        for rung in range(len(self._settings.scoring.rungs)):
            if self._appraiser is not None:
                self._appraiser.measure_by([each.expression for each in baselines], rung)
            evaluations = list(self._recorder.evaluate(baselines, rung))
            if isinstance(self._strategy, Learner):
                self._strategy.learn(
                    Standing(baseline, rung, evaluation)
                    for baseline, evaluation in zip(baselines, evaluations, strict=True)
                    if evaluation.outcome is Outcome.SCORED
                )
            # What ruined its worker once is not let near another.
            baselines = [
                baseline
                for baseline, evaluation in zip(baselines, evaluations, strict=True)
                if evaluation.outcome is not Outcome.FAILED
            ]

    def _record(self, candidates: Sequence[Candidate]) -> None:
        # A rediscovered baseline stays the baseline: it may breed, but it is no discovery. So does
        # what polishing found first, before a larger budget took the search on.
        kept = self._baselines.keys() | self._polished
        write(
            self._journal,
            (Introduced.of(candidate) for candidate in candidates if candidate.id not in kept),
        )

    def _evaluate_plainly(
        self, expressions: Sequence[Activation], rung: int
    ) -> Iterator[list[Evaluation]]:
        """On the one task at its own rate."""
        fidelity = self._settings.scoring.fidelities[rung]
        return self._executor.evaluate(expressions, fidelity, stopping=self._ending)

    def _admit(self, expression: Expression, *, layer: int = 0) -> bool:
        """Whether the function is new to the search; equal functions are scored once."""
        is_new = self._considered[layer].add(expression)
        self._duplicates += not is_new
        return is_new

    def _deadline(self) -> Deadline:
        minutes = self._settings.stop.minutes
        if minutes is None:
            return Deadline(None, self._time_is_up)
        return Deadline(
            60.0 * minutes - read_history(self._journal).work.seconds(),
            self._time_is_up,
            grace_seconds=GRACE * 60.0 * minutes,
            abandon=self._executor.abandon,
        )

    def _end(self, generation: int) -> str | None:
        """Why the campaign is at its end before this generation, None if it goes on."""
        if self._ending.is_set():
            raise Interrupted
        stop = self._settings.stop
        if generation >= stop.generations:
            return (
                "one generation is done"
                if generation == 1
                else f"{generation} generations are done"
            )
        if stop.evaluations is not None and self._trained >= stop.evaluations:
            return f"{self._trained} candidates are trained"
        if self._exhausted:
            return "the strategy finds no more functions in the grammar"
        if stop.patience is not None and self._unimproved >= stop.patience:
            return f"{self._unimproved} generations brought nothing better"
        if self._watch is not None and self._watch.is_out_of_patience:
            return f"{self._watch.unimproved} meetings on watched tasks brought no greater lead"
        return self._target_reached()

    def _target_reached(self) -> str | None:
        target, best = self._settings.stop.target_score, self.hall_of_fame.best
        score = None if best is None else best.evaluation.score
        if target is None or score is None or score < target:
            return None
        return f"the score {score:.4g} reaches the target {target:g}"

    def _on_progress(self, rung: int, done: int, total: int) -> None:
        for observer in self._observers:
            observer.on_progress(rung, done, total)
