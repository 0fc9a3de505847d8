"""Polishes the best of a search: their constants first, and then their form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluator import Bench
from grammars import BASELINES, Expression, Grammar, expression_id, parse
from grammars.parsing.template import Template
from search.candidates.candidate import Candidate
from search.candidates.racing import Standing, ranked
from search.candidates.requirements import unmet
from search.history import (
    Begun,
    Evaluated,
    Happening,
    History,
    Introduced,
    Polished,
    Relaunched,
    read,
    read_history,
    write,
)
from search.journal.journal import Journal
from search.polishing.expecting import Expecting
from search.polishing.simplification import simplified
from search.polishing.trials import Trials, is_better, trial_key
from search.polishing.tuning import proposed_by_model, tried_by_training
from search.settings import PolishSettings, Settings

TUNED: Final = "tuned"
SIMPLIFIED: Final = "simplified"

Step = tuple[str, Expression, Evaluation]
"""What was done, what came of it, and its evaluation on the last rung."""


class Polisher:
    """Tunes and simplifies the best of a search, one after the other.

    All that it does follows from what the search has scored. Each trial is in the journal before it
    counts, so that polishing which was stopped goes on where it stopped.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        grammar: Grammar,
        bench: Bench,
        journal: Journal,
        trials: Trials,
    ) -> None:
        """Connects them.

        Args:
            settings: The campaign's, with a section `[polish]`.
            grammar: What may be written.
            bench: Task and data set, for the probes.
            journal: Of the campaign, whose search has ended.
            trials: Train on the last rung.
        """
        assert settings.polish is not None
        self._settings, self._polish = settings, settings.polish
        self._grammar, self._bench, self._journal = grammar, bench, journal
        self._trials = trials
        template = settings.search.template
        self._template = None if template is None else Template.read(template)

    def run(self, announce: Callable[[str], None] = lambda text: None) -> None:
        """Polishes whatever of the best is not polished yet.

        Args:
            announce: Receives sentences for people.

        Raises:
            Interrupted: Once stopping is set and the running batches are done.
        """
        history = read_history(self._journal)
        found = _of_search(history, self._trials.rung)
        best = _best(found, self._polish, rung=self._trials.rung)
        expecting = Expecting(found, self._grammar, self._whole)
        taken = {expression_id(parse(name)) for name in BASELINES}
        taken |= {standing.candidate.id for standing in best}
        known = set(history.candidates)
        self._say_what_stays(best, announce)
        for standing in best:
            if standing.candidate.id in history.polished:
                continue
            steps = self._polished(standing, expecting, taken)
            known |= self._record(standing, steps, known=known)
            announce(_sentence(standing, steps))

    def _say_what_stays(self, best: Sequence[Standing], announce: Callable[[str], None]) -> None:
        """A function is polished once; whoever grants other trainings since hears of it."""
        granted, now = _trainings_granted(self._journal), self._polish.trainings
        for standing in best:
            if (before := granted.get(standing.candidate.id, now)) != now:
                announce(
                    f"polished already, with polish.trainings = {before}: "
                    f"{standing.candidate.readable}; it is not polished again with {now}, for "
                    "which a campaign needs another name"
                )

    def _polished(self, standing: Standing, expecting: Expecting, taken: set[str]) -> list[Step]:
        whole = standing.candidate.expression
        assert isinstance(whole, Expression)
        # What is around the hole stays as it is.
        function = whole if self._template is None else self._template.inside(whole)
        if function is None:
            return []
        tuned = self._tuned(function, standing.evaluation, expecting, taken)
        steps = [(TUNED, *each) for each in tuned]
        top, reference = steps[-1][1:] if steps else (function, standing.evaluation)
        simpler = simplified(
            top,
            reference,
            grammar=self._grammar,
            expecting=expecting,
            trials=self._trained,
            trainings=self._polish.trainings,
            may_be=lambda form: self._may_be(form, taken),
        )
        steps += [(SIMPLIFIED, *each) for each in simpler]
        return [(what, self._whole(form), evaluation) for what, form, evaluation in steps]

    def _whole(self, form: Expression) -> Expression:
        """What is trained: a template that is filled with a form, where there is one."""
        return form if self._template is None else self._template.filled(form)

    def _trained(self, forms: Sequence[Expression]) -> list[Evaluation]:
        return self._trials([self._whole(form) for form in forms])

    def _tuned(
        self, function: Expression, reference: Evaluation, expecting: Expecting, taken: set[str]
    ) -> list[tuple[Expression, Evaluation]]:
        """The form with the best constants that were tried, if they are better than its own."""
        tried = [function]
        if (proposed := proposed_by_model(function, self._grammar, expecting)) is not None:
            tried.append(proposed)
        start = max(tried, key=lambda form: _or_worst(self._scores([form])[0]))
        tried += tried_by_training(
            start,
            self._grammar,
            score_each=self._scores,
            trainings=self._polish.trainings - len(tried) + 1,
        )
        fit = [form for form in tried if self._may_be(form, taken)]
        better = [
            (form, evaluation)
            for form, evaluation in zip(fit, self._trained(fit), strict=True)
            if is_better(evaluation, reference)
        ]
        return [max(better, key=lambda each: _or_worst(each[1].score))] if better else []

    def _scores(self, forms: Sequence[Expression]) -> list[float | None]:
        """Trains what may be trained; None for the rest."""
        fit = [form for form in forms if self._is_fit(form)]
        scores = {
            str(form): evaluation.score
            for form, evaluation in zip(fit, self._trained(fit), strict=True)
        }
        return [scores.get(str(form)) for form in forms]

    def _may_be(self, form: Expression, taken: set[str]) -> bool:
        """Whether a form may take a function's place: no baseline, and none of the best itself."""
        return expression_id(self._whole(form)) not in taken and self._is_fit(form)

    def _is_fit(self, form: Expression) -> bool:
        require = self._settings.search.require
        lowest, whole = self._settings.scoring.fidelities[0], self._whole(form)
        return self._bench.rejection(whole, lowest) is None and (
            require is None or unmet(whole, require) is None
        )

    def _record(self, standing: Standing, steps: Sequence[Step], known: Set[str]) -> set[str]:
        """Records the way from a function to what became of it, all at once; the ids on it.

        What is known has its lineage, be it from the search or from one of the best that came to
        the same form before.
        """
        parent = standing.candidate
        events: list[Happening] = []
        for variation, form, evaluation in steps:
            candidate = Candidate.of(
                form,
                generation=standing.candidate.generation,
                parents=(parent.id,),
                variation=variation,
            )
            if candidate.id not in known:
                events.append(Introduced.of(candidate))
            events.append(Evaluated(self._trials.rung, evaluation))
            parent = candidate
        path = tuple(expression_id(form) for _, form, _ in steps)
        write(self._journal, [*events, Polished(standing.candidate.id, path)])
        return set(path)


