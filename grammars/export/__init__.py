"""Exports: a discovered function as a file for every framework, verified first."""

from grammars.export.comparison import Check
from grammars.export.delivery import export, render
from grammars.export.function import Function
from grammars.export.json import read_json
from grammars.export.lowering import ExportError, MissingPackageError
from grammars.export.provenance import Provenance
from grammars.export.speed import Timing, measure_speed
from grammars.export.targets import TARGETS, Target
from grammars.export.tensors import TensorFormat
from grammars.export.verification import Verification, verify

__all__ = [
    "TARGETS",
    "Check",
    "ExportError",
    "Function",
    "MissingPackageError",
    "Provenance",
    "Target",
    "TensorFormat",
    "Timing",
    "Verification",
    "export",
    "measure_speed",
    "read_json",
    "render",
    "verify",
]
