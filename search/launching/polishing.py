"""Polishes the best of a search that has ended, with workers of its own."""

from __future__ import annotations

import threading

from evaluators.evaluator import Bench
from grammars import BASELINES, Grammar, parse
from search.appraisal import Appraiser, courses_of
from search.candidates.hall_of_fame import HallOfFame
from search.executors import Executor, Interrupted
from search.history import read_history
from search.journal.journal import Journal
from search.launching.open_campaign import OpenCampaign
from search.launching.preparing import Prepared
from search.polishing import Evaluate, Polisher, Trials
from search.settings import Settings
from search.standings.leaderboard import standings


def polish(prepared: Prepared, campaign: OpenCampaign, hall_of_fame: HallOfFame) -> bool:
    """Tunes and simplifies the best, and has what came of them enter the hall of fame.

    It is bounded by its number of trainings, and takes nothing off the minutes of the search.

    Args:
        prepared: The campaign, with a section `[polish]`.
        campaign: Open for writing; its search has ended.
        hall_of_fame: Of the search.

    Returns:
        False if it was interrupted; launched again, it goes on.
    """
    settings, workload = prepared.settings, prepared.workload(campaign.folder)
    with campaign.site.start(workload, settings.scoring) as executor:
        polisher = polisher_of(
            settings,
            grammar=prepared.grammar,
            benches=workload.benches[: len(settings.search_tasks)],
            journal=campaign.journal,
            executor=executor,
            stopping=campaign.stopping,
        )
        try:
            polisher.run(campaign.site.announce)
        except Interrupted:
            return False
    _enter(hall_of_fame, campaign)
    return True


def polisher_of(
    settings: Settings,
    *,
    grammar: Grammar,
    benches: tuple[Bench, ...],
    journal: Journal,
    executor: Executor,
    stopping: threading.Event,
) -> Polisher:
    """Connects a polisher with whatever trains as the last rung of a campaign does.

    Args:
        settings: The campaign's, with a section `[polish]`.
        grammar: What may be written.
        benches: Of the tasks of the search.
        journal: Of the campaign.
        executor: Does the training.
        stopping: Ends it after the running batches.
    """
    rung = len(settings.scoring.rungs) - 1
    evaluate = _evaluate(settings, benches, journal, executor, stopping)
    trials = Trials(journal, evaluate, rung=rung)
    return Polisher(settings, grammar=grammar, bench=benches[0], journal=journal, trials=trials)


def _evaluate(
    settings: Settings,
    benches: tuple[Bench, ...],
    journal: Journal,
    executor: Executor,
    stopping: threading.Event,
) -> Evaluate:
    scoring = settings.scoring
    if not scoring.is_appraised:
        return lambda functions, rung: executor.evaluate(
            functions, scoring.fidelities[rung], stopping=stopping
        )
    appraiser = Appraiser(
        journal,
        executor,
        courses_of(scoring, benches),
        aggregate=scoring.aggregate,
        stopping=stopping,
    )
    # Settled by the search, unless that has never come to the last rung.
    appraiser.measure_by([parse(name) for name in BASELINES], len(scoring.rungs) - 1)
    return appraiser.evaluate


def _enter(hall_of_fame: HallOfFame, campaign: OpenCampaign) -> None:
    """Beside what the search has found."""
    found = standings(read_history(campaign.journal))
    # All of it: a search whose time was over before this launch has said nothing of the others.
    hall_of_fame.add(each for each in found if each.candidate.origin == "discovered")
    hall_of_fame.look_up_novelty(stopping=campaign.stopping)
    hall_of_fame.write(campaign.folder)
