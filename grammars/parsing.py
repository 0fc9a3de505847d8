"""Text to expression: a recursive-descent parser with errors that point, and never `eval`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Final

from grammars.expression import (
    NAMED_CONSTANTS,
    SCOPES,
    Call,
    Constant,
    Expression,
    Parameter,
    Scope,
    Variable,
    conflicting_parameters,
    substitute,
)
from grammars.primitives import PRIMITIVES
from grammars.tokens import ParseError, Token, cut, tokens

__all__ = ["MAX_DEPTH", "MAX_SIZE", "MAX_TEXT_LENGTH", "ParseError", "parse", "parse_list"]

MAX_TEXT_LENGTH: Final = 10_000
MAX_DEPTH: Final = 60
MAX_SIZE: Final = 10_000

_PARAMETER_NAME: Final = re.compile(r"[A-Za-z_]\w{0,39}", re.ASCII)


def parse(text: str, *, definitions: Mapping[str, Expression] | None = None) -> Expression:
    """Reads an expression.

    Args:
        text: Infix notation, such as `x * sigmoid(1.5 * x)` or `where(x >= 0, x, 0.1 * x)`.
        definitions: Further functions of `x` by name, callable like primitives; the catalogue
            by default.

    Returns:
        The tree as it was written; nothing is simplified.

    Raises:
        ParseError: With the position, what was expected and, for a wrong name, the nearest one.
    """
    return _Parser(text, definitions).whole()


def parse_list(text: str) -> tuple[Expression, ...]:
    """Reads expressions in brackets, such as `[relu(x), tanh(x)]`; without brackets, a single one.

    Raises:
        ParseError: See `parse`.
    """
    return _Parser(text, None).whole_list()


class _Parser:
    """One method a level of precedence, weakest first."""

    def __init__(self, text: str, definitions: Mapping[str, Expression] | None) -> None:
        if definitions is None:
            from grammars.catalogue import definitions as catalogue_definitions

            definitions = catalogue_definitions()
        if len(text) > MAX_TEXT_LENGTH:
            raise ParseError(
                f"the text has {len(text):,} characters; at most {MAX_TEXT_LENGTH:,} are allowed",
                text,
                MAX_TEXT_LENGTH,
            )
        self._text = text
        self._definitions = definitions
        self._tokens = tokens(text)
        self._index = 0
        self._nesting = 0
        self._composed = 0

    def whole(self) -> Expression:
        expression = self._sum()
        self._end()
        return self._checked(expression)

    def whole_list(self) -> tuple[Expression, ...]:
        if not self._take("["):
            return (self.whole(),)
        expressions = [self._sum()]
        while self._take(","):
            expressions.append(self._sum())
        if not self._take("]"):
            raise self._error(f"expected an operator, ',' or ']', found {self._found}")
        self._end()
        return tuple(map(self._checked, expressions))

    def _end(self) -> None:
        if self._next.kind != "end":
            raise self._error(f"expected an operator or the end, found {self._found}")

    def _checked(self, expression: Expression) -> Expression:
        if (depth := expression.depth) > MAX_DEPTH:
            problem = f"the expression is {depth} deep; at most {MAX_DEPTH} is allowed"
            raise ParseError(problem, self._text, 0)
        if (size := expression.size) > MAX_SIZE:
            problem = f"the expression has {size:,} nodes; at most {MAX_SIZE:,} are allowed"
            raise ParseError(problem, self._text, 0)
        if clashes := conflicting_parameters(expression):
            name = clashes[0]
            problem = f"the parameter {name!r} has two starts or scopes; name one of them otherwise"
            named = [t for t in self._tokens if t.kind == "string" and t.text[1:-1] == name]
            raise self._error(problem, named[-1] if named else self._tokens[0])
        return expression

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    @property
    def _found(self) -> str:
        return "the end of the text" if self._next.kind == "end" else repr(cut(self._next.text))

    def _error(self, problem: str, token: Token | None = None) -> ParseError:
        return ParseError(problem, self._text, (token or self._next).position)

    def _take(self, *symbols: str) -> str | None:
        """Consumes the next token if it is one of `symbols`."""
        if self._next.kind == "symbol" and self._next.text in symbols:
            self._index += 1
            return self._tokens[self._index - 1].text
        return None

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise self._error(f"expected {symbol!r}, found {self._found}")

    def _sum(self) -> Expression:
        return self._chain({"+": "add", "-": "sub"}, self._product)

    def _product(self) -> Expression:
        return self._chain({"*": "mul", "/": "div"}, self._negation)

    def _chain(self, operators: Mapping[str, str], operand: Callable[[], Expression]) -> Expression:
        """Reads operands between operators of one strength, which associate to the left."""
        expression = operand()
        length = 0
        while symbol := self._take(*operators):
            # Every link is a level of the tree: refuse a long chain before it is built.
            if (length := length + 1) > MAX_DEPTH:
                problem = f"more than {MAX_DEPTH} operations in a row; group them in parentheses"
                raise self._error(problem)
            expression = Call(operators[symbol], (expression, operand()))
        return expression

    def _negation(self) -> Expression:
        self._nesting += 1
        # Somewhat more than the depth of a tree, since a text may hold idle parentheses; far less
        # than what Python's own stack can take.
        if self._nesting > MAX_DEPTH + 4:
            raise self._error(f"nested too deep; at most {MAX_DEPTH} levels are allowed")
        expression = self._signed()
        self._nesting -= 1
        return expression

    def _signed(self) -> Expression:
        if self._take("+"):
            return self._negation()
        if not self._take("-"):
            return self._power()
        is_literal = self._next.kind == "number" or self._next.text in NAMED_CONSTANTS
        operand = self._negation()
        # -2 is a number, but -2 ** 2 is, as in mathematics and Python, the negation of a power.
        if is_literal and isinstance(operand, Constant):
            return Constant(-operand.value)
        return Call("neg", (operand,))

    def _power(self) -> Expression:
        base = self._atom()
        if self._take("**", "^"):
            return Call("pow", (base, self._negation()))
        return base

    def _atom(self) -> Expression:
        token = self._next
        self._index += 1
        match token.kind:
            case "number":
                return self._number(token)
            case "name":
                return self._named(token)
            case "symbol" if token.text == "(":
                expression = self._sum()
                self._expect(")")
                return expression
        self._index -= 1
        raise self._error(f"expected a number, x, a function or '(', found {self._found}")

    def _number(self, token: Token) -> Constant:
        value = float(token.text)
        if value in (float("inf"), float("-inf")):
            raise self._error(f"the number {cut(token.text)} is too large for a float64", token)
        return Constant(value)

    def _named(self, token: Token) -> Expression:
        name = token.text
        if name == "x":
            return Variable()
        if name in NAMED_CONSTANTS:
            return Constant(NAMED_CONSTANTS[name])
        if name == "param":
            return self._parameter(token)
        if name in PRIMITIVES:
            return self._call(token)
        if name in self._definitions:
            return self._defined(token)
        raise self._error(self._unknown(name), token)

    def _unknown(self, name: str) -> str:
        known = ["x", "param", *NAMED_CONSTANTS, *PRIMITIVES, *self._definitions]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "`actsearch grammar list` shows the names"
        return f"unknown primitive {cut(name)!r}; {hint}"

    def _call(self, token: Token) -> Expression:
        name, arity = token.text, PRIMITIVES[token.text].arity
        if name == "where":
            return self._where()
        if arity == 1 and not (self._next.kind == "symbol" and self._next.text == "("):
            return Call(name, (Variable(),))  # `relu` alone means relu(x), as a catalogue name does
        arguments = self._arguments(name)
        if len(arguments) != arity:
            plural = "" if arity == 1 else "s"
            got = len(arguments)
            raise self._error(f"{name!r} takes {arity} argument{plural}, got {got}", token)
        return Call(name, tuple(arguments))

    def _arguments(self, name: str) -> list[Expression]:
        if not self._take("("):
            raise self._error(f"{name!r} needs its arguments: expected '(', found {self._found}")
        arguments = [self._sum()]
        while self._take(","):
            arguments.append(self._sum())
        if not self._take(")"):
            raise self._error(f"expected an operator, ',' or ')', found {self._found}")
        return arguments

    def _where(self) -> Expression:
        """Reads `where(a >= b, f, g)`; every comparison is turned into one of the form c >= 0."""
        self._expect("(")
        left = self._sum()
        symbol = self._take(">=", "<=", ">", "<")
        if symbol is None:
            problem = f"expected a comparison such as 'x >= 0' in 'where', found {self._found}"
            raise self._error(problem)
        right = self._sum()
        self._expect(",")
        first = self._sum()
        self._expect(",")
        second = self._sum()
        self._expect(")")
        difference = left if right == Constant(0.0) else Call("sub", (left, right))
        if symbol in (">", "<="):
            difference = Call("neg", (difference,))
        branches = (first, second) if symbol in (">=", "<=") else (second, first)
        return Call("where", (difference, *branches))

    def _defined(self, token: Token) -> Expression:
        """Reads a defined function: by its bare name, or applied to an argument."""
        definition = self._definitions[token.text]
        if not (self._next.kind == "symbol" and self._next.text == "("):
            return definition
        arguments = self._arguments(token.text)
        if len(arguments) != 1:
            problem = f"{token.text!r} takes 1 argument, got {len(arguments)}"
            raise self._error(problem, token)
        occurrences = sum(1 for node in definition.walk() if isinstance(node, Variable))
        # Composition can double the size at every level: measure before building, and all of them
        # together, since many large ones cost as much as one that is larger still.
        self._composed += definition.size + occurrences * (arguments[0].size - 1)
        if self._composed > MAX_SIZE:
            size = f"{self._composed:,}"
            problem = f"{token.text!r} makes {size} nodes; at most {MAX_SIZE:,} are allowed"
            raise self._error(problem, token)
        return substitute(definition, arguments[0])

    def _parameter(self, token: Token) -> Parameter:
        """Reads `param("name", start, per="channel")`."""
        self._expect("(")
        name = self._string("the parameter's name in quotes")
        if not _PARAMETER_NAME.fullmatch(name):
            problem = f"a parameter's name is a word of at most 40 characters, got {cut(name)!r}"
            raise self._error(problem, token)
        self._expect(",")
        place = self._next
        start = self._sum()
        if not isinstance(start, Constant):
            raise self._error("a parameter starts from a plain number", place)
        per: Scope = "channel"
        if self._take(","):
            if self._next.text == "per":
                self._index += 1
                self._expect("=")
            place = self._next
            scope = self._string("the scope in quotes")
            if scope not in SCOPES:
                allowed = ", ".join(SCOPES)
                problem = f"unknown scope {cut(scope)!r}; expected one of {allowed}"
                raise self._error(problem, place)
            per = next(known for known in SCOPES if known == scope)
        self._expect(")")
        return Parameter(name, start.value, per)

    def _string(self, expected: str) -> str:
        if self._next.kind != "string":
            raise self._error(f"expected {expected}, found {self._found}")
        self._index += 1
        return self._tokens[self._index - 1].text[1:-1]
