"""Discovered functions as MLflow models: plain NumPy code, nothing pickled."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from grammars import parse
from grammars.export import Provenance, render

CODE_FILE: Final = "activation.py"

_IMPORT: Final = "import numpy as np\n"
_MODEL: Final = '''

class Activation(PythonModel):
    """The function as MLflow calls it."""

    def predict(self, context, model_input: np.ndarray, params=None) -> np.ndarray:
        """Applies the function to every element."""
        return activation(model_input)


set_model(Activation())
'''


def model_code(expression: str, *, campaign: str) -> str:
    """The file of a model: the exported NumPy function, and a class that MLflow can call.

    Args:
        expression: Of the function; trainable parameters have the values that they start from.
        campaign: Which found it.
    """
    source = render(parse(expression), "numpy", provenance=Provenance(campaign=campaign))
    assert isinstance(source, str)
    imports = "from mlflow.models import set_model\nfrom mlflow.pyfunc import PythonModel\n"
    return source.replace(_IMPORT, f"{_IMPORT}{imports}", 1).rstrip() + f"\n{_MODEL}"


def log_model(
    client: Any,
    experiment_id: str,
    run_id: str,
    *,
    name: str,
    code: str,
    tags: Mapping[str, str],
) -> Any:
    """Logs a function as a `mlflow.pyfunc` model with a signature, unless that was done before.

    Args:
        client: Of the store.
        experiment_id: Where the model belongs.
        run_id: Which it came from.
        name: Of the model; together with the run it is the model's identity.
        code: As `model_code` gives it.
        tags: To find it by.

    Returns:
        MLflow's logged model, ready to be loaded under `models:/` and its id.
    """
    for known in client.search_logged_models([experiment_id]):
        if (known.name, known.source_run_id) == (name, run_id) and str(known.status) == "READY":
            return known
    model = client.create_logged_model(
        experiment_id, name=name, source_run_id=run_id, tags=dict(tags), model_type="activation"
    )
    with tempfile.TemporaryDirectory() as folder:
        client.log_model_artifacts(model.model_id, str(_saved(code, Path(folder))))
    return client.finalize_logged_model(model.model_id, "READY")


def register(client: Any, model: Any, *, name: str, tags: Mapping[str, str]) -> None:
    """Makes a model the newest version under a registered name, unless it is one already."""
    versions = client.search_model_versions(f"name = '{name}'")
    if any(version.model_id == model.model_id for version in versions):
        return
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    client.create_model_version(
        name,
        source=model.artifact_location,  # a models: address would be sought in another store
        run_id=model.source_run_id,
        model_id=model.model_id,
        tags=dict(tags),
        await_creation_for=0,
    )


def _saved(code: str, folder: Path) -> Path:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.pyfunc import save_model
    from mlflow.types import Schema, TensorSpec

    (folder / CODE_FILE).write_text(code, encoding="utf-8")
    numbers = Schema([TensorSpec(np.dtype("float64"), (-1,))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses an example; the signature says as much
        save_model(
            str(folder / "model"),
            python_model=str(folder / CODE_FILE),
            signature=ModelSignature(numbers, numbers),
            pip_requirements=["mlflow", "numpy"],
        )
    return folder / "model"
