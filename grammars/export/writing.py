"""One tree walk that turns an expression into statements, for every target that is source text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from grammars.export.lowering import with_forms
from grammars.expressions.expression import (
    ATOM,
    NEGATION,
    POWER,
    Call,
    Constant,
    Expression,
    Parameter,
    Variable,
)
from grammars.expressions.forms import Form

__all__ = [
    "Body",
    "Form",
    "Language",
    "Special",
    "python_power",
    "uses",
    "whole_exponent",
    "write",
]


_PLAIN: Final = re.compile(r"[A-Za-z_][\w.]*|-?[\d.]+(e[-+]?\d+)?")

Special = tuple[Form, tuple[Expression, ...]] | None


def number_strength(text: str) -> int:
    """How strongly a number binds: one with a minus as a negation."""
    return NEGATION if text.startswith("-") else ATOM


@dataclass(frozen=True)
class Language:
    """A target language: a column of forms and what surrounds them.

    Attributes:
        forms: For each primitive, and each whole function of the framework, how it is written.
        helpers: Source of the helper functions by name.
        number: Writes a finite number.
        number_strength: How strongly the text of a number binds.
        statement: Template of a statement that names a value, with `{name}` and `{value}`.
        special: Has the first word on each call: a form and the operands that go into it, or None
            where the form of the primitive serves.
        names_repeated: Whether a value that is used twice gets a name.
        parentheses: How `{text}` is put in parentheses.
        longest: The longest text that a result may have before parts of it get names.
    """

    forms: Mapping[str, Form]
    helpers: Mapping[str, str] = field(default_factory=dict)
    number: Callable[[float], str] = repr
    number_strength: Callable[[str], int] = number_strength
    statement: str = "{name} = {value}"
    special: Callable[[Call], Special] = lambda node: None
    names_repeated: bool = True
    parentheses: str = "({text})"
    longest: int = 72


@dataclass(frozen=True)
class Body:
    """The statements of a function.

    Attributes:
        statements: In order, without indentation.
        values: The text of each result.
        helpers: Names of the helper functions that are called, in the order of first use.
    """

    statements: tuple[str, ...]
    values: tuple[str, ...]
    helpers: tuple[str, ...]


def whole_exponent(node: Call) -> int | None:
    """The exponent of a power that is a moderate whole number, as repeated products may use it."""
    match node:
        case Call("pow", (_, Constant(exponent))) if exponent.is_integer() and abs(exponent) <= 64:
            return int(exponent)
    return None


def python_power(node: Call) -> Special:
    """A whole power in Python, which is exact for negative bases."""
    exponent = whole_exponent(node)
    if exponent is None:
        return None
    return Form(f"{{0}} ** {exponent}", POWER, (ATOM,)), node.operands[:1]


def write(results: tuple[Expression, ...], language: Language, *, names: Mapping[str, str]) -> Body:
    """Writes expressions as statements and result texts.

    A value that is used twice, or whose text grows too long for a line, gets a name.

    Args:
        results: What to compute; subtrees that they share are written once.
        language: How to write it.
        names: What each trainable parameter, by its own name, is called in the text.

    Returns:
        The statements and, for each result, its text.
    """
    results = with_forms(results, language.forms)
    return _Writer(results, language, names).body(results)


def uses(results: tuple[Expression, ...]) -> Counter[Call]:
    """In how many places each distinct call is an operand or a result."""
    counts: Counter[Call] = Counter()
    pending = list(results)
    while pending:
        node = pending.pop()
        if not isinstance(node, Call):
            continue
        counts[node] += 1
        if counts[node] == 1:
            pending.extend(node.arguments)
    return counts


class _Writer:
    """Holds the statements written so far and the names given."""

    def __init__(
        self, results: tuple[Expression, ...], language: Language, names: Mapping[str, str]
    ) -> None:
        self._language = language
        self._names = names
        self._uses = uses(results)
        self._bound: dict[Expression, str] = {}
        self._statements: list[str] = []
        self._helpers: dict[str, None] = {}

    def body(self, results: tuple[Expression, ...]) -> Body:
        values = tuple(self._text(result)[0] for result in results)
        return Body(tuple(self._statements), values, tuple(self._helpers))

    def _text(self, node: Expression) -> tuple[str, int]:
        """The text of a node and its strength; may append statements that it relies on."""
        match node:
            case Variable():
                return "x", ATOM
            case Parameter(name):
                return self._names[name], ATOM
            case Constant(value):
                text = self._language.number(value)
                return text, self._language.number_strength(text)
            case Call() if node in self._bound:
                return self._bound[node], ATOM
            case Call():
                return self._call(node)
            case _:
                raise TypeError(f"cannot write {type(node).__name__}; expected an Expression")

    def _call(self, node: Call) -> tuple[str, int]:
        form, operands = self._form(node)
        texts = [self._text(operand) for operand in operands]
        if form.repeats:
            texts[0] = self._name(operands[0], texts[0][0]), ATOM
        text = self._filled(form, texts)
        while (
            len(text) > self._language.longest
            and (longest := _longest_call(operands, texts)) is not None
        ):
            texts[longest] = self._name(operands[longest], texts[longest][0]), ATOM
            text = self._filled(form, texts)
        if form.helper:
            self._helpers[form.helper] = None
        if self._uses[node] > 1 and operands and self._language.names_repeated:
            return self._name(node, text), ATOM
        return text, form.strength

    def _filled(self, form: Form, texts: list[tuple[str, int]]) -> str:
        operands = [
            self._language.parentheses.format(text=text) if strength < weakest else text
            for (text, strength), weakest in zip(texts, form.operands, strict=False)
        ]
        # The customary layout of Python hugs the operator of a power of plain names and numbers.
        is_plain = all(_PLAIN.fullmatch(operand) for operand in operands)
        template = form.text.replace(" ** ", "**") if is_plain else form.text
        return template.format(*operands)

    def _form(self, node: Call) -> tuple[Form, tuple[Expression, ...]]:
        return self._language.special(node) or (
            self._language.forms[node.primitive],
            node.operands,
        )

    def _name(self, node: Expression, text: str) -> str:
        """Gives a value a name by a statement, unless it is a name already."""
        if not isinstance(node, Call):
            return text
        if node not in self._bound:
            name = f"t{len(self._bound) + 1}"
            self._statements.append(self._language.statement.format(name=name, value=text))
            self._bound[node] = name
        return self._bound[node]


def _longest_call(operands: tuple[Expression, ...], texts: list[tuple[str, int]]) -> int | None:
    """Index of the operand with the longest text that a name would shorten."""
    candidates = [
        index
        for index, (operand, (text, _)) in enumerate(zip(operands, texts, strict=True))
        if isinstance(operand, Call) and len(text) > len("t100")
    ]
    return max(candidates, key=lambda index: len(texts[index][0]), default=None)
