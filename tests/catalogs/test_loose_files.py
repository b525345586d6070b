"""Catalogs of loose files: their entries are those of New-FileCatalog, and check_loose answers as Test-FileCatalog."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions
from catalogs.catalog.file import Catalog
from catalogs.loose_files import build_loose, check_loose, lists_paths, loose_files
from signer.asn1 import oids
from signer.errors import FileError, UsageError
from signer.formats.table import IMAGE
from tests.support.images import PeSpec
from tests.support.signed_samples import signed

OPTIONS = CatalogOptions(datetime(2025, 1, 1, tzinfo=UTC))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a script, an image in a subfolder, a hidden file and an empty file."""
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    (folder / "run.ps1").write_bytes(b"Write-Output 1\r\n")
    (folder / "sub" / "tool.exe").write_bytes(PeSpec().build())
    (folder / "sub" / ".hidden").write_bytes(b"hidden")
    (folder / "empty.txt").write_bytes(b"")
    return folder


def built(folder: Path, version: int | None = None) -> Catalog:
    options = CatalogOptions(OPTIONS.now, version)
    made = build_loose(loose_files([folder], folder / "x.cat"), options, "x.cat")
    return Catalog.parse(made.to_bytes(), "x.cat")


def states(catalog: Catalog, folder: Path, *skipped: str) -> dict[str, str]:
    return {one.name: one.state for one in check_loose(catalog, loose_files([folder]), skipped)}


def test_a_version_2_catalog_lists_each_path_by_sha1_and_sha256(tree: Path) -> None:
    catalog = built(tree)
    script = (tree / "run.ps1").read_bytes()
    assert catalog.version == 2
    assert catalog.attributes == (("FilePath", "empty.txt"),), "an empty file can't be hashed"
    listed = [(member.attribute("FilePath"), member.tag) for member in catalog.members]
    assert len(listed) == 6
    assert {("run.ps1", hashlib.sha1(script).digest()), ("run.ps1", hashlib.sha256(script).digest())} <= set(listed)
    assert {path for path, _ in listed} == {"run.ps1", "sub\\tool.exe", "sub\\.hidden"}
    assert {len(member.attributes) for member in catalog.members} == {1}, "no File and no OSAttr"


def test_a_version_1_catalog_lists_each_path_by_sha1_as_text(tree: Path) -> None:
    catalog = built(tree, 1)
    script = hashlib.sha1((tree / "run.ps1").read_bytes()).hexdigest().upper()
    tags = {member.attribute("FilePath"): member.tag for member in catalog.members}
    assert (catalog.version, len(tags), tags["run.ps1"]) == (1, 3, (script + "\0").encode("utf-16-le"))


def test_the_attribute_has_the_flags_of_new_filecatalog(tree: Path) -> None:
    made = build_loose(loose_files([tree]), OPTIONS, "x.cat")
    values = [
        value for entry in made.trust_list.subjects for oid, value in entry.attributes if oid == oids.CAT_NAMEVALUE
    ]
    assert len(values) == 6
    assert all(bytes.fromhex("020410010001") in value for value in values)
    assert [value.flags for value in made.trust_list.extensions] == [0x10010001]


def test_an_image_has_the_hash_without_its_signature(tree: Path) -> None:
    catalog = built(tree)
    image = tree / "sub" / "tool.exe"
    image.write_bytes(signed(image.read_bytes()))
    assert states(catalog, tree)["sub\\tool.exe"] == "listed"
    assert {member.kind for member in catalog.members if member.attribute("FilePath") == "sub\\tool.exe"} == {
        IMAGE.name
    }


@pytest.mark.parametrize("version", [1, 2])
def test_an_unchanged_folder_is_listed(tree: Path, version: int) -> None:
    catalog = built(tree, version)
    assert lists_paths(catalog)
    assert set(states(catalog, tree).values()) == {"listed"}


def _append(folder: Path) -> None:
    (folder / "run.ps1").write_bytes(b"Write-Output 2\r\n")


def _fill(folder: Path) -> None:
    (folder / "empty.txt").write_bytes(b"1")


def _empty(folder: Path) -> None:
    (folder / "run.ps1").write_bytes(b"")


def _add(folder: Path) -> None:
    (folder / "sub" / "new").write_bytes(b"1")


def _add_a_copy(folder: Path) -> None:
    (folder / "copy.ps1").write_bytes((folder / "run.ps1").read_bytes())


def _remove(folder: Path) -> None:
    (folder / "sub" / ".hidden").unlink()


def _remove_empty(folder: Path) -> None:
    (folder / "empty.txt").unlink()


def _move(folder: Path) -> None:
    (folder / "run.ps1").rename(folder / "sub" / "run.ps1")


def _swap(folder: Path) -> None:
    (folder / "run.ps1").rename(folder / "x")
    (folder / "sub" / ".hidden").rename(folder / "run.ps1")
    (folder / "x").rename(folder / "sub" / ".hidden")


def _damage(folder: Path) -> None:
    (folder / "sub" / "tool.exe").write_bytes(PeSpec().build()[:400])


def _other_case(folder: Path) -> None:
    (folder / "run.ps1").rename(folder / "RUN.PS1")


CHANGES = {
    "a changed file": (_append, {"run.ps1": "changed"}),
    "an empty file with content": (_fill, {"empty.txt": "changed"}),
    "a file that became empty": (_empty, {"run.ps1": "changed"}),
    "a new file": (_add, {"sub\\new": "added"}),
    "a copy of a listed file": (_add_a_copy, {"copy.ps1": "added"}),
    "a file that is gone": (_remove, {"sub\\.hidden": "missing"}),
    "an empty file that is gone": (_remove_empty, {"empty.txt": "missing"}),
    "a file in another folder": (_move, {"run.ps1": "missing", "sub\\run.ps1": "added"}),
    "two files with each other's content": (_swap, {"run.ps1": "changed", "sub\\.hidden": "changed"}),
    "an image that is no image": (_damage, {"sub\\tool.exe": "unreadable"}),
    "the same path in another case": (_other_case, {}),
}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_every_difference_is_named(
    tree: Path, version: int, change: Callable[[Path], None], expected: dict[str, str]
) -> None:
    catalog = built(tree, version)
    change(tree)
    found = {name: state for name, state in states(catalog, tree).items() if state != "listed"}
    assert found == expected
    names = [name.rpartition("\\")[2].upper() for name in expected]
    assert set(states(catalog, tree, *names).values()) == {"listed"}, "skipped by name"


def test_the_catalog_itself_is_left_out(tree: Path) -> None:
    (tree / "x.cat").write_bytes(b"old")
    catalog = built(tree)
    assert "x.cat" not in {member.attribute("FilePath") for member in catalog.members}
    assert [file.name for file in loose_files([tree / "run.ps1"])] == ["run.ps1"]


def test_files_with_the_same_path_are_refused(tree: Path) -> None:
    (tree / "sub" / "RUN.ps1").write_bytes(b"1")
    with pytest.raises(UsageError, match="the same path in the catalog"):
        loose_files([tree, tree / "sub"])


def test_a_name_with_a_backslash_is_refused(tree: Path) -> None:
    try:
        (tree / "a\\b").write_bytes(b"1")
    except OSError:
        pytest.skip("the file system has no such names")
    with pytest.raises(FileError, match="backslash"):
        loose_files([tree])
