"""Import a harness with coverage of the packages that it names."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType


def load(name: str) -> ModuleType:
    """Import a harness. The import of atheris' hook precedes that of the packages, which then report their coverage."""
    import atheris

    with atheris.instrument_imports(include=instrumented(name), enable_loader_override=False):
        return importlib.import_module(f"tests.fuzz.harnesses.{name}")


def instrumented(name: str) -> list[str]:
    """Read `INSTRUMENTED` of a harness without importing it."""
    tree = ast.parse((Path(__file__).parent / "harnesses" / f"{name}.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INSTRUMENTED":
            return list(ast.literal_eval(node.value))
    raise LookupError(f"{name} has no INSTRUMENTED")
