"""Whether the fitness of the shipped campaign can be fooled: by scale, by early speed, by one task.

    python -m tests.benchmarks.fairness [--parts scale order travel cost] [--workers 1]

Each part adds its figures to `runs/fairness.json` as soon as it is done. What is compared with is
the fitness of before: one task, one run of 800 steps at a constant rate of 0.001.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from scipy.stats import rankdata, spearmanr

from evaluators.evaluation.evaluation import Evaluation
from evaluators.evaluation.fidelity import Fidelity
from evaluators.tasks import Task, find_task, is_known_by_name, task_known_by_name
from grammars import BASELINES, Expression, load_grammar, parse
from search.appraisal import Appraiser, courses_of
from search.executors import Executor, Workload
from search.executors.site import Site
from search.journal.journal import FILE_NAME, Journal
from search.settings import ScoringSettings
from search.trials.protocol import draw_functions, published

from .strategies import STEPS, TASK, score_on, search

OUTPUT: Final = Path("runs/fairness.json")
# The chains of runs/campaigns/mnist.toml, at its rates.
TASKS: Final = ("mnist1d-large-mlp", "mnist-mlp", "mnist-deep")
RATES: Final = (0.001, 0.002, 0.004, 0.008, 0.016)
ELSEWHERE: Final = ("fashion-mlp", "digits-mlp", "mnist-cnn")
STEPS_ELSEWHERE: Final = (800, 400, 100)

PLAIN: Final = "gelu(x)"
SCALED: Final = ("2 * gelu(x)", "gelu(2 * x)", "0.5 * gelu(x)", "gelu(0.5 * x)")
# Found by a search at one rate, and what leads there.
FOOLING: Final = ("cos(x)", "(tanh(x) + 1.19) * x")

Scores = np.ndarray
"""Minus the log validation loss [functions, seeds]; minus infinity where training diverged."""


def main() -> None:
    """Measures the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts: dict[str, Callable[[Site, argparse.Namespace], Any]] = {
        "scale": lambda site, told: scale(site),
        "order": lambda site, told: order(site, tasks=told.tasks, steps=told.steps),
        "travel": lambda site, told: travel(site, count=told.functions),
        "cost": lambda site, told: cost(site),
    }
    parser.add_argument("--parts", nargs="+", default=list(parts), choices=list(parts))
    parser.add_argument("--tasks", nargs="+", default=TASKS, help="of the part order")
    parser.add_argument("--steps", type=int, default=800, help="of the part order")
    parser.add_argument("--functions", type=int, default=200, help="of the part travel")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    told = parser.parse_args()
    for part in told.parts:
        found = parts[part](Site(workers=told.workers), told)
        known = json.loads(told.output.read_text()) if told.output.exists() else {}
        told.output.parent.mkdir(parents=True, exist_ok=True)
        told.output.write_text(json.dumps({**known, part: found}, indent=1) + "\n")
        print(part, json.dumps(found["figures"]), flush=True)


def scale(site: Site, *, steps: int = 1600, seeds: Sequence[int] = range(900, 908)) -> Any:
    """How much scaled GELUs differ from GELU: at own rates after a decay, and at one rate."""
    functions = [parse(text) for text in (PLAIN, *SCALED)]
    rows = []
    for name in TASKS:
        with working(site, find_task(name)) as executor:
            by_rate = [
                scores_of(executor, functions, Fidelity(steps, tuple(seeds), r)) for r in RATES
            ]
        with working(site, as_before(name)) as executor:
            before = scores_of(executor, functions, Fidelity(steps, tuple(seeds)))
        means = np.array([scores.mean(axis=1) for scores in by_rate])
        best = np.array([by_rate[number][f] for f, number in enumerate(means.argmax(axis=0))])
        for text, now, then in zip(SCALED, best[1:], before[1:], strict=True):
            rows.append(
                {
                    "task": name,
                    "function": text,
                    "now": (now - best[0]).tolist(),
                    "before": (then - before[0]).tolist(),
                }
            )
    now = np.array([np.mean(row["now"]) for row in rows])
    before = np.array([np.mean(row["before"]) for row in rows])
    ratio, interval = _bootstrapped(
        lambda some: np.abs(now[some]).mean() / np.abs(before[some]).mean(), len(rows)
    )
    figures = {
        "mean_absolute_now": float(np.abs(now).mean()),
        "mean_absolute_before": float(np.abs(before).mean()),
        "ratio": ratio,
        "interval": interval,
    }
    return {"figures": figures, "steps": steps, "seeds": list(seeds), "rows": rows}


