"""Recursive descent over tokens: one method for each level of precedence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from grammars.expressions.expression import (
    NAMED_CONSTANTS,
    SCOPES,
    Call,
    Constant,
    Expression,
    Parameter,
    Scope,
    Variable,
    expanded_depth,
    expanded_size,
    substitute,
)
from grammars.expressions.parameters import conflicting_parameters
from grammars.primitives import PRIMITIVES
from grammars.reading.cursor import NO_EQUATIONS, Cursor
from grammars.reading.hints import unknown_name
from grammars.reading.spellings import is_class, resolved
from grammars.reading.tokens import ParseError, Token, cut

MAX_DEPTH: Final = 60
MAX_SIZE: Final = 10_000
# Of calls of defined functions, each of which is one level of what is written; Python's own stack
# takes somewhat more in every pass over a tree.
MAX_EXPANDED_DEPTH: Final = 200

_PARAMETER_NAME: Final = re.compile(r"[A-Za-z_]\w{0,39}", re.ASCII)
_E: Final = Constant(NAMED_CONSTANTS["e"])


class Parser:
    """One method a level of precedence, weakest first."""

    def __init__(
        self,
        text: str,
        definitions: Mapping[str, Expression],
        defined: Mapping[str, Expression],
    ) -> None:
        """Nothing is read yet.

        Args:
            text: What to read.
            definitions: Functions of `x` that are written out where they are called.
            defined: Functions of `x` whose calls stay one node.
        """
        self._cursor = Cursor(text)
        self._definitions = definitions
        self._defined = defined
        self._nesting = 0
        self._composed = 0

    @property
    def _names(self) -> tuple[str, ...]:
        return ("x", "param", *NAMED_CONSTANTS, *PRIMITIVES, *self._defined, *self._definitions)

    def whole(self) -> Expression:
        """Reads a single expression up to the end."""
        if self._cursor.at("["):
            raise self._cursor.error("a list is a function for each layer; give one of them")
        expression = self._sum()
        self._cursor.end()
        return self._checked(expression)

    def whole_list(self) -> tuple[Expression, ...]:
        """Reads a list in brackets, or a single expression, up to the end."""
        cursor = self._cursor
        if not cursor.take("["):
            return (self.whole(),)
        expressions = [self._sum()]
        while cursor.take(","):
            expressions.append(self._sum())
        if not cursor.take("]"):
            raise cursor.expected("an operator, ',' or ']'")
        cursor.end()
        return tuple(map(self._checked, expressions))

    def _checked(self, expression: Expression) -> Expression:
        text = self._cursor.text
        if (depth := expression.depth) > MAX_DEPTH:
            problem = f"the expression is {depth} deep; at most {MAX_DEPTH} is allowed"
            raise ParseError(problem, text, 0)
        if (depth := expanded_depth(expression)) > MAX_EXPANDED_DEPTH:
            problem = (
                f"with its definitions written out the expression is {depth} deep; at most "
                f"{MAX_EXPANDED_DEPTH} is allowed"
            )
            raise ParseError(problem, text, 0)
        if (size := expanded_size(expression)) > MAX_SIZE:
            problem = f"the expression has {size:,} nodes; at most {MAX_SIZE:,} are allowed"
            raise ParseError(problem, text, 0)
        if clashes := conflicting_parameters(expression):
            name = clashes[0]
            problem = f"the parameter {name!r} has two starts or scopes; name one of them otherwise"
            raise self._cursor.error(problem, self._cursor.string_named(name))
        return expression

    def _sum(self) -> Expression:
        return self._chain({"+": "add", "-": "sub"}, self._product)

    def _product(self) -> Expression:
        return self._chain({"*": "mul", "/": "div"}, self._negation)

    def _chain(self, operators: Mapping[str, str], operand: Callable[[], Expression]) -> Expression:
        """Reads operands between operators of one strength, which associate to the left."""
        expression = operand()
        length = 0
        while symbol := self._cursor.take(*operators):
            # Every link is a level of the tree: refuse a long chain before it is built.
            if (length := length + 1) > MAX_DEPTH:
                problem = f"more than {MAX_DEPTH} operations in a row; group them in parentheses"
                raise self._cursor.error(problem)
            expression = Call(operators[symbol], (expression, operand()))
        return expression

    def _negation(self) -> Expression:
        self._nesting += 1
        # Somewhat more than the depth of a tree, since a text may hold idle parentheses; far less
        # than what Python's own stack can take.
        if self._nesting > MAX_DEPTH + 4:
            raise self._cursor.error(f"nested too deep; at most {MAX_DEPTH} levels are allowed")
        expression = self._signed()
        self._nesting -= 1
        return expression

    def _signed(self) -> Expression:
        if self._cursor.take("+"):
            return self._negation()
        if not self._cursor.take("-"):
            return self._power()
        token = self._cursor.next
        is_literal = token.kind == "number" or self._resolved(token) in NAMED_CONSTANTS
        operand = self._negation()
        # -2 is a number, but -2 ** 2 is, as in mathematics and Python, the negation of a power.
        if is_literal and isinstance(operand, Constant):
            return Constant(-operand.value)
        return Call("neg", (operand,))

    def _power(self) -> Expression:
        base = self._atom()
        if self._cursor.next.kind == "raised":
            return Call("pow", (base, self._number(self._cursor.advance())))
        if not self._cursor.take("**", "^"):
            return base
        exponent = self._negation()
        if base == _E and (exponent.uses_input or exponent.parameters):
            # What papers mean by it, and guarded against overflow, which a power of e is not.
            return Call("exp", (exponent,))
        return Call("pow", (base, exponent))

    def _atom(self) -> Expression:
        cursor = self._cursor
        token = cursor.next
        if token.kind == "number":
            return self._number(cursor.advance())
        if token.kind == "name":
            return self._named(cursor.advance())
        if cursor.take("("):
            return self._closed_by(")")
        if cursor.take("|"):
            return Call("abs", (self._closed_by("|"),))
        if cursor.take("√"):
            return Call("sqrt", (self._negation_free(),))
        raise cursor.error(f"expected a number, x, a function or '(', found {cursor.found}")

    def _negation_free(self) -> Expression:
        """Reads what stands under a root sign, counted as a level like the argument of a call."""
        self._nesting += 1
        if self._nesting > MAX_DEPTH + 4:
            raise self._cursor.error(f"nested too deep; at most {MAX_DEPTH} levels are allowed")
        expression = self._atom()
        self._nesting -= 1
        return expression

    def _closed_by(self, symbol: str) -> Expression:
        expression = self._sum()
        self._cursor.expect(symbol)
        return expression

    def _number(self, token: Token) -> Constant:
        value = float(token.text)
        if value in (float("inf"), float("-inf")):
            problem = f"the number {cut(token.text)} is too large for a float64"
            raise self._cursor.error(problem, token)
        if value == 0 and re.search("[1-9]", re.split("[eE]", token.text)[0]):
            problem = f"the number {cut(token.text)} is too small for a float64; write 0 if it is 0"
            raise self._cursor.error(problem, token)
        return Constant(value)

    def _resolved(self, token: Token) -> str:
        """The name of the language that a name stands for; itself if that is not certain."""
        name = token.text
        if token.kind != "name" or name in PRIMITIVES or name in self._names:
            return name
        return resolved(name, self._names) or name

    def _named(self, token: Token) -> Expression:
        if token.text in self._defined:
            return self._call(token, token.text)
        name = self._resolved(token)
        if name == "x":
            return Variable()
        if name in NAMED_CONSTANTS:
            return Constant(NAMED_CONSTANTS[name])
        if name == "param":
            return self._parameter(token)
        if is_class(token.text) and self._cursor.at("(") and self._cursor.ahead(1).text == ")":
            # A module class is made before it is called: nn.SiLU()(x).
            self._cursor.advance()
            self._cursor.advance()
        if name in PRIMITIVES:
            return self._call(token, name)
        if name in self._definitions:
            return self._applied(self._definitions[name], token)
        if name != token.text:
            return self._applied(Parser(name, self._definitions, {}).whole(), token)
        hint = unknown_name(token.text, self._names) or "`actsearch grammar list` shows the names"
        if "=" in [self._cursor.ahead(count).text for count in (0, 3)]:  # y = ..., f(x) = ...
            hint = NO_EQUATIONS
        raise self._cursor.error(f"unknown primitive {cut(token.text)!r}; {hint}", token)

    def _call(self, token: Token, name: str) -> Expression:
        definition = self._defined.get(name)
        arity = PRIMITIVES[name].arity if definition is None else 1
        if name == "where":
            return self._where()
        if arity == 1 and not self._cursor.at("("):
            self._check_sign_after(token)
            # `relu` alone means relu(x), as a catalogue name does.
            return Call(name, (Variable(),), definition)
        arguments = self._arguments(token.text)
        if len(arguments) != arity:
            plural = "" if arity == 1 else "s"
            problem = f"{token.text!r} takes {arity} argument{plural}, got {len(arguments)}"
            raise self._cursor.error(problem, token)
        return Call(name, tuple(arguments), definition)

    def _check_sign_after(self, token: Token) -> None:
        """Refuses `exp -x`, which would be read as exp(x) - x and hardly ever means that."""
        sign, after = self._cursor.next, self._cursor.ahead(1)
        if sign.kind != "symbol" or sign.text not in "+-":
            return
        is_spaced = sign.position > token.position + len(token.text)
        if not (is_spaced and after.position > sign.position + 1):
            name, operand = token.text, f"{sign.text}{cut(after.text)}"
            problem = (
                f"'{name} {operand}' can mean {name}({operand}) or {name}(x) {sign.text} "
                f"{cut(after.text)}; write one of them"
            )
            raise self._cursor.error(problem, token)

    def _arguments(self, name: str) -> list[Expression]:
        cursor = self._cursor
        if not cursor.take("("):
            raise cursor.error(f"{name!r} needs its arguments: expected '(', found {cursor.found}")
        arguments = [self._sum()]
        while cursor.take(","):
            arguments.append(self._sum())
        if not cursor.take(")"):
            raise cursor.expected("an operator, ',' or ')'")
        return arguments

    def _where(self) -> Expression:
        """Reads `where(a >= b, f, g)`; every comparison is turned into one of the form c >= 0."""
        cursor = self._cursor
        cursor.expect("(")
        left = self._sum()
        symbol = cursor.take(">=", "<=", ">", "<")
        if symbol is None:
            raise cursor.expected("a comparison such as 'x >= 0' in 'where'")
        right = self._sum()
        cursor.expect(",")
        first = self._sum()
        cursor.expect(",")
        second = self._closed_by(")")
        difference = left if right == Constant(0.0) else Call("sub", (left, right))
        if symbol in (">", "<="):
            difference = Call("neg", (difference,))
        branches = (first, second) if symbol in (">=", "<=") else (second, first)
        return Call("where", (difference, *branches))

    def _applied(self, definition: Expression, token: Token) -> Expression:
        """Reads a defined function: by its bare name, or applied to an argument."""
        if not self._cursor.at("("):
            self._check_sign_after(token)
            return definition
        arguments = self._arguments(token.text)
        if len(arguments) != 1:
            problem = f"{token.text!r} takes 1 argument, got {len(arguments)}; it is {definition}"
            raise self._cursor.error(problem, token)
        occurrences = sum(1 for node in definition.walk() if isinstance(node, Variable))
        # Composition can double the size at every level: measure before building, and all of them
        # together, since many large ones cost as much as one that is larger still.
        self._composed += definition.size + occurrences * (arguments[0].size - 1)
        if self._composed > MAX_SIZE:
            size = f"{self._composed:,}"
            problem = f"{token.text!r} makes {size} nodes; at most {MAX_SIZE:,} are allowed"
            raise self._cursor.error(problem, token)
        return substitute(definition, arguments[0])

    def _parameter(self, token: Token) -> Parameter:
        """Reads `param("name", start, per="channel")`."""
        cursor = self._cursor
        cursor.expect("(")
        name = cursor.string("the parameter's name in quotes")
        if not _PARAMETER_NAME.fullmatch(name):
            problem = f"a parameter's name is a word of at most 40 characters, got {cut(name)!r}"
            raise cursor.error(problem, token)
        cursor.expect(",")
        place = cursor.next
        start = self._sum()
        if not isinstance(start, Constant):
            raise cursor.error("a parameter starts from a plain number", place)
        per: Scope = "channel"
        if cursor.take(","):
            if cursor.next.text == "per":
                cursor.advance()
                cursor.expect("=")
            place = cursor.next
            scope = cursor.string("the scope in quotes")
            if scope not in SCOPES:
                allowed = ", ".join(SCOPES)
                problem = f"unknown scope {cut(scope)!r}; expected one of {allowed}"
                raise cursor.error(problem, place)
            per = next(known for known in SCOPES if known == scope)
        cursor.expect(")")
        return Parameter(name, start.value, per)
