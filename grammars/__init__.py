"""The language of activation functions: what can be written."""

from grammars.canonical import canonical, expression_id
from grammars.catalogue import BASELINES, CATALOGUE, Entry
from grammars.compilation import evaluate, to_jax, with_partials
from grammars.expression import Call, Constant, Expression, Parameter, Variable
from grammars.fingerprint import FunctionIndex, fingerprint, same_function
from grammars.grammar import ConstantRange, Grammar, ParameterRule
from grammars.grammar_files import GrammarError, grammar_names, load_grammar
from grammars.parsing import ParseError, parse
from grammars.primitives import PRIMITIVES, Primitive

__all__ = [
    "BASELINES",
    "CATALOGUE",
    "PRIMITIVES",
    "Call",
    "Constant",
    "ConstantRange",
    "Entry",
    "Expression",
    "FunctionIndex",
    "Grammar",
    "GrammarError",
    "Parameter",
    "ParameterRule",
    "ParseError",
    "Primitive",
    "Variable",
    "canonical",
    "evaluate",
    "expression_id",
    "fingerprint",
    "grammar_names",
    "load_grammar",
    "parse",
    "same_function",
    "to_jax",
    "with_partials",
]
