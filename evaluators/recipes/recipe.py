"""How a network is trained: optimiser, learning rate, schedule, batch and loss."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator
from pydantic.dataclasses import dataclass

from evaluators.reading.given_functions import OwnFunction, Taken, read_function
from evaluators.reading.sections import STRICT, check_table, deciding, read_section

Schedule = Literal["constant", "decay", "cosine", "warmup"]
LossName = Literal["cross_entropy", "squared_error"]
Loss = LossName | OwnFunction
Argument = bool | int | float

_DEFAULT_OPTIMIZER: Final = "adam"
# Of optax's, those that would need more than a gradient, or a rate before the first step.
_UNUSABLE: Final = frozenset({"lbfgs", "noisy_sgd", "rprop"})
# What the recipe itself decides.
_NOT_AN_ARGUMENT: Final = frozenset({"learning_rate", "weight_decay", "mask", "weight_decay_mask"})


def _pairs(value: Any) -> Any:
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value


_Arguments = Annotated[
    tuple[tuple[str, Argument], ...],
    Field(strict=False),
    BeforeValidator(_pairs),
    PlainSerializer(dict, return_type=dict[str, Argument]),
]


def _known_loss(value: Any) -> Any:
    if isinstance(value, str) and value not in get_args(LossName):
        raise ValueError(
            f"there are {', '.join(get_args(LossName))}, and functions of your own such as "
            f"my_loss.py:loss, got {value!r}"
        )
    return value


GREATEST_RATE: Final = 1e6
"""Of all learning rates."""

_Positive = Annotated[float, Field(gt=0.0, le=GREATEST_RATE, allow_inf_nan=False)]


@dataclass(frozen=True, config=STRICT)
class Recipe:
    """How a network is trained, the same for every candidate.

    Attributes:
        optimizer: Any of optax's by name that takes a learning rate and needs gradients only:
            "adam" (Kingma, Ba 2015), "adamw", "sgd", "lion" and so on.
        learning_rate: The rate of the schedule's plateau.
        schedule: How the rate runs over the steps, see `evaluators.recipes.schedules`. "constant"
            stays. "decay" stays and falls linearly to 0 over the last `decay_share` of a run's
            steps: so a short run is the beginning of a long one up to where its own decay begins.
            "warmup" rises over the first `warmup_steps` and is "decay" from there. "cosine" falls
            to 0 along half a cosine from the first step on, so that every run has to begin anew.
        optimizer_arguments: Further arguments of the optimiser by name, such as `b2`.
        decay_share: Of a run's steps, for "decay" and "warmup".
        warmup_steps: For "warmup".
        weight_decay: Of weights, which are all arrays with two axes or more; each step takes the
            rate times so much of them away (Loshchilov, Hutter 2019), or whatever the optimiser has
            its own `weight_decay` for. None for the optimiser's own default.
        clip_norm: Greatest Euclidean norm of the gradients of all weights and biases together; None
            for no limit.
        batch: Examples a step.
        loss: "cross_entropy" of the softmax of the outputs, in nats, or "squared_error", the mean
            over the outputs; or a function of a user's own, in JAX, from outputs [batch, outputs]
            and targets, which are classes [batch] or numbers [batch, outputs], to losses of at
            least 0 [batch].
    """

    optimizer: str = _DEFAULT_OPTIMIZER
    learning_rate: _Positive = 1e-3
    schedule: Schedule = "constant"
    optimizer_arguments: _Arguments = ()
    decay_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.2
    warmup_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    weight_decay: Annotated[float, Field(ge=0.0, le=1e3, allow_inf_nan=False)] | None = None
    clip_norm: _Positive | None = None
    batch: Annotated[int, Field(ge=1, le=1_000_000)] = 128
    loss: Annotated[LossName | Taken, BeforeValidator(_known_loss)] = "cross_entropy"

    @model_validator(mode="after")
    def _has_an_optimizer(self) -> Recipe:
        if self.optimizer == _DEFAULT_OPTIMIZER and not self.optimizer_arguments:
            return self  # known without importing optax, which takes seconds
        known = {
            name: default
            for name, default in optimizer_parameters(self.optimizer).items()
            if name not in _NOT_AN_ARGUMENT
        }
        for name, value in self.optimizer_arguments:
            if name in _NOT_AN_ARGUMENT:
                raise ValueError(
                    f"optimizer_arguments.{name}: the recipe has settings of its own for the "
                    "learning rate and the weight decay, got it here; move it there"
                )
            if name not in known:
                raise ValueError(
                    f"optimizer_arguments.{name}: {self.optimizer} has no such argument, got "
                    f"{name} = {value}; {_nearest(name, known)}"
                )
        return self


def read_recipe(section: Any, *, folder: Path = Path(), place: str = "recipe") -> Recipe:
    """A recipe from a table of a task file.

    Args:
        section: The table.
        folder: Where the path of a function begins.
        place: The dotted path of the table.

    Raises:
        SectionError: With all that is wrong.
    """
    check_table(section, place=place)
    loss = section.get("loss")
    if isinstance(loss, Mapping) or (isinstance(loss, str) and ":" in loss):
        section = {**section, "loss": read_function(loss, folder=folder, place=f"{place}.loss")}
    return read_section(Recipe, section, place=place)


def deciding_recipe(recipe: Recipe) -> dict[str, Any]:
    """What of it decides on results."""
    decides = deciding(recipe)
    return decides if isinstance(recipe.loss, str) else {**decides, "loss": recipe.loss.decides}


def optimizer_parameters(name: str) -> dict[str, Any]:
    """The parameters of one of optax's optimisers, with their defaults.

    Raises:
        ValueError: If there is none of that name; the message names the nearest.
    """
    return {
        parameter.name: parameter.default
        for parameter in inspect.signature(optimizer_function(name)).parameters.values()
    }


def optimizer_function(name: str) -> Callable[..., Any]:
    """One of optax's optimisers, as a function of its learning rate and further arguments.

    Raises:
        ValueError: If there is none of that name; the message names the nearest.
    """
    import optax

    usable = [
        known
        for known, value in sorted(vars(optax).items())
        if not known.startswith(("_", "scale_by_"))
        and known not in _UNUSABLE
        and _is_optimizer(value)
    ]
    if name not in usable:
        raise ValueError(
            f"optimizer: optax has none of that name that needs gradients only, got {name!r}; "
            f"{_nearest(name, usable)}"
        )
    function: Callable[..., Any] = getattr(optax, name)
    return function


def _is_optimizer(function: Any) -> bool:
    is_function = inspect.isfunction(function) or isinstance(function, partial)
    return is_function and "learning_rate" in inspect.signature(function).parameters


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}there are: {', '.join(known)}"
