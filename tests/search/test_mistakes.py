"""What a user can mend is said in a sentence, without a traceback, and with exit status 2."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from search.cli.app import INPUT_ERROR, main
from search.cli.mistakes import explain
from search.texts.writing import write_whole

from .conftest import WriteCampaign
from .here import captured

LONG = "b" * 300

Command = Callable[..., str]


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs a command that a user gets wrong; what it says of it."""

    def run(*words: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["actsearch", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == INPUT_ERROR, said
        assert "internal error" not in said
        return said

    return run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["leaderboard", LONG], "there is no campaign 'bbb"),
        (["finals", f"runs/{LONG}"], "there is no campaign 'runs/bbb"),
        (["export", LONG], "there is no campaign 'bbb"),
        (["export", "--expression", f"@{LONG}"], "cannot be used: File name too long"),
        (["export", "--expression", "@"], "cannot be used: Is a directory"),
        (["export", "--expression", "relu", "--to", "latex", "-o", LONG], "File name too long"),
        (["launch", f"{LONG}.toml"], "cannot be used: File name too long"),
        (["launch", "."], r"there is no campaign file \."),
        (["grammar", "show", f"{LONG}.toml"], "cannot read the grammar .*File name too long"),
        (["curves", f"{LONG}.json"], "File name too long"),
        (["calibrate", "--budget", "nan"], "'--budget': .*equal to"),
        (["calibrate", "--budget", "inf"], "'--budget': .*equal to"),
        (["calibrate", "--rates", "0.2,0.1"], "expected ascending rates such as 0.002,0.004"),
        (["calibrate", "--rates", "nan"], "expected ascending rates such as 0.002,0.004"),
        (["calibrate", "--schedule", "slow"], "there are constant, decay, cosine, warmup"),
        (["launch", "x.toml", "--gpus-per-worker", "inf"], "'--gpus-per-worker': .*equal to"),
        (["curves", "mnist-mlp", "--recall", "nan"], "'--recall': .*equal to"),
    ],
)
def test_texts_and_numbers_beyond_measure_are_named(
    refused: Command, words: list[str], message: str
) -> None:
    said = refused(*words)
    assert re.search(message, " ".join(said.split())), said
    assert len(said) < 2_000


def test_options_of_finals_are_checked_as_settings_are(
    refused: Command, write_campaign: WriteCampaign
) -> None:
    runs = str(write_campaign().parent)
    for options, message in (
        (["--minutes", "inf"], "finals has 1 problem:\n  minutes: input should be less"),
        (["--minutes", "nan"], "'--minutes': "),
        (["--seeds", "5000"], "seeds: input should be less than or equal to 1000, got 5000"),
        (["--top", "99"], "top: input should be less than or equal to 50, got 99"),
        (["--steps", "1000000000"], "steps: input should be less than or equal to 1000000"),
    ):
        assert message in refused("finals", "demo", "--runs-dir", runs, *options)


def test_a_slip_in_finals_raises_no_alarm_about_mlflow(
    refused: Command, write_campaign: WriteCampaign
) -> None:
    runs = str(write_campaign().parent)
    for options, message in (
        (["--set", "foo=1"], "finals has 1 problem:\n  foo: "),
        (["--candidate", "zz"], "no scored candidate has an id that begins with 'zz'"),
        (["--tasks", "nosuch"], "nosuch"),
        (["--set", 'against=["nosuch"]'], "'nosuch' is neither a function nor"),
    ):
        said = refused("finals", "demo", "--runs-dir", runs, *options)
        assert message in said
        assert "MLflow" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["init", "nodir/x.toml"], "there is no folder nodir to write x.toml in; make it"),
        (["init", "folder"], "folder is a folder; name a file in it, such as folder/campaign.toml"),
        (["init", "folder", "--force"], "folder is a folder; name a file in it"),
        (["init", "file/x.toml"], "there is no folder file to write x.toml in"),
        (["campaigns", "--runs-dir", "file"], "file is no folder; name the folder that campaigns"),
        (["campaigns", "--runs-dir", "nosuch", "--json"], "there is no folder nosuch; name the"),
        (["leaderboard", "x", "--runs-dir", "file"], "no campaign 'x': file is no folder; name"),
        (
            ["leaderboard", "x", "--runs-dir", "nosuch"],
            "no campaign 'x': there is no folder nosuch",
        ),
        (["leaderboard", "x"], "no campaign 'x' under runs; campaigns there: none yet"),
        (
            ["leaderboard", "quickstart"],
            "it is shipped, and not launched there yet: `actsearch launch quickstart`; campaigns",
        ),
        (["atlas", "--runs-dir", "nosuch"], "there is no folder nosuch"),
        (["atlas", "--runs-dir", "folder"], "no function was scored; tasks with scores: none yet"),
        (["atlas", "--runs-dir", "folder", "--json"], "no function was scored; tasks with scores"),
        (["atlas", "--runs-dir", "folder", "--csv"], "no function was scored; tasks with scores"),
        (
            ["export", "--expression", "relu", "--python", "nosuch"],
            "'nosuch' is no Python that runs",
        ),
        (["export", "--expression", "relu", "--python", "cat"], "'cat' is no Python that runs"),
    ],
)
def test_what_is_not_where_it_should_be_is_named(
    refused: Command, tmp_path: Path, words: list[str], message: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    assert message in refused(*words)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


def test_a_file_that_cannot_be_written_has_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "nodir" / "x", tmp_path / "file" / "x", tmp_path / "folder"):
        with pytest.raises(OSError, match=rf"\[Errno \d+\] [\w ]+: '{path}'") as caught:
            write_whole(path, "text")
        assert caught.value.filename == str(path)


def test_before_the_first_launch_there_are_the_shipped_campaigns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = captured("campaigns")
    assert (answer.status, "quickstart" in answer.stdout) == (0, True)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "cannot be written: No space left on device.*make room"),
        (errno.EDQUOT, "cannot be written: Disk quota exceeded.*make room"),
        (errno.EROFS, "cannot be written: Read-only file system; what only reads works there"),
        (errno.EACCES, "cannot be used: Permission denied"),
        (errno.ENAMETOOLONG, "cannot be used: File name too long"),
        (errno.ELOOP, "cannot be used: Too many levels of symbolic links"),
        (errno.EIO, "cannot be used: Input/output error"),
        (errno.ESTALE, "cannot be used: Stale file handle"),
        (errno.ENOTCONN, "cannot be used: Transport endpoint is not connected"),
    ],
)
def test_what_the_system_says_of_a_file_is_no_fault_of_ours(number: int, words: str) -> None:
    explanation = explain(OSError(number, os.strerror(number), "runs/t/journal.sqlite"))
    assert explanation is not None
    assert re.match(f"runs/t/journal.sqlite {words}", explanation)


def test_an_error_that_names_no_file_is_ours() -> None:
    assert explain(OSError(errno.EIO, os.strerror(errno.EIO))) is None
    assert explain(ValueError("something of ours")) is None