def _trainings_granted(journal: Journal) -> dict[str, int]:
    """What `polish.trainings` was when functions were polished, by their ids."""
    settings: Mapping[str, Any] = {}
    granted: dict[str, int] = {}
    for told in read(journal):
        match told.event:
            case Begun() | Relaunched():
                settings = told.event.settings
            case Polished(candidate_id) if settings.get("polish"):
                granted[candidate_id] = settings["polish"]["trainings"]
    return granted


def _of_search(history: History, rung: int) -> list[Standing]:
    """What the search itself has scored, best first, as if nothing had been polished yet."""
    found = []
    for record in history.candidates.values():
        candidate = record.candidate
        is_tried = trial_key(candidate.id, rung) in history.measured
        scored = [
            each
            for each in record.rungs
            if each.evaluation.score is not None and not (is_tried and each.rung == rung)
        ]
        if scored and history.counts(record) and candidate.variation not in (TUNED, SIMPLIFIED):
            highest = max(scored, key=lambda each: each.rung)
            found.append(Standing(candidate, highest.rung, highest.evaluation))
    return ranked(found)


def _best(found: Sequence[Standing], polish: PolishSettings, *, rung: int) -> list[Standing]:
    """The best that have come to the last rung, and that all layers share."""
    own = [
        each
        for each in found
        if each.rung == rung
        and each.candidate.origin == "discovered"
        and isinstance(each.candidate.expression, Expression)
    ]
    return own[: polish.functions]


def _or_worst(score: float | None) -> float:
    return float("-inf") if score is None else score


def _sentence(standing: Standing, steps: Sequence[Step]) -> str:
    before = f"{standing.candidate.readable}, score {standing.evaluation.score:.4f}"
    if not steps:
        return f"polished: {before}, stays as it is"
    _, form, evaluation = steps[-1]
    return f"polished: {before}, became {form}, score {evaluation.score:.4f}"
