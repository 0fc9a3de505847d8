"""Files that Windows editors have saved are read by whoever reads files of users."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from evaluators.forecasting.learning_curves import LearningCurves, LearningCurvesError, load_curves
from grammars import GrammarError, load_grammar, parse
from grammars.export import ExportError, read_json
from grammars.reading.text_files import TextFileError, read_text

GRAMMAR: Final = 'name = "mine"\ndescription = "Few."\n[primitives]\ntanh = 1.0\nadd = 1.0\n'
JSON: Final = '{"format": "actsearch-expression",\n "version": 1, "expression": "tanh(x)"}'
CURVES: Final = LearningCurves.of(
    {f"tanh({factor} * x)": [0.1, 0.2] for factor in range(1, 25)},
    task="digits-mlp",
    dataset="digits",
    seed=0,
    steps=(10, 20),
).to_json()

Reader = Callable[[Path], Any]
READERS: Final[dict[str, tuple[Reader, str, type[Exception]]]] = {
    "grammar.toml": (lambda path: load_grammar(str(path)), GRAMMAR, GrammarError),
    "function.json": (lambda path: read_json(path).expression, JSON, ExportError),
    "curves.json": (lambda path: load_curves(path).digest, CURVES, LearningCurvesError),
}


@pytest.mark.parametrize("name", READERS)
def test_a_byte_order_mark_and_lines_of_windows_change_nothing(tmp_path: Path, name: str) -> None:
    read, text, _ = READERS[name]
    path = tmp_path / name
    path.write_bytes(text.encode())
    plain = read(path)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read(path) == plain


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_are_named(tmp_path: Path, name: str, encoding: str) -> None:
    read, text, error = READERS[name]
    (tmp_path / name).write_bytes(text.encode(encoding))
    with pytest.raises(error, match=f"{name} is not UTF-8 text but {encoding.upper()}; save it"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_a_path_that_can_be_none_is_named(tmp_path: Path, name: str) -> None:
    read, _, error = READERS[name]
    with pytest.raises((error, OSError), match="File name too long"):
        read(tmp_path / (300 * "a" + name))
    with pytest.raises(error, match="is no path: it holds a null character"):
        read(tmp_path / f"\0{name}")


def test_what_is_read_is_bounded_whatever_the_file_says_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"\xef\xbb\xbfabc\rdef\r\n")
    assert read_text(path, max_bytes=12) == "abc\ndef\n"
    with pytest.raises(TextFileError, match=r"long.txt has 12 bytes; at most 11 are allowed"):
        read_text(path, max_bytes=11)
    with pytest.raises(TextFileError, match="at most 1,000 are allowed"):
        read_text(Path("/dev/zero"), max_bytes=1_000)


def test_a_function_of_a_file_is_the_one_that_was_typed(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_bytes(b"\xef\xbb\xbf" + JSON.encode())
    assert read_json(tmp_path / "f.json").expression == parse("tanh(x)")
