"""What the MLflow UI says at the head of a campaign, of its candidates and of each of them."""

from __future__ import annotations

from grammars import CATALOGUE, Activation, Layered
from grammars.analysis.relatives import known_as
from search.history import CandidateRecord, LaunchRecord
from search.texts.markdown import code, plain
from search.tracking import names
from search.tracking.curves import address


def describe_campaign(campaign: str, experiment: str, record: LaunchRecord) -> str:
    """The markdown that heads the campaign's run, in the experiment of that name."""
    dataset = record.dataset
    lines = [
        f"# {campaign}",
        "",
        record.settings.get("description") or "A search for activation functions.",
        "",
        f"Trained on **{dataset.name}** ({dataset.source}).",
    ]
    if fallback_for := dataset.fallback_for:
        lines += [
            "",
            f"> **Fallback**: {fallback_for} was unavailable; {dataset.name} was used instead.",
        ]
    lines += [
        "",
        f"* **Metrics** go by generation. {_score_words(record)}",
        f"* **`{names.RIVAL_PREFIX}relu`** and the like are the scores of published functions on "
        "the rung of the best so far: the lines that a search has to cross.",
        f"* **`{names.TABLE_JSON}`** holds every candidate, those that were rejected included.",
        f"* **`{names.candidates_experiment(experiment)}`** is the experiment that holds the "
        f"candidates as runs; sort it by `{names.FITNESS}`.",
        f"* **`{names.REPORT_PAGE}`** is the report, once it is written: what may be claimed, and "
        "everything behind it.",
        f"* **`{names.FUNCTIONS_PICTURE}`** shows the best function and its derivative.",
    ]
    return "\n".join(lines)


def describe_candidates(campaign: str) -> str:
    """The markdown that heads the experiment of the candidates."""
    return (
        f"The candidates of the campaign `{campaign}`, one run each; the baselines are among them "
        "and were scored under the same protocol. The step of a metric is the rung: a candidate "
        "on a higher rung was trained for longer, so compare fitness among equals in `rung`."
    )


def describe_candidate(record: CandidateRecord, launch: LaunchRecord, run_id: str) -> str:
    """The markdown of a candidate's run: its picture and its names; the UI lists figures below it.

    Args:
        record: The candidate.
        launch: Of its campaign.
        run_id: Of the campaign's run, which holds the picture.
    """
    last, fallback = record.rungs[-1].evaluation, launch.dataset.fallback_for
    sentences = (
        f"![f and f' beside ReLU in grey]({address(record, run_id)})",
        f"{str(last.outcome).capitalize()}: {plain(last.reason)}." if last.reason else "",
        f"Trained on {plain(launch.trained_on)}." if fallback else "",
        _published(record.candidate.canonical),
        f"Canonical form: {code(record.introduced.canonical)}",
    )
    # One paragraph, which the UI does not fold while it is short: the picture, the words beside it.
    return " ".join(filter(None, sentences))


def _score_words(record: LaunchRecord) -> str:
    scoring = record.settings.get("scoring") or {}
    if scoring.get("tasks") or scoring.get("learning_rates"):
        return (
            "A score is how far a function is ahead of the best baseline in log validation loss, "
            "in units of the spread between baselines: higher is better."
        )
    return (
        "A score is minus the mean log validation loss: higher is better, and 0.1 more means a "
        "loss about 10 % lower."
    )


def _published(form: Activation) -> str:
    if isinstance(form, Layered):
        return "It has a function for each layer."
    found = [f"**{name}** ({plain(CATALOGUE[name].source)})" for name in known_as(form)]
    return f"In the catalogue: {', '.join(found)}." if found else "Not in the catalogue."
