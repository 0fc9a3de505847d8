"""The MLflow database is whole or absent, whoever was killed while it was made or migrated.

Two kills by default; ACTSEARCH_FULL_TESTS=1 makes it thirty.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from search.tracking import Store, TrackingError, artifacts_path, database_path
from search.tracking.making import MAKING, address, make_ready

from .conftest import WriteCampaign
from .processes import start
from .store import contents
from .test_kills import FULL, launch
from .test_tracking import mirror_of

KILLS: Final = 30 if FULL else 2
AT_MOST: Final = KILLS + 8  # until one has hit


def revisions() -> list[str]:
    """Of MLflow's schema, the first first."""
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config

    script = ScriptDirectory.from_config(_get_alembic_config(""))
    return [each.revision for each in script.walk_revisions()][::-1]


def made_up_to(database: Path, revision: str | None) -> None:
    """A database as MLflow has made it when it comes to the revision after this one."""
    from alembic import command
    from mlflow.store.db.utils import InitialBase, _get_alembic_config
    from sqlalchemy import create_engine

    engine = create_engine(address(database))
    InitialBase.metadata.create_all(engine)
    if revision is not None:
        config = _get_alembic_config(address(database))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    engine.dispose()


def execute(database: Path, *statements: str) -> list[Any]:
    rows = []
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            rows += connection.execute(statement).fetchall()
        connection.commit()
    return rows


def is_whole(database: Path) -> bool:
    """Whether MLflow can use it as it is."""
    integrity = execute(database, "PRAGMA integrity_check")
    return integrity == [("ok",)] and execute(database, "SELECT * FROM alembic_version") == [
        (revisions()[-1],)
    ]


UNFINISHED: Final[dict[str, Callable[[Path], None]]] = {
    "an empty file": lambda database: database.touch(),
    "the first tables": lambda database: made_up_to(database, None),
    "half of the migrations": lambda database: made_up_to(database, revisions()[20]),
    "all but the last": lambda database: made_up_to(database, revisions()[-2]),
    "the middle of a migration": lambda database: (
        made_up_to(database, revisions()[10]),
        execute(database, "CREATE TABLE _alembic_tmp_runs (run_uuid TEXT)"),
        execute(database, "ALTER TABLE runs ADD COLUMN deleted_time BIGINT"),
    )[0],
    "a file that was being made": lambda database: made_up_to(
        database.with_name(database.name + MAKING), revisions()[5]
    ),
}


@pytest.mark.parametrize("left", UNFINISHED)
def test_what_a_killed_process_left_is_made_again(
    write_campaign: WriteCampaign, tmp_path: Path, left: str
) -> None:
    folder = write_campaign()
    database_path(folder.parent).unlink()
    UNFINISHED[left](database_path(folder.parent))
    mirror_of(folder).catch_up()
    assert is_whole(database_path(folder.parent))
    assert {path.name for path in folder.parent.iterdir()} <= {
        *("demo", "mlartifacts", "mlflow.db", "mlflow.db-wal", "mlflow.db-shm", ".mlflow.lock"),
    }
    assert ("demo", "demo", "FINISHED") in {row[:3] for row in contents(folder.parent)}


def old_store(runs_dir: Path, *, revision: int = -6) -> Path:
    """A store of an older MLflow, in which somebody has a run."""
    database = database_path(runs_dir)
    database.unlink(missing_ok=True)
    made_up_to(database, revisions()[revision])
    location = artifacts_path(runs_dir).as_uri()
    execute(
        database,
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
        f"VALUES (0, 'Default', '{location}/0', 'active')",
        "INSERT INTO runs (run_uuid, name, experiment_id, status, lifecycle_stage, artifact_uri, "
        "source_type, user_id, start_time) "
        f"VALUES ('{'a' * 32}', 'theirs', 0, 'FINISHED', 'active', '{location}', 'LOCAL', 'me', 1)",
    )
    return database


