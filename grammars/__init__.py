"""The language of activation functions: what can be written."""

from grammars.cached_evaluation import CachedEvaluation
from grammars.canonical import canonical, expression_id
from grammars.catalogue import BASELINES, CATALOGUE, Entry
from grammars.compilation import evaluate, to_jax, with_partials
from grammars.expression import Call, Constant, Expression, Parameter, Variable
from grammars.fingerprint import FunctionIndex, fingerprint, same_function
from grammars.fitting import fitted
from grammars.grammar import Grammar
from grammars.grammar_files import GrammarError, grammar_names, load_grammar
from grammars.layered import (
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
from grammars.parsing import ParseError, parse
from grammars.primitives import PRIMITIVES, Primitive
from grammars.printing import readable, shortened
from grammars.rules import ConstantRange, ParameterRule

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
    "to_jax",
    "with_partials",
]
