"""Catalogs built from INFs, in cases that real catalogs decide."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, build
from catalogs.catalog import os_names
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import hash_file, interpret, subjects
from catalogs.package.driver_package import read_packages
from signer.asn1 import oids
from tests.support.inf_files import with_change, write_package

OPTIONS = CatalogOptions(datetime(2024, 5, 2, tzinfo=UTC))
DIRS = "[DestinationDirs]"


def built(folder: Path) -> Catalog:
    (package,) = read_packages(folder, os_names.parse_list("10_X64"))
    return Catalog.parse(build(package, OPTIONS).to_bytes())


@pytest.mark.parametrize(
    ("requested", "attribute", "catalog", "page_hashes"),
    [
        pytest.param("PETrust = true", ("PETrusted", "1"), True, True, id="petrust"),
        pytest.param("DRMLevel = 1300", ("DRMLevel", "1300"), False, True, id="drm-level"),
        pytest.param("WindowsHello = true", ("WindowsHello", "1"), False, True, id="windows-hello"),
        pytest.param("HalExt = true", None, False, False, id="hal-extension"),
        pytest.param("PETrust = false", None, False, False, id="petrust-declined"),
    ],
)
def test_signature_attributes(
    tmp_path: Path, requested: str, attribute: tuple[str, str] | None, catalog: bool, page_hashes: bool
) -> None:
    text = with_change((DIRS, f"[SignatureAttributes]\nsample.sys = Attributes\n[Attributes]\n{requested}\n{DIRS}"))
    write_package(tmp_path, text)
    found = built(tmp_path)
    members = [member for member in found.members if member.file == "sample.sys"]
    assert len(members) == 2
    for member in members:
        others = [pair for pair in member.attributes if pair[0] not in ("File", "OSAttr")]
        assert others == ([] if attribute is None else [attribute])
    assert any(member.page_hashes for member in members) == page_hashes
    assert (found.attribute("PE") == "TRUSTED") == catalog


@pytest.mark.parametrize(
    ("section", "value", "trusted"),
    [
        pytest.param("SignatureAttributes.PETrust", "true", True, id="section-without-files"),
        pytest.param("signatureattributes.mine", "TRUE", True, id="any-case-and-any-name"),
        pytest.param("SignatureAttributes.PETrust", "false", False, id="declined"),
        pytest.param("Elsewhere", "true", False, id="another-kind-of-section"),
    ],
)
def test_a_section_with_petrust_is_sufficient(tmp_path: Path, section: str, value: str, trusted: bool) -> None:
    """As in 12 catalogs of audio drivers whose files have only a DRMLevel."""
    attributes = f"[{section}]\nPETrust = {value}\n{DIRS}"
    write_package(tmp_path, with_change((DIRS, attributes)))
    found = built(tmp_path)
    assert (found.attribute("PE") == "TRUSTED") == trusted
    assert not any(member.attribute("PETrusted") for member in found.members)


def test_petrust_in_one_inf_applies_to_all_catalogs_of_the_run(tmp_path: Path) -> None:
    """Like the hardware IDs, PE is in every catalog of the run, as in 32 of the same submissions."""
    text = with_change((DIRS, f"[SignatureAttributes.PETrust]\nPETrust = true\n{DIRS}"))
    write_package(tmp_path, text)
    write_package(tmp_path, with_change(("sample.cat", "other.cat")), name="other.inf")
    packages = read_packages(tmp_path, os_names.parse_list("10_X64"))
    assert [build(package, OPTIONS).attribute("PE") for package in packages] == ["TRUSTED", "TRUSTED"]


def test_files_with_the_same_content_are_separate_members(tmp_path: Path) -> None:
    text = with_change(
        ("[Drivers]\n", "[Drivers]\none.bin\ntwo.bin\n"), ("sample.sys = 1", "sample.sys = 1\none.bin = 1\ntwo.bin = 1")
    )
    write_package(tmp_path, text, "sample.sys", "one.bin", "two.bin")
    (tmp_path / "two.bin").write_bytes((tmp_path / "one.bin").read_bytes())
    same = [member for member in built(tmp_path).members if member.file in ("one.bin", "two.bin")]
    assert len(same) == 4
    assert len({member.tag for member in same}) == 2


def test_files_with_the_same_content_and_name_are_separate_members(tmp_path: Path) -> None:
    text = with_change(
        ("[Drivers]\n", "[Drivers]\nsame.bin,one.bin\nsame.bin,two.bin\n"),
        ("sample.sys = 1", "sample.sys = 1\none.bin = 1\ntwo.bin = 1"),
    )
    write_package(tmp_path, text, "sample.sys", "one.bin", "two.bin")
    (tmp_path / "two.bin").write_bytes((tmp_path / "one.bin").read_bytes())
    same = [member for member in built(tmp_path).members if member.file == "same.bin"]
    assert len(same) == 4
    assert len({member.tag for member in same}) == 2


CABINET = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, 40, 0, 36, 0, 3, 1, 0, 0, 0, 0, 0) + b"data"
ENHANCED = """
    3081 8b 3056 060a 2b06010401823702011c a148 0410 a6b586d5b4a12466ae05a217da8e60d6 0434
    3132 3030 060a 2b060104018237020501 3122 0420 {enhanced}
    3031 300d 0609 608648016503040201 0500 0420 {digest}
"""


def test_a_cabinet_has_an_enhanced_hash_in_its_sha_256_entry_only() -> None:
    """As in the 22 cabinet members of real catalogs."""
    sha1, sha256 = subjects(hash_file(memoryview(CABINET)), [], 2)
    assert [oid for oid, _ in sha1.attributes] == [oids.CAT_MEMBERINFO2]
    (content,) = (value for oid, value in sha256.attributes if oid == oids.SPC_INDIRECT_DATA)
    digest = hashlib.sha256(CABINET[:4] + CABINET[8:]).hexdigest()
    enhanced = hashlib.sha256(struct.pack("<I", 40)).hexdigest()
    assert content == bytes.fromhex(ENHANCED.format(digest=digest, enhanced=enhanced))
    assert sha256.identifier.hex() == digest
    assert interpret(sha256, 2).kind == "cabinet"
