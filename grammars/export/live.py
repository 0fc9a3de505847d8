"""Functions as live modules and layers of a framework, without a file."""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import sys
from types import CodeType, ModuleType
from typing import Any

from grammars.export.function import Function
from grammars.export.targets import TARGETS
from grammars.expressions.expression import Expression
from grammars.parsing.parser import parse


def pytorch(function: str | Expression | Function, **options: Any) -> Any:
    """The function as a `torch.nn.Module`, such as `pytorch("x * tanh(exp(x))")`.

    Args:
        function: A text or a name of the catalogue, an expression, or a function with trained
            values.
        **options: What the exported class takes: `lean=True`, and for trainable parameters
            `channels` and `axis`.

    Returns:
        A new module. It is computed as the exported file is; nothing is verified. Its state is
        saved by `state_dict()`; to pickle the module whole, export a file and import that.

    Raises:
        ParseError: If the text cannot be read.
        ExportError: If the function is too large.
        ImportError: If the framework is not installed.
    """
    return _kind("pytorch", function)(**options)


def flax(function: str | Expression | Function, **options: Any) -> Any:
    """The function as a `flax.nnx.Module`; arguments and errors as for `pytorch`."""
    return _kind("flax", function)(**options)


def equinox(function: str | Expression | Function, **options: Any) -> Any:
    """The function as an `equinox.Module`; arguments and errors as for `pytorch`."""
    return _kind("equinox", function)(**options)


def keras(function: str | Expression | Function, **options: Any) -> Any:
    """The function as a `keras.layers.Layer`; arguments and errors as for `pytorch`.

    A saved model finds the layer again once this was called for the same function.
    """
    return _kind("keras", function)(**options)


def _kind(target: str, function: str | Expression | Function) -> Any:
    """The class for a function, the same one whenever it is asked for."""
    if not isinstance(function, Function):
        expression = parse(function) if isinstance(function, str) else function
        # Keras finds a layer by the name of its class, so that no two functions share one.
        function = Function(expression, f"activation_{_digest(str(expression))}")
    module = _imported(f"{function.name}_{target}", str(TARGETS[target].render(function)))
    return getattr(module, function.class_name)


def _imported(name: str, source: str) -> ModuleType:
    name = f"{name}_{_digest(source)}"
    if name not in sys.modules:
        specification = importlib.util.spec_from_loader(name, _Source(source))
        assert specification is not None
        module = importlib.util.module_from_spec(specification)
        assert specification.loader is not None
        # TorchScript looks a function's module up by its name.
        sys.modules[name] = module
        try:
            specification.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Source(importlib.abc.InspectLoader):
    """Loads a module from its text, and shows the text to whoever asks, as TorchScript does."""

    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:
        """The text of the module."""
        return self._source

    def get_code(self, fullname: str) -> CodeType:
        """The compiled text, under a file name that does not exist."""
        return self.source_to_code(self._source, f"{fullname}.py")
