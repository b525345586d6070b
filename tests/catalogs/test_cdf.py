"""Catalog definition files (.cdf): what MakeCat accepts, and errors with the line."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from catalogs import cdf
from catalogs.build import CatalogOptions, hash_path
from catalogs.catalog.members import HashedFile
from signer.algorithms import DigestAlgorithm
from signer.errors import MalformedInput
from tests.support.timestamping import NOON

SOURCE = Path("files.cdf")


def parsed(value: str) -> str:
    """Return the text of an attribute whose value is Base64."""
    definition = cdf.parse(f"[CatalogHeader]\nName=a.cat\nCATATTR1=0x10030001:Note:{value}\n", SOURCE)
    return definition.attributes[0].value


def test_the_value_of_an_attribute_can_be_base64() -> None:
    assert parsed("aABpAA==") == "hi"


@pytest.mark.parametrize("value", ["é", "a", "!!!!", "AA=="], ids=["not-ascii", "short", "not-base64", "half-unit"])
def test_a_value_that_is_not_base64_of_utf16_is_an_error_with_its_line(value: str) -> None:
    """Text outside of ASCII raised ValueError (found by fuzzing)."""
    with pytest.raises(MalformedInput, match="not Base64-encoded UTF-16-LE") as caught:
        parsed(value)
    assert caught.value.line == 3


def test_a_file_that_many_lines_name_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A .cdf of 10 MB whose lines all name a driver of a few MB took hours."""
    (tmp_path / "a.sys").write_bytes(b"x")
    (tmp_path / "b.sys").write_bytes(b"y")
    hashed: list[str] = []

    def counted(path: Path, *, page_hashes: DigestAlgorithm | None) -> HashedFile:
        hashed.append(path.name)
        return hash_path(path, page_hashes=page_hashes)

    monkeypatch.setattr("catalogs.cdf.hash_path", counted)
    lines = [f"<HASH>{number}={name}" for number, name in enumerate(["a.sys", "A.SYS", "./a.sys", "b.sys"])]
    text = "\n".join(
        ["[CatalogHeader]", "Name=a.cat", "CatalogVersion=2", "HashAlgorithms=SHA256", "[CatalogFiles]", *lines]
    )
    catalog = cdf.build(cdf.parse(text, tmp_path / "x.cdf", 2), CatalogOptions(NOON))
    assert hashed == ["a.sys", "b.sys"]
    assert len(catalog.trust_list.subjects) == 8


def test_files_without_numbers_are_different_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network folders of Windows have the number 0 for every file."""
    for name in ("a.sys", "b.sys"):
        (tmp_path / name).write_bytes(name.encode())
    status = Path.stat

    def without_number(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        mode, _, *rest = status(path, follow_symlinks=follow_symlinks)
        return os.stat_result((mode, 0, *rest))

    monkeypatch.setattr(Path, "stat", without_number)
    head = "[CatalogHeader]\nName=a.cat\nCatalogVersion=2\nHashAlgorithms=SHA256\n[CatalogFiles]\n"
    text = f"{head}<HASH>1=a.sys\n<HASH>2=b.sys\n"
    catalog = cdf.build(cdf.parse(text, tmp_path / "x.cdf", 2), CatalogOptions(NOON))
    digests = {hashlib.sha256(name).digest() for name in (b"a.sys", b"b.sys")}
    assert digests <= {one.identifier for one in catalog.trust_list.subjects}
