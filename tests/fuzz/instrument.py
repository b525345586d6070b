"""Import a harness with coverage of the packages that it names."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


def load(name: str) -> ModuleType:
    """Import a harness. The import of the packages that it names is changed, so that they report their coverage."""
    finder = _Finder(instrumented(name))
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module(f"tests.fuzz.harnesses.{name}")
    finally:
        sys.meta_path.remove(finder)


def instrumented(name: str) -> list[str]:
    """Read `INSTRUMENTED` of a harness without importing it."""
    tree = ast.parse((Path(__file__).parent / "harnesses" / f"{name}.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INSTRUMENTED":
            return list(ast.literal_eval(node.value))
    raise LookupError(f"{name} has no INSTRUMENTED")


class _Finder:
    """Find modules of some packages, to be loaded with instrumentation.

    `atheris.instrument_imports` takes the first part of a name only: it would instrument everything in `signer`, and
    most of the time would go to the coverage of `signer.asn1` in every harness.
    """

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the specification of a module that reports its coverage; None for any other module."""
        if not any(name == package or name.startswith(f"{package}.") for package in self._packages):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Load a module with a counter at each branch. Comparisons are not traced: that takes longer, and the
    mutators know the words and numbers of their formats."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code of a module with counters."""
        from atheris.instrument_bytecode import patch_code

        code = super().get_code(fullname)
        return code and patch_code(code, trace_dataflow=False)
