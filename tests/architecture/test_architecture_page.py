"""docs/architecture.md agrees with the code: layers, owners of third-party libraries, packages and file names."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support.files import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def contracts() -> dict[str, dict[str, list[str]]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["name"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_the_table_of_layers_equals_the_import_linter_contract():
    layers = [re.findall(r"[a-z][\w.]*", layer) for layer in contracts()["Imports point down"]["layers"]]
    built = [[name for name in layer if exists(name) and name != "signer.__main__"] for layer in layers]
    table = re.findall(r"^\| \d+ \| (.+) \|$", PAGE, re.MULTILINE)
    assert [re.findall(r"`([\w.]+)`", row) for row in table] == [layer for layer in built if layer]


def exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:signer|catalogs|testcerts|tests|docs)/[\w/.]+)`", PAGE))))
def test_every_named_file_exists(path):
    assert (ROOT / path).exists() or path == "testcerts/generated"


@pytest.mark.parametrize(
    "library", ["pefile", "lief", "asn1crypto", "evtx", "pycdlib", "olefile", "archi", "distributed"]
)
def test_the_owners_of_libraries_equal_the_import_linter_contracts(library):
    (row,) = re.findall(rf"^\| {library} \| (.*?) \|", PAGE, re.MULTILINE)
    owners = {path.removesuffix(".py").replace("/", ".") for path in re.findall(r"`([\w/.]+)`", row)}
    (allowed,) = (c["ignore_imports"] for c in contracts().values() if c.get("forbidden_modules") == [library])
    assert owners == {line.split(" -> ")[0].removesuffix(".**") for line in allowed}


PACKAGES = PAGE[PAGE.index("## Packages") : PAGE.index("## Decisions")]
MODULES = [
    path.relative_to(ROOT) for package in ("signer", "catalogs", "testcerts") for path in (ROOT / package).rglob("*.py")
]


def test_every_package_has_a_paragraph():
    ours = {path.parent.name for path in MODULES} - {"commands", "options", "data"}
    assert {name for name in ours if not re.search(rf"\*\*{name}\*\*|^### {name}$", PACKAGES, re.MULTILINE)} == set()


def test_every_name_in_the_packages_is_a_module():
    known = {path.stem for path in MODULES} | {part for path in MODULES for part in path.parts}
    assert set(re.findall(r"`([a-z_0-9]+)`", PACKAGES)) - known == set()
