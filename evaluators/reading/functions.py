"""Functions of a user's own: found in a file, known by its content, and run under his name."""

from __future__ import annotations

import hashlib
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic.dataclasses import dataclass

from evaluators.pickling import is_users_file, shown_file
from evaluators.reading.files import kept_file
from evaluators.reading.folders import digest_of, import_file
from evaluators.reading.sections import STRICT, SectionError, read_section

# Two threads that ask for a file get one module of it.
_one_at_a_time: Final = threading.RLock()


class UserCodeError(ValueError):
    """A user's code cannot be used; the message is a sentence that names his file and line."""


@dataclass(frozen=True, config=STRICT)
class FileFunction:
    """A function in a Python file. It travels as what is written here, and never as code.

    Attributes:
        path: Of the file, absolute; it decides nothing.
        name: Of the function.
        sha256: Of the file's content, without which no other file takes its place.
    """

    path: str
    name: str
    sha256: str

    @classmethod
    def named(cls, text: str, *, folder: Path) -> FileFunction:
        """The function that "my_net.py:network" means.

        Args:
            text: Path and name.
            folder: Where a relative path begins.

        Raises:
            UserCodeError: If the text is none of that form, or there is no such file.
        """
        path_text, colon, name = text.rpartition(":")
        if not colon or not path_text.endswith(".py") or not name.isidentifier():
            raise UserCodeError(
                f"a function is named by its file and its name, such as my_file.py:name, "
                f"got {text!r}"
            )
        path = (folder / path_text).resolve()
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserCodeError(f"cannot read {path}: {error.strerror}") from None
        return cls(str(path), name, hashlib.sha256(content).hexdigest())

    @classmethod
    def read(cls, written: Any, *, folder: Path, place: str) -> FileFunction:
        """A function as a task file names it, "my_net.py:network", or as a record holds it.

        Args:
            written: What stands there.
            folder: Where a relative path begins.
            place: The dotted path of the key.

        Raises:
            SectionError: If it is neither, or there is no such file.
        """
        if isinstance(written, Mapping):
            return read_section(cls, written, place=place)
        try:
            return cls.named(str(written), folder=folder)
        except UserCodeError as error:
            raise SectionError([(place, str(error))]) from None

    def __str__(self) -> str:
        return f"{Path(self.path).name}:{self.name}"

    @property
    def place(self) -> str:
        """File and line of the definition, as far as it is known without running it."""
        return f"{self.path}, line {self.line}"

    @property
    def line(self) -> int:
        """Where the definition begins; 1 where none is found."""
        return _line_of(self.path, self.name)

    @property
    def decides(self) -> dict[str, str]:
        """What of it decides on results: the file's content and the name, not the path."""
        return {"sha256": self.sha256, "name": self.name}

    @property
    def file(self) -> Path:
        """What other machines need of it, where it is now."""
        path = kept_file(Path(self.path), self.sha256)
        if path is None:
            raise UserCodeError(
                f"{self.path} is not there as it was when the task was read (SHA-256 "
                f"{self.sha256[:12]}...); start anew, or put the file back"
            )
        return path

    def load(self) -> Callable[..., Any]:
        """The function, its file imported once a process.

        Raises:
            UserCodeError: If the file is gone or has changed, raises at import, or has no function
                of that name.
        """
        path = self.file
        with blamed(path, doing="importing it"), _one_at_a_time:
            module = _imported(path, self.sha256)
        function = getattr(module, self.name, None)
        if not callable(function):
            raise UserCodeError(f"{self.path}, line 1: the file has no function {self.name!r}")
        return function  # type: ignore[no-any-return]


@contextmanager
def blamed(path: Path | str, *, doing: str, line: int | None = None) -> Iterator[None]:
    """Turns whatever a user's code raises into one sentence with its file and line.

    Args:
        path: His file.
        doing: What was being done, such as "importing it".
        line: Where his code begins, told if none of its lines has raised: a wrong call does not
            even get there.
    """
    try:
        yield
    except UserCodeError:
        raise
    except SystemExit as error:
        place = _place(error, path, line)
        raise UserCodeError(f"{place}: {doing} ended the program (exit {error.code})") from None
    except SyntaxError as error:
        place = f"{error.filename or path}, line {error.lineno}"
        raise UserCodeError(f"{place}: {doing} raised SyntaxError: {error.msg}") from None
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        raised = type(error).__name__ + (f": {first_line}" if first_line else "")
        if isinstance(error, ModuleNotFoundError):
            raised += (
                "; install it, or put it beside the file; a function that a script or a notebook "
                "gives must import files beside it at the top"
            )
        raise UserCodeError(f"{_place(error, path, line)}: {doing} raised {raised}") from error


def _place(error: BaseException, path: Path | str, line: int | None) -> str:
    """The last line of the file in the traceback, or else of any file of a user's own."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == str(path)]
    own = own or [frame for frame in frames if is_users_file(frame.filename)]
    if own:
        return f"{shown_file(own[-1].filename)}, line {own[-1].lineno}"
    return shown_file(str(path)) + (f", line {line}" if line is not None else "")


@lru_cache(maxsize=64)
def _imported(path: Path, sha256: str) -> ModuleType:
    return import_file(path, f"actsearch_user_{sha256[:16]}_{digest_of(path.parent)}_{path.stem}")


def _line_of(path: str, name: str) -> int:
    """Of a definition or an assignment at the left margin; 1 where none is found."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return 1
    starts = (f"def {name}(", f"async def {name}(", f"class {name}", f"{name} =", f"{name}:")
    return next((n for n, line in enumerate(lines, 1) if line.startswith(starts)), 1)
