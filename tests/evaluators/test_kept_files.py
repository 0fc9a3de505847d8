"""Files that are kept by their content, also where one is damaged or two keep it at once."""

from __future__ import annotations

import hashlib
import multiprocessing
from pathlib import Path

import pytest

from evaluators.reading.files import cache_root, keep_file, kept_file
from evaluators.reading.functions import UserCodeError
from evaluators.reading.given_functions import GivenFunction

NAME, CONTENT = "function.pickle", b"content " * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _place() -> Path:
    return cache_root() / "files" / SHA256 / NAME


@pytest.mark.parametrize("length", [0, 100])
def test_a_damaged_file_is_replaced(length: int) -> None:
    keep_file(NAME, CONTENT)
    _place().write_bytes(CONTENT[:length])
    assert kept_file(Path(NAME), SHA256) is None
    keep_file(NAME, CONTENT)
    assert kept_file(Path(NAME), SHA256) == _place()
    assert _place().read_bytes() == CONTENT


def test_a_whole_file_is_left_as_it_is() -> None:
    keep_file(NAME, CONTENT)
    before = _place().stat()
    keep_file(NAME, CONTENT)
    assert _place().stat().st_ino == before.st_ino


def test_a_function_whose_file_was_damaged_can_be_given_again() -> None:
    given = GivenFunction.of(lambda shape, outputs: (shape, outputs))
    place = cache_root() / "files" / given.sha256 / NAME
    place.write_bytes(place.read_bytes()[:-9])
    with pytest.raises(UserCodeError, match="run the script again"):
        given.load()
    again = GivenFunction.of(lambda shape, outputs: (shape, outputs))
    assert again.load()(1, 2) == (1, 2)


def _keep_often(times: int) -> None:
    for number in range(times):
        keep_file(NAME, b"%d" % number)


def test_processes_may_keep_the_same_at_once() -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_keep_often, args=(300,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    kept = list((cache_root() / "files").glob("*/*"))
    assert sorted(int(path.read_bytes()) for path in kept) == list(range(300))
