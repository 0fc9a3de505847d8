"""The optimiser of a recipe: how gradients become a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import jax
import jax.numpy as jnp
import optax
from jax import Array

from evaluators.recipes.recipe import Recipe, optimizer_function, optimizer_parameters
from evaluators.steps.compiling import one_kernel

# Those that compute element by element, so that a step is one kernel; others take norms, which
# XLA cannot have in one.
_ELEMENTWISE: Final = frozenset(
    {
        *("adabelief", "adadelta", "adagrad", "adam", "adamax", "adamaxw", "adamw", "adan"),
        *("amsgrad", "lion", "nadam", "nadamw", "radam", "rmsprop", "sgd", "sign_sgd", "yogi"),
    }
)
# What those that have a weight decay of their own call it, and what it acts upon.
_DECAYS: Final = ("weight_decay", "weight_decay_rate")
_MASKS: Final = ("mask", "weight_decay_mask")


class Optimizer:
    """Takes steps; the learning rate is an argument of each, so that one program serves all.

    Of an activation's trainable parameters every unit has a copy, and programs have room for those
    of batch mates. So whatever takes norms of whole arrays acts on the weights alone, and Adam
    learns the parameters then.
    """

    def __init__(self, recipe: Recipe) -> None:
        """Finds the recipe's in optax."""
        self._recipe = recipe
        self._function = optimizer_function(recipe.optimizer)
        self._is_elementwise = recipe.optimizer in _ELEMENTWISE
        parameters = optimizer_parameters(recipe.optimizer)
        self._mask = next((name for name in _MASKS if name in parameters), None)
        self._decay = next((name for name in _DECAYS if name in parameters), None)

    def init(self, learnt: Any) -> Any:
        """What it remembers before the first step.

        Args:
            learnt: A named tuple of `weights`, a pytree of arrays, and `parameters`.
        """
        if self._is_elementwise:
            return self._transformation(0.0, _decaying(learnt)).init(learnt)
        own = self._transformation(0.0, _matrices(learnt.weights)).init(learnt.weights)
        return own, optax.adam(0.0).init(learnt.parameters)

    def step(self, learnt: Any, memory: Any, *, gradient: Any, rate: Array) -> tuple[Any, Any]:
        """Takes one.

        Args:
            learnt: As for `init`.
            memory: What the optimiser remembers.
            gradient: Of the loss by what is learnt.
            rate: The learning rate [].

        Returns:
            What is learnt by then, and what is remembered.
        """
        gradient = self._clipped(gradient)
        step: Callable[..., Any] = one_kernel(self._all) if self._is_elementwise else self._apart
        stepped: tuple[Any, Any] = step(learnt, gradient, memory, rate)
        return stepped

    def _all(self, learnt: Any, gradient: Any, memory: Any, rate: Array) -> tuple[Any, Any]:
        own = self._transformation(rate, _decaying(learnt))
        updates, memory = own.update(gradient, memory, learnt)
        return optax.apply_updates(learnt, updates), memory

    def _apart(self, learnt: Any, gradient: Any, memory: Any, rate: Array) -> tuple[Any, Any]:
        own = self._transformation(rate, _matrices(learnt.weights))
        by_weights, first = own.update(gradient.weights, memory[0], learnt.weights)
        by_parameters, second = optax.adam(rate).update(gradient.parameters, memory[1])
        updates = learnt._replace(weights=by_weights, parameters=by_parameters)
        return optax.apply_updates(learnt, updates), (first, second)

    def _clipped(self, gradient: Any) -> Any:
        if self._recipe.clip_norm is None:
            return gradient
        norm = optax.tree.norm(gradient.weights)
        factor = self._recipe.clip_norm / jnp.maximum(norm, self._recipe.clip_norm)
        return jax.tree.map(lambda leaf: factor * leaf, gradient)

    def _transformation(self, rate: float | Array, decaying: Any) -> Any:
        arguments: dict[str, Any] = dict(self._recipe.optimizer_arguments)
        decay = self._recipe.weight_decay
        if self._mask is not None and self._decay is not None:
            arguments[self._mask] = decaying
            if decay is not None:
                arguments[self._decay] = decay
            return self._function(rate, **arguments)
        own = self._function(rate, **arguments)
        if not decay:
            return own
        # The rate times so much of the weights is taken away, beside the optimiser's own step.
        return optax.chain(own, optax.add_decayed_weights(-rate * decay, mask=decaying))


def _decaying(learnt: Any) -> Any:
    nothing = jax.tree.map(lambda _: False, learnt.parameters)
    return learnt._replace(weights=_matrices(learnt.weights), parameters=nothing)


def _matrices(weights: Any) -> Any:
    """What weight decay acts upon: no biases, of which Equinox's convolutions have several axes."""

    def is_matrix(path: Any, leaf: Array) -> bool:
        return leaf.ndim > 1 and getattr(path[-1] if path else None, "name", "") != "bias"

    return jax.tree_util.tree_map_with_path(is_matrix, weights)
