"""Holds the finals of a campaign in its folder, with workers of its own for each stage."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from evaluators.training.clock import awake_seconds
from search.candidates.racing import Standing
from search.executors import Executor, Interrupted, Workload
from search.finals import (
    FinalsError,
    Plan,
    Split,
    Stage,
    check_names,
    count_tried,
    hold,
    is_same,
    plan_finals,
    write_finals,
)
from search.history import History, part_of_finals, read_history
from search.history.unscored import explain_unscored, has_found
from search.history.work import Work
from search.journal.journal import Journal
from search.launching.identity import recorded_task, task_finder
from search.launching.open_campaign import OpenCampaign
from search.loop.observing import Observer
from search.settings import FinalsSettings, Settings, check_fresh
from search.standings.finalists import polished_first
from search.standings.leaderboard import standings

_STATES: Final = "finals-states"


@dataclass(frozen=True)
class Finishing:
    """What finals need of the campaign that they end.

    Attributes:
        campaign: Open for writing; finals stop as it does.
        settings: Of the campaign.
        observers: Are told how it goes.
    """

    campaign: OpenCampaign
    settings: Settings
    observers: Sequence[Observer]

    @property
    def last_plan(self) -> Plan | None:
        """Of the finals that were planned last, finished or not."""
        return read_history(self._journal).finals.last_plan

    def next_plan(self, wanted: FinalsSettings) -> Plan:
        """The last plan, if it is what is wanted, else a new one.

        Raises:
            FinalsError: If the search has scored no function of its own, or the seeds would be
                those of the search.
        """
        try:
            check_fresh(wanted, self.settings.scoring)
        except ValueError as error:
            raise FinalsError(str(error)) from None
        history = read_history(self._journal)
        if not has_found(history):
            raise FinalsError(explain_unscored(history))
        load = self.campaign.site.load
        task, last = recorded_task(history), history.finals.last_plan
        plan = plan_finals(
            wanted,
            number=1 if last is None else last.number + 1,
            standings=self._ranked(history),
            task=task,
            dataset=load(task.data),
            steps=self.settings.scoring.rungs[-1].steps,
            tried=count_tried(history),
            load=load,
            find=task_finder(history),
        )
        if last is not None and is_same(plan, last):
            return last
        check_names([*history.finals.plans.values(), plan])
        return plan

    def hold(self, plan: Plan) -> bool:
        """Holds finals, or goes on with them, and writes `finals.json` beside the journal.

        Args:
            plan: What to hold.

        Returns:
            False if they were interrupted; the same plan goes on later.
        """
        with Work(self._journal, part_of_finals(plan.number)) as work:
            watching = replace(self, observers=[*self.observers, work])
            try:
                finals = hold(
                    plan,
                    self._journal,
                    open_executor=self._open_executor,
                    stopping=self.campaign.stopping,
                    on_progress=watching._on_progress,
                    announce=self.campaign.site.announce,
                    clock=awake_seconds,
                )
            except Interrupted:
                return False
        write_finals(finals, self._folder)
        shutil.rmtree(self._folder / _STATES, ignore_errors=True)
        return True

    def _ranked(self, history: History) -> list[Standing]:
        """Best first; by the lead on watched tasks where the settings say so, as far as it goes."""
        ranked = polished_first(standings(history), history.polished)
        watch = self.settings.watch
        if watch is None or not watch.chooses_finalists:
            return ranked
        leads = {
            record.summary.best_id: record.summary.watched.lead
            for record in history.generations
            if record.summary.watched is not None
        }
        return sorted(ranked, key=lambda each: -leads.get(each.candidate.id, -math.inf))

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
        workload = Workload(stage.trained, states_folder=states, split=split)
        finals = self.settings.finals or FinalsSettings()
        limits = {"timeout_seconds": finals.timeout_seconds}
        scoring = self.settings.scoring.model_copy(update=limits)
        return self.campaign.site.start(workload, scoring)

    def _on_progress(self, task: str, done: int, total: int) -> None:
        for observer in self.observers:
            observer.on_finals(task, done, total)
