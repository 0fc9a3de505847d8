"""Says what became of a search that scored no function of its own, and what to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from evaluators.evaluation.evaluation import Evaluation, Outcome
from search.history import History

_UNTRAINED: Final = "were not trained"
_REJECTED: Final = "were rejected before any training"
_DIVERGED: Final = "diverged: their loss was not finite"

_CHANGES: Final = {
    _UNTRAINED: "grant the search more, such as --set stop.minutes=10, and launch it again: it "
    "goes on",
    _REJECTED: "take a grammar that can write more than constants and straight lines (`actsearch "
    "grammar list`), or a larger search.population",
    _DIVERGED: "take a grammar without what grows fast, such as exp, square and pow",
}
# What a reason of a failure begins with; each is about one setting.
_FAILURES: Final = {
    ("it took longer than", "it did not end in time"): "grant each function more time with --set "
    "scoring.timeout_seconds=600, or fewer steps in scoring.rungs",
    ("it needs more than",): "grant each worker more memory with --set scoring.memory_gib=8, or "
    "compile fewer functions together with a smaller scoring.batch",
}
_ANEW: Final = (
    "what failed stays failed in this campaign; give it another name: --set name={name}-2"
)


def has_found(history: History) -> bool:
    """Whether a search has scored a function of its own."""
    records = history.candidates.values()
    return any(not record.is_baseline and record.highest is not None for record in records)


def explain_unscored(history: History) -> str:
    """What happened to how many functions of a search, and what its user may change.

    Args:
        history: Of a campaign that has scored no function of its own.
    """
    latest = {
        key: record.rungs[-1].evaluation if record.rungs else None
        for key, record in history.candidates.items()
    }
    baselines = [key for key, record in history.candidates.items() if record.is_baseline]
    own = [key for key, record in history.candidates.items() if not record.is_baseline]
    lines = [
        "The search has scored no function of its own"
        + (f", and ended: {history.endings[-1]}." if history.endings else " yet."),
        *_counted(baselines, latest, of="baselines"),
        *_counted(own, latest, of="of its functions"),
    ]
    causes = [_became(latest[identity]) for identity in own or baselines]
    changes = dict.fromkeys(_change(cause) for cause, _ in Counter(causes).most_common())
    if any(each is not None and each.outcome is Outcome.FAILED for each in latest.values()):
        changes[_ANEW.format(name=history.name)] = None
    changes.pop("", None)
    if changes:
        lines += ["What to change:", *(f"  {change}" for change in changes)]
    return "\n".join(lines)


def _counted(
    identities: Iterable[str], latest: Mapping[str, Evaluation | None], *, of: str
) -> list[str]:
    counts = Counter(_became(latest[identity]) for identity in identities)
    return [f"  {count} {of} {became}" for became, count in counts.most_common()]


def _became(evaluation: Evaluation | None) -> str:
    """What became of a function, in words that follow its name."""
    if evaluation is None:
        return _UNTRAINED
    match evaluation.outcome:
        case Outcome.SCORED:
            return "are scored"
        case Outcome.REJECTED:
            return _REJECTED
        case Outcome.DIVERGED:
            return _DIVERGED
        case Outcome.FAILED:
            return f"failed: {evaluation.reason}"


def _change(became: str) -> str:
    """What helps; "" where nothing is known to."""
    reason = became.removeprefix("failed: ")
    for beginnings, change in _FAILURES.items():
        if reason.startswith(beginnings):
            return change
    return _CHANGES.get(became, "")
