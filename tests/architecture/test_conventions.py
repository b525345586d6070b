"""Conventions that every module of the project follows."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.files import ROOT

PACKAGES = ("signer", "catalogs", "testcerts")
LINES_OF_A_MODULE, LINES_OF_A_FUNCTION = 400, 50
TOP = {"signer", "catalogs", "testcerts", "tests", "bench", "docs", "examples"}
TOP |= {
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Makefile",
    "LICENSE",
    "requirements-dev.txt",
    "action.yml",
    "mkdocs.yml",
    "Containerfile",
    "templates",
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def modules() -> list[Path]:
    found = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(found) > 100
    return found


def at(path: Path, node: ast.stmt | ast.expr | ast.excepthandler) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the full names of the modules that an import statement imports."""
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module


def test_imports_point_down_and_every_library_has_one_home():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_tests_mirror_the_packages():
    """The tests of a package are in the folder of the same name below tests/."""
    strays = [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / "tests" / package).rglob("test_*.py")
        if not (ROOT / path.parent.relative_to(ROOT / "tests")).is_dir()
    ]
    assert not strays


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [("bench", "tests"), *((package, other) for package in PACKAGES for other in ("tests", "bench"))],
)
def test_only_tests_import_tests(folder: str, forbidden: str):
    wrong = [
        f"{at(path, node)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
        if name.split(".")[0] == forbidden
    ]
    assert not wrong


def test_no_module_exceeds_the_maximum_length():
    lengths = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in modules()}
    assert not {name: length for name, length in lengths.items() if length > LINES_OF_A_MODULE}


def test_no_function_exceeds_the_maximum_length():
    long = [
        f"{at(path, node)} {node.name}: {length} lines"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := len_of_code(node)) > LINES_OF_A_FUNCTION
    ]
    assert not long


def len_of_code(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its decorators; for a command, also without the table of its options."""
    is_command = any(isinstance(d, ast.Call) and ast.unparse(d).startswith("app.command") for d in node.decorator_list)
    start = node.body[0].lineno if is_command else node.lineno
    return (node.end_lineno or start) - start + 1


def test_typers_own_click_is_not_imported_and_neither_is_oscrypto():
    wrong = [
        f"{at(path, node)} imports {name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(node)
        if name.split(".")[0] in ("click", "oscrypto", "signify", "certvalidator") or name.startswith("typer._")
    ]
    assert not wrong


def test_only_the_boundary_catches_every_exception():
    broad = {
        at(path, node)
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and is_broad(node) and not ends_in_raise(node)
    }
    # signer.errors converts one: the error of one file of a batch
    assert {place.split(":")[0] for place in broad} <= {"signer/cli/app.py", "signer/errors.py"}, broad


def is_broad(node: ast.ExceptHandler) -> bool:
    named = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)} if node.type else {"Exception"}
    return bool(named & {"Exception", "BaseException"})


def ends_in_raise(node: ast.ExceptHandler) -> bool:
    """Return whether the handler only cleans up and raises the exception again."""
    last = node.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


OIDS = {"signer/asn1/oids.py", "signer/algorithms.py"}


def test_object_identifiers_are_written_in_one_module():
    """The digest algorithms have theirs in signer.algorithms, which lies below signer.asn1."""
    dotted = re.compile(r"(?:[01]\.\d+|2\.(?:5|16|23))(?:\.\d+){2,}")
    found = [
        f"{at(path, node)} {node.value}"
        for path in modules()
        if path.relative_to(ROOT).as_posix() not in OIDS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and dotted.fullmatch(node.value)
    ]
    assert not found


WRITERS = ROOT / "signer" / "storage"


def test_only_storage_writes_to_disks():
    writers = {"write_bytes", "write_text", "unlink", "rename", "mkdir", "touch", "chmod"}
    found = [
        f"{at(path, node)} {node.func.attr}"
        for path in modules()
        if path.parent != WRITERS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in writers
    ]
    assert not found


CLIENTS = ("command.py", "vault.py", "aws.py", "azure.py", "gcp.py")
"""Modules of signer.keys whose client libraries read the environment."""
ARGUMENTS = ROOT / "signer" / "arguments.py"
"""Reads the clock where a caller of the public API gives no time."""

STARTS_PROGRAMS = ROOT / "signer" / "helper_program.py"
"""Passes a part of the environment to the programs with lief and libarchive, and reads nothing from it."""


def test_the_core_asks_no_environment_no_clock_and_no_network():
    banned = ("environ", "getenv", "utcnow", "today")
    found = [
        f"{at(path, node)} {node.attr}"
        for path in modules()
        if "cli" not in path.relative_to(ROOT).parts
        and path.name not in CLIENTS
        and path not in (ARGUMENTS, STARTS_PROGRAMS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and (node.attr in banned or ast.unparse(node) in ("datetime.now", "time.time", "date.today"))
    ]
    assert not found


def test_dataclasses_are_made_by_the_decorator_that_is_cheap_to_import():
    """`dataclasses.dataclass` takes 0.5 ms a class (bench/PROFILE.md)."""
    strays = [
        at(path, node)
        for path in modules()
        if path != ROOT / "signer" / "records.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if any(name.name in ("dataclass", "make_dataclass") for name in node.names)
    ]
    assert not strays


def test_every_public_dataclass_is_frozen():
    """Public dataclasses are immutable. Private ones may be mutable."""
    loose = [
        f"{at(path, node)} {node.name}"
        for path in modules()
        if "cli" not in path.relative_to(ROOT).parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("dataclass") and "frozen=True" not in ast.unparse(decorator)
    ]
    assert not loose


def git(*arguments: str) -> str:
    """Return the output of a git command in this checkout. Skip the test without git or outside of a checkout."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout


def test_nothing_lies_about_at_the_top():
    top = {line.split("/")[0] for line in git("ls-files").splitlines()}
    assert "signer" in top
    assert {name for name in top if not name.startswith(".")} <= TOP


def test_no_private_key_is_committed():
    assert "pyproject.toml" in git("grep", "-l", "hatchling")
    assert git("grep", "-lE", "^-----BEGIN ([A-Z]+ )?PRIVATE KEY") == ""


def test_missing_packages_are_installed_by_one_form_of_command():
    other = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in modules()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.count("pip install") > line.count("Run: pip install")
    ]
    assert other == []
