"""Functions from a script or a notebook, which travel as pickles and are known by their content."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass

from evaluators.pickling import (
    Origin,
    UnknownContentError,
    content_of,
    dumps,
    origin_of,
    shown_file,
)
from evaluators.reading.files import keep_file, kept_file
from evaluators.reading.functions import FileFunction, UserCodeError, blamed
from evaluators.reading.sections import STRICT, read_section

_PICKLE: Final = "function.pickle"
"""Name of the file in the cache; its folder is named by its SHA-256."""


@dataclass(frozen=True, config=STRICT)
class GivenFunction:
    """A function that a script or a notebook has given.

    Attributes:
        given: What messages call it.
        content: SHA-256 of what it is, which no line or file has a part in.
        sha256: Of its pickle in the cache.
        path: Where it was written; it decides nothing.
        line: There.
    """

    given: str
    content: str
    sha256: str
    path: str
    line: int

    @classmethod
    def of(cls, function: Callable[..., Any]) -> GivenFunction:
        """A function as it is now, kept in the cache for workers.

        Raises:
            UserCodeError: If it holds what cannot be sent to another process.
        """
        name = str(getattr(function, "__name__", type(function).__name__))
        origin = origin_of(function) or Origin("a script", 1)
        where = f"{shown_file(origin.path)}, line {origin.line}"
        try:
            content, pickled = content_of(function), dumps(function)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            what = "it holds " if isinstance(error, UnknownContentError) else ""
            raise UserCodeError(
                f"{where}: {name} cannot be sent to a worker: {what}{reason}; put it into a file "
                f'of its own and name it, as in "my_file.py:{name}"'
            ) from error
        keep_file(_PICKLE, pickled)
        return cls(name, content, hashlib.sha256(pickled).hexdigest(), origin.path, origin.line)

    def __str__(self) -> str:
        return self.given

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.given

    @property
    def place(self) -> str:
        """File and line where it begins."""
        return f"{shown_file(self.path)}, line {self.line}"

    @property
    def decides(self) -> dict[str, str]:
        """What of it decides on results."""
        return {"content": self.content}

    def load(self) -> Callable[..., Any]:
        """The function.

        Raises:
            UserCodeError: If the cache has lost it, or it cannot be made here.
        """
        with blamed(self.path, doing=f"taking {self.given} to a worker"):
            return _loaded(self.file, self.sha256)

    @property
    def file(self) -> Path:
        """What other machines need of it."""
        path = kept_file(Path(_PICKLE), self.sha256)
        if path is None:
            raise UserCodeError(
                f"{self.place}: {self.given} was given by a script, and the cache has lost it; run "
                "the script again"
            )
        return path


OwnFunction = FileFunction | GivenFunction
"""A function of a user's own, by value: in a file, or from a script or a notebook."""


def _taken(value: Any) -> Any:
    is_known = isinstance(value, FileFunction | GivenFunction)
    return GivenFunction.of(value) if callable(value) and not is_known else value


Taken = Annotated[OwnFunction, BeforeValidator(_taken)]
"""A field that takes a function itself, too."""


def read_function(written: Any, *, folder: Path, place: str) -> OwnFunction:
    """A function as a task file names it, "my_net.py:network", or as a record holds it.

    Args:
        written: What stands there.
        folder: Where a relative path begins.
        place: The dotted path of the key.

    Raises:
        SectionError: If it is neither, or there is no such file.
    """
    if isinstance(written, Mapping) and "given" in written:
        return read_section(GivenFunction, written, place=place)
    return FileFunction.read(written, folder=folder, place=place)


@lru_cache(maxsize=64)
def _loaded(path: Path, sha256: str) -> Callable[..., Any]:
    # Whoever can write there can change this program, too; its content is what the task says.
    function: Callable[..., Any] = pickle.loads(path.read_bytes())  # noqa: S301
    return function
