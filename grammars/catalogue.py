"""Published activation functions as expressions, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from grammars.expressions.expression import Expression
from grammars.parsing.parser import parse


@dataclass(frozen=True)
class Entry:
    """A published function.

    Attributes:
        name: Under which it is known, usable wherever an expression is.
        text: The expression in the language of `grammars.parsing.parser`.
        source: Author, year, and where a variant is meant, which one.
        aliases: Further names for the same function.
        spelling: As sentences write it, where that is not the name with spaces.
    """

    name: str
    text: str
    source: str
    aliases: tuple[str, ...] = ()
    spelling: str | None = None

    @property
    def title(self) -> str:
        """What sentences and tables call it, such as "Leaky ReLU"."""
        return self.spelling or self.name.replace("_", " ")


_SWISH_PAPER: Final = "found by search: Ramachandran, Zoph, Le 2017"
_PANGAEA: Final = "found by search: Bingham, Miikkulainen 2022 (PANGAEA)"

_ENTRIES: Final = (
    Entry("identity", "x", "no activation: any depth is one layer", aliases=("linear",)),
    Entry("binary_step", "where(x >= 0, 1, 0)", "McCulloch, Pitts 1943: no gradient to learn from"),
    Entry("sigmoid", "sigmoid(x)", "Verhulst 1845", aliases=("logistic",)),
    Entry("tanh", "tanh(x)", "LeCun, Bottou, Orr, Müller 1998"),
    Entry("relu", "relu(x)", "Nair, Hinton 2010", spelling="ReLU"),
    Entry("leaky_relu", "max(0.01 * x, x)", "Maas, Hannun, Ng 2013", spelling="Leaky ReLU"),
    Entry(
        "elu",
        "where(x >= 0, x, expm1(x))",
        "Clevert, Unterthiner, Hochreiter 2016, alpha = 1",
        spelling="ELU",
    ),
    Entry("softplus", "softplus(x)", "Dugas, Bengio, Belisle, Nadeau, Garcia 2001"),
    Entry(
        "sum_of_sigmoids",
        "(sigmoid(x + 4) + sigmoid(x + 2) + sigmoid(x) + sigmoid(x - 2) + sigmoid(x - 4)) / 5",
        "after Nair, Hinton 2010; here the mean over the offsets -4, -2, 0, 2, 4",
    ),
    Entry(
        "swish",
        "x * sigmoid(x)",
        "Elfwing, Uchibe, Doya 2017, as SiLU; Ramachandran, Zoph, Le 2017, beta = 1",
        aliases=("silu",),
        spelling="Swish",
    ),
    Entry(
        "swish_beta",
        'x * sigmoid(param("beta", 1, per="channel") * x)',
        "Ramachandran, Zoph, Le 2017, trainable beta",
        spelling="Swish with beta",
    ),
    Entry(
        "prelu",
        'where(x >= 0, x, param("slope", 0.25, per="channel") * x)',
        "He, Zhang, Ren, Sun 2015",
        spelling="PReLU",
    ),
    Entry(
        "selu",
        "1.0507009873554805 * where(x >= 0, x, 1.6732632423542772 * expm1(x))",
        "Klambauer, Unterthiner, Mayr, Hochreiter 2017",
        spelling="SELU",
    ),
    Entry(
        "gelu", "0.5 * x * (1 + erf(x / sqrt(2)))", "Hendrycks, Gimpel 2016, exact", spelling="GELU"
    ),
    Entry(
        "gelu_tanh",
        "0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)))",
        "Hendrycks, Gimpel 2016, approximated by tanh",
        spelling="GELU by tanh",
    ),
    Entry(
        "quick_gelu",
        "x * sigmoid(1.702 * x)",
        "Hendrycks, Gimpel 2016, by sigmoid",
        spelling="Quick GELU",
    ),
    Entry("e_swish", "1.375 * x * sigmoid(x)", "Alcaide 2018, beta = 1.375", spelling="E-Swish"),
    Entry("mish", "x * tanh(softplus(x))", "Misra 2019", spelling="Mish"),
    Entry("softsign", "x / (1 + abs(x))", "Turian, Bergstra, Bengio 2009"),
    Entry("hard_sigmoid", "clip(x / 6 + 0.5, 0, 1)", "Howard et al. 2019; PyTorch, Keras 3"),
    Entry(
        "hard_sigmoid_keras2",
        "clip(0.2 * x + 0.5, 0, 1)",
        "Theano and Keras 1 and 2; not the hard sigmoid of Keras 3",
        spelling="hard sigmoid of Keras 2",
    ),
    Entry("hard_swish", "x * clip(x / 6 + 0.5, 0, 1)", "Howard et al. 2019", spelling="Hard Swish"),
    Entry("hard_tanh", "clip(x, -1, 1)", "Collobert 2004"),
    Entry("relu6", "clip(x, 0, 6)", "Krizhevsky 2010", spelling="ReLU6"),
    Entry("squared_relu", "square(relu(x))", "So et al. 2021 (Primer)", spelling="Squared ReLU"),
    Entry("lisht", "x * tanh(x)", "Roy, Manna, Dubey, Chaudhuri 2019", spelling="LiSHT"),
    Entry(
        "x_erf",
        "x * erf(x)",
        "Biswas, Kumar, Banerjee, Pandey 2022, the smooth |x| of SMU",
        spelling="x * erf(x)",
    ),
    Entry("arctan", "atan(x)", "Kamruzzaman, Aziz 2002"),
    Entry("sine", "sin(x)", "Parascandolo, Huttunen, Virtanen 2016"),
    Entry(
        "normalized_sinc", "sinc(pi * x)", "sin(pi x) / (pi x), not the primitive sinc, sin(x) / x"
    ),
    Entry("gaussian", "exp(-x ** 2)", "Broomhead, Lowe 1988, as a radial basis"),
    Entry("snake", "x + sin(x) ** 2", "Ziyin, Hartwig, Ueda 2020, a = 1", spelling="Snake"),
    Entry(
        "elish",
        "where(x >= 0, x * sigmoid(x), expm1(x) * sigmoid(x))",
        "Basirat, Roth 2018, found by genetic search",
        spelling="ELiSH",
    ),
    Entry("squareplus", "(x + sqrt(x ** 2 + 4)) / 2", "Barron 2021, b = 4"),
    Entry(
        "isru",
        "x / sqrt(1 + x ** 2)",
        "Carlile, Delamarter, Kinney, Marti, Whitney 2017",
        spelling="ISRU",
    ),
    Entry("tanhexp", "x * tanh(exp(x))", "Liu, Di 2020", aliases=("telu",), spelling="TanhExp"),
    Entry("golu", "x * exp(-exp(-x))", "Das and others 2025, a Gompertz gate", spelling="GoLU"),
    Entry(
        "serf", "x * erf(softplus(x))", "Nag, Bhattacharyya, Mukherjee, Kundu 2021", spelling="Serf"
    ),
    Entry("tanhshrink", "x - tanh(x)", "PyTorch"),
    Entry("max_sigmoid", "max(x, sigmoid(x))", _SWISH_PAPER),
    Entry("cos_minus_x", "cos(x) - x", _SWISH_PAPER),
    Entry("min_sin", "min(x, sin(x))", _SWISH_PAPER),
    Entry("squared_atan_minus_x", "atan(x) ** 2 - x", _SWISH_PAPER),
    Entry("max_tanh", "max(x, tanh(x))", _SWISH_PAPER),
    Entry("sinc_plus_x", "sinc(x) + x", f"{_SWISH_PAPER}, sinc(x) = sin(x) / x"),
    Entry("x_squared_asinh", "x * asinh(x) ** 2", _SWISH_PAPER),
    Entry("sigmoid_erf", "sigmoid(x) * erf(x)", "Bingham, Macke, Miikkulainen 2020"),
    Entry(
        "pangaea_asinh",
        'log_sigmoid(param("a", 1, per="channel") * x) * param("b", 1, per="channel") * asinh(x)',
        _PANGAEA,
    ),
    Entry(
        "pangaea_linear",
        'param("a", 1, per="channel") * x'
        ' - param("b", 1, per="channel") * log_sigmoid(param("c", 1, per="channel") * x)',
        _PANGAEA,
    ),
    Entry(
        "gelu_sine", "gelu(x) + 0.1 * sin(x)", "Vitvitskyi et al. 2026", spelling="GELU + 0.1 sine"
    ),
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
    """Every entry as an expression, by its name and by its aliases."""
    known: dict[str, Expression] = {}
    for entry in _ENTRIES:
        # An entry may use those before it.
        expression = parse(entry.text, definitions=known)
        known.update(dict.fromkeys((entry.name, *entry.aliases), expression))
    return known


def title_of(name: str) -> str:
    """The title of a published function; any other name, or text, as it is."""
    return CATALOGUE[name].title if name in CATALOGUE else name


def entry_named(name: str) -> Entry | None:
    """The entry with this name or alias."""
    return next((e for e in _ENTRIES if name in (e.name, *e.aliases)), None)
