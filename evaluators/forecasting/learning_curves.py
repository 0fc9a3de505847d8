"""Learning curves of many functions on one task: what a forecast learns from."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from grammars.reading.text_files import TextFileError, read_text

_FOLDER: Final = Path(__file__).parent / "curves"
# A thousand functions take 100 kB.
_LARGEST_FILE: Final = 20_000_000

Text = Annotated[str, Field(max_length=10_000)]


class LearningCurvesError(ValueError):
    """Learning curves that do not exist or cannot be read."""


class _Curve(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    expression: Text
    scores: list[Annotated[float, Field(allow_inf_nan=False)]]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    task: Text
    dataset: Text
    digest_of_task: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    seed: Annotated[int, Field(ge=0)]
    steps: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=100)]
    functions: Annotated[list[_Curve], Field(min_length=20, max_length=100_000)]

    @model_validator(mode="after")
    def _fits(self) -> _Document:
        if self.steps != sorted(set(self.steps)):
            raise ValueError(f"steps must ascend, got {self.steps}")
        for curve in self.functions:
            if len(curve.scores) != len(self.steps):
                raise ValueError(
                    f"{curve.expression!r} has {len(curve.scores)} scores for {len(self.steps)} "
                    "numbers of steps"
                )
        return self


@dataclass(frozen=True)
class LearningCurves:
    """Scores of functions after more and more training, all with the same seed.

    Attributes:
        task: What they were trained on.
        dataset: Name of its data set, a fallback included.
        seed: Of all training runs.
        steps: At which they were scored, ascending.
        expressions: The functions, as text.
        scores: Minus the log validation loss [functions, steps].
        digest_of_task: See `Task.digest`; None in files of old, which know the task by name.
    """

    task: str
    dataset: str
    seed: int
    steps: tuple[int, ...]
    expressions: tuple[str, ...]
    scores: np.ndarray
    digest_of_task: str | None = None

    @classmethod
    def of(
        cls,
        scores: Mapping[str, Sequence[float]],
        *,
        task: str,
        dataset: str,
        seed: int,
        steps: Sequence[int],
        digest_of_task: str | None = None,
    ) -> LearningCurves:
        """From the scores of each expression."""
        columns = tuple(steps), tuple(scores), np.array([*scores.values()])
        return cls(task, dataset, seed, *columns, digest_of_task)

    @property
    def digest(self) -> str:
        """SHA-256 of all that a forecast depends on."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The file, one function a line; scores to five decimals, far below their noise."""
        head = {
            "version": 1,
            "task": self.task,
            "dataset": self.dataset,
            **({"digest_of_task": self.digest_of_task} if self.digest_of_task else {}),
            "seed": self.seed,
            "steps": list(self.steps),
        }
        lines = ",\n".join(
            json.dumps({"expression": expression, "scores": row})
            for expression, row in zip(
                self.expressions, np.round(self.scores, 5).tolist(), strict=True
            )
        )
        return f'{json.dumps(head)[:-1]}, "functions": [\n{lines}\n]}}\n'

    def column(self, steps: int) -> np.ndarray:
        """Scores after so many steps [functions].

        Raises:
            LearningCurvesError: If they were not scored there.
        """
        if steps not in self.steps:
            raise LearningCurvesError(
                f"the learning curves of {self.task} have scores after "
                f"{', '.join(str(each) for each in self.steps)} steps, none after {steps}; choose "
                "rungs among them, or have `actsearch curves FILE --steps ...` make others"
            )
        column: np.ndarray = self.scores[:, self.steps.index(steps)]
        return column


@cache
def curve_names() -> tuple[str, ...]:
    """Names of the learning curves that are shipped, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def load_curves(name_or_path: str | Path) -> LearningCurves:
    """Reads learning curves.

    Args:
        name_or_path: The name of shipped ones, or the path of a file that ends in `.json`.

    Raises:
        LearningCurvesError: If there are none, or the file cannot be used.
    """
    if isinstance(name_or_path, str) and name_or_path in curve_names():
        return _read(_FOLDER / f"{name_or_path}.json")
    path = Path(name_or_path)
    if path.suffix == ".json":
        return _read(path)
    near = difflib.get_close_matches(str(name_or_path), curve_names(), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise LearningCurvesError(
        f"no learning curves {str(name_or_path)!r}; {hint}shipped are {', '.join(curve_names())}; "
        "`actsearch curves FILE.json --task TASK` makes others"
    )


def _read(path: Path) -> LearningCurves:
    try:
        document = _Document.model_validate_json(read_text(path, max_bytes=_LARGEST_FILE))
    except OSError as error:
        raise LearningCurvesError(f"cannot read the learning curves {path}: {error}") from error
    except TextFileError as error:
        raise LearningCurvesError(str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LearningCurvesError(
            f"{path} holds no learning curves: {where + ': ' if where else ''}{first['msg']}"
        ) from None
    return LearningCurves(
        task=document.task,
        dataset=document.dataset,
        digest_of_task=document.digest_of_task,
        seed=document.seed,
        steps=tuple(document.steps),
        expressions=tuple(curve.expression for curve in document.functions),
        scores=np.array([curve.scores for curve in document.functions]),
    )
