"""One battery over the table of primitives: shape, precision, slope, extremes and SymPy form."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy
import pytest
import sympy

from grammars import PRIMITIVES, Call, evaluate, parse, to_jax, with_partials
from grammars.algebra.signs import is_total
from grammars.expressions.expression import X, call
from grammars.numerics.compilation import interpret
from grammars.numerics.derivative import derivative
from grammars.primitives import EXP_ARGUMENT_MAX, NUMPY, Primitive, PrimitiveError

# Named points first; the last is not a number.
POINTS = numpy.array(
    [
        *[0.0, 1e-30, -1e-30, 1e-3, -1e-3, 88.0, -88.0, 100.0, -100.0, 1e3, -1e3],
        *numpy.linspace(-1e4, 1e4, 400),
        *numpy.linspace(-99, 99, 200),
        *numpy.linspace(-8.1, 8.2, 100),
        numpy.nan,
    ]
)
NAN = -1

# Where mathematics gives a finite value and a finite slope; everywhere for those not listed.
DOMAINS = {
    "sqrt": lambda a: a > 1e-6,
    "log": lambda a: a > 1e-6,
    "log1p": lambda a: a > -0.99,
}

# The further operands of primitives that take several, so that each is a function of x.
OTHERS = {
    "add": (0.75,),
    "sub": (0.75,),
    "mul": (0.75,),
    "div": (0.75,),
    "pow": (3.0,),
    "max": (0.75,),
    "min": (0.75,),
    "clip": (-0.75, 0.75),
    "where": (0.75, X),
}

ROWS = [pytest.param(row, id=row.name) for row in PRIMITIVES.values()]


def of_input(primitive: Primitive):
    """The primitive as a function of x."""
    return call(primitive.name, X, *OTHERS.get(primitive.name, ()))


def inside(primitive: Primitive, points: numpy.ndarray) -> numpy.ndarray:
    """Where mathematics gives the primitive a finite value and slope."""
    return DOMAINS.get(primitive.name, numpy.isfinite)(points)


def reference(primitive: Primitive, points) -> numpy.ndarray:
    """The value in float64."""
    points = numpy.asarray(points, numpy.float64)
    with numpy.errstate(all="ignore"):
        value = interpret(of_input(primitive), points, arrays=NUMPY, parameters={})
    return numpy.broadcast_to(value, points.shape)


@cache
def computed(dtype: str) -> dict[str, list[numpy.ndarray]]:
    """Value, slope, and slope in reverse mode at POINTS for all primitives, compiled once."""

    def everything(x):
        rows = {}
        for row in PRIMITIVES.values():
            value, slope, _ = with_partials(of_input(row))(x, {})
            _, pull = jax.vjp(lambda x, row=row: to_jax(of_input(row))(x, {}), x)
            rows[row.name] = [value, slope, pull(jnp.ones_like(x))[0]]
        return rows

    with jax.enable_x64(dtype == "float64"):
        results = jax.jit(everything)(jnp.asarray(POINTS, dtype))
        return {name: [numpy.asarray(r, "float64") for r in row] for name, row in results.items()}


def test_every_row_has_its_arity_in_this_battery():
    for row in PRIMITIVES.values():
        assert row.arity == 1 + len(OTHERS.get(row.name, ()))


@pytest.mark.parametrize("row", ROWS)
def test_shape_and_precision_are_those_of_the_input(row):
    for dtype in (jnp.float32, jnp.bfloat16):
        for shape in ((), (3,), (2, 3)):
            value = jax.eval_shape(to_jax(of_input(row)), jnp.zeros(shape, dtype), {})
            assert (value.shape, value.dtype) == (shape, dtype)
    x = numpy.full(3, 0.5, numpy.float32)
    single = interpret(of_input(row), x, arrays=NUMPY, parameters={})
    assert numpy.asarray(single).dtype == numpy.float32


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(("dtype", "precision"), [("float32", 3e-6), ("bfloat16", 2e-2)])
def test_the_value_is_that_of_float64(row, dtype, precision):
    points = numpy.asarray(jnp.asarray(POINTS, dtype), numpy.float64)
    near = inside(row, points) & (numpy.abs(points) <= 88)
    tolerance = precision
    if row.name in ("exp", "expm1", "sinh", "cosh"):
        # The relative error of e^a is the absolute error of a, which is large for large a.
        tolerance = precision * (1 + numpy.abs(points))
    expected = reference(row, points)
    with numpy.errstate(invalid="ignore"):
        error = numpy.abs(computed(dtype)[row.name][0] - expected)
        assert (error <= tolerance * (1e-3 + numpy.abs(expected)))[near].all()


@pytest.mark.parametrize("row", ROWS)
def test_the_slope_is_that_of_finite_differences(row):
    step = 1e-6
    smooth = (numpy.abs(POINTS) > 1e-3) & (numpy.abs(POINTS) < 20) & inside(row, POINTS - 1e-3)
    smooth &= numpy.abs(numpy.abs(POINTS) - 0.75) > 1e-3  # the bounds of OTHERS are kinks
    with numpy.errstate(all="ignore"):
        expected = (reference(row, POINTS + step) - reference(row, POINTS - step)) / (2 * step)
    for slope in computed("float64")[row.name][1:]:
        numpy.testing.assert_allclose(slope[smooth], expected[smooth], rtol=1e-6, atol=2e-8)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_value_and_slope_are_finite_wherever_mathematics_allows(row, dtype):
    allowed = inside(row, numpy.asarray(jnp.asarray(POINTS, dtype), numpy.float64))
    for numbers in computed(dtype)[row.name]:
        assert numpy.isfinite(numbers[allowed]).all()


@pytest.mark.parametrize("row", ROWS)
def test_the_sympy_form_agrees(row):
    symbol = sympy.Symbol("x", real=True)
    others = [symbol if other is X else sympy.Float(other) for other in OTHERS.get(row.name, ())]
    form = row.sympy(sympy, symbol, *others)
    points = numpy.array([0.3, -0.3, 1.7, -1.7, 1e-3])
    points = points[inside(row, points)]
    values = [float(form.subs(symbol, point).evalf(30)) for point in points]
    numpy.testing.assert_allclose(values, reference(row, points), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_nan_stays_visible(row):
    # A condition that cannot be decided takes the second branch, which is x here.
    assert numpy.isnan(reference(row, [numpy.nan])).all()
    assert numpy.isnan(computed("float32")[row.name][0][NAN])


@pytest.mark.parametrize(
    ("name", "point", "slope"),
    [("relu", 0.0, 0.0), ("softplus", 0.0, 0.5), ("log_sigmoid", 0.0, 0.5), ("sinc", 0.0, 0.0)],
)
def test_slopes_at_zero_are_those_of_the_field(name, point, slope):
    for found in computed("float32")[name][1:]:
        assert found[point == POINTS] == [slope]


@pytest.mark.parametrize("name", ["exp", "expm1", "sinh", "cosh"])
def test_guarded_exponentials_stay_flat_beyond_the_guard(name):
    primitive = PRIMITIVES[name]
    assert str(EXP_ARGUMENT_MAX) in primitive.guard
    inside, beyond = reference(primitive, [EXP_ARGUMENT_MAX, 1e4])
    assert inside == beyond < numpy.finfo(numpy.float32).max


def test_whole_powers_are_exact_for_negative_bases():
    x = numpy.array([-2.0, -0.5, 3.0])
    for exponent in (-3.0, -2.0, 0.0, 1.0, 5.0):
        power = interpret(call("pow", X, exponent), x, arrays=NUMPY, parameters={})
        numpy.testing.assert_allclose(power, x**exponent, rtol=1e-15)


def test_a_branch_that_is_not_taken_leaves_no_trace_in_the_slope():
    expression = call("where", X, X, call("sqrt", call("sub", X, 1.0)))
    _, slope, _ = with_partials(expression)(jnp.asarray([0.5, 2.0]), {})
    assert slope.tolist() == [1.0, 1.0]


def test_every_row_states_a_cost_and_its_guard_names_a_reason():
    for row in PRIMITIVES.values():
        assert row.cost > 0
        assert row.guard == "" or ":" in row.guard


def unary(primitive: Primitive) -> bool:
    return primitive.arity == 1


ALL = numpy.concatenate([numpy.linspace(-90, 90, 1801), numpy.linspace(-5, 5, 1001), [0.0]])
UNARY = [pytest.param(row, id=row.name) for row in PRIMITIVES.values() if unary(row)]
SEVERAL = [pytest.param(row, id=row.name) for row in PRIMITIVES.values() if not unary(row)]
LOWERED = [
    pytest.param(row, id=row.name) for row in PRIMITIVES.values() if row.lowering is not None
]


@pytest.mark.parametrize("row", ROWS)
def test_the_derivative_of_a_row_is_that_of_jax(row):
    points = POINTS[(numpy.abs(numpy.abs(POINTS) - 0.75) > 1e-6) & inside(row, POINTS)]
    points = points[(points != 0) & (numpy.abs(points) < 88)]
    with jax.enable_x64(True):
        _, expected, _ = with_partials(of_input(row))(jnp.asarray(points), {})
    found = evaluate(derivative(of_input(row)), points)
    numpy.testing.assert_allclose(found, numpy.asarray(expected), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_where_it_has_a_value(row):
    low, high = row.domain
    values = reference(row, ALL)
    defined = (low < ALL) & (high > ALL)
    if row.name == "div":
        assert not row.total
    else:
        assert numpy.isfinite(values[defined]).all()
        assert numpy.isnan(values[(low > ALL) | (high < ALL)]).all()
    assert row.total <= ((low, high) == (-numpy.inf, numpy.inf))
    assert is_total(of_input(row)) == row.total


def test_what_is_unknown_is_not_total():
    assert not is_total(Call("unheard_of", (X,)))
    assert not is_total(call("add", 1.0, Call("unheard_of", (X,))))
    assert not Primitive(
        name="new", arity=1, define=abs, sympy=abs, cost=1.0, lowering=lambda a: a
    ).total


@pytest.mark.parametrize("row", UNARY)
def test_a_row_states_its_range_parity_and_direction(row):
    x = numpy.sort(ALL)
    values = reference(row, x)
    low, high = row.range
    known = values[~numpy.isnan(values)]
    assert low <= known.min()
    assert known.max() <= high
    # Bounds are near what is reached, so that no row claims too little.
    assert low == -numpy.inf or known.min() - low < 0.02
    assert high == numpy.inf or high - known.max() < 0.02
    even = numpy.allclose(values, values[::-1], rtol=1e-12, atol=1e-12, equal_nan=True)
    odd = numpy.allclose(values, -values[::-1], rtol=1e-12, atol=1e-12, equal_nan=True)
    assert row.parity == ("even" if even else "odd" if odd else None)
    steps = numpy.diff(known[numpy.isfinite(known)])
    rises, falls = (steps >= -1e-12).all(), (steps <= 1e-12).all()
    assert row.monotone == ("rising" if rises else "falling" if falls else None)


@pytest.mark.parametrize("row", SEVERAL)
def test_a_row_bounds_the_values_of_operands_within_bounds(row):
    generator = numpy.random.default_rng(3)
    assert row.bounds is not None
    for _ in range(300):
        ends = numpy.sort(generator.normal(size=(row.arity, 2)) * 3, axis=1)
        if "constant" in row.slots:
            for index, slot in enumerate(row.slots):
                if slot == "constant":
                    ends[index] = round(float(ends[index, 0]))
        drawn = [generator.uniform(low, high, 50) for low, high in ends]
        for values, slot in zip(drawn, row.slots, strict=True):
            if slot == "constant":
                values[:] = values[0]
        operands = [
            float(v[0]) if s == "constant" else v for v, s in zip(drawn, row.slots, strict=True)
        ]
        with numpy.errstate(all="ignore"):
            values = numpy.asarray(row.define(NUMPY, *operands))
        low, high = row.bounds(*[(float(a), float(b)) for a, b in ends])
        known = values[~numpy.isnan(values)]
        assert ((known >= low - 1e-9 * abs(low)) & (known <= high + 1e-9 * abs(high))).all()


@pytest.mark.parametrize("row", LOWERED)
def test_a_lowering_is_the_same_function_of_other_primitives(row):
    form = row.lowering(X, *of_input(row).operands[1:])
    points = POINTS[inside(row, POINTS) & (numpy.abs(POINTS) <= 88)]
    numpy.testing.assert_allclose(
        evaluate(form, points), reference(row, points), rtol=1e-12, atol=1e-300
    )
    # Lowered again and again, everything ends in rows that have no lowering.
    rounds = 0
    pending = {node.primitive for node in form.walk() if isinstance(node, Call)}
    while lowered := {name for name in pending if PRIMITIVES[name].lowering is not None}:
        operands = {name: [X, 0.5, 1.5][: PRIMITIVES[name].arity] for name in lowered}
        forms = [
            PRIMITIVES[name].lowering(*call(name, *operands[name]).operands) for name in lowered
        ]
        assert row.name not in lowered
        pending = {n.primitive for form in forms for n in form.walk() if isinstance(n, Call)}
        assert (rounds := rounds + 1) < 10


@pytest.mark.parametrize("row", ROWS)
def test_a_commutative_row_is_one(row):
    if row.arity == 2:
        a, b = numpy.array([0.3, 2.0, -1.5]), numpy.array([1.7, -0.4, 2.5])
        with numpy.errstate(all="ignore"):
            same = numpy.array_equal(row.define(NUMPY, a, b), row.define(NUMPY, b, a))
        assert row.commutative == same


def test_a_row_without_a_derivative_cannot_be_made():
    with pytest.raises(PrimitiveError, match="'new' has no derivative; give its row partials"):
        Primitive(name="new", arity=1, define=abs, sympy=abs, cost=1.0)
    with pytest.raises(PrimitiveError, match="'new' takes 2 arguments, its row has 1 slots"):
        Primitive(
            name="new",
            arity=2,
            define=max,
            sympy=max,
            cost=1.0,
            lowering=lambda a, b: a,
            slots=("any",),
        )


def test_a_nan_reaches_the_derivative_of_what_is_guarded():
    for name in ("exp", "expm1", "sinh", "cosh"):
        slope = derivative(parse(f"{name}(x)"))
        assert numpy.isnan(evaluate(slope, numpy.array([numpy.nan]))).all()
        assert evaluate(slope, numpy.array([90.0])).tolist() == [0.0]
