"""Fixtures that several packages' tests share."""

import os
import tempfile
from pathlib import Path

import hypothesis
import pytest

# What they expect is what a processor does, with one thread, as all workers compute; before JAX is
# imported, and for all processes.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("PJRT_NPROC", "1")

# Most campaigns of the tests begin with the same programs, which each process would compile anew.
# Those that ask whether two compile the same have no such folder.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    compiled = tempfile.TemporaryDirectory(prefix="compiled-by-tests-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.2"

# Whoever runs the tests may have a tracking server or a cluster, which are to hear nothing of them,
# and a terminal of another kind than they expect.
for variable in (
    *(f"MLFLOW_TRACKING_{what}" for what in ("URI", "USERNAME", "PASSWORD", "TOKEN")),
    *("RAY_ADDRESS", "FORCE_COLOR", "NO_COLOR", "COLUMNS"),
):
    os.environ.pop(variable, None)

FULL = bool(os.environ.get("ACTSEARCH_FULL_TESTS"))

# The long forms of tests may take longer than pyproject.toml grants the usual ones.
if FULL:
    os.environ.setdefault("PYTEST_TIMEOUT", "7200")

# The same examples in every run, so that whoever breaks something is the one who hears of it.
hypothesis.settings.register_profile("the same", derandomize=True, database=None)
if not FULL:
    hypothesis.settings.load_profile("the same")


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
