"""How the files are laid out whose format fixes the number of axes and the precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from grammars.export.lowering import ExportError

Precision = Literal["float32", "float16"]
PRECISION_NAMES: Final = get_args(Precision)

# The first with GreaterOrEqual for all that is needed, and the first with Gelu.
OLDEST_OPSET: Final = 13
USUAL_OPSET: Final = 20
MAX_RANK: Final = 8


@dataclass(frozen=True)
class TensorFormat:
    """What an ONNX or a StableHLO file takes and gives.

    Attributes:
        rank: The number of axes of the input.
        precision: Of input and output; float16 is computed in float32 and rounded once.
        opset: The version of ONNX's operators.

    Raises:
        ExportError: If one of them is not to be had.
    """

    rank: int = 2
    precision: Precision = "float32"
    opset: int = USUAL_OPSET

    def __post_init__(self) -> None:
        if not 0 <= self.rank <= MAX_RANK:
            raise ExportError(f"a file can have 0 to {MAX_RANK} axes; got {self.rank}")
        if self.precision not in PRECISION_NAMES:
            raise ExportError(
                f"unknown precision {self.precision!r}; expected {' or '.join(PRECISION_NAMES)}"
            )
        if self.opset < OLDEST_OPSET:
            raise ExportError(
                f"ONNX files are written for opset {OLDEST_OPSET} and later; got {self.opset}"
            )

    def axes(self, channels: int | str, *, axis: int) -> list[int | str]:
        """The names of the axes, or how long they are.

        Args:
            channels: How many channels there are, or a name for any number.
            axis: Which axis counts them; of a single axis it is that one.
        """
        names: list[int | str] = [f"axis_{i}" for i in range(self.rank)]
        names[:1] = ["batch"][: self.rank]
        if self.rank:
            names[axis if self.rank > 1 else 0] = channels
        elif isinstance(channels, int):
            raise ExportError(
                f"a file for single numbers cannot hold parameters for {channels} channels; "
                "ask for 1 axis or more"
            )
        return names