def test_a_store_of_an_older_mlflow_is_migrated_with_all_that_it_holds(
    write_campaign: WriteCampaign,
) -> None:
    folder = write_campaign()
    database = old_store(folder.parent)
    assert not is_whole(database)
    mirror_of(folder).catch_up()
    assert is_whole(database)
    with Store(folder.parent) as store:
        assert store.client.get_run("a" * 32).info.run_name == "theirs"
    assert ("demo", "demo", "FINISHED") in {row[:3] for row in contents(folder.parent)}


def test_a_migration_that_is_cut_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.store.db import utils

    database = old_store(tmp_path)
    before = database.read_bytes()
    upgrade = utils._upgrade_db

    def cut(engine: Any) -> None:
        upgrade(engine)
        raise KeyboardInterrupt

    monkeypatch.setattr(utils, "_upgrade_db", cut)
    with pytest.raises(KeyboardInterrupt):
        make_ready(database)
    assert database.read_bytes() == before
    monkeypatch.undo()
    make_ready(database)
    assert is_whole(database)
    assert not database.with_name(database.name + MAKING).exists()


def test_a_store_that_somebody_has_open_is_not_replaced(write_campaign: WriteCampaign) -> None:
    folder = write_campaign()
    database = old_store(folder.parent)
    execute(database, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(database)) as theirs:
        assert theirs.execute("SELECT name FROM runs").fetchall() == [("theirs",)]
        with pytest.raises(TrackingError, match=r"locked|has it open"):
            mirror_of(folder).catch_up()
    mirror_of(folder).catch_up()
    assert is_whole(database)


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE recipes (name TEXT)", "INSERT INTO recipes VALUES ('soup')"],
        ["CREATE TABLE alembic_version (version_num TEXT)", "CREATE TABLE recipes (name TEXT)"],
    ],
    ids=["another program's", "another program's that uses Alembic"],
)
def test_a_database_that_is_not_ours_is_left_alone(
    write_campaign: WriteCampaign, statements: list[str]
) -> None:
    folder = write_campaign()
    database = database_path(folder.parent)
    database.unlink()
    execute(database, *statements)
    with suppress(TrackingError):
        mirror_of(folder).catch_up()
    assert ("recipes",) in execute(database, "SELECT name FROM sqlite_schema")


def made_at(path: Path) -> int | None:
    """Which file it is, of those that are made under that name one after another."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime_ns
    return None


def killed_while_making(
    command: Callable[[], subprocess.Popen[str]], runs_dir: Path, chance: random.Random
) -> bool:
    """Kills the command at a random instant of making the database; whether it was being made."""
    database = database_path(runs_dir)
    aside = database.with_name(database.name + MAKING)
    left = made_at(aside)  # by one that was killed before
    process = command()
    while process.poll() is None and made_at(aside) in (None, left) and not database.exists():
        time.sleep(0.01)
    with suppress(subprocess.TimeoutExpired):
        process.wait(chance.uniform(0.0, 3.0))
    was_making = aside.exists() and process.poll() is None
    # Twice: the first Ctrl-C would let it finish.
    for number in chance.choice(((signal.SIGKILL,), (signal.SIGINT, signal.SIGINT))):
        process.send_signal(number)
        time.sleep(0.3)
    process.communicate(timeout=120)
    return was_making


def test_killed_while_the_store_is_made(tmp_path: Path) -> None:
    runs_dir = tmp_path / "runs"
    chance, kills, making = random.Random(0), 0, 0
    while kills < KILLS or (not making and kills < AT_MOST):
        if kills % 2 == 0:
            making += killed_while_making(lambda: launch(runs_dir), runs_dir, chance)
        else:
            making += killed_while_making(
                lambda: start("sync", "killed", "--runs-dir", runs_dir), runs_dir, chance
            )
        kills += 1
        if database_path(runs_dir).exists():
            assert is_whole(database_path(runs_dir))
            for path in runs_dir.glob("mlflow.db*"):
                path.unlink()
    print(f"{kills} kills, {making} of them while the store was made")
    assert making, "no kill was while the store was made"
    syncing = start("sync", "killed", "--runs-dir", runs_dir)
    _, stderr = syncing.communicate(timeout=300)
    assert syncing.returncode == 0, stderr
    assert is_whole(database_path(runs_dir))
    assert "killed" in {row[1] for row in contents(runs_dir)}
