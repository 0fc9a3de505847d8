"""Networks: shapes, fair starts, and convolutions against JAX's own."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from evaluators.networks import (
    CNN,
    MLP,
    UNKNOWN,
    Initialiser,
    Moments,
    Network,
    ResidualCNN,
    weight_scale,
)
from evaluators.networks.convolution import patches, patches_by_axes
from evaluators.networks.transformer import small_products
from evaluators.steps.moments import mean_square
from grammars import by_layer, evaluate, parse, parse_activation


@pytest.mark.parametrize("network", [MLP(hidden=(12,) * 3), CNN(first_channels=2)])
def test_every_hidden_layer_has_the_same_units(network: Network) -> None:
    shape = (8, 8)
    moments = Moments(1.0, (1.0,) * network.hidden_layers)
    layers = network.start(0, shape=shape, classes=5, moments=moments)
    outputs = np.ones((3, 64), np.float32)
    for number, layer in enumerate(layers[:-1]):
        outputs = np.asarray(network.apply_layer(number, layer, outputs, shape=shape))
        assert outputs.shape == (3, network.units(shape))
        assert network.units(shape) % network.channels(shape)[number] == 0
    logits = network.apply_layer(network.hidden_layers, layers[-1], outputs, shape=shape)
    assert logits.shape == (3, 5)


def test_a_perceptron_needs_the_inputs_that_are_ever_lit_in_whole_vectors() -> None:
    training = np.zeros((3, 50), np.uint8)
    training[1, 20:45] = 7
    needed = MLP(hidden=(12,) * 2).needed(training)
    assert needed is not None
    assert needed.tolist() == [*range(7), *range(20, 45)]
    training[2, :10] = 1
    assert MLP(hidden=(12,) * 2).needed(training[:, :48]) is None
    assert CNN(first_channels=2).needed(training) is None


@pytest.mark.parametrize("shape", [(8, 8), (8, 12, 3), (7, 10)])
def test_convolutions_are_those_of_jax(shape: tuple[int, ...]) -> None:
    network = CNN(first_channels=4)
    random = np.random.default_rng(0)
    layers = network.start(0, shape=shape, classes=10, moments=Moments(1.0, (1.0, 1.0)))
    outputs = random.standard_normal((5, int(np.prod(shape)))).astype(np.float32)
    for number, layer in enumerate(layers[:-1]):
        sides = [-(-side // 2**number) for side in shape[:2]]
        images = outputs.reshape(5, *sides, -1)
        expected = lax.conv_general_dilated(
            images, layer.weights, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        outputs = np.asarray(network.apply_layer(number, layer, outputs, shape=shape))
        np.testing.assert_allclose(outputs, np.asarray(expected).reshape(5, -1), atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", [(8, 8, 1), (7, 10, 3)])
def test_patches_gathered_by_axes_are_those_gathered_at_once(
    stride: int, shape: tuple[int, ...]
) -> None:
    random = np.random.default_rng(0)
    images = random.standard_normal((2, *shape)).astype(np.float32)
    at_once, by_once = jax.vjp(lambda x: patches(x, stride=stride), images)
    by_axes, by_both = jax.vjp(lambda x: patches_by_axes(x, stride=stride), images)
    np.testing.assert_array_equal(by_axes, at_once)
    gradient = random.standard_normal(at_once.shape).astype(np.float32)
    np.testing.assert_allclose(by_both(gradient)[0], by_once(gradient)[0], atol=1e-5)


def test_convolutions_refuse_what_is_no_image() -> None:
    with pytest.raises(ValueError, match=r"takes images, got .* \[40\]; .*perceptron"):
        CNN(first_channels=4).units((40,))
    with pytest.raises(ValueError, match=r"takes images, got examples of shape \[40\]"):
        ResidualCNN().init(0, shape=(40,), outputs=10, moments=UNKNOWN)


@pytest.mark.parametrize(("count", "many"), [(3, 5), (16, 7)])
def test_many_small_products_are_those_of_matrices(count: int, many: int) -> None:
    random = np.random.default_rng(0)
    a, b, by = (
        random.standard_normal((*shape, many)).astype(np.float32)
        for shape in ((4, count), (count, 2), (4, 2))
    )
    result, pull = jax.vjp(small_products, a, b)
    expected, pull_expected = jax.vjp(lambda a, b: jnp.einsum("mkx,knx->mnx", a, b), a, b)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)
    for part, expected_part in zip(pull(by), pull_expected(by), strict=True):
        np.testing.assert_allclose(part, expected_part, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("initialiser", "variance"), [("he", 0.02), ("lecun", 0.01), ("gain", 0.04)]
)
def test_weight_scales(initialiser: Initialiser, variance: float) -> None:
    scale = weight_scale(initialiser, inputs=100, mean_square=0.25)
    assert scale**2 == pytest.approx(variance)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("x", 1.0),
        ("relu(x)", 0.5),
        ("x * x", 3.0),
        ("sin(x)", (1 - np.exp(-2)) / 2),
        ("x + 2", 5.0),
    ],
)
def test_mean_squares_are_integrals_over_the_normal_distribution(text: str, exact: float) -> None:
    assert mean_square(parse(text)) == pytest.approx(exact, rel=0.02)


def test_mean_squares_stay_within_what_weights_can_make_up_for() -> None:
    assert mean_square(parse("x * 1e-9")) == 1e-6
    assert mean_square(parse("exp(x * x)")) == 1e6


def test_gain_gives_every_activation_signals_of_unit_variance() -> None:
    network = MLP(hidden=(256,) * 4, initialiser="gain")
    random = np.random.default_rng(0)
    x = random.uniform(0, 1, (500, 64)).astype(np.float32)
    for text in ("sigmoid(x)", "x * x", "relu(x)", "[3 * x, x * x, sigmoid(x), relu(x)]"):
        functions = by_layer(parse_activation(text), network.hidden_layers)
        moments = Moments(float(np.mean(x**2)), tuple(map(mean_square, functions)))
        layers = network.start(np.random.default_rng(1), shape=(64,), classes=10, moments=moments)
        outputs = x
        for number, layer in enumerate(layers[:-1]):
            z = np.asarray(network.apply_layer(number, layer, outputs, shape=(64,)))
            assert 0.3 < float(np.mean(z**2)) < 3.0, (text, number)
            outputs = evaluate(functions[number], z)
