"""Time to a discovery: how long until a search leads with what is fairly better than GELU.

    python -m tests.benchmarks.discovery [--seeds 5] [--minutes 30] [--workers 2]

Four ways get the same wall time, one after the other: campaigns as `runs/campaigns/mnist.toml` is
one, by three strategies, and a loop as a user would write it with DEAP and JAX. What each of them
led with, and when, is then scored anew: each function at its own learning rate, after a decay, on
all tasks of the campaign, with seeds that nothing has met. Every search and every score is in the
output as soon as it is there, and is not made again: so it may be run in several sittings. The
campaigns stay in a folder beside the output, for whoever asks why they led with what they did.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from actsearch import Campaign
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import find_task
from grammars import Expression, parse
from search.appraisal.rates import best_rate, wanted_rates
from search.executors import Executor
from search.executors.site import Site
from search.history import read_history
from search.journal.journal import FILE_NAME, Journal
from search.settings.shipped import campaign_path
from search.trials.protocol import published

from .fairness import scores_of, working
from .strategies import GUESSING

OUTPUT: Final = Path("runs/discovery.json")
WAYS: Final = ("surrogate", "genetic", "random", "plain")
GELU: Final = "gelu(x)"
# Settings of one strategy, and what comes after the search.
_OF_MODEL: Final = ("brood", "optimism", "learn_from")
_AFTERWARDS: Final = ("polish", "finals", "watch")

# Shares of the minutes, after which it is asked what leads.
CHECKPOINTS: Final = (1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1.0)
STEPS: Final = 1600
# Of the recipe's.
RATES: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
RATE_SEEDS: Final = (800,)
FRESH_SEEDS: Final = tuple(range(900, 908))
# So many of the catalogue are scored in full, since any of them may be its best.
_NEAREST: Final = 3
_AT_ONCE: Final = 16

_OnTask = Callable[[Executor, Sequence[Expression], float], list[float]]
"""Scores functions on a task, given the learning rate of its recipe."""


@dataclass(frozen=True)
class Led:
    """From when on a search led with a function.

    Attributes:
        function: As text.
        minutes: Since the search began.
        trainings: Functions that had been trained by then.
    """

    function: str
    minutes: float
    trainings: int


def main() -> None:
    """Searches, scores, and writes figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    told = parser.parse_args()
    kept = _Kept(told.output)
    for seed in range(told.seeds):
        for way in told.ways:
            run = {"way": way, "seed": seed, "minutes": told.minutes}
            if not any(run.items() <= each.items() for each in kept.runs):
                folder = told.output.with_suffix("") / f"seed{seed}"
                site = Site(runs_dir=folder, workers=told.workers)
                led = at_checkpoints(_leaders(way, seed, told.minutes, site), told.minutes)
                kept.keep("runs", [*kept.runs, run | {"led": [asdict(each) for each in led]}])
                print(way, seed, led[-1] if led else "nothing", flush=True)
    _score_all(kept, Site(workers=told.workers))
    found = figures(kept.runs, kept.scores, kept.nearest or ())
    kept.keep("figures", found)
    for what, of_it in found.items():
        print(what, json.dumps(of_it), flush=True)


class _Kept:
    """The output, written whenever there is something new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._document: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Of each search: way, seed, minutes, and what it led with."""
        return list(self._document.get("runs", ()))

    @property
    def scores(self) -> dict[str, float]:
        """Fair ones by the function's text: minus the log loss, mean over tasks and seeds."""
        return dict(self._document.get("scores", {}))

    @property
    def nearest(self) -> list[str] | None:
        """Those of the catalogue that may be its best; None before they are known."""
        return self._document.get("nearest")

    def keep(self, name: str, what: Any) -> None:
        """Writes it down."""
        self._document[name] = what
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._document, indent=1) + "\n", encoding="utf-8")


def _leaders(way: str, seed: int, minutes: float, site: Site) -> list[Led]:
    """What a search has led with, one after the other."""
    if way == "plain":
        return _plain(seed, minutes=minutes)
    campaign = Campaign(_document(way, seed, minutes=minutes), site=site)
    if campaign.run(announce=lambda sentence: None, progress=False).interrupted:
        raise SystemExit("Stopped; the same command goes on.")
    with Journal(campaign.folder / FILE_NAME, read_only=True) as journal:
        history = read_history(journal)
    return [
        Led(
            str(history.candidates[record.summary.best_id].candidate.expression),
            record.seconds / 60.0,
            record.evaluations,
        )
        for record in history.generations
        if record.summary.best_id is not None
    ]


def at_checkpoints(led: Sequence[Led], minutes: float) -> list[Led]:
    """Those in force then, each once: to score every leader in full would take hours."""
    found = [
        next((each for each in reversed(led) if each.minutes <= share * minutes), None)
        for share in CHECKPOINTS
    ]
    # What a last batch brings counts, however late it is delivered.
    return list(dict.fromkeys(each for each in (*found, *led[-1:]) if each is not None))


def _shipped() -> dict[str, Any]:
    return tomllib.loads(campaign_path("mnist").read_text(encoding="utf-8"))


