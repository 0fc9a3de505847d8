"""The immutable expression tree of a scalar activation function, and its printed form."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import is_
from types import ModuleType
from typing import Any, Literal, TypeVar, cast, get_args

Scope = Literal["channel", "layer", "network"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

# Numbers that are printed and read by name, so that a printed expression stays readable and exact.
NAMED_CONSTANTS = {"pi": math.pi, "e": math.e}

# Binding strength of the printed forms, weakest first; calls and leaves need no parentheses.
SUM, PRODUCT, NEGATION, POWER, ATOM = range(1, 6)

INFIX = {
    "add": ("+", SUM),
    "sub": ("-", SUM),
    "mul": ("*", PRODUCT),
    "div": ("/", PRODUCT),
    "pow": ("**", POWER),
}


class Expression:
    """A function of one real input `x`, applied to every element of an array.

    Expressions are values: frozen, hashable and equal when they are written the same way. Whether
    two of them are the same *function* is a question for `grammars.algebra.canonical`.
    """

    # JAX keeps what it compiles by a weak reference to the function.
    __slots__ = ("__weakref__",)

    @property
    def arguments(self) -> tuple[Expression, ...]:
        """The subtrees directly below this node, empty for a leaf."""
        return ()

    def walk(self) -> Iterator[Expression]:
        """Yields every node in prefix order, this one first."""
        pending: list[Expression] = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.arguments))

    @property
    def size(self) -> int:
        """Number of nodes."""
        return sum(1 for _ in self.walk())

    @property
    def depth(self) -> int:
        """Number of edges from here to the deepest leaf; a leaf has depth 0."""
        deepest = 0
        pending: list[tuple[Expression, int]] = [(self, 0)]
        while pending:
            node, depth = pending.pop()
            deepest = max(deepest, depth)
            pending.extend((argument, depth + 1) for argument in node.arguments)
        return deepest

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The distinct trainable parameters, in order of first appearance."""
        return tuple(dict.fromkeys(node for node in self.walk() if isinstance(node, Parameter)))

    @property
    def uses_input(self) -> bool:
        """Whether `x` occurs anywhere below."""
        return any(isinstance(node, Variable) for node in self.walk())

    def __call__(self, x: Any, /, **parameters: Any) -> Any:
        """The function at points, such as `parse("x * sigmoid(x)")(numpy.linspace(-3, 3))`.

        Args:
            x: A number, a list, a NumPy array or a JAX array (also while JAX traces), of any shape.
            **parameters: Values of trainable parameters by name, broadcastable against `x`; of the
                others the start values are taken.

        Returns:
            What came, of the same shape: a number, else an array of the same library and precision;
            for integers and lists one of float64. NaN or infinite, silently, where mathematics has
            no value.

        Raises:
            TypeError: If the expression has no parameter of a name that is given.
        """
        return _own_methods().value(self, x, parameters)

    @property
    def derivative(self) -> Expression:
        """The derivative by `x` as an expression; at a kink, that of one of its sides."""
        return cast("Expression", _own_methods().derivative_of(self))

    @property
    def latex(self) -> str:
        """The formula in LaTeX, for amsmath."""
        return str(_own_methods().latex(self))

    def _repr_latex_(self) -> str:
        """For notebooks."""
        return f"$\\displaystyle f(x) = {self.latex}$"

    def _repr_html_(self) -> str:
        """For notebooks: the formula, and the curves of f and f' beside those of ReLU."""
        return str(_own_methods().html(self))

    def __str__(self) -> str:
        return "; ".join([_printed(self)[0], *definitions_in(self)])

    def __repr__(self) -> str:
        return f"parse({str(self)!r})"


def _own_methods() -> ModuleType:
    """What an expression does by what is built on expressions, imported once it is asked for."""
    from grammars import showing

    return showing


@dataclass(frozen=True, slots=True, repr=False)
class Variable(Expression):
    """The input `x`."""

    __str__ = Expression.__str__


@dataclass(frozen=True, slots=True, repr=False)
class Constant(Expression):
    """A fixed real number."""

    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a constant must be finite; got {self.value}")

    __str__ = Expression.__str__


@dataclass(frozen=True, slots=True, repr=False)
class Parameter(Expression):
    """A trainable number, learnt together with the weights of the network.

    Attributes:
        name: Occurrences of one name in an expression share one value.
        start: Value before training.
        per: What owns a value of its own: every channel (unit), every layer, or the whole network.
    """

    name: str
    start: float
    per: Scope = "channel"

    def __post_init__(self) -> None:
        if not math.isfinite(self.start):
            raise ValueError(f"the parameter {self.name!r} must start finite; got {self.start}")

    __str__ = Expression.__str__


class _Remembering(Expression):
    """What has been worked out once of a node: a search asks for it again and again."""

    __slots__ = ("_hash", "_printed", "_text")
    _hash: int
    _printed: tuple[str, int]
    _text: str


@dataclass(frozen=True, slots=True, repr=False)
class Call(_Remembering):
    """A primitive applied to subtrees.

    Attributes:
        primitive: Its name.
        operands: What it is applied to.
        definition: What a grammar defines it as, a function of `x` made of primitives of the
            language; None for these themselves.
    """

    primitive: str
    operands: tuple[Expression, ...]
    definition: Expression | None = None

    @property
    def arguments(self) -> tuple[Expression, ...]:
        return self.operands

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            return _kept(self, "_hash", hash((self.primitive, self.operands, self.definition)))

    def __str__(self) -> str:
        try:
            return self._text
        except AttributeError:
            return _kept(self, "_text", Expression.__str__(self))


