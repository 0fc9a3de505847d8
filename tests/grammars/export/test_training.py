"""A small network of each framework trains for one epoch with an exported function."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy
import pytest
from sklearn.datasets import load_digits

from grammars import parse
from grammars.export import render

# One that no framework knows, with a parameter a channel, which has to learn too.
EXPRESSION = 'x * sigmoid(param("beta", 1) * x) + 0.1 * sin(x)'
HIDDEN, BATCH, LEARNING_RATE = 32, 32, 0.2


@pytest.fixture(scope="module")
def digits() -> tuple[numpy.ndarray, numpy.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return (images / 16.0).astype(numpy.float32), labels.astype(numpy.int64)


def load(target: str, suffix: str, folder: Path) -> Any:
    path = folder / f"activation{suffix}"
    path.write_text(str(render(parse(EXPRESSION), target)))
    specification = importlib.util.spec_from_file_location(f"exported_{target}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def weights(seed: int = 0) -> list[numpy.ndarray]:
    generator = numpy.random.default_rng(seed)
    shapes = ((64, HIDDEN), (HIDDEN, 10))
    return [
        (generator.standard_normal(shape) * numpy.sqrt(2 / shape[0])).astype(numpy.float32)
        for shape in shapes
    ]


def batches(data: tuple[numpy.ndarray, numpy.ndarray]) -> list[tuple[numpy.ndarray, numpy.ndarray]]:
    images, labels = data
    return [
        (images[i : i + BATCH], labels[i : i + BATCH])
        for i in range(0, len(images) - BATCH + 1, BATCH)
    ]


def assert_learnt(losses: list[float], beta: Any) -> None:
    """Chance is a loss of log(10) = 2.3."""
    assert losses[0] > 1.8
    assert sum(losses[-5:]) / 5 < 0.8
    beta = numpy.asarray(beta)
    assert beta.shape == (HIDDEN,)
    assert (beta != 1.0).all()


def train_with_jax(apply: Any, variables: Any, data: Any) -> tuple[list[float], Any]:
    """Plain gradient descent on a pytree; `apply(variables, images)` gives the logits."""
    import jax

    @jax.jit
    def step(variables: Any, images: Any, labels: Any) -> Any:
        def loss(variables: Any) -> Any:
            scores = jax.nn.log_softmax(apply(variables, images))
            return -scores[jax.numpy.arange(len(labels)), labels].mean()

        value, slope = jax.value_and_grad(loss)(variables)
        return value, jax.tree.map(lambda v, s: v - LEARNING_RATE * s, variables, slope)

    losses = []
    for images, labels in batches(data):
        value, variables = step(variables, images, labels)
        losses.append(float(value))
    return losses, variables


def test_jax(digits: Any, tmp_path: Path) -> None:
    activation = load("jax", "_jax.py", tmp_path).activation

    def apply(variables: Any, images: Any) -> Any:
        first, second, beta = variables
        return activation(images @ first, beta) @ second

    start = (*weights(), numpy.ones(HIDDEN, numpy.float32))
    losses, trained = train_with_jax(apply, start, digits)
    assert_learnt(losses, trained[2])


def test_equinox(digits: Any, tmp_path: Path) -> None:
    pytest.importorskip("equinox")
    module = load("equinox", "_equinox.py", tmp_path).Activation(HIDDEN)

    def apply(variables: Any, images: Any) -> Any:
        first, second, module = variables
        return module(images @ first) @ second

    losses, trained = train_with_jax(apply, (*weights(), module), digits)
    assert_learnt(losses, trained[2].beta)


def test_flax(digits: Any, tmp_path: Path) -> None:
    nnx = pytest.importorskip("flax.nnx")
    module = load("flax", "_flax.py", tmp_path).Activation(HIDDEN)
    graph, state = nnx.split(module)

    def apply(variables: Any, images: Any) -> Any:
        first, second, state = variables
        return nnx.merge(graph, state)(images @ first) @ second

    losses, trained = train_with_jax(apply, (*weights(), state), digits)
    assert_learnt(losses, nnx.merge(graph, trained[2]).beta[...])


def test_pytorch(digits: Any, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = load("pytorch", "_pytorch.py", tmp_path).Activation(HIDDEN)
    first, second = (torch.tensor(w, requires_grad=True) for w in weights())
    optimizer = torch.optim.SGD([first, second, *module.parameters()], lr=LEARNING_RATE)
    losses = []
    for images, labels in batches(digits):
        scores = module(torch.tensor(images) @ first) @ second
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert_learnt(losses, module.beta.detach().numpy())


def test_keras(digits: Any, tmp_path: Path) -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    layer = load("keras", "_keras.py", tmp_path).Activation()
    model = keras.Sequential(
        [keras.layers.Dense(HIDDEN, use_bias=False), layer, keras.layers.Dense(10, use_bias=False)]
    )
    model.build((None, 64))
    model.layers[0].set_weights(weights()[:1])
    model.layers[2].set_weights(weights()[1:])
    losses: list[float] = []

    class Recorder(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
            losses.append(logs["loss"])

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(LEARNING_RATE), loss)
    images, labels = digits
    model.fit(images, labels, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[Recorder()])
    # Keras reports the mean since the beginning of the epoch.
    totals = [mean * count for count, mean in enumerate(losses, 1)]
    assert_learnt([losses[0], *numpy.diff(totals).tolist()], layer.beta.numpy())
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    numpy.testing.assert_array_equal(again.predict(images[:8]), model.predict(images[:8]))


def test_numpy(digits: Any, tmp_path: Path) -> None:
    """By hand, with the exported derivative."""
    module = load("numpy", "_numpy.py", tmp_path)
    first, second = weights()
    losses = []
    for images, labels in batches(digits):
        hidden = images @ first
        active = module.activation(hidden)
        scores = active @ second
        scores = numpy.exp(scores - scores.max(axis=1, keepdims=True))
        shares = scores / scores.sum(axis=1, keepdims=True)
        losses.append(float(-numpy.log(shares[numpy.arange(BATCH), labels]).mean()))
        error = (shares - numpy.eye(10, dtype=numpy.float32)[labels]) / BATCH
        back = (error @ second.T) * module.activation_slope(hidden)
        second -= LEARNING_RATE * active.T @ error
        first -= LEARNING_RATE * images.T @ back
    assert losses[0] > 1.8
    assert sum(losses[-5:]) / 5 < 0.8
