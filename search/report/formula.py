"""A function as MathML, which browsers typeset by themselves."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html import escape
from typing import Final

from grammars import Activation, Call, Constant, Expression, Layered, Parameter, Variable
from grammars.export.writing import Form
from grammars.expressions.expression import ATOM, NAMED_CONSTANTS, POWER, PRODUCT, SUM

_MINUS: Final = "<mo>&#x2212;</mo>"
_BAR: Final = '<mo stretchy="true">|</mo>'
_CASES: Final = (
    '<mrow><mo>{{</mo><mtable columnalign="left left">'
    "<mtr><mtd>{1}</mtd><mtd><mtext>if&#xA0;</mtext>{0}<mo>&#x2265;</mo><mn>0</mn></mtd></mtr>"
    "<mtr><mtd>{2}</mtd><mtd><mtext>otherwise</mtext></mtd></mtr></mtable></mrow>"
)

# Templates are this package's own; what goes into them is escaped where it is written.
_FORMS: Final[Mapping[str, Form]] = {
    "neg": Form(f"<mrow>{_MINUS}{{0}}</mrow>", SUM, (PRODUCT,)),
    "add": Form("<mrow>{0}<mo>+</mo>{1}</mrow>", SUM, (SUM, PRODUCT)),
    "sub": Form(f"<mrow>{{0}}{_MINUS}{{1}}</mrow>", SUM, (SUM, PRODUCT)),
    "mul": Form("<mrow>{0}<mo>&#x22C5;</mo>{1}</mrow>", PRODUCT, (PRODUCT, POWER)),
    "div": Form("<mfrac>{0}{1}</mfrac>", POWER),
    "square": Form("<msup>{0}<mn>2</mn></msup>", POWER, (ATOM,)),
    "cube": Form("<msup>{0}<mn>3</mn></msup>", POWER, (ATOM,)),
    "pow": Form("<msup>{0}{1}</msup>", POWER, (ATOM, 0)),
    "sqrt": Form("<msqrt>{0}</msqrt>"),
    "exp": Form("<msup><mi>e</mi>{0}</msup>", POWER),
    "expm1": Form(f"<mrow><msup><mi>e</mi>{{0}}</msup>{_MINUS}<mn>1</mn></mrow>", SUM),
    "abs": Form(f"<mrow>{_BAR}{{0}}{_BAR}</mrow>"),
    "relu": Form("<mrow><mi>max</mi><mo>(</mo><mn>0</mn><mo>,</mo>{0}<mo>)</mo></mrow>"),
    "where": Form(_CASES),
}
_NAMES: Final[Mapping[str, str]] = {
    "sigmoid": "&sigma;",
    "log_sigmoid": "log&#xA0;&sigma;",
    "asinh": "arsinh",
    "atan": "arctan",
}
_NAMED: Final = {NAMED_CONSTANTS["pi"]: "&pi;", NAMED_CONSTANTS["e"]: "e"}


def mathml(activation: Activation) -> str:
    """The function as a `<math>` element; several, each after the name of its layer.

    Args:
        activation: What to typeset; names of parameters are escaped.
    """
    if isinstance(activation, Layered):
        lines = (f"{layer}: {mathml(f)}" for layer, f in activation.by_layer_name.items())
        return "<br>".join(lines)
    return f'<math aria-label="{escape(str(activation))}">{_write(activation)[0]}</math>'


def _write(node: Expression) -> tuple[str, int]:
    """The markup of a node and how strongly its outermost operation binds."""
    match node:
        case Variable():
            return "<mi>x</mi>", ATOM
        case Parameter(name):
            return f"<mi>{escape(_symbol(name))}</mi>", ATOM
        case Constant(value):
            return _number(value)
        case Call("mul", (left, right)) if _begins_with_minus(left):
            # -2 x needs no parentheses where nothing stands before it; the product then binds as
            # weakly as its sign.
            return _FORMS["mul"].text.format(_write(left)[0], _bound(right, POWER)), SUM
        case Call(primitive, operands):
            form = _FORMS.get(primitive) or _applied(primitive, len(operands))
            texts = map(_bound, operands, form.operands)
            return form.text.format(*texts), form.strength
        case _:
            raise TypeError(f"cannot typeset {type(node).__name__}; expected an Expression")


def _begins_with_minus(node: Expression) -> bool:
    match node:
        case Constant(value):
            return value < 0
        case Call("mul", (left, _)):
            return _begins_with_minus(left)
        case Call("neg", _):
            return True
        case _:
            return False


def _bound(node: Expression, weakest: int) -> str:
    """The markup of an operand, in parentheses where it binds more weakly than it must."""
    text, strength = _write(node)
    return text if strength >= weakest else f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"


def _applied(name: str, arity: int) -> Form:
    arguments = "<mo>,</mo>".join(f"{{{index}}}" for index in range(arity))
    function = _NAMES.get(name, name)
    return Form(f"<mrow><mi>{function}</mi><mo>(</mo>{arguments}<mo>)</mo></mrow>")


def _symbol(name: str) -> str:
    """A parameter's name, Greek where it is the name of a Greek letter."""
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}")
    except KeyError:
        return name


def _number(value: float) -> tuple[str, int]:
    magnitude = abs(value)
    digits, _, exponent = f"{magnitude:.6g}".partition("e")
    markup = f"<mn>{digits}</mn>"
    if magnitude in _NAMED:
        markup = f"<mi>{_NAMED[magnitude]}</mi>"
    elif exponent:
        power = f"<msup><mn>10</mn><mn>{int(exponent)}</mn></msup>"
        markup = f"<mrow>{markup}<mo>&#xD7;</mo>{power}</mrow>"
    return (markup, ATOM) if value >= 0 else (f"<mrow>{_MINUS}{markup}</mrow>", SUM)