def order(site: Site, *, tasks: Sequence[str] = TASKS, steps: int = 800, count: int = 40) -> Any:
    """The order of the catalogue by each fitness, beside that at 4 times the steps and 5 rates.

    Two seeds each, and beside them what one of the two would have said. Also, what a first rung on
    each choice of the tasks would know: half the steps, one seed at the recipe's rate.
    """
    names = [*list(published())[:count], *FOOLING]
    functions = [parse(name) for name in names]
    cheap, dear = (0, 1), (900, 901)
    by_task: dict[str, dict[str, Any]] = {}
    for name in tasks:
        with working(site, find_task(name)) as executor:

            def tried(seeds: tuple[int, ...], steps: int, executor: Executor = executor) -> Scores:
                rates = [scores_of(executor, functions, Fidelity(steps, seeds, r)) for r in RATES]
                return np.array(rates)

            now, truth = tried(cheap, steps), tried(dear, 4 * steps)
            first = scores_of(
                executor,
                functions,
                Fidelity(steps // 2, cheap[:1], find_task(name).recipe.learning_rate),
            )
        with working(site, as_before(name)) as executor:
            before = scores_of(executor, functions, Fidelity(steps, cheap))
        rate = RATES.index(find_task(name).recipe.learning_rate)
        by_task[name] = {
            "own_rates": _finite(now.mean(axis=2).max(axis=0)),
            "one_seed": _finite(now[:, :, 0].max(axis=0)),
            "one_rate": _finite(now[rate].mean(axis=1)),
            "before": _finite(before.mean(axis=1)),
            "first_rung": _finite(first[:, 0]),
            "truth": _finite(truth.mean(axis=2).max(axis=0)),
        }
    spearman = {
        name: {
            what: _correlation(columns[what][:count], columns["truth"][:count])
            for what in ("own_rates", "one_seed", "one_rate", "before")
        }
        for name, columns in by_task.items()
    }
    together = {
        what: np.mean([_standardised(c[what][:count]) for c in by_task.values()], axis=0)
        for what in ("own_rates", "one_seed", "one_rate", "truth")
    }
    figures = {
        "spearman": spearman,
        "aggregate": {
            **{
                what: _correlation(together[what], together["truth"])
                for what in ("own_rates", "one_seed", "one_rate")
            },
            "before_on_mnist_mlp": _correlation(
                by_task["mnist-mlp"]["before"][:count], together["truth"]
            ),
        },
        "ranks_on_mnist_mlp": {
            text: {
                what: int(rankdata([-s for s in by_task["mnist-mlp"][what]])[count + number])
                for what in ("own_rates", "one_rate", "before", "truth")
            }
            for number, text in enumerate(FOOLING)
        },
        "first_rung": _first_rungs(by_task),
    }
    return {"figures": figures, "steps": steps, "functions": names, "scores": by_task}


def _first_rungs(by_task: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, Any]:
    """Of each choice of tasks: how its short runs order functions by the mean of all long ones.

    The mean is of log losses as they are, as in finals; by it the best 20 are a list of their own.
    """

    def mean(tasks: Sequence[str], what: str) -> np.ndarray:
        found: np.ndarray = np.mean([by_task[task][what] for task in tasks], axis=0)
        return found

    truth = mean(list(by_task), "truth")
    best = np.argsort(-truth)[:20]
    choices = [c for n in range(1, len(by_task) + 1) for c in combinations(by_task, n)]
    known = {choice: mean(choice, "first_rung") for choice in choices}
    return {
        " + ".join(choice): {
            "all": _correlation(short, truth),
            "best": _correlation(short[best], truth[best]),
        }
        for choice, short in known.items()
    }


def travel(site: Site, *, count: int = 200, steps: int = 800) -> Any:
    """What each fitness says of the mean rank on tasks that it does not contain."""
    functions = _searched(count)
    appraised = _appraised(site, functions, steps=steps)
    now = _finite([-np.inf if each.score is None else each.score for each in appraised])
    with working(site, as_before("mnist-mlp")) as executor:
        before = _finite(scores_of(executor, functions, Fidelity(steps, (0,)))[:, 0])
    ranks = []
    for name, long in zip(ELSEWHERE, STEPS_ELSEWHERE, strict=True):
        task = find_task(name)
        rates = [task.recipe.learning_rate * factor for factor in (0.5, 1.0, 2.0)]
        with working(site, task) as executor:
            tried = [scores_of(executor, functions, Fidelity(long, (900,), r))[:, 0] for r in rates]
        ranks.append(rankdata(_finite(np.max(tried, axis=0))))
    truth = np.mean(ranks, axis=0)

    def gain(some: np.ndarray) -> float:
        new, old = (spearmanr(np.array(s)[some], truth[some]).statistic for s in (now, before))
        return float(new - old)

    difference, interval = _bootstrapped(gain, len(functions))
    figures = {
        "aggregate": _correlation(now, truth),
        "before": _correlation(before, truth),
        "difference": difference,
        "interval": interval,
    }
    texts = [str(function) for function in functions]
    return {
        "figures": figures,
        "steps": steps,
        "rows": [
            {
                "function": text,
                "aggregate": now[number],
                "by_task": _by_task(appraised[number]),
                "before": before[number],
                "mean_rank": float(truth[number]),
                "ranks": {
                    name: float(rank[number]) for name, rank in zip(ELSEWHERE, ranks, strict=True)
                },
            }
            for number, text in enumerate(texts)
        ],
    }


def cost(site: Site, *, count: int = 64, factor: float = 2.5) -> Any:
    """Seconds of the first two rungs on several tasks and rates, over one run on mnist-mlp."""
    functions = draw_functions(load_grammar("core"), count, seed=5)[-count:]
    rungs = [
        {"tasks": ["mnist1d-large-mlp"], "steps": 400},
        {"tasks": ["mnist1d-large-mlp", "mnist-mlp"], "steps": 400},
    ]
    names = (*TASKS, "fashion-mlp", "mnist-cnn")
    scoring = ScoringSettings.model_validate(
        {"tasks": names, "learning_rates": RATES[1:4], "rungs": rungs}
    )
    tasks = [find_task(name) for name in names]
    with _appraising(site, tasks, scoring) as appraiser:
        for rung in range(2):
            appraiser.measure_by([parse(name) for name in BASELINES], rung)
        begun = time.perf_counter()
        (first,) = appraiser.evaluate(functions, 0)
        ranked = sorted(zip(functions, first, strict=True), key=lambda pair: -(pair[1].score or -9))
        climbing = [function for function, _ in ranked[: round(count / factor)]]
        list(appraiser.evaluate(climbing, 1))
        fair = time.perf_counter() - begun
    with working(site, find_task("mnist-mlp")) as executor:
        scores_of(executor, [parse("relu")], Fidelity(1, (0,)))
        begun = time.perf_counter()
        scores_of(executor, functions, Fidelity(400, (0,)))
        plain = time.perf_counter() - begun
    return {"figures": {"seconds": fair, "seconds_plain": plain, "ratio": fair / plain}}


def _searched(count: int) -> list[Expression]:
    """The last functions that a search has scored."""
    scores: dict[Expression, float] = {}
    score = score_on(TASK, steps=STEPS)

    def watched(activation: Any) -> float | None:
        if (achieved := score(activation)) is not None:
            scores[activation] = achieved
        return achieved

    search("genetic", seed=1, budget=2 * count, grammar=load_grammar("core"), score=watched)
    return list(scores)[-count:]


def _appraised(site: Site, functions: Sequence[Expression], *, steps: int) -> list[Evaluation]:
    """What they come to on one rung, as a campaign computes it."""
    scoring = ScoringSettings.model_validate(
        {"tasks": TASKS, "learning_rates": RATES, "rungs": [{"steps": steps}]}
    )
    with _appraising(site, [find_task(name) for name in TASKS], scoring) as appraiser:
        appraiser.measure_by([parse(name) for name in BASELINES], 0)
        return [each for batch in appraiser.evaluate(functions, 0) for each in batch]


def _by_task(evaluation: Evaluation) -> dict[str, dict[str, float | None]]:
    """Advantages, and the scores that they were made of: a cut advantage tells no order."""
    tasks = evaluation.over_tasks.tasks if evaluation.over_tasks else ()
    return {each.task: {"advantage": each.advantage, "score": each.score} for each in tasks}


@contextmanager
def _appraising(site: Site, tasks: Sequence[Task], scoring: ScoringSettings) -> Iterator[Appraiser]:
    with (
        working(site, *tasks) as executor,
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder) / FILE_NAME) as journal,
    ):
        benches = Workload(tasks[0], others=tuple(tasks[1:])).benches
        yield Appraiser(
            journal,
            executor,
            courses_of(scoring, benches),
            aggregate=scoring.aggregate,
            stopping=threading.Event(),
        )


