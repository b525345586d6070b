"""docs/architecture.md says what the code is: floors, homes, and files that exist."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def contracts() -> dict[str, dict[str, list[str]]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["name"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_the_table_of_floors_is_the_one_that_import_linter_holds():
    layers = [re.findall(r"[a-z][\w.]*", layer) for layer in contracts()["Imports point down"]["layers"]]
    built = [[room for room in layer if exists(room) and room != "signer.__main__"] for layer in layers]
    table = re.findall(r"^\| \d+ \| (.+) \|$", PAGE, re.MULTILINE)
    assert [re.findall(r"`([\w.]+)`", row) for row in table] == [layer for layer in built if layer]


def exists(room: str) -> bool:
    path = ROOT.joinpath(*room.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:signer|catalogs|testcerts|tests|docs)/[\w/.]+)`", PAGE))))
def test_every_file_that_it_names_exists(path):
    assert (ROOT / path).exists() or path == "testcerts/generated"


@pytest.mark.parametrize("library", ["pefile", "lief", "asn1crypto"])
def test_the_homes_of_libraries_are_those_that_import_linter_holds(library):
    (row,) = re.findall(rf"^\| {library} \| (.*?) \|", PAGE, re.MULTILINE)
    homes = {path.removesuffix(".py").replace("/", ".") for path in re.findall(r"`([\w/.]+)`", row)}
    (held,) = (c["ignore_imports"] for c in contracts().values() if c.get("forbidden_modules") == [library])
    assert homes == {line.split(" -> ")[0].removesuffix(".**") for line in held}


ROOMS = PAGE[PAGE.index("## Rooms") : PAGE.index("## Decisions")]
MODULES = [
    path.relative_to(ROOT) for room in ("signer", "catalogs", "testcerts") for path in (ROOT / room).rglob("*.py")
]


def test_every_module_is_named_in_its_room():
    """Commands and groups of options are named after what they are for, and `drvsign --help` lists them."""
    ours = {path.stem for path in MODULES if path.parent.name not in ("commands", "options")}
    assert {name for name in ours if not name.startswith("__") and not re.search(rf"\b{name}\b", PAGE)} == set()


def test_every_name_in_the_rooms_is_a_module():
    known = {path.stem for path in MODULES} | {part for path in MODULES for part in path.parts}
    assert set(re.findall(r"`([a-z_0-9]+)`", ROOMS)) - known == set()
