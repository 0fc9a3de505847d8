"""The language of activation functions: what can be written."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from grammars.algebra.canonical import canonical, expression_id
from grammars.algebra.layered import (
    Activation,
    Layered,
    LayersError,
    activation_id,
    assign,
    by_layer,
    canonical_form,
    functions_of,
    parse_activation,
)
from grammars.algebra.printing import readable, shortened
from grammars.catalogue import BASELINES, CATALOGUE, Entry, title_of
from grammars.expressions.expression import Call, Constant, Expression, Parameter, Variable
from grammars.numerics.cached_evaluation import CachedEvaluation
from grammars.numerics.compilation import evaluate, to_jax, with_partials
from grammars.numerics.fingerprint import FunctionIndex, fingerprint, same_function
from grammars.parsing.parser import ParseError, parse
from grammars.primitives import PRIMITIVES, Primitive

if TYPE_CHECKING:
    from grammars.space.fitting import fitted
    from grammars.space.grammar import Grammar
    from grammars.space.grammar_files import GrammarError, grammar_names, load_grammar
    from grammars.space.rules import ConstantRange, ParameterRule

__all__ = [
    "BASELINES",
    "CATALOGUE",
    "PRIMITIVES",
    "Activation",
    "CachedEvaluation",
    "Call",
    "Constant",
    "ConstantRange",
    "Entry",
    "Expression",
    "FunctionIndex",
    "Grammar",
    "GrammarError",
    "Layered",
    "LayersError",
    "Parameter",
    "ParameterRule",
    "ParseError",
    "Primitive",
    "Variable",
    "activation_id",
    "assign",
    "by_layer",
    "canonical",
    "canonical_form",
    "evaluate",
    "expression_id",
    "fingerprint",
    "fitted",
    "functions_of",
    "grammar_names",
    "load_grammar",
    "parse",
    "parse_activation",
    "readable",
    "same_function",
    "shortened",
    "title_of",
    "to_jax",
    "with_partials",
]

# Grammars are checked by pydantic, for which whoever only reads functions need not wait.
_OF_GRAMMARS = {
    "ConstantRange": "rules",
    "Grammar": "grammar",
    "GrammarError": "grammar_files",
    "ParameterRule": "rules",
    "fitted": "fitting",
    "grammar_names": "grammar_files",
    "load_grammar": "grammar_files",
}


def __getattr__(name: str) -> Any:
    if name in _OF_GRAMMARS:
        return getattr(import_module(f"grammars.space.{_OF_GRAMMARS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