def _document(strategy: str, seed: int, *, minutes: float) -> dict[str, Any]:
    """The shipped campaign by another strategy, ended by time, with its search alone."""
    shipped = _shipped()
    kept = {name: value for name, value in shipped.items() if name not in _AFTERWARDS}
    # From nothing, as the plain loop begins.
    searching = {
        name: value
        for name, value in shipped["search"].items()
        if name != "start_from" and (strategy == "surrogate" or name not in _OF_MODEL)
    }
    return kept | {
        "name": strategy,
        "seed": seed,
        "search": searching | {"strategy": strategy},
        "stop": {"minutes": minutes},
        "tracking": {"mlflow": False},
    }


def _plain(seed: int, *, minutes: float) -> list[Led]:
    command = [sys.executable, "-m", "tests.benchmarks.plain_search", str(seed), str(minutes)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [Led(**json.loads(line)) for line in printed.splitlines()]


def _score_all(kept: _Kept, site: Site) -> None:
    """Scores GELU, the best of the catalogue, and whatever any search has led with."""
    catalogue = list(published())
    if kept.nearest is None:
        scores = _roughly(catalogue, site)
        kept.keep("nearest", sorted(catalogue, key=lambda text: -scores[text])[:_NEAREST])
    led = [each["function"] for run in kept.runs for each in run["led"]]
    wanted = dict.fromkeys([GELU, *(kept.nearest or ()), *led])
    missing = [text for text in wanted if text not in kept.scores]
    for first in range(0, len(missing), _AT_ONCE):
        some = missing[first : first + _AT_ONCE]
        kept.keep("scores", kept.scores | _fairly(some, site))


def _roughly(texts: Sequence[str], site: Site) -> dict[str, float]:
    """Scores from one training each, at the recipe's rate."""
    return _over_tasks(texts, site, _at_usual)


def _fairly(texts: Sequence[str], site: Site) -> dict[str, float]:
    return _over_tasks(texts, site, _at_own_rates)


def _over_tasks(texts: Sequence[str], site: Site, on_task: _OnTask) -> dict[str, float]:
    functions, by_task = [parse(text) for text in texts], []
    for name in _shipped()["scoring"]["tasks"]:
        task = find_task(name)
        with working(site, task) as executor:
            by_task.append(on_task(executor, functions, task.recipe.learning_rate))
    means = np.mean(by_task, axis=0)
    return dict(zip(texts, means.tolist(), strict=True))


def _at_usual(executor: Executor, functions: Sequence[Expression], usual: float) -> list[float]:
    return _learnt(executor, functions, Fidelity(STEPS, RATE_SEEDS, usual))


def _at_own_rates(executor: Executor, functions: Sequence[Expression], usual: float) -> list[float]:
    grid = [usual * factor for factor in RATES]
    tried: list[dict[float, float]] = [{} for _ in functions]
    wanted = {usual: list(range(len(functions)))}
    while wanted:
        for rate, numbers in wanted.items():
            some = [functions[number] for number in numbers]
            learnt = _learnt(executor, some, Fidelity(STEPS, RATE_SEEDS, rate))
            for number, score in zip(numbers, learnt, strict=True):
                tried[number][rate] = score
        wanted = wanted_rates(tried, grid)
    found = [0.0] * len(functions)
    own = [best_rate(each) for each in tried]
    for rate in sorted(set(own)):
        numbers = [number for number, each in enumerate(own) if each == rate]
        some = [functions[number] for number in numbers]
        learnt = _learnt(executor, some, Fidelity(STEPS, FRESH_SEEDS, rate))
        for number, score in zip(numbers, learnt, strict=True):
            found[number] = score
    return found


def _learnt(executor: Executor, functions: Sequence[Expression], fidelity: Fidelity) -> list[float]:
    """Means over seeds; a training that diverged has learnt nothing."""
    scores = scores_of(executor, functions, fidelity)
    means: list[float] = np.where(np.isfinite(scores), scores, GUESSING).mean(axis=1).tolist()
    return means


def figures(runs: Sequence[Any], scores: Mapping[str, float], nearest: Sequence[str]) -> Any:
    """Of each way: when it passed the rivals, and the fair score of what it ended with."""
    rivals = {"gelu": scores[GELU], "catalogue": max(scores[text] for text in nearest)}
    by_way: dict[str, dict[int, list[Any]]] = {}
    for run in runs:
        by_way.setdefault(run["way"], {})[run["seed"]] = run["led"]
    found: dict[str, Any] = {"rivals": rivals}
    for way, by_seed in by_way.items():
        ends = {seed: scores[led[-1]["function"]] for seed, led in by_seed.items() if led}
        passing = {
            rival: [_first_above(led, score, scores) for led in by_seed.values()]
            for rival, score in rivals.items()
        }
        found[way] = {
            "end": ends,
            **{
                f"{what}_to_{rival}": _middle([each[what] if each else None for each in first])
                for rival, first in passing.items()
                for what in ("minutes", "trainings")
            },
            **{
                f"passed_{rival}": f"{sum(each is not None for each in first)} of {len(first)}"
                for rival, first in passing.items()
            },
        }
    return found


def _first_above(led: Sequence[Any], score: float, scores: Mapping[str, float]) -> Any:
    return next((each for each in led if scores[each["function"]] > score), None)


def _middle(values: Sequence[float | None]) -> float | None:
    """The median, where what never happened counts as later than all else; None if it is that."""
    middle = median(math.inf if value is None else value for value in values)
    return middle if math.isfinite(middle) else None


if __name__ == "__main__":
    main()
