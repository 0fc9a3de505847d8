"""Holds the finals of a campaign in its folder, with workers of its own for each stage."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from evaluators.tasks import Task
from evaluators.training.clock import awake_seconds
from grammars import expression_id, parse
from search.candidates.racing import Standing
from search.executors import Executor, Interrupted, Workload
from search.finals import (
    RIVALS,
    FinalsError,
    Plan,
    Rival,
    Split,
    Stage,
    check_names,
    count_seen,
    count_tried,
    hold,
    is_same,
    plan_finals,
    write_finals,
)
from search.history import History, find_begun, part_of_finals, read_history
from search.history.launched import trained_tasks
from search.history.unscored import explain_unscored, has_found
from search.history.work import Work
from search.journal.journal import Journal
from search.launching.costs import Timekeeper, with_equal_time
from search.launching.identity import recorded_task, settings_in_force, task_finder
from search.launching.open_campaign import OpenCampaign
from search.launching.rivals import choose_rivals, named_rivals
from search.launching.siblings import Siblings
from search.launching.tuning import Tuner, with_own_rates
from search.loop.observing import Observer
from search.settings import FinalsSettings, Settings, check_fresh
from search.standings.finalists import polished_first
from search.standings.leaderboard import find_standing, standings

_STATES: Final = "finals-states"


@dataclass(frozen=True)
class Finishing:
    """What finals need of the campaign that they end.

    Attributes:
        campaign: Open for writing; finals stop as it does.
        settings: Of the campaign.
        observers: Are told how it goes.
        siblings: Whose trainings need no repeating.
    """

    campaign: OpenCampaign
    settings: Settings
    observers: Sequence[Observer]
    siblings: Siblings

    @property
    def last_plan(self) -> Plan | None:
        """Of the finals that were planned last, finished or not."""
        return read_history(self._journal).finals.last_plan

    def hold_next(self, wanted: FinalsSettings) -> bool:
        """Plans finals as is wanted, and holds them; see `next_plan` and `hold`."""
        asked = self._asked(wanted)
        try:
            plan = asked.next_plan(wanted)
        except Interrupted:
            return False
        return asked.hold(plan, timeout_seconds=wanted.timeout_seconds)

    def hold_own(self, wanted: FinalsSettings) -> bool:
        """Holds the finals of the campaign file, unless that was done before.

        Others may have been held since: a launch that has nothing to do, and replicates, leave
        them the last.
        """
        try:
            plan = self.next_plan(wanted)
        except Interrupted:
            return False
        held = read_history(self._journal).finals
        is_next = plan.number not in held.plans
        if is_next and any(is_same(plan, held.plans[number]) for number in held.endings):
            return True
        return self.hold(plan, timeout_seconds=wanted.timeout_seconds)

    def _asked(self, wanted: FinalsSettings) -> Finishing:
        """The same under these settings, whose limits its workers keep to."""
        return replace(self, settings=self.settings.model_copy(update={"finals": wanted}))

    def next_plan(self, wanted: FinalsSettings) -> Plan:
        """The last plan, if it is what is wanted, else a new one.

        Raises:
            FinalsError: If the search has scored no function of its own, or the seeds would be
                those of the search.
            Interrupted: While rivals or learning rates were chosen; asked again, it goes on.
        """
        try:
            check_fresh(wanted, self.settings.scoring, self.settings.watch)
        except ValueError as error:
            raise FinalsError(str(error)) from None
        history = read_history(self._journal)
        if not has_found(history):
            raise FinalsError(explain_unscored(history))
        self.siblings.share_rates(self._journal)
        load, last = self.campaign.site.load, history.finals.last_plan
        named, against = self._named(history, wanted), named_rivals(wanted, self._folder.parent)
        if both := against.intersection(named):
            raise FinalsError(
                f"finals.candidates and finals.against both name {min(both)[:8]}; a function is a "
                "finalist or a rival, leave it out of one of them"
            )
        ranked = standings(history) if named else self._ranked(history)
        tasks = self._tasks(history, wanted)
        steps = wanted.steps or self.settings.scoring.rungs[-1].steps
        finalists = [each for each in _discovered(ranked) if each not in against][: wanted.top]
        first, *others = [(task, load(task.data)) for task in tasks]
        trained = [task.on(dataset) for task, dataset in (first, *others)]
        plan = plan_finals(
            wanted,
            number=1 if last is None else last.number + 1,
            standings=ranked,
            task=first[0],
            dataset=first[1],
            steps=steps,
            tried=count_tried(history),
            load=load,
            find=task_finder(history),
            others=others,
            rivals=self._rivals(wanted, named or finalists, trained, steps),
            named=named,
        )
        usual = settings_in_force(history).finals or FinalsSettings()
        if wanted.timeout_seconds != usual.timeout_seconds:
            plan = replace(plan, timeout_seconds=wanted.timeout_seconds)
        if wanted.equal_time:
            plan = with_equal_time(plan, self._timekeeper())
        if wanted.own_rates:
            plan = with_own_rates(plan, self._tuner(wanted))
        if last is not None and is_same(plan, last):
            return last
        plan = replace(plan, seen=count_seen(history.finals, plan))
        check_names([*history.finals.plans.values(), plan])
        return plan

    def hold(self, plan: Plan, *, timeout_seconds: float | None = None) -> bool:
        """Holds finals, or goes on with them, and writes `finals.json` beside the journal.

        Args:
            plan: What to hold.
            timeout_seconds: What a seed may take at the most; by default what the plan was asked
                with.

        Returns:
            False if they were interrupted; the same plan goes on later.
        """
        if taken := self.siblings.share_runs(self._journal, plan):
            self.campaign.site.announce(
                f"finals: {taken:,} training runs are those of the campaigns before, and are taken "
                "from their journals"
            )
        with Work(self._journal, part_of_finals(plan.number)) as work:
            limit = timeout_seconds or plan.timeout_seconds
            watching = replace(self._within(limit), observers=[*self.observers, work])
            try:
                finals = hold(
                    plan,
                    self._journal,
                    open_executor=watching._open_executor,
                    stopping=self.campaign.stopping,
                    on_progress=watching._on_progress,
                    announce=self.campaign.site.announce,
                    clock=awake_seconds,
                    known=self.siblings.scores(self._journal, plan),
                )
            except Interrupted:
                return False
        write_finals(finals, self._folder)
        shutil.rmtree(self._folder / _STATES, ignore_errors=True)
        return True

    def _within(self, timeout_seconds: float | None) -> Finishing:
        """The same with another limit, if there is one."""
        if timeout_seconds is None:
            return self
        finals = self.settings.finals or FinalsSettings()
        return self._asked(finals.model_copy(update={"timeout_seconds": timeout_seconds}))

    def _ranked(self, history: History) -> list[Standing]:
        """Best first; by the lead on watched tasks where the settings say so, as far as it goes."""
        ranked, watch = standings(history), self.settings.watch
        if watch is not None and watch.chooses_finalists:
            leads = {
                record.summary.best_id: record.summary.watched.lead
                for record in history.generations
                if record.summary.watched is not None
            }
            ranked.sort(key=lambda each: -leads.get(each.candidate.id, -math.inf))
        # Afterwards: what came of a function has met nobody, and has the lead of the function.
        return polished_first(ranked, history.polished)

    def _named(self, history: History, wanted: FinalsSettings) -> list[str]:
        """Ids of those that somebody wants to take part in place of the best."""
        found = [find_standing(history, identity) for identity in wanted.candidates]
        if others := [each for each in found if each.candidate.origin != "discovered"]:
            raise FinalsError(
                f"finals.candidates: {others[0].candidate.readable} is no discovery of this search;"
                " name functions that are, and this one as a rival in finals.against"
            )
        return [each.candidate.id for each in found]

    def _tasks(self, history: History, wanted: FinalsSettings) -> list[Task]:
        """Those that the claim is about."""
        begun = find_begun(self._journal) if wanted.all_tasks else None
        if begun is None:
            return [recorded_task(history)]
        known = trained_tasks(begun)
        return [known[name] for name in self.settings.search_tasks]

    def _rivals(
        self,
        wanted: FinalsSettings,
        finalists: Sequence[str],
        tasks: Sequence[Task],
        steps: int,
    ) -> list[Rival]:
        usual = [expression_id(parse(name)) for name in RIVALS]
        return list(
            choose_rivals(
                wanted.against,
                tuner=self._tuner(wanted),
                tasks=tasks,
                steps=steps,
                without=[*finalists, *usual],
                runs_dir=self._folder.parent,
            )
        )

    def _tuner(self, wanted: FinalsSettings) -> Tuner:
        return Tuner(
            self._journal,
            lambda task: self._started(Workload(task)),
            self.campaign.stopping,
            wanted.tuning_seeds,
            wanted.meeting_seeds,
            self.campaign.site.announce,
        )

    def _timekeeper(self) -> Timekeeper:
        """With one worker, so that the functions don't disturb each other."""
        return Timekeeper(
            self._journal,
            lambda task: self._started(Workload(task), at_most=1),
            self.campaign.stopping,
        )

    @property
    def _journal(self) -> Journal:
        return self.campaign.journal

    @property
    def _folder(self) -> Path:
        return self.campaign.folder

    def _open_executor(self, stage: Stage, split: Split) -> AbstractContextManager[Executor]:
        # Each stage has states of its own: none pushes another's out before the test data are
        # scored with them.
        states = self._folder / _STATES / stage.task
        return self._started(Workload(stage.trained, states_folder=states, split=split))

    def _started(
        self, workload: Workload, *, at_most: int | None = None
    ) -> AbstractContextManager[Executor]:
        finals = self.settings.finals or FinalsSettings()
        limits = {"timeout_seconds": finals.timeout_seconds}
        scoring = self.settings.scoring.model_copy(update=limits)
        return self.campaign.site.start(workload, scoring, at_most=at_most)

    def _on_progress(self, task: str, done: int, total: int) -> None:
        for observer in self.observers:
            observer.on_finals(task, done, total)


def _discovered(ranked: Sequence[Standing]) -> list[str]:
    """Ids of what the search has found, best first."""
    return [each.candidate.id for each in ranked if each.candidate.origin == "discovered"]
