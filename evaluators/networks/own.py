"""A network of a user's own: a function that returns a pure pair."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass as plain_dataclass
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from evaluators.networks.network import Moments
from evaluators.reading.functions import UserCodeError, blamed
from evaluators.reading.given_functions import Taken
from evaluators.reading.sections import STRICT


@dataclass(frozen=True, config=STRICT)
class OwnNetwork:
    """A network that a function of a user's own makes.

    Attributes:
        function: Of `shape`, that of an example, and `outputs`, their number. It returns a pair
            `(init, apply)`: `init(seed)` gives the initial weights, and may also take `moments` by
            that name; `apply(weights, inputs, activate)` gives outputs [batch, outputs] for inputs
            [batch, *shape].
        calls: How many times it calls its activation; wanted only where each call gets a function
            of its own, and then compared with what it does.
    """

    function: Taken
    calls: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @property
    def hidden_layers(self) -> int:
        """See `Network.hidden_layers`."""
        return self.calls or 1

    def made(self, shape: tuple[int, ...], outputs: int) -> Pair:
        """The pair for examples of that shape.

        Raises:
            UserCodeError: If the function raises, or returns no pair of functions.
        """
        function = self.function.load()
        with blamed(self.function.path, doing="making the network", line=self.function.line):
            returned = function(shape, outputs)
        is_pair = isinstance(returned, tuple) and len(returned) == 2
        if not is_pair or not all(callable(each) for each in returned):
            raise UserCodeError(
                f"{self.function.place}: a network is a pair of functions (init, apply), got "
                f"{type(returned).__name__}"
            )
        return Pair(self.function.path, self.function.line, *returned)


@plain_dataclass(frozen=True)
class Pair:
    """A pure pair, whose mistakes are told with the file they are in.

    Attributes:
        path: Of the file.
        line: Where the function that makes it begins.
        initialise: See `OwnNetwork.function`.
        compute: See `OwnNetwork.function`.
    """

    path: str
    line: int
    initialise: Callable[..., Any]
    compute: Callable[..., Any]

    def init(self, seed: int, moments: Moments) -> Any:
        """Initial weights, as arrays of NumPy."""
        import jax
        import numpy as np

        with blamed(self.path, doing="making initial weights", line=self.line):
            takes = inspect.signature(self.initialise).parameters
            more = {"moments": moments} if "moments" in takes else {}
            return jax.tree.map(np.asarray, self.initialise(seed, **more))

    def apply(self, weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        """See `Network.apply`."""
        with blamed(self.path, doing="computing the network's outputs", line=self.line):
            return self.compute(weights, inputs, activate)
