"""Runs exported files in their framework and hands back numbers: a script that stands alone.

It is started by path in a fresh interpreter and knows nothing of the package beside it. Standard
input is a JSON document `{"framework", "files": [{"path", "name"}], "inputs", "outputs"}`: `inputs`
is an .npz file with one float32 array a file, by index, and `outputs` the .npz file to be written,
with arrays named `INDEX/PRECISION/QUANTITY`. Standard output ends with one JSON document that says
which version ran and which files failed, and why.
"""

import importlib.metadata
import importlib.util
import json
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np

Measurement = tuple[str, str, np.ndarray]


def load(path: str) -> Any:
    """Imports a Python file."""
    specification = importlib.util.spec_from_file_location("exported", path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Jax:
    """Functions for JAX, compiled and differentiated in reverse."""

    package = "jax"

    def __init__(self) -> None:
        import jax

        self.jax: Any = jax

    def measure(self, path: str, name: str, x: np.ndarray) -> Iterator[Measurement]:
        """Yields precision, quantity and numbers."""
        function = getattr(load(path), name)

        def both(a: Any) -> Any:
            value, back = self.jax.vjp(function, a)
            return value, back(self.jax.numpy.ones_like(value))[0]

        compiled = self.jax.jit(both)
        for precision in ("float32", "bfloat16"):
            value, slope = compiled(self.jax.numpy.asarray(x, precision))
            if value.dtype != precision:
                raise TypeError(f"{precision} in, {value.dtype} out")
            yield precision, "value", np.asarray(value, np.float32)
            yield precision, "slope", np.asarray(slope, np.float32)
        self.jax.clear_caches()


FRAMEWORKS = {"jax": Jax}


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Runs every file of a job and writes what they compute."""
    kind = FRAMEWORKS[job["framework"]]
    try:
        framework = kind()
    except ImportError as error:
        return {"missing": f"{error.name or kind.package} is not installed"}
    outputs: dict[str, Any] = {}
    problems: dict[int, str] = {}
    with np.load(job["inputs"]) as inputs:
        for index, file in enumerate(job["files"]):
            try:
                for precision, quantity, numbers in framework.measure(
                    file["path"], file["name"], inputs[str(index)]
                ):
                    outputs[f"{index}/{precision}/{quantity}"] = numbers
            # Whatever a file does wrong is that file's verdict, and no other's.
            except Exception:
                problems[index] = traceback.format_exc(limit=-3)
    np.savez(job["outputs"], **outputs)
    return {"version": importlib.metadata.version(kind.package), "problems": problems}


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(answer(json.load(sys.stdin))) + "\n")
