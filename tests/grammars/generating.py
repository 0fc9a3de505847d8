"""Random expressions for the tests of the language."""

from __future__ import annotations

from random import Random

from hypothesis import strategies

from grammars.expressions.expression import SCOPES, Call, Constant, Expression, Parameter, X
from grammars.primitives import PRIMITIVES

_CONSTANTS = strategies.one_of(
    strategies.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, -0.0, 3.141592653589793]),
    strategies.floats(allow_nan=False, allow_infinity=False),
).map(Constant)
_PARAMETERS = strategies.builds(
    Parameter,
    strategies.sampled_from(["a", "beta"]),
    strategies.just(1.5),
    strategies.just(SCOPES[0]),
)
_LEAVES = strategies.one_of(strategies.just(X), _CONSTANTS, _PARAMETERS)


def expressions(*, max_leaves: int = 10) -> strategies.SearchStrategy[Expression]:
    """Any expression at all, sensible or not."""

    def calls(operands):
        return strategies.sampled_from(sorted(PRIMITIVES)).flatmap(
            lambda name: strategies.tuples(*[operands] * PRIMITIVES[name].arity).map(
                lambda arguments: Call(name, arguments)
            )
        )

    return strategies.recursive(_LEAVES, calls, max_leaves=max_leaves)


def random_expression(random: Random, size: int) -> Expression:
    """An expression of about `size` nodes over all primitives, with short constants."""
    if size <= 1:
        if random.random() < 0.7:
            return X
        return Constant(random.choice([0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -0.25]))
    fitting = [p for p in PRIMITIVES.values() if p.arity < size]
    primitive = random.choice(fitting)
    if primitive.name == "pow":
        exponent = Constant(random.choice([2.0, 3.0, 4.0, -1.0, 0.5]))
        return Call("pow", (random_expression(random, size - 2), exponent))
    cuts = sorted(random.randint(1, size - 1) for _ in range(primitive.arity - 1))
    sizes = [high - low for low, high in zip([0, *cuts], [*cuts, size - 1], strict=True)]
    operands = tuple(random_expression(random, max(part, 1)) for part in sizes)
    return Call(primitive.name, operands)