Value = TypeVar("Value")


def _kept(node: Call, slot: str, value: Value) -> Value:
    """Keeps what follows from a node with it; it is no part of its value."""
    object.__setattr__(node, slot, value)
    return value


X = Variable()


def call(primitive: str, *arguments: Expression | float) -> Call:
    """Builds a call; plain numbers become constants."""
    return Call(
        primitive,
        tuple(a if isinstance(a, Expression) else Constant(float(a)) for a in arguments),
    )


def substitute(expression: Expression, replacement: Expression) -> Expression:
    """Composition: `expression` with every `x` replaced."""
    match expression:
        case Variable():
            return replacement
        case Call(operands=operands):
            return replace(expression, operands=tuple(substitute(o, replacement) for o in operands))
        case _:
            return expression


def expanded(expression: Expression) -> Expression:
    """The expression with what a grammar defines written out in primitives of the language."""
    match expression:
        case Call(operands=operands, definition=definition):
            inner = tuple(map(expanded, operands))
            if definition is not None:
                return substitute(definition, inner[0])
            if all(map(is_, inner, operands)):
                return expression
            return replace(expression, operands=inner)
        case _:
            return expression


def expanded_size(expression: Expression) -> int:
    """How many nodes `expanded` would give, without the making."""
    if not isinstance(expression, Call):
        return 1
    inner = [expanded_size(operand) for operand in expression.operands]
    if expression.definition is None:
        return 1 + sum(inner)
    occurrences = sum(isinstance(node, Variable) for node in expression.definition.walk())
    return expression.definition.size + occurrences * (inner[0] - 1)


def expanded_depth(expression: Expression) -> int:
    """How deep what `expanded` would give is, at most, without the making."""
    if not isinstance(expression, Call):
        return 0
    own = 1 if expression.definition is None else expression.definition.depth
    return own + max(map(expanded_depth, expression.operands), default=0)


def definitions_in(*expressions: Expression) -> tuple[str, ...]:
    """What follows the text of expressions, so that it says itself what a grammar has defined."""
    defined = {
        node.primitive: node.definition
        for expression in expressions
        for node in expression.walk()
        if isinstance(node, Call) and node.definition is not None
    }
    return tuple(f"{name}(x) = {definition}" for name, definition in defined.items())


def text_of(expression: Expression) -> str:
    """The text of an expression without the definitions that it rests on."""
    return _printed(expression)[0]


def format_number(value: float) -> str:
    """The shortest text that reads back as exactly `value`, by name where it has one."""
    for name, number in NAMED_CONSTANTS.items():
        if abs(value) == number:
            return name if value > 0 else f"-{name}"
    if value == int(value) and abs(value) < 1e15:
        # The sign of a negative zero is part of its value.
        return f"{value:.0f}"
    return repr(float(value))


def _printed(expression: Expression) -> tuple[str, int]:
    """What `_print` says, kept with the node: not with all below it, which would take its room."""
    if not isinstance(expression, Call):
        return _print(expression)
    try:
        return expression._printed
    except AttributeError:
        return _kept(expression, "_printed", _print(expression))


def _print(expression: Expression) -> tuple[str, int]:
    """Returns the text of an expression and how strongly its outermost operation binds."""
    match expression:
        case Variable():
            return "x", ATOM
        case Constant(value):
            text = format_number(value)
            return text, NEGATION if text.startswith("-") else ATOM
        case Parameter(name, start, per):
            return f'param("{name}", {format_number(start)}, per="{per}")', ATOM
        case Call("neg", (operand,)):
            # A number directly after the minus would be read back as a negative constant.
            weakest = ATOM + 1 if isinstance(operand, Constant) else NEGATION
            return f"-{_wrapped(operand, weakest)}", NEGATION
        case Call("where", (condition, positive, negative)):
            texts = map(_below, (condition, positive, negative))
            return "where({} >= 0, {}, {})".format(*texts), ATOM
        case Call("pow", (Constant(math.e), power)) if power.uses_input or power.parameters:
            # Infix it would be read as the exponential function, whose overflow is guarded.
            return f"pow(e, {_below(power)})", ATOM
        case Call(primitive, (left, right)) if primitive in INFIX:
            symbol, strength = INFIX[primitive]
            # All infix operators associate to the left, except the power.
            tighter_left, tighter_right = (1, 0) if primitive == "pow" else (0, 1)
            left_text = _wrapped(left, strength + tighter_left)
            right_text = _wrapped(right, strength + tighter_right)
            return f"{left_text} {symbol} {right_text}", strength
        case Call(primitive, operands):
            return f"{primitive}({', '.join(map(_below, operands))})", ATOM
        case _:
            raise TypeError(f"cannot print {type(expression).__name__}; expected an Expression")


def _below(expression: Expression) -> str:
    return _wrapped(expression, 0)


def _wrapped(expression: Expression, weakest: int) -> str:
    known = getattr(expression, "_printed", None)
    text, strength = known or _print(expression)
    return text if strength >= weakest else f"({text})"
