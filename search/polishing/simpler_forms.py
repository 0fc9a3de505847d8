"""Forms of a function that are simpler than it is, whatever they compute."""

from __future__ import annotations

from collections.abc import Iterator

from grammars import Call, Constant, Expression, Grammar, Parameter, Variable, canonical_form
from grammars.analysis.relatives import nearest
from grammars.catalogue import definitions
from search.polishing.constants import constants_of, digits_of, folded, rounded, with_constants

Complexity = tuple[int, int, int]
"""Nodes, trainable parameters and digits of the canonical form; what is compared first is first."""


def complexity(expression: Expression) -> Complexity:
    """How complex a function is, however it is written."""
    form = canonical_form(expression)
    assert isinstance(form, Expression)
    digits = sum(map(digits_of, constants_of(form)))
    return form.size, len(form.parameters), digits


def simpler_forms(expression: Expression, grammar: Grammar) -> list[Expression]:
    """What is left of a function without one of its parts, or with shorter constants.

    A subtree gives way to one of its operands, to `x`, or to 0, 1 or -1, a trainable parameter to
    its start value; constants, and what comes to one, are rounded to one, two or three digits, one
    or all of them; and the published function that is nearest in shape stands for the whole.

    Args:
        expression: The function.
        grammar: Which can write it.

    Returns:
        Those that are simpler by `complexity` and that the grammar can write, the simplest first.
    """
    limit = complexity(expression)
    found: dict[str, tuple[Complexity, str, Expression]] = {}
    for form in _forms(folded(expression)):
        text = str(form)
        if text in found or grammar.violation(form) is not None:
            continue
        found[text] = (complexity(form), text, form)
    return [form for how, _, form in sorted(found.values(), key=lambda e: e[:2]) if how < limit]


def _forms(expression: Expression) -> Iterator[Expression]:
    yield from _without_a_part(expression)
    values = constants_of(expression)
    for digits in (1, 2, 3):
        yield with_constants(expression, [rounded(value, digits) for value in values])
        for number, value in enumerate(values):
            others = [*values]
            others[number] = rounded(value, digits)
            yield with_constants(expression, others)
    if (name := nearest(expression)) is not None:
        yield definitions()[name]


def _without_a_part(expression: Expression) -> Iterator[Expression]:
    """With one node replaced, each in turn."""
    yield from _instead(expression)
    if isinstance(expression, Call):
        operands = expression.operands
        for number, operand in enumerate(operands):
            for other in _without_a_part(operand):
                changed = (*operands[:number], other, *operands[number + 1 :])
                yield Call(expression.primitive, changed, expression.definition)


def _instead(node: Expression) -> Iterator[Expression]:
    match node:
        case Parameter(_, start):
            yield Constant(start)
        case Constant():
            yield from (Constant(value) for value in (0.0, 1.0, -1.0))
        case Call(_, operands):
            yield from operands
            yield Variable()
            yield from (Constant(value) for value in (0.0, 1.0, -1.0))
