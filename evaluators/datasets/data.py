"""What a task trains on, as a value: where examples come from, and how they are split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from evaluators.reading.functions import FileFunction
from evaluators.reading.sections import (
    STRICT,
    SectionError,
    check_table,
    deciding,
    read_section,
    section_of,
)

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Columns = Annotated[tuple[str, ...], Field(max_length=10_000, strict=False)]


@dataclass(frozen=True, config=STRICT)
class Builtin:
    """A data set of this program's own table.

    Attributes:
        builtin: Its name there.
        targets: What a network is to say: which class, or the class as a number (regression).
    """

    builtin: str
    targets: Literal["classes", "numbers"] = "classes"

    @property
    def name(self) -> str:
        """What records call it."""
        return self.builtin if self.targets == "classes" else f"{self.builtin} as numbers"


@dataclass(frozen=True, config=STRICT)
class ModularAddition:
    """All pairs of numbers below p as one-hot vectors, labelled with their sum modulo p.

    Source: Power, Burda, Edwards, Babuschkin, Misra, "Grokking", 2022; Gromov, "Grokking modular
    arithmetic", 2023.

    Attributes:
        modular_addition: p, the number of classes.
        training: Share of the pairs to train on; half of the others validate, half test.
        split_seed: Of the draw.
    """

    modular_addition: Annotated[int, Field(ge=5, le=257)]
    training: Share = 0.5
    split_seed: Seed = 0

    @property
    def name(self) -> str:
        """What records call it."""
        return f"addition modulo {self.modular_addition}"


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Splitting:
    """How examples of a user's own become splits.

    Attributes:
        targets: "classes" for labels from 0, "numbers" for regression; None for what the type of
            the labels says: classes for whole numbers and texts, numbers for all others.
        classes: How many there are; None for one more than the greatest training label.
        standardise: Whether features that are no images of bytes, and targets that are numbers, get
            mean 0 and standard deviation 1 over the training split. A feature is a column of a
            table or a channel of images; examples of two axes are grey images, one feature, or with
            "channels" a series, whose last axis counts the features.
        validation: Share of the examples, drawn, where none are given for it.
        test: Likewise.
        split_seed: Of the draw.
        contents: SHA-256 of the data, found when they are first read; where it stands in a file, no
            other data are taken.
    """

    targets: Literal["classes", "numbers"] | None = None
    classes: Annotated[int, Field(ge=2, le=100_000)] | None = None
    standardise: bool | Literal["channels"] = True
    validation: Share = 0.15
    test: Share = 0.15
    split_seed: Seed = 0
    contents: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


@dataclass(frozen=True, config=STRICT, kw_only=True)
class ArrayFile(Splitting):
    """Arrays in a user's file.

    Attributes:
        arrays: The file: .npz with x and y, or with x_train, y_train, x_test, y_test and perhaps
            x_validation, y_validation; .csv or .parquet with a column for each feature. Other
            arrays of an archive are left alone.
        target: Of a table, the column or columns that hold the targets.
        leave_out: Of a table, columns that are no features.
    """

    arrays: str
    target: str | Columns | None = None
    leave_out: Columns = ()

    @property
    def name(self) -> str:
        """What records call it."""
        return Path(self.arrays).name


@dataclass(frozen=True, config=STRICT, kw_only=True)
class FunctionData(Splitting):
    """Arrays that a user's function returns.

    Attributes:
        function: Called without arguments, in the launching process, at each launch. It returns a
            pair (x, y) or a mapping of arrays under the names of an .npz file.
    """

    function: FileFunction

    @property
    def name(self) -> str:
        """What records call it."""
        return str(self.function)


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Given(Splitting):
    """Arrays that a script or a notebook has given, kept in the array cache by their content.

    Attributes:
        given: What records call them.
    """

    given: str

    @property
    def name(self) -> str:
        """What records call it."""
        return self.given


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Tfds:
    """An image classification set of TensorFlow Datasets.

    Attributes:
        tfds: Its name, perhaps with a configuration and a version: "emnist/letters:3.1.0".
        split_seed: Of the draw of validation and, where there is none, test examples.
    """

    tfds: str
    split_seed: Seed = 0

    @property
    def name(self) -> str:
        """What records call it."""
        return f"tfds:{self.tfds}"


@dataclass(frozen=True, config=STRICT)
class OfObjective:
    """No data: an objective of a user's own has whatever it needs.

    Attributes:
        of_objective: What records call it.
    """

    of_objective: str

    @property
    def name(self) -> str:
        """What records call it."""
        return self.of_objective


Own = ArrayFile | FunctionData | Given
"""Data of a user's own."""

Data = Builtin | ModularAddition | Own | Tfds | OfObjective
"""What a task trains on."""

_KINDS: Final[Mapping[str, Callable[..., Data]]] = {
    "builtin": Builtin,
    "arrays": ArrayFile,
    "function": FunctionData,
    "tfds": Tfds,
    "modular_addition": ModularAddition,
    "given": Given,
}


def read_data(section: Any, *, folder: Path, place: str = "data") -> Data:
    """Data from a table of a task file; the one key that tells the kind is required.

    Args:
        section: The table.
        folder: Where relative paths begin.
        place: The dotted path of the table.

    Raises:
        SectionError: With all that is wrong.
    """
    check_table(section, place=place)
    named = [key for key in _KINDS if key in section]
    if len(named) != 1:
        arrived = ", ".join(named) or "none"
        raise SectionError(
            [(place, f"exactly one of {', '.join(_KINDS)} says where they are, got {arrived}")]
        )
    written = dict(section)
    if "function" in written:
        written["function"] = FileFunction.read(
            written["function"], folder=folder, place=f"{place}.function"
        )
    data = read_section(_KINDS[named[0]], written, place=place)
    if isinstance(data, ArrayFile):
        data = replace(data, arrays=str((folder / data.arrays).resolve()))
    return data


def data_section(data: Data) -> dict[str, Any]:
    """The table that `read_data` reads equal data from."""
    return section_of(data)


def deciding_data(data: Data) -> dict[str, Any]:
    """What of them decides on results: their content, and not where it lies."""
    decides = deciding(data)
    if isinstance(data, Own) and data.contents is None:
        raise ValueError(f"{data.name} has not been read yet; load it before asking for a digest")
    if isinstance(data, ArrayFile | FunctionData):
        del decides["arrays" if isinstance(data, ArrayFile) else "function"]
    return decides
