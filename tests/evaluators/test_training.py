"""Training programs: the same numbers as a plain loop, and the same bits in any company."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from evaluators.datasets import Builtin, Dataset, Split
from evaluators.networks import CNN, MLP
from evaluators.steps.batches import CHUNK, DeviceData
from evaluators.tasks import Recipe, Task
from evaluators.training.program import Divergence, OutOfTimeError, Trained, TrainingProgram
from evaluators.training.training_states import TrainingStates
from grammars import CATALOGUE, Expression, Layered, LayersError, parse, parse_activation

STEPS = CHUNK + 20  # two chunks, the second one short


def _load_reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "training_reference", Path(__file__).with_name("reference.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = _load_reference()


def _trained(
    texts: list[str], task: Task, data: DeviceData, *, index: int = 0, steps: int = STEPS
) -> Trained:
    run = TrainingProgram([parse_activation(text) for text in texts], task, data).train(
        index, seed=3, steps=steps
    )
    assert isinstance(run, Trained)
    return run


@pytest.mark.parametrize(
    "text",
    [
        "x * sigmoid(x)",
        'where(x >= 0, x, param("a", 0.25, per="layer") * x)',
        'param("a", 1, per="network") * tanh(x) + param("b", 0.1, per="channel") * x',
        '[x * param("a", 1, per="network"), tanh(x) + param("a", 0.5, per="channel") * x]',
    ],
)
def test_training_agrees_with_a_plain_loop(
    text: str, small_task: Task, digits_data: DeviceData
) -> None:
    activation = parse_activation(text)
    loss, accuracy, learnt = reference.train(
        activation, small_task, digits_data, seed=3, steps=STEPS
    )
    result = _trained([text], small_task, digits_data).result
    assert result.validation_loss == pytest.approx(loss, rel=1e-4)
    assert result.validation_accuracy == pytest.approx(accuracy, abs=1e-6)
    # What became of the parameters of single layers' functions is not on record.
    parameters = {} if isinstance(activation, Layered) else learnt["parameters"][text]
    assert list(result.parameters) == list(parameters)
    for name, value in parameters.items():
        layers = value if isinstance(value, list) else [value] * small_task.network.hidden_layers
        assert result.parameters[name] == pytest.approx(
            [float(np.mean(v)) for v in layers], rel=1e-3
        )


def test_a_convolutional_network_agrees_with_a_plain_loop(
    small_task: Task, digits_data: DeviceData
) -> None:
    task = replace(small_task, network=CNN(first_channels=4))
    text = 'where(x >= 0, x, param("a", 0.25, per="channel") * x)'
    loss, accuracy, _ = reference.train(parse(text), task, digits_data, seed=3, steps=30)
    result = _trained([text], task, digits_data, steps=30).result
    assert result.validation_loss == pytest.approx(loss, rel=1e-4)
    assert result.validation_accuracy == pytest.approx(accuracy, abs=1e-6)


def test_inputs_that_are_never_lit_are_left_out_and_make_no_difference(
    small_task: Task, digits: Dataset
) -> None:
    half = digits.training.inputs.copy(), digits.validation.inputs.copy()
    for inputs in half:
        inputs[:, 4:] = 0
    training, validation = (
        replace(split, inputs=inputs)
        for split, inputs in zip((digits.training, digits.validation), half, strict=True)
    )
    dataset = replace(digits, training=training, validation=validation)
    fewer = DeviceData(dataset, batch=32, network=small_task.network)
    assert fewer.inputs.shape[1] == 32
    assert fewer.mean_square == DeviceData(dataset, batch=32).mean_square
    lean = _trained(["x * sigmoid(x)"], small_task, fewer)
    full = _trained(["x * sigmoid(x)"], small_task, DeviceData(dataset, batch=32))
    assert lean.result.validation_loss == pytest.approx(full.result.validation_loss, rel=1e-5)
    assert lean.diagnostics is not None
    assert full.diagnostics is not None
    assert lean.diagnostics.gradient_norms == pytest.approx(full.diagnostics.gradient_norms)
    assert lean.diagnostics.dead_units == full.diagnostics.dead_units


def test_results_are_equal_to_the_bit_in_any_company(
    small_task: Task, digits_data: DeviceData
) -> None:
    text = "x * sigmoid(x) + 0.1 * sin(x)"
    others = [entry.text for entry in CATALOGUE.values() if "gelu(" not in entry.text]
    plain = [other for other in others if "param" not in other]
    with_parameters = [other for other in others if "param" in other][:3]
    alone = _trained([text], small_task, digits_data)
    # Among few, and in the second of the kernels that many are compiled into.
    for mates, index in ((plain[:7], 3), (plain[7:] + with_parameters, 17)):
        batch = [*mates[:index], text, *mates[index:]]
        assert _trained(batch, small_task, digits_data, index=index) == alone


@pytest.mark.parametrize(
    "network", [MLP(hidden=(16,) * 2), MLP(hidden=(16,)), CNN(first_channels=4)]
)
@pytest.mark.parametrize("per", ["channel", "layer", "network"])
def test_the_same_is_true_of_a_function_with_trainable_parameters(
    network: MLP | CNN, per: str, small_task: Task, digits_data: DeviceData
) -> None:
    task = replace(small_task, network=network)
    text = f'x * sigmoid(param("b", 1, per="{per}") * x)'
    mates = ["pangaea_linear", "relu", "prelu"]
    alone = _trained([text], task, digits_data)
    batch = [*(CATALOGUE[name].text for name in mates), text]
    assert _trained(batch, task, digits_data, index=3) == alone


def test_one_function_in_every_layer_is_that_function_to_the_bit(
    small_task: Task, digits_data: DeviceData
) -> None:
    task = replace(small_task, network=MLP(hidden=(8,) * 5, initialiser="gain"))
    function = parse('param("a", 1, per="network") * tanh(x) + param("b", 0.1, per="channel") * x')
    alike = [function, Layered((function,) * 3), Layered((function,) * 5)]
    program = TrainingProgram(alike, task, digits_data)
    first, *others = [program.train(index, seed=2, steps=STEPS) for index in range(3)]
    assert isinstance(first, Trained)
    # Of functions for single layers it is not on record what became of their parameters.
    unnamed = replace(first, result=replace(first.result, parameters={}))
    assert others == [unnamed, unnamed]


def test_layers_with_functions_of_their_own_train_alike_in_any_company(
    small_task: Task, digits_data: DeviceData
) -> None:
    text = '[x * sigmoid(x), where(x >= 0, x, param("a", 0.25, per="network") * x)]'
    alone = _trained([text], small_task, digits_data)
    others = ["tanh(x)", "[sin(x), x * sigmoid(x)]", CATALOGUE["pangaea_linear"].text]
    assert _trained([*others, text], small_task, digits_data, index=3) == alone
    turned = '[where(x >= 0, x, param("a", 0.25, per="network") * x), x * sigmoid(x)]'
    assert _trained([turned], small_task, digits_data) != alone


def test_functions_that_do_not_fit_the_layers_are_refused(
    small_task: Task, digits_data: DeviceData
) -> None:
    with pytest.raises(LayersError, match="3 functions, and the network 2 hidden layers"):
        TrainingProgram([parse_activation("[x, sin(x), tanh(x)]")], small_task, digits_data)


def test_training_goes_on_from_a_kept_state_to_the_same_bits(
    tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    swish = parse('x * sigmoid(param("b", 1, per="channel") * x)')
    states = TrainingStates(tmp_path, task="small", dataset="digits")
    short = TrainingProgram([swish], small_task, digits_data)
    short.train(0, seed=1, steps=50, states=states)
    # The longer run is made in another batch, in which there are more trainable parameters.
    mates = [parse(CATALOGUE["pangaea_linear"].text), swish]
    longer = TrainingProgram(mates, small_task, digits_data)
    begun_anew = longer.train(1, seed=1, steps=STEPS)
    assert longer.train(1, seed=1, steps=STEPS, states=states) == begun_anew


def test_a_kept_state_saves_its_steps(
    tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    states = TrainingStates(tmp_path, task="small", dataset="digits")
    program = TrainingProgram([parse("tanh(x)")], small_task, digits_data)
    asked: list[int] = []

    def count() -> bool:
        asked.append(1)
        return False

    program.train(0, seed=1, steps=3 * CHUNK, states=states)
    program.train(0, seed=1, steps=4 * CHUNK, states=states, out_of_time=count)
    assert len(asked) == 1


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_state_means_training_from_the_start(
    damage: str, tmp_path: Path, small_task: Task, digits_data: DeviceData
) -> None:
    states = TrainingStates(tmp_path, task="small", dataset="digits")
    program = TrainingProgram([parse("tanh(x)")], small_task, digits_data)
    expected = program.train(0, seed=1, steps=40)
    program.train(0, seed=1, steps=20, states=states)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 0xFF
    file.write_bytes({"cut": content[: len(content) // 2], "flip": content, "empty": b""}[damage])
    assert program.train(0, seed=1, steps=40, states=states) == expected


def test_divergence_is_seen_at_the_end_of_a_chunk(
    small_task: Task, digits_data: DeviceData
) -> None:
    steep = TrainingProgram([parse("exp(exp(x * x))")], small_task, digits_data)
    run = steep.train(0, seed=0, steps=5 * CHUNK)
    assert run == Divergence(seed=0, step=CHUNK)


def test_a_run_out_of_time_stops_between_chunks(small_task: Task, digits_data: DeviceData) -> None:
    program = TrainingProgram([parse("relu(x)")], small_task, digits_data)
    with pytest.raises(OutOfTimeError):
        program.train(0, seed=0, steps=CHUNK, out_of_time=lambda: True)


def test_seeds_and_steps_make_a_difference(small_task: Task, digits_data: DeviceData) -> None:
    program = TrainingProgram([parse("relu(x)")], small_task, digits_data)
    runs = [program.train(0, seed=seed, steps=steps) for seed, steps in ((0, 20), (1, 20), (0, 21))]
    losses = {run.result.validation_loss for run in runs if isinstance(run, Trained)}
    assert len(losses) == 3


def _diagnosed(text: str, task: Task, data: DeviceData) -> Trained:
    return _trained([text], task, data, steps=20)


def test_diagnostics_tell_dead_from_saturated_units(
    small_task: Task, digits_data: DeviceData
) -> None:
    dead = _diagnosed("relu(x - 50)", small_task, digits_data).diagnostics
    assert dead.dead_units == 1.0
    assert dead.output_sparsity == 1.0
    assert dead.gradient_norms[0] == 0.0
    saturated = _diagnosed("sigmoid(x + 8)", small_task, digits_data).diagnostics
    assert saturated.saturated_units > 0.9
    assert saturated.dead_units == 0.0
    assert saturated.mean_output[0] == pytest.approx(1.0, abs=0.01)
    healthy = _diagnosed("x * sigmoid(x)", small_task, digits_data).diagnostics
    assert healthy.saturated_units == 0.0
    assert 0.01 < healthy.gradient_ratio < 100.0


def test_gradient_norms_are_those_of_automatic_differentiation(
    digits: Dataset, small_task: Task, digits_data: DeviceData
) -> None:
    import jax

    from evaluators.steps.batches import batches

    expression: Expression = parse("tanh(x)")
    _, _, learnt = reference.train(expression, small_task, digits_data, seed=3, steps=20)
    chosen = batches(3, start=0, steps=1, batch=32, examples=digits_data.training)[0]
    x = digits.training.inputs.reshape(len(digits.training.inputs), -1)[chosen] * digits.scale

    def loss(layers: list) -> jax.Array:
        a = jax.numpy.asarray(x, jax.numpy.float32)
        for layer in layers[:-1]:
            a = jax.numpy.tanh(a @ layer.weights.T + layer.biases)
        logits = a @ layers[-1].weights.T + layers[-1].biases
        chances = jax.nn.log_softmax(logits)
        return -chances[np.arange(32), digits.training.labels[chosen]].mean()

    expected = [float(np.linalg.norm(layer.weights)) for layer in jax.grad(loss)(learnt["layers"])]
    diagnostics = _diagnosed("tanh(x)", small_task, digits_data).diagnostics
    assert diagnostics.gradient_norms == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize(("classes", "batch"), [(2, 32), (32, 128), (59, 512)])
def test_any_number_of_classes_and_any_batch_can_be_trained(classes: int, batch: int) -> None:
    """From 4,096 logits a pass on XLA sums them otherwise."""
    random = np.random.default_rng(0)

    def split(size: int) -> Split:
        inputs = random.normal(size=(size, 4)).astype(np.float32)
        return Split(inputs, random.integers(0, classes, size).astype(np.int32))

    dataset = Dataset("random", split(1024), split(100), classes, 1.0, "random")
    task = Task(data=Builtin("random"), network=MLP(hidden=(8,)), recipe=Recipe(batch=batch))
    run = TrainingProgram([parse("relu")], task, DeviceData(dataset, batch=batch)).train(
        0, seed=0, steps=1
    )
    assert isinstance(run, Trained)
    assert run.result.validation_loss == pytest.approx(np.log(classes), rel=1.0)
