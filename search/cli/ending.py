"""What a launch ends with: what was found, how sure that is, and what to do next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from search.cli.leaderboard import print_leaderboard
from search.cli.options import wide_console
from search.texts.commands import command

if TYPE_CHECKING:
    from pathlib import Path

    from search.finals import Finals
    from search.history import History
    from search.launching.launch import Launch
    from search.library.campaign import Campaign
    from search.settings import Settings
    from search.standings.leaderboard import LeaderboardRow


def print_ending(campaign: Campaign, result: Launch) -> None:
    """The tables, then a summary in sentences, then commands that lead on."""
    from search.cli.finals import print_finals
    from search.finals import finals_in
    from search.history import read_history
    from search.history.unscored import has_found
    from search.journal.journal import FILE_NAME, Journal
    from search.standings.leaderboard import leaderboard
    from search.standings.verdict import verdict
    from search.tracking import destination_of_campaign

    settings, folder = campaign.settings, campaign.folder
    with Journal(folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    rows, finals = leaderboard(history, top=10, baselines=True), finals_in(history)
    print_leaderboard(rows, history, name=settings.name)
    if finals is not None:
        print_finals(finals, title=settings.name)
    sentences = [f"The campaign ended: {result.reason}.", f"In {folder} are {_listed(folder)}."]
    if settings.tracking.mlflow:
        sentences.append(f"The MLflow store is {destination_of_campaign(folder).shown}.")
    print()
    _print(sentences)
    print()
    if not has_found(history):
        print(verdict(history))
        return
    _print([_best(rows), verdict(history, ""), *_accuracies(finals)])
    if result.interrupted:
        return
    print()
    for line, purpose in _next(settings, history, finals, campaign.site.runs_dir):
        # A command stays on one line, to be copied.
        print(f"  {line}\n      {purpose}")


def _print(sentences: list[str]) -> None:
    console = wide_console()
    for sentence in sentences:
        console.print(sentence, highlight=False)


def _best(rows: list[LeaderboardRow]) -> str:
    """What the best discovered function is, in a sentence."""
    from grammars import parse_activation
    from search.candidates.novelty import novelty

    best = next(row for row in rows if row.origin == "discovered")
    return (
        f"The best discovered is {best.expression}: {novelty(parse_activation(best.expression))}."
    )


def _accuracies(finals: Finals | None) -> list[str]:
    """How much the leader and its rivals get right, where one task is what is claimed."""
    if finals is None or finals.leader is None or len(finals.plan.own) > 1:
        return []
    percent = {row.entrant.key: row.mean_percent for row in finals.own.rows}
    leads = percent[finals.leader.key]
    rivals = [
        f"{finals.plan.titles[rival]} {share:.2f} %"
        for rival in finals.plan.rivals
        if (share := percent.get(rival)) is not None
    ]
    if leads is None or not rivals:
        return []
    after = f"after {finals.own.stage.steps:,} steps"
    return [f"Its test accuracy {after} is {leads:.2f} %, beside {', '.join(rivals)}."]


def _next(
    settings: Settings, history: History, finals: Finals | None, runs_dir: Path
) -> Iterator[tuple[str, str]]:
    """Commands that are worth typing now, and what each does."""
    from search.standings.verdict import is_ahead

    name, ahead = settings.name, is_ahead(history)
    if finals is None:
        holding = command("finals", name, runs_dir=runs_dir)
        yield holding, "tests it on fresh seeds and on data that nothing has seen"
    else:
        again = command("replicate", name, "--seeds", "3", runs_dir=runs_dir)
        yield again, "searches from two further seeds: does it happen again?"
    if ahead:
        target = ("--to", "jax", "--output", "activation.py")
        exporting = command("export", name, *target, runs_dir=runs_dir)
        yield exporting, "writes it for your code, checked in value and gradient"
    elif finals is None:
        longer = f"stop.generations={2 * settings.stop.generations}"
        yield shlex.join(["actsearch", *sys.argv[1:], "--set", longer]), "searches on"
    if settings.tracking.mlflow:
        yield command("dashboard", runs_dir=runs_dir), "shows every training, in MLflow"


def _listed(folder: Path) -> str:
    """The files of a campaign that are there, in words."""
    from evaluators.statistics.comparison import listed
    from search.candidates.hall_of_fame import FILE_NAME as HALL_OF_FAME
    from search.launching.launch import FRONT_PICTURE

    kept = {HALL_OF_FAME: "hall of fame", FRONT_PICTURE: "Pareto front (front.png)"}
    present = [words for file, words in kept.items() if (folder / file).is_file()]
    return listed(["its journal", "settings", *present])
