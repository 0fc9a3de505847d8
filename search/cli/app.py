"""The verbs of the command line, and how it ends.

Exit status: 0 done, 2 for what the user got wrong, 1 for what we got wrong, 130 after Ctrl-C.
"""

from __future__ import annotations

import gc
import io
import os
import sys
import traceback
from typing import Annotated, Final, NoReturn

import typer

from search.cli import (
    atlas,
    calibration,
    campaigns,
    candidates,
    comparing,
    curves,
    dashboard,
    data,
    evaluation,
    export,
    finals,
    language,
    leaderboard,
    plotting,
    replicating,
    report,
    starting,
    tasks,
)
from search.cli.options import INTERRUPTED
from search.cli.streams import lasting_streams

INPUT_ERROR: Final = 2
OWN_ERROR: Final = 1
_ALLOCATIONS_A_COLLECTION: Final = 200_000

app = typer.Typer(
    name="actsearch",
    help="Automated discovery of activation functions: evolve, train, compare, export.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init", short_help="Write a campaign file to start from.")(starting.init_command)
app.command("launch", short_help="Run a campaign, or go on with it.")(campaigns.launch_command)
app.command("replicate", short_help="Run a campaign from several seeds; one verdict for all.")(
    replicating.replicate_command
)
app.command("campaigns", short_help="List campaigns: launched ones, and shipped ones.")(
    starting.campaigns_command
)
app.command("leaderboard", short_help="Show what a campaign has found, best first.")(
    leaderboard.leaderboard_command
)
app.command("candidates", short_help="List all candidates, and what became of them.")(
    candidates.candidates_command
)
app.command("compare", short_help="Compare campaigns: settings, scores, functions.")(
    comparing.compare_command
)
app.command("atlas", short_help="Show the best of all campaigns, task by task.")(
    atlas.atlas_command
)
app.command("finals", short_help="Hold finals, or show what they came to.")(finals.finals_command)
app.command("tasks", short_help="List the tasks, or show some of them whole.")(tasks.tasks_command)
app.command("strategies", short_help="List the search strategies.")(starting.strategies_command)
app.command("evaluate", short_help="Train functions on a task, and score them.")(
    evaluation.evaluate_command
)
app.command("calibrate", short_help="Measure what a task's short runs are worth.")(
    calibration.calibrate_command
)
app.command("curves", short_help="Make, judge and show learning curves for forecasts.")(
    curves.curves_command
)
app.command("describe", short_help="Tell everything that is known of a function.")(
    language.describe_command
)
app.command("plot", short_help="Draw functions and their derivatives.")(plotting.plot_command)
app.command("export", short_help="Write a function for other frameworks, verified.")(
    export.export_command
)
app.command("report", short_help="Write a campaign's report as a web page.")(report.report_command)
app.command("record", short_help="Keep a campaign as a small folder for a repository.")(
    report.record_command
)
app.command("dashboard", short_help="Open the campaigns in MLflow.")(dashboard.dashboard_command)
app.command("sync", short_help="Write a campaign's journal to MLflow anew.")(dashboard.sync_command)

grammar_app = typer.Typer(help="Grammars: what a search may write.", no_args_is_help=True)
grammar_app.command("list", short_help="List the grammars.")(language.grammar_list_command)
grammar_app.command("show", short_help="Show a grammar whole.")(language.grammar_show_command)
app.add_typer(grammar_app, name="grammar")

data_app = typer.Typer(help="Data sets.", no_args_is_help=True)
data_app.command("prepare", short_help="Fetch a data set, or read its raw files.")(
    data.prepare_command
)
app.add_typer(data_app, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"actsearch {version('actsearch')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version, and end."
        ),
    ] = False,
) -> None:
    """Automated discovery of activation functions: evolve, train, compare, export."""


def main() -> NoReturn:
    """Runs the command and ends the process."""
    # Most of what a command makes lives to its end; looking for cycles among ten thousands of
    # records, over and over, would take a fifth of its time.
    gc.set_threshold(_ALLOCATIONS_A_COLLECTION)
    _print_whatever_comes()
    if sys.platform == "win32":
        sys.exit("actsearch: it runs on Linux and macOS; on Windows, install it in WSL")
    with lasting_streams():
        try:
            app()
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except Exception as error:
            sys.exit(_report(error))
        finally:
            gc.freeze()  # the end of a process would look for cycles among all of it once more
    sys.exit(0)


def _print_whatever_comes() -> None:
    """Lets no character end a command: a path may hold bytes that are no text."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _report(error: Exception) -> int:
    """Says on standard error what went wrong; returns the exit status."""
    from search.cli.mistakes import explain

    explanation = explain(error)
    if explanation is not None:
        print(f"actsearch: {explanation}", file=sys.stderr)
        return INPUT_ERROR
    if os.environ.get("ACTSEARCH_TRACEBACK"):
        traceback.print_exception(error)
    print(
        f"actsearch: internal error: {type(error).__name__}: {error}\n"
        "This is our fault, not yours; nothing recorded is lost. ACTSEARCH_TRACEBACK=1 shows where "
        "it happened: please report that.",
        file=sys.stderr,
    )
    return OWN_ERROR
