"""Which functions of the instrumented packages the inputs of a harness call."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.harness import Harness, code_of


def called_by(harness: Harness, inputs: Iterable[bytes]) -> set[CodeType]:
    """Run inputs and return the code of every function that they call."""
    called: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            called.add(frame.f_code)

    for data in inputs:
        sys.setprofile(note)
        try:
            harness.timed(data)
        finally:
            sys.setprofile(None)
    return called


def functions(packages: Iterable[str]) -> dict[CodeType, str]:
    """Return the functions and methods of packages and modules, by their code."""
    found = {}
    for module in (importlib.import_module(name) for package in packages for name in _modules(package)):
        for owner in (module, *(value for value in vars(module).values() if _is_own_class(value, module.__name__))):
            for value in vars(owner).values():
                found.update(dict(_codes(value, module.__name__)))
    return found


def _modules(package: str) -> Iterator[str]:
    yield package
    path = getattr(importlib.import_module(package), "__path__", ())
    yield from (one.name for one in pkgutil.walk_packages(path, f"{package}."))


def _is_own_class(value: object, module: str) -> bool:
    return inspect.isclass(value) and value.__module__ == module


def _codes(value: Any, module: str) -> Iterator[tuple[CodeType, str]]:
    """Yield the code of a function, cached function or property that a module defines; not that of dataclasses."""
    value = value.fget if isinstance(value, property) else value
    try:
        code = code_of(value)
    except AttributeError:
        return
    if code.co_filename == sys.modules[module].__file__:
        yield code, f"{module}.{code.co_qualname}"
