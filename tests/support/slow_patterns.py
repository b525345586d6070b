"""Find regular expressions that take more than linear time, by their structure.

A pattern is slow if two unbounded repetitions can match the same characters, and nothing else must stand between them:
`\\s*(x)?\\s*y` tries each way to divide a run of spaces. A pattern that searches is also slow if an unbounded
repetition can begin at each character that it matches: `\\s+x` begins anew at each space. Repetitions up to
`MAX_COUNT`, possessive repetitions and atomic groups are fast.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # no public module parses patterns
from typing import Any

MAX_COUNT = 512
"""Repetitions up to this number are bounded."""
_MAX_PATHS = 256
_CHARACTERS = [chr(code) for code in (*range(0x180), 0x2026, 0x2028, 0x3000, 0x4E2D)]
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
_BEGINNINGS = (_constants.AT_BEGINNING, _constants.AT_BEGINNING_STRING)
_PEEKS = (_constants.ASSERT, _constants.ASSERT_NOT)
_SEARCHES = frozenset({"search", "sub", "subn", "findall", "finditer", "split"})


@dataclass(frozen=True)
class Item:
    """One step of a path through a pattern."""

    characters: frozenset[str]
    """What it may match."""
    nullable: bool = False
    unbounded: bool = False
    anchor: bool = False
    """The beginning of the text: a search does not begin elsewhere."""


Steps = tuple[Item, ...]


class Structure:
    """The paths through a pattern."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self._is_bytes = isinstance(pattern.pattern, bytes)
        self._tree = _parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)

    @cached_property
    def paths(self) -> list[Steps]:
        """All paths; branches and optional groups multiply them."""
        return self._of(self._tree)

    def _of(self, tree: Any) -> list[Steps]:
        found: list[Steps] = [()]
        for node in tree:
            options = self._node(*node)
            found = [(*one, *other) for one, other in product(found, options)][:_MAX_PATHS]
        return found

    def _node(self, kind: Any, value: Any) -> list[Steps]:
        if kind is _constants.SUBPATTERN:
            return self._of(value[3])
        if kind is _constants.BRANCH:
            return [path for one in value[1] for path in self._of(one)]
        if kind in _REPEATS:
            return self._repeated(*value)
        if kind is _constants.AT:
            return [(Item(frozenset(), True, anchor=value in _BEGINNINGS),)]
        if kind in (_constants.POSSESSIVE_REPEAT, _constants.ATOMIC_GROUP):
            inside = value[2] if kind is _constants.POSSESSIVE_REPEAT else value
            least = value[0] if kind is _constants.POSSESSIVE_REPEAT else 1
            return [(Item(self._alphabet(self._of(inside)), least == 0),)]
        if kind is _constants.ASSERT and value[0] < 0:
            return self._of(value[1])
        if kind in _PEEKS or kind is _constants.GROUPREF or kind is _constants.GROUPREF_EXISTS:
            return [()]
        return [(Item(self._matched(kind, value)),)]

    def _repeated(self, least: int, most: Any, inside: Any) -> list[Steps]:
        paths = self._of(inside)
        if most is not _constants.MAXREPEAT and most <= MAX_COUNT:
            optional: list[Steps] = [()] if least == 0 else []
            return [*optional, *(path for path in paths)]
        if len(paths) == 1 and len(paths[0]) == 1:
            return [(Item(paths[0][0].characters, least == 0, unbounded=True),)]
        # A repeated group: twice shows what the end of one round and the start of the next do to each other.
        every = Item(self._alphabet(paths), least == 0, unbounded=True)
        inner = any(item.unbounded for path in paths for item in path)
        return [(*one, *other) for one, other in product(paths, paths)][:_MAX_PATHS] if inner else [(every,)]

    def _alphabet(self, paths: Iterable[Steps]) -> frozenset[str]:
        return frozenset().union(*(item.characters for path in paths for item in path))

    def _matched(self, kind: Any, value: Any) -> frozenset[str]:
        single = _parser.SubPattern(self._tree.state, [(kind, value)])
        matcher = _compiler.compile(single, self._tree.state.flags)
        texts = _CHARACTERS[:256] if self._is_bytes else _CHARACTERS
        return frozenset(one for one in texts if matcher.fullmatch(one.encode("latin-1") if self._is_bytes else one))


def is_ambiguous(paths: Iterable[Steps]) -> bool:
    """Tell whether two unbounded repetitions can divide the same characters."""
    for path in paths:
        for place, first in enumerate(path):
            if first.unbounded and _meets_another(first, path[place + 1 :]):
                return True
    return False


def _meets_another(first: Item, rest: Sequence[Item]) -> bool:
    for item in rest:
        if item.unbounded and item.characters & first.characters:
            return True
        if not item.nullable and not item.characters & first.characters:
            return False
    return False


def is_slow_to_search(paths: Iterable[Steps]) -> bool:
    """Tell whether a search can begin an unbounded repetition anew at each character that it matches."""
    for path in paths:
        for place, item in enumerate(path):
            if item.anchor:
                break
            if item.unbounded:
                before, after = path[:place], path[place + 1 :]
                inside = all(one.nullable or one.characters & item.characters for one in before)
                if inside and any(not one.nullable for one in after):
                    return True
    return False


@dataclass(frozen=True)
class Found:
    """A pattern in the source."""

    module: str
    name: str
    """The name of a constant, or the text of a pattern in a function."""
    pattern: re.Pattern[Any]
    searches: bool


def patterns(package: str) -> Iterator[Found]:
    """Yield the patterns of a package: constants of its modules, also in tuples, and texts given to functions of re."""
    root = importlib.import_module(package)
    for info in pkgutil.walk_packages(root.__path__, f"{package}."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
        searched = _searched(tree)
        for name, value in vars(module).items():
            if not name.startswith("__"):
                for one in _compiled(value):
                    yield Found(info.name, name, one, name in searched or not isinstance(value, re.Pattern))
        yield from _in_functions(info.name, tree)


def _searched(tree: ast.AST) -> set[str]:
    """Return the names whose method that searches is used."""
    return {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in _SEARCHES and isinstance(node.value, ast.Name)
    }


def _compiled(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _compiled(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _compiled(one)


def _in_functions(module: str, tree: ast.AST) -> Iterator[Found]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(ast.Name("re"), function), [ast.Constant(text), *_]) if function != "compile":
                yield Found(module, str(text), re.compile(text), function in _SEARCHES)
