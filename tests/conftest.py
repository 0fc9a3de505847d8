"""Fixtures that several packages' tests share."""

import os
from pathlib import Path

import pytest

# What they expect is what a processor does, with one thread, as all workers compute; before JAX is
# imported, and for all processes.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("PJRT_NPROC", "1")

# Whoever runs the tests may have a tracking server, which is to hear nothing of them.
for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_TOKEN"):
    os.environ.pop(variable, None)


@pytest.fixture(scope="session")
def raw_data_dir() -> Path:
    """The folder with the raw files of MNIST and Fashion-MNIST, one folder a data set."""
    beside_the_repository = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ACTSEARCH_MANUAL_DIR") or beside_the_repository)
    for name in ("mnist", "fashion_mnist"):
        if not (folder / name / "train-images-idx3-ubyte.gz").is_file():
            pytest.skip(
                f"no raw files in {folder / name}; ACTSEARCH_MANUAL_DIR says where they are"
            )
    return folder
