"""File formats are told apart in `signer.formats` alone: elsewhere nothing branches on magic bytes or format names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.formats.table import TABLE
from tests.support.files import ROOT

NAMES = {row.name for row in TABLE}
CONSTANTS = {row.name.upper() for row in TABLE}
MAGIC = (b"MZ", b"MSCF", b"PE\0\0")
HOMES = ("signer/formats/", "signer/pe/", "signer/cab/")

USES_ONE_FORMAT = {
    "signer/cli/commands/submission_check.py": "a submission is a cabinet",
    "catalogs/package/compressed.py": "a compressed file may be a cabinet",
    "catalogs/package/images.py": "drivers are images",
    "catalogs/submission/compare.py": "the portal signs images",
    "catalogs/submission/unpack.py": "a submission is a cabinet",
}
"""Which modules take a single row of the table, and why."""

MODULES = {
    path.relative_to(ROOT).as_posix(): path
    for package in ("signer", "catalogs", "testcerts")
    for path in sorted((ROOT / package).rglob("*.py"))
}
ELSEWHERE = [name for name in MODULES if not name.startswith(HOMES)]


def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"), name)


def constants(node: ast.AST) -> set[object]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}


def branches(module: ast.Module) -> Iterator[str]:
    """Comparisons with a format's name, tables keyed by several, and cases; `source` says where a signature was."""
    for node in ast.walk(module):
        if isinstance(node, ast.Compare):
            text = ast.unparse(node)
            if NAMES & constants(node) and not re.search(r"\bsources?\b|\baccepted\b", text):
                yield f"{node.lineno}: {text}"
        elif isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if len(NAMES & keys) > 1:
                yield f"{node.lineno}: a table with {sorted(NAMES & keys)}"
        elif isinstance(node, ast.MatchValue) and NAMES & constants(node):
            yield f"{node.lineno}: case {ast.unparse(node)}"


@pytest.mark.parametrize("name", ELSEWHERE)
def test_nothing_else_branches_on_a_format(name):
    assert list(branches(tree(name))) == []


@pytest.mark.parametrize("name", ELSEWHERE)
def test_nothing_else_knows_magic_bytes(name):
    assert not {value for value in constants(tree(name)) if isinstance(value, bytes) and value.startswith(MAGIC)}


def test_a_single_row_is_taken_where_a_module_is_about_that_format_only():
    takers = {
        name
        for name in ELSEWHERE
        for node in ast.walk(tree(name))
        if isinstance(node, ast.ImportFrom) and node.module == "signer.formats.table"
        if CONSTANTS & {alias.name for alias in node.names}
    }
    assert takers == set(USES_ONE_FORMAT)


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("signer/operations/")])
def test_operations_import_no_format(name):
    imported = {node.module for node in ast.walk(tree(name)) if isinstance(node, ast.ImportFrom)}
    formats = {f"signer.formats.{row.name}" for row in TABLE}
    assert not {one for one in imported if one and (one.startswith(("signer.pe", "signer.cab")) or one in formats)}


@pytest.mark.parametrize(
    "code",
    ['if kind == "image": pass', 'x = {"image": 1, "cabinet": 2}', 'if kind in ("catalog", "cabinet"): pass'],
)
def test_a_branch_is_found(code):
    assert list(branches(ast.parse(code)))


@pytest.mark.parametrize("path", USES_ONE_FORMAT)
def test_a_module_about_one_format_exists(path):
    assert Path(ROOT / path).exists()
