"""Published activation functions as expressions, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from grammars.expression import Expression
from grammars.parsing import parse


@dataclass(frozen=True)
class Entry:
    """A published function.

    Attributes:
        name: Under which it is known, usable wherever an expression is.
        text: The expression in the language of `grammars.parsing`.
        source: Author, year, and where a variant is meant, which one.
    """

    name: str
    text: str
    source: str


_ENTRIES: Final = (
    Entry("identity", "x", "no activation: any depth is one layer"),
    Entry("sigmoid", "sigmoid(x)", "Verhulst 1845, as the logistic function"),
    Entry("tanh", "tanh(x)", "LeCun, Bottou, Orr, Müller 1998"),
    Entry("relu", "relu(x)", "Nair, Hinton 2010"),
    Entry("leaky_relu", "max(0.01 * x, x)", "Maas, Hannun, Ng 2013"),
    Entry("elu", "where(x >= 0, x, expm1(x))", "Clevert, Unterthiner, Hochreiter 2016, alpha = 1"),
    Entry("softplus", "softplus(x)", "Dugas, Bengio, Belisle, Nadeau, Garcia 2001"),
    Entry("swish", "x * sigmoid(x)", "Ramachandran, Zoph, Le 2017, beta = 1"),
    Entry("gelu", "0.5 * x * (1 + erf(x / sqrt(2)))", "Hendrycks, Gimpel 2016, exact"),
    Entry("mish", "x * tanh(softplus(x))", "Misra 2019"),
)

CATALOGUE: Final[Mapping[str, Entry]] = {entry.name: entry for entry in _ENTRIES}

# Scored under the same protocol in every campaign: what a discovery has to beat.
BASELINES: Final = (
    "relu",
    "leaky_relu",
    "elu",
    "swish",
    "gelu",
    "mish",
    "softplus",
    "tanh",
    "sigmoid",
)


@cache
def definitions() -> Mapping[str, Expression]:
    """Every entry as an expression, by name."""
    return {entry.name: parse(entry.text, definitions={}) for entry in _ENTRIES}
