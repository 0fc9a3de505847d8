"""Pickles functions of a script or a notebook by value, and their classes by their source."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cloudpickle

from evaluators.pickling.classes import class_from_source, class_source
from evaluators.pickling.origins import users_modules


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, obj: Any) -> Any:
        """How an object is taken apart."""
        if isinstance(obj, type) and (source := class_source(obj)) is not None:
            # The same dictionary twice: what only methods need may need the class in turn, and
            # comes into it once there is one.
            namespace, later = source.needs()
            told = source.text, source.path, source.line, source.flags, source.name
            arguments, state = (*told, namespace), (namespace, later)
            return class_from_source, arguments, state, None, None, _complete
        jax = sys.modules.get("jax")
        if jax is not None and type(obj) is jax.custom_vjp:
            # Its rules come later, since they may need the function in turn.
            made_of = obj.fun, obj.nondiff_argnums
            return _custom_vjp, made_of, dict(vars(obj)), None, None, _complete_rules
        return super().reducer_override(obj)


def dumps(value: Any) -> bytes:
    """A value as bytes; `pickle.loads` restores it in a process that knows nothing of the script.

    Raises:
        Exception: Of whatever kind, if a part of it cannot be pickled.
    """
    file = io.BytesIO()
    with _own_modules_by_value():
        _Pickler(file).dump(value)
    return file.getvalue()


def _custom_vjp(function: Any, arguments: tuple[int, ...]) -> Any:
    """A function that is to have rules of its own; its class restores none from a pickle."""
    import jax

    return jax.custom_vjp(function, nondiff_argnums=arguments)


def _complete_rules(function: Any, state: dict[str, Any]) -> None:
    vars(function).update(state)


def _complete(_: type, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
    namespace, later = state
    namespace.update(later)


@contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """What lies beside a script is found by no other machine."""
    known = set(cloudpickle.list_registry_pickle_by_value())
    added = [module for module in users_modules() if module.__name__ not in known]
    for module in added:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)
