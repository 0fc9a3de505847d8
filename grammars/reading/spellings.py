"""What papers and frameworks call the functions of this language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

# Names of our own functions elsewhere, in lower case without underscores, where they mean the same.
_OTHER_NAMES: Final = {
    "ln": "log",
    "absolute": "abs",
    "fabs": "abs",
    "negative": "neg",
    "arcsinh": "asinh",
    "arsinh": "asinh",
    "maximum": "max",
    "fmax": "max",
    "minimum": "min",
    "fmin": "min",
    "clamp": "clip",
    "clipbyvalue": "clip",
    "power": "pow",
    "multiply": "mul",
    "subtract": "sub",
    "divide": "div",
    "truedivide": "div",
    "expit": "sigmoid",
    "logexpit": "log_sigmoid",
    "hardsilu": "hard_swish",
    "relusquared": "squared_relu",
    "gelunew": "gelu_tanh",
    "gelupytorchtanh": "gelu_tanh",
    "σ": "sigmoid",
    "π": "pi",
}

# The modules in which frameworks keep their functions; a name in any other is not read.
_FAMILIES: Final = {
    "torch": "torch",
    "F": "torch",
    "functional": "torch",
    "nn": "nn",
    "jax": "jax",
    "jnp": "jax",
    "lax": "jax",
    "flax": "jax",
    "tf": "tensorflow",
    "tensorflow": "tensorflow",
    "keras": "keras",
    "np": "numpy",
    "numpy": "numpy",
    "math": "math",
    "sympy": "sympy",
    "scipy": "scipy",
}
MODULES: Final = tuple(_FAMILIES)

# Where a framework's function of a name differs from the one that bears it here, what it is.
_DIFFERENT: Final = {
    # Only SymPy has sin(x) / x.
    ("torch", "sinc"): "normalized_sinc",
    ("jax", "sinc"): "normalized_sinc",
    ("numpy", "sinc"): "normalized_sinc",
    ("scipy", "sinc"): "normalized_sinc",
    ("tensorflow", "sinc"): "normalized_sinc",
    ("keras", "sinc"): "normalized_sinc",
    # JAX approximates unless told otherwise; flax.linen, which is imported as nn, has it from JAX.
    ("jax", "gelu"): "gelu_tanh",
    ("nn", "gelu"): "gelu_tanh",
    ("keras.ops", "gelu"): "gelu_tanh",
    ("tensorflow", "leakyrelu"): "max(0.2 * x, x)",
    ("keras", "leakyrelu"): "max(0.2 * x, x)",
    ("keras.ops", "leakyrelu"): "max(0.2 * x, x)",
    ("keras.layers", "leakyrelu"): "max(0.3 * x, x)",
    ("torch", "prelu"): 'where(x >= 0, x, param("slope", 0.25, per="layer") * x)',
    ("jax", "prelu"): 'where(x >= 0, x, param("slope", 0.01, per="layer") * x)',
}

# What a framework's name may mean only those who wrote it know.
_AMBIGUOUS: Final = {
    ("keras", "hardsigmoid"): "Keras 3 has 'hard_sigmoid', Keras 1 and 2 'hard_sigmoid_keras2'",
    ("keras.layers", "prelu"): "Keras starts its slopes from 0; write where(x >= 0, x, "
    'param("slope", 0) * x)',
    ("nn", "prelu"): "PyTorch starts its slope from 0.25, Flax from 0.01; write torch.nn.PReLU or "
    "flax.linen.PReLU",
}

# A published name is a class in PyTorch and a function in JAX, which differ in what they compute.
_CLASSES: Final = frozenset({("nn", "gelu")})


def key(name: str) -> str:
    """A name without what spellings differ in: `LeakyReLU` and `leaky_relu` have one key."""
    return name.replace("_", "").casefold()


def resolved(written: str, known: Iterable[str]) -> str | None:
    """What a name of papers or frameworks stands for, where that is certain.

    Args:
        written: As it stands in the text, such as `SiLU` or `torch.nn.functional.silu`.
        known: The names of the language, in the order in which they are tried.

    Returns:
        A name of the language, or an expression where a framework's function of that name is
        another; None if the meaning is not certain.
    """
    *modules, name = written.split(".")
    families = _families(modules)
    if families is None or any((family, key(name)) in _AMBIGUOUS for family in families):
        return None
    for family in families:
        is_class = name[0].isupper() and (family, key(name)) in _CLASSES
        if (different := _DIFFERENT.get((family, key(name)))) is not None and not is_class:
            return different
    wanted = _OTHER_NAMES.get(key(name), name)
    return next((own for own in known if key(own) == key(wanted)), None)


def ambiguity(written: str) -> str | None:
    """Why a framework's name is not read although the language has a function of that name."""
    *modules, name = written.split(".")
    families = _families(modules) or ()
    return next((_AMBIGUOUS[f, key(name)] for f in families if (f, key(name)) in _AMBIGUOUS), None)


def is_class(written: str) -> bool:
    """Whether a name is that of a module class, which is made before it is called: `nn.ReLU6()`."""
    return re.search(r"\.[A-Z]\w*$", written) is not None


def _families(modules: list[str]) -> tuple[str, ...] | None:
    """The narrowest family first; None for modules that no framework has."""
    if not modules:
        return ("",)
    if (family := _FAMILIES.get(modules[0])) is None:
        return None
    if modules[:2] == ["tf", "keras"] or modules[:2] == ["tensorflow", "keras"]:
        family = "keras"
    if modules == ["nn", "functional"]:  # Flax has no such module
        family = "torch"
    return f"{family}.{modules[-1]}", family