@contextmanager
def working(
    site: Site, *tasks: Task, split: Literal["validation", "test"] = "validation"
) -> Iterator[Executor]:
    """Workers that train on tasks, score on a split, and go on from shorter runs."""
    loaded = [task.on(site.load(task.data)) for task in tasks]
    with tempfile.TemporaryDirectory() as states:
        workload = Workload(
            loaded[0], others=tuple(loaded[1:]), states_folder=Path(states), split=split
        )
        with site.start(workload, ScoringSettings(batch=64, timeout_seconds=900.0)) as executor:
            yield executor


def as_before(name: str) -> Task:
    """A task under the recipes of before; one that is newer at their constant rate."""
    if is_known_by_name(name):
        return task_known_by_name(name)
    task = find_task(name)
    return replace(task, recipe=replace(task.recipe, schedule="constant", learning_rate=0.001))


def scores_of(executor: Executor, functions: Sequence[Expression], fidelity: Fidelity) -> Scores:
    batches = executor.evaluate(functions, fidelity, stopping=threading.Event())
    nothing = [-np.inf] * len(fidelity.seeds)
    found = [
        [seed.score for seed in each.per_seed] or nothing for batch in batches for each in batch
    ]
    return np.array(found)


def _finite(scores: Any) -> list[float]:
    """What diverged shares a place below all others."""
    array = np.asarray(scores, np.float64)
    known = np.isfinite(array)
    return np.where(known, array, array[known].min() - 1.0).tolist()


def _standardised(scores: Sequence[float]) -> np.ndarray:
    """In spreads from the best, cut off so that one failure does not outweigh all else."""
    array = np.asarray(scores)
    low, high = np.quantile(array, (0.25, 0.75))
    cut: np.ndarray = np.maximum((array - array.max()) / (high - low) * 1.349, -6.0)
    return cut


def _correlation(one: Any, other: Any) -> float:
    return float(spearmanr(one, other).statistic)


def _bootstrapped(figure: Any, count: int, *, draws: int = 2000) -> tuple[float, list[float]]:
    """A figure over all rows, and its 95 % interval by drawing rows with replacement."""
    random = np.random.default_rng(0)
    drawn = [figure(random.integers(0, count, count)) for _ in range(draws)]
    return float(figure(np.arange(count))), np.quantile(drawn, (0.025, 0.975)).tolist()


if __name__ == "__main__":
    main()
