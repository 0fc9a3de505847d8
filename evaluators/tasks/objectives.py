"""Objectives of a user's own: a function that is given an activation and returns a loss."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic.dataclasses import dataclass

from evaluators.reading.given_functions import Taken, read_function
from evaluators.reading.sections import STRICT, SectionError, check_table, read_section, section_of
from grammars import Expression, evaluate
from grammars.numerics.compilation import start_values, to_jax

Framework = Literal["numpy", "jax", "pytorch", "keras"]

_PACKAGES: Final = {"numpy": "numpy", "jax": "jax", "pytorch": "torch", "keras": "keras"}


@dataclass(frozen=True, config=STRICT)
class Objective:
    """Takes the place of data, network and recipe: it trains, or not, what it likes.

    Attributes:
        function: Called in a worker as `score(activation, steps=..., seed=...)`, and with
            `split="validation"` or `"test"` where it has such a parameter. It returns a loss above
            0, or a mapping with "loss" and further metrics.
        framework: What the activation is: a function of NumPy or JAX arrays, a PyTorch module or a
            Keras layer. The latter two own their trainable parameters; a copy has its own.
    """

    function: Taken
    framework: Framework = "numpy"

    @property
    def hidden_layers(self) -> int:
        """It takes one function, for wherever it likes."""
        return 1


def read_objective(section: Any, *, folder: Path, place: str = "objective") -> Objective:
    """An objective from a task file: "my_objective.py:score", or a table with more.

    Args:
        section: What stands there.
        folder: Where relative paths begin.
        place: Its dotted path.

    Raises:
        SectionError: With all that is wrong.
    """
    table = {"function": section} if isinstance(section, str) else section
    check_table(table, place=place)
    if "function" not in table:
        raise SectionError([(f"{place}.function", "missing; it is required")])
    function = read_function(table["function"], folder=folder, place=f"{place}.function")
    objective = read_section(Objective, {**table, "function": function}, place=place)
    package = _PACKAGES[objective.framework]
    if importlib.util.find_spec(package) is None:
        raise SectionError([(f"{place}.framework", f"the package {package!r} is not installed")])
    return objective


def objective_section(objective: Objective) -> dict[str, Any]:
    """The table that `read_objective` reads an equal objective from."""
    return section_of(objective)


def deciding_objective(objective: Objective) -> dict[str, Any]:
    """What of it decides on results."""
    return {"function": objective.function.decides, "framework": objective.framework}


def activation_for(expression: Expression, framework: Framework) -> Any:
    """An expression as an objective is given it; see `Objective.framework`."""
    match framework:
        case "numpy":
            return lambda x: evaluate(expression, _floating(x))
        case "jax":
            return _for_jax(expression)
    return _module(expression, framework)


def _floating(x: Any) -> np.ndarray:
    array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _for_jax(expression: Expression) -> Callable[..., Any]:
    """A function of an array and, where it has any, a mapping of its trainable parameters."""
    import jax.numpy as jnp

    compute, starts = to_jax(expression), start_values(expression)

    def activation(x: Any, parameters: Any = None) -> Any:
        x = jnp.asarray(x)
        values = starts if parameters is None else parameters
        wide = x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)
        return compute(wide, {name: jnp.asarray(v, wide.dtype) for name, v in values.items()})

    return activation


def _module(expression: Expression, framework: Framework) -> Any:
    """An instance of the module that an export of the expression defines."""
    from grammars.export import TARGETS, Function

    function = Function(expression)
    source = TARGETS[framework].render(function)
    assert isinstance(source, str)
    # A file, since PyTorch's compiler and tracebacks look the source up.
    with tempfile.TemporaryDirectory(prefix="actsearch-activation-") as folder:
        path = Path(folder) / f"activation_{framework}.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    made: Any = getattr(module, function.class_name)()
    return made
