"""Find the modules of the project that a mutant can't affect, because they don't import the mutated module."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path


def independent(names: Iterable[str], mutated: str, tree: Path) -> list[str]:
    """Return the modules that import the mutated one neither directly nor through others, sorted.

    Imports inside of functions count. An import by a name that is computed is not seen: `worker` checks afterwards.
    """
    files = {name: path for name in names if (path := _file(name, tree)) is not None}
    importers = defaultdict(set)
    for name, path in files.items():
        for one in imported(name, path):
            importers[one].add(name)
    affected, found = set[str](), [mutated]
    while found:
        name = found.pop()
        affected.add(name)
        found += importers[name] - affected
    return sorted(files.keys() - affected)


def _file(name: str, tree: Path) -> Path | None:
    path = tree / name.replace(".", "/")
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


@cache
def imported(name: str, path: Path) -> frozenset[str]:
    """Return all that a module imports: modules, names that may be modules, and the packages around it."""
    parts = name.split(".")
    found = {".".join(parts[:size]) for size in range(1, len(parts))}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        found |= set(_names(node))
    return frozenset(found)


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for one in node.names:
            yield from _with_packages(one.name)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from _with_packages(node.module)
        for one in node.names:
            yield f"{node.module}.{one.name}"


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:size]) for size in range(1, len(parts) + 1))
