"""A written journal and an empty MLflow store, for the tests of what follows a campaign."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from evaluators.evaluation.evaluation import Evaluation, Outcome, SeedResult
from evaluators.evaluation.fidelity import Fidelity
from grammars import CATALOGUE, parse
from search.candidates.candidate import Candidate
from search.journal.journal import FILE_NAME, Journal, Kind
from search.settings import Settings

CHROMIUM = shutil.which("chromium")
CHROMEDRIVER = shutil.which("chromedriver")

JournalEvent = tuple[Kind, str, Mapping[str, Any]]

DISCOVERED = (
    "x * sigmoid(1.5 * x)",
    "max(x, tanh(x))",
    "sin(x) + relu(x)",
    "x * erf(x)",
    "cos(x) - x",
    "softplus(x) - 0.5",
)


def launch(name: str, *, fallback_for: str | None = None) -> JournalEvent:
    settings = Settings(name=name, description="A campaign written by a test.")
    payload = {
        "settings": settings.model_dump(mode="json"),
        "dataset": {
            "name": "digits",
            "source": "scikit-learn, embedded",
            "fallback_for": fallback_for,
        },
        "versions": {"actsearch": "0.1.0", "jax": "0.10.2"},
        "campaign_file": f'name = "{name}"\n',
    }
    return ("campaign", "settings", payload)


def evaluation(candidate: Candidate, *, rung: int, loss: float | None) -> JournalEvent:
    """A scored evaluation, or a rejected one where there is no loss."""
    steps, seeds = ((200, (0,)), (1000, (0, 1)))[rung]
    scored = loss is not None
    results = [SeedResult(seed, loss + 0.01 * seed, 0.9) for seed in seeds] if scored else []
    record = Evaluation(
        candidate_id=candidate.id,
        expression=str(candidate.expression),
        canonical=str(candidate.canonical),
        task="digits-mlp",
        dataset="digits",
        fidelity=Fidelity(steps, seeds),
        outcome=Outcome.SCORED if scored else Outcome.REJECTED,
        reason=None if scored else "it is affine: -x + 3",
        per_seed=tuple(results),
        seconds=0.25 if scored else 0.0,
    )
    return ("evaluation", f"{candidate.id}@{rung}", {"rung": rung, **record.to_json()})


def generation(number: int, *, best: Candidate, best_score: float) -> JournalEvent:
    payload = {
        "generation": number,
        "considered": 4,
        "distinct": 3,
        "duplicates": 1,
        "rejected": 1,
        "trained": 2,
        "promoted": 1,
        "best_score": best_score,
        "median_score": best_score - 0.5,
        "spread": 0.2 if number else None,
        "best_id": best.id,
        "best_expression": str(best.expression),
        "diversity": 0.75,
        "rates": {"hoisting": 0.25, "shrinking": 0.75},
    }
    return ("generation", f"{number:06d}", payload)


def campaign_events(name: str, *, fallback_for: str | None = None) -> list[JournalEvent]:
    """Two generations: a baseline, six discoveries of which two are promoted, two rejections."""
    events = [launch(name, fallback_for=fallback_for)]
    swish = Candidate.of(
        parse(CATALOGUE["swish"].text), generation=0, origin="baseline", variation="swish"
    )
    events += [
        ("candidate", swish.id, swish.to_json()),
        evaluation(swish, rung=0, loss=0.4),
    ]
    for number in range(2):
        texts = DISCOVERED[3 * number : 3 * number + 3]
        made = [Candidate.of(parse(text), generation=number, parents=(swish.id,)) for text in texts]
        affine = Candidate.of(parse(f"{number + 3} - x"), generation=number)
        events += [("candidate", each.id, each.to_json()) for each in (*made, affine)]
        events += [
            evaluation(each, rung=0, loss=0.5 - 0.1 * number - 0.05 * place)
            for place, each in enumerate(made)
        ]
        events += [
            evaluation(affine, rung=0, loss=None),
            evaluation(made[-1], rung=1, loss=0.2 - 0.1 * number),
            generation(number, best=made[-1], best_score=1.6 + 0.7 * number),
        ]
    return [*events, ("finished", "2", {"reason": "2 generations were done", "generations": 2})]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without campaigns; making one takes seconds, copying it none."""
    from search.tracking import Store, database_path

    runs_dir = tmp_path_factory.mktemp("store")
    with Store(runs_dir):
        pass
    with closing(sqlite3.connect(database_path(runs_dir))) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return database_path(runs_dir)


@pytest.fixture
def runs_dir(tmp_path: Path, empty_store: Path) -> Path:
    """A runs directory with an MLflow store in it."""
    folder = tmp_path / "runs"
    folder.mkdir()
    shutil.copy(empty_store, folder)
    return folder


WriteCampaign = Callable[..., Path]


@pytest.fixture(scope="session")
def write_campaign_in() -> WriteCampaign:
    """Writes the first `count` events (all by default) of a campaign; returns its folder."""

    def write(
        runs_dir: Path,
        name: str = "demo",
        *,
        count: int | None = None,
        fallback_for: str | None = None,
    ) -> Path:
        folder = runs_dir / name
        folder.mkdir(exist_ok=True)
        with Journal(folder / FILE_NAME) as journal:
            for event in campaign_events(name, fallback_for=fallback_for)[:count]:
                journal.append(*event)
        return folder

    return write


@pytest.fixture
def write_campaign(runs_dir: Path, write_campaign_in: WriteCampaign) -> WriteCampaign:
    """Does so in the runs directory of the test."""
    return partial(write_campaign_in, runs_dir)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    if CHROMIUM is None or CHROMEDRIVER is None:
        pytest.skip("no chromium with chromedriver on this machine")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1600,1200",
        f"--user-data-dir={tmp_path / 'chromium'}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(CHROMEDRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.get("about:blank")
    driver.get_log("performance")  # forgets the start page that the distribution has set
    yield driver
    driver.quit()
