"""Runs exported files in their framework and hands back numbers: a script that stands alone.

It is started by path in a fresh interpreter and knows nothing of the package around it. Standard
input is a JSON document `{"runner", "files", "inputs", "outputs"}`. `runner` names the module
beside this one that knows the framework. `files` are documents with at least `path`, `name` and
`class_name`. `inputs` is an .npz file with one float32 array a file, by index, and `outputs` the
.npz file to be written, with arrays named `INDEX/MODE/PRECISION/QUANTITY`. Standard output ends
with one JSON document that says which version ran and which files failed, and why.
"""

import importlib.util
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np

# The packages that an exported file must not need: importing one fails, installed or not.
OURS = ("grammars", "evaluators", "search")


def load(path: Path) -> Any:
    """Imports a Python file, under a name that no other module has: it may be called numpy.py."""
    name = f"loaded_{path.stem.replace('.', '_')}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(specification)
    # TorchScript and pickling look a function's module up by its name.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def measure_all(runner: Any, job: dict[str, Any]) -> dict[int, str]:
    """Writes what every file computes; returns the errors of those that fail, by index."""
    outputs: dict[str, Any] = {}
    problems: dict[int, str] = {}
    with np.load(job["inputs"]) as inputs:
        for index, file in enumerate(job["files"]):
            path = Path(file["path"])
            try:
                exported = load(path) if path.suffix == ".py" else path
                for key, numbers in runner.measure(exported, file, inputs[str(index)]):
                    outputs[f"{index}/{key}"] = np.asarray(numbers)
            # Whatever a file does wrong is that file's verdict, and no other's.
            except Exception:
                problems[index] = traceback.format_exc(limit=-3)
    np.savez(job["outputs"], **outputs)
    return problems


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Does what a job asks for."""
    sys.modules.update(dict.fromkeys(OURS))
    sys.path.append(str(Path(__file__).parent))
    try:
        runner = load(Path(__file__).with_name(f"{job['runner']}.py"))
    except ImportError as error:
        return {"missing": f"{error.name or error} is not installed"}
    return {"version": runner.VERSION, "problems": measure_all(runner, job)}


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(answer(json.load(sys.stdin))) + "\n")
