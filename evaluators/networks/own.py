"""A network of a user's own: a function that returns a pure pair."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass as plain_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field
from pydantic.dataclasses import dataclass

from evaluators.networks.network import Moments
from evaluators.reading.functions import UserCodeError, blamed
from evaluators.reading.given_functions import Taken
from evaluators.reading.sections import STRICT

if TYPE_CHECKING:
    import numpy as np

_TOLD: Final = frozenset({"training", "key", "state"})


@dataclass(frozen=True, config=STRICT)
class OwnNetwork:
    """A network that a function of a user's own makes.

    Attributes:
        function: Of `shape`, that of an example, and `outputs`, their number. It returns a pair
            `(init, apply)`: `init(seed)` gives the initial weights, and may also take `moments` by
            that name; `apply(weights, inputs, activate)` gives outputs [batch, outputs] for inputs
            [batch, *shape]. What `apply` takes by these names it is told: `training`, whether it
            is to learn or is judged; `key`, a random key of JAX, another in every step, and None
            where it is judged; and `state`, what it remembers, such as moving averages: then `init`
            gives `(weights, state)`, and `apply` gives `(outputs, state)`.
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

    @cached_property
    def told(self) -> frozenset[str]:
        """What `compute` is told by name."""
        return _TOLD & inspect.signature(self.compute).parameters.keys()

    def init(self, seed: int, moments: Moments) -> tuple[Any, Any]:
        """Initial weights and the initial state, as arrays of NumPy.

        Raises:
            UserCodeError: If `initialise` raises, should give a state and gives none, or gives
                weights that are no real floating numbers.
        """
        import jax
        import numpy as np

        with blamed(self.path, doing="making initial weights", line=self.line):
            takes = inspect.signature(self.initialise).parameters
            more = {"moments": moments} if "moments" in takes else {}
            begun = jax.tree.map(np.asarray, self.initialise(seed, **more))
        has_state = "state" in self.told
        weights, state = self._with_state(begun, "init", "weights") if has_state else (begun, ())
        self._check_trainable(weights)
        trained: tuple[Any, Any] = jax.tree.map(_as_trained, (weights, state))
        return trained

    def apply(
        self,
        made_of: tuple[Any, Any],
        seen: tuple[Any, Any],
        activate: Callable[[Any], Any],
        *,
        training: bool,
    ) -> tuple[Any, Any]:
        """What comes out, and the state after it.

        Args:
            made_of: Weights and state.
            seen: Inputs of a batch, and the data of a random key; None of a network that is told
                nothing.
            activate: See `Network.apply`.
            training: Whether it is to learn.

        Raises:
            UserCodeError: If `compute` raises, or gives another state than `initialise`.
        """
        import jax
        import jax.numpy as jnp

        (weights, state), (inputs, key) = made_of, seen
        all_told = {
            "training": training,
            "key": jax.random.wrap_key_data(key) if training and key is not None else None,
            "state": state,
        }
        with blamed(self.path, doing="computing the network's outputs", line=self.line):
            own = {name: all_told[name] for name in self.told}
            returned = self.compute(weights, inputs, activate, **own)
        if "state" not in self.told:
            return returned, state
        outputs, after = self._with_state(returned, "apply", "outputs")
        if not training:
            return outputs, state
        if _form(after) != _form(state):
            raise UserCodeError(
                f"{self.path}, line {self.line}: apply must give a state of the form that init "
                f"gives, {_form(state)}, got {_form(after)}"
            )
        leaves, form = jax.tree.flatten(state)
        pairs = zip(leaves, jax.tree.leaves(after), strict=True)
        return outputs, jax.tree.unflatten(
            form, [jnp.asarray(new, old.dtype) for old, new in pairs]
        )

    def _check_trainable(self, weights: Any) -> None:
        import jax
        import jax.numpy as jnp

        for path, leaf in jax.tree_util.tree_leaves_with_path(weights):
            place = f" at {jax.tree_util.keystr(path)}" if path else ""
            if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
                raise UserCodeError(
                    f"{self.path}, line {self.line}: init must give weights of real numbers, got "
                    f"{leaf.dtype}{place}; keep real and imaginary parts, and put them together "
                    "in apply"
                )
            if not jnp.issubdtype(leaf.dtype, jnp.inexact):
                kind = "a text" if leaf.dtype.kind in "US" else leaf.dtype
                raise UserCodeError(
                    f"{self.path}, line {self.line}: init must give weights of floating numbers, "
                    f"since they are trained, got {kind}{place}; a constant belongs into the "
                    "function that makes the network, and what is remembered into the state"
                )

    def _with_state(self, returned: Any, function: str, what: str) -> tuple[Any, Any]:
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise UserCodeError(
                f"{self.path}, line {self.line}: since apply takes a state, {function} must return "
                f"a pair ({what}, state), got {type(returned).__name__}"
            )
        first, state = returned
        return first, state


def _as_trained(array: np.ndarray) -> np.ndarray:
    """In the type in which JAX computes with it, and in which it comes back from a disk."""
    import jax

    if array.dtype.kind not in "fiu":
        return array
    return array.astype(jax.dtypes.canonicalize_dtype(array.dtype), copy=False)


def _form(state: Any) -> Any:
    """Its leaves by their paths, with shapes."""
    import jax

    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return {jax.tree_util.keystr(path): list(jax.numpy.shape(leaf)) for path, leaf in leaves}
