"""The copy of the campaign file: kept whole, and never written over what somebody changed."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from search.launching.campaign_copy import FILE_NAME, keep_copy
from search.settings import SettingsError, load_settings
from search.texts.writing import write_whole

CAMPAIGN = 'seed = 5\ntask = "digits-mlp"\n'


def test_the_copy_is_a_campaign_file_and_may_be_replaced_by_a_later_one(tmp_path: Path) -> None:
    keep_copy(tmp_path, CAMPAIGN)
    assert load_settings(tmp_path / FILE_NAME).seed == 5
    later = CAMPAIGN + "[stop]\ngenerations = 50\n"
    keep_copy(tmp_path, later)
    heading, _, body = (tmp_path / FILE_NAME).read_text().partition("\n")
    assert heading.startswith("# A copy made at launch")
    assert body == later


def test_a_copy_of_the_copy_is_the_copy(tmp_path: Path) -> None:
    keep_copy(tmp_path, CAMPAIGN)
    first = (tmp_path / FILE_NAME).read_text()
    keep_copy(tmp_path, first)
    assert (tmp_path / FILE_NAME).read_text() == first


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"seed = 5", b"seed = 6"),
        lambda text: text[: len(text) // 2],
        lambda text: text.partition(b"\n")[2],
        lambda text: b"",
        lambda text: text + b"\xff",
        lambda text: text.replace(b"\n", b"\r\n"),
    ],
    ids=["value", "cut short", "no heading", "empty", "no text", "line ends"],
)
def test_an_altered_copy_is_named_and_left_alone(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    keep_copy(tmp_path, CAMPAIGN)
    path = tmp_path / FILE_NAME
    path.write_bytes(altered := change(path.read_bytes()))
    with pytest.raises(
        SettingsError, match=r"campaign\.toml was altered .*left as it is.*move it away"
    ):
        keep_copy(tmp_path, CAMPAIGN)
    assert path.read_bytes() == altered


def test_what_cannot_be_written_leaves_the_file_and_no_debris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "hall_of_fame.csv"
    write_whole(path, "first")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
