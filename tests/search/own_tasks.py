"""Tasks of a user's own, from files and from Python, each with its network and its loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.datasets import load_digits

from evaluators.datasets import Arrays, load
from evaluators.tasks import Recipe, Task, find_task

_FILES: Final = {
    "my_net.py": """
import numpy as np

def network(shape, outputs):
    def init(seed, moments):
        random = np.random.default_rng(seed)
        sizes = {"up": (64, 16), "on": (8, 16), "down": (16, outputs)}
        return {
            name: (random.normal(0, size[0] ** -0.5, size)).astype("float32")
            for name, size in sizes.items()
        }

    def apply(weights, inputs, activate):
        x = activate(inputs.reshape(len(inputs), -1) @ weights["up"])
        return activate(x[:, ::2] @ weights["on"] + x) @ weights["down"]

    return init, apply
""",
    "my_loss.py": """
import jax
import jax.numpy as jnp

def smoothed(outputs, targets):
    wanted = 0.9 * jax.nn.one_hot(targets, outputs.shape[1]) + 0.1 / outputs.shape[1]
    return -jnp.sum(wanted * jax.nn.log_softmax(outputs), axis=1)
""",
    "mine.toml": """
[data]
arrays = "digits.npz"
[network]
function = "my_net.py:network"
[recipe]
optimizer = "adamw"
learning_rate = 0.004
schedule = "decay"
batch = 32
loss = "my_loss.py:smoothed"
""",
}
SCRIPT: Final = """
import sys
from pathlib import Path

import jax
from sklearn.datasets import load_digits

from actsearch import Arrays, Campaign, Recipe, Site, Task


def network(shape, outputs):
    def init(seed):
        up, down = jax.random.split(jax.random.key(seed))
        return 0.1 * jax.random.normal(up, (64, 16)), 0.3 * jax.random.normal(down, (16, outputs))

    def apply(weights, inputs, activate):
        up, down = weights
        x = inputs.reshape(len(inputs), -1) @ up
        return (activate(x) * activate(0.5 * x)) @ down

    return init, apply


def loss(outputs, targets):
    return -jax.nn.log_softmax(outputs)[jax.numpy.arange(len(targets)), targets]


recipe = Recipe("adamw", learning_rate=0.004, schedule="decay", batch=32, loss=loss)
task = Task(data=Arrays(*load_digits(return_X_y=True)), network=network, recipe=recipe, name="mine")
Campaign(
    name="killed",
    seed=7,
    task=task,
    search={"population": 4},
    scoring={
        "rungs": [{"steps": 20, "seeds": 1}, {"steps": 40, "seeds": 2}],
        "reduction_factor": 3.0,
        "batch": 4,
    },
    tracking={"candidate_runs": "all"},
    stop={"generations": 2},
    site=Site(Path(sys.argv[1]), workers=2),
).run()
"""


def written(folder: Path) -> Path:
    """The task in files, and the path of that which names the others."""
    x, y = load_digits(return_X_y=True)
    np.savez(folder / "digits.npz", x=x, y=y)
    for name, content in _FILES.items():
        (folder / name).write_text(content)
    return folder / "mine.toml"


def from_files(folder: Path) -> Task:
    """The task in files, read, and its data too."""
    task = find_task(str(written(folder)))
    return task.on(load(task.data))


def from_python(folder: Path) -> Task:
    """The task from Python; it needs no folder."""
    recipe = Recipe("adamw", learning_rate=0.004, schedule="decay", batch=32, loss=_loss)
    data = Arrays(*load_digits(return_X_y=True))
    return Task(data=data, network=_network, recipe=recipe, name="mine")


def _network(shape: tuple[int, ...], outputs: int) -> Any:
    def init(seed: int) -> Any:
        up, down = jax.random.split(jax.random.key(seed))
        return 0.1 * jax.random.normal(up, (64, 16)), 0.3 * jax.random.normal(down, (16, outputs))

    def apply(weights: Any, inputs: Any, activate: Callable[[Any], Any]) -> Any:
        up, down = weights
        x = inputs.reshape(len(inputs), -1) @ up
        return (activate(x) * activate(0.5 * x)) @ down

    return init, apply


def _loss(outputs: Any, targets: Any) -> Any:
    return -jax.nn.log_softmax(outputs)[jnp.arange(len(targets)), targets]


OWN: Final[dict[str, Callable[[Path], Task]]] = {"files": from_files, "Python": from_python}
