"""What becomes of an INF's wishes in the catalog, in the cases that real catalogs decided."""

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
    ("wish", "said", "catalog", "page_hashes"),
    [
        pytest.param("PETrust = true", ("PETrusted", "1"), True, True, id="petrust"),
        pytest.param("DRMLevel = 1300", ("DRMLevel", "1300"), False, True, id="drm-level"),
        pytest.param("WindowsHello = true", ("WindowsHello", "1"), False, True, id="windows-hello"),
        pytest.param("HalExt = true", None, False, False, id="hal-extension"),
        pytest.param("PETrust = false", None, False, False, id="petrust-declined"),
    ],
)
def test_signature_attributes(
    tmp_path: Path, wish: str, said: tuple[str, str] | None, catalog: bool, page_hashes: bool
) -> None:
    text = with_change((DIRS, f"[SignatureAttributes]\nsample.sys = Wish\n[Wish]\n{wish}\n{DIRS}"))
    write_package(tmp_path, text)
    found = built(tmp_path)
    members = [member for member in found.members if member.file == "sample.sys"]
    assert len(members) == 2
    for member in members:
        others = [pair for pair in member.attributes if pair[0] not in ("File", "OSAttr")]
        assert others == ([] if said is None else [said])
    assert any(member.page_hashes for member in members) == page_hashes
    assert (found.attribute("PE") == "TRUSTED") == catalog


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        pytest.param("SignatureAttributes.PETrust", "true", True, id="no-file-is-under-the-section"),
        pytest.param("signatureattributes.mine", "TRUE", True, id="in-any-case-and-by-any-name"),
        pytest.param("SignatureAttributes.PETrust", "false", False, id="declined"),
        pytest.param("Elsewhere", "true", False, id="a-section-of-something-else"),
    ],
)
def test_a_section_that_asks_for_trust_is_enough(tmp_path: Path, section: str, value: str, said: bool) -> None:
    """As in 12 catalogs of audio drivers whose files have a DRMLevel only."""
    asked = f"[{section}]\nPETrust = {value}\n{DIRS}"
    write_package(tmp_path, with_change((DIRS, asked)))
    found = built(tmp_path)
    assert (found.attribute("PE") == "TRUSTED") == said
    assert not any(member.attribute("PETrusted") for member in found.members)


def test_one_inf_of_a_run_asks_for_trust_for_all_of_its_catalogs(tmp_path: Path) -> None:
    """As the hardware IDs, it is in every catalog of the run: so in 32 of the same submissions."""
    asked = with_change((DIRS, f"[SignatureAttributes.PETrust]\nPETrust = true\n{DIRS}"))
    write_package(tmp_path, asked)
    write_package(tmp_path, with_change(("sample.cat", "other.cat")), name="other.inf")
    packages = read_packages(tmp_path, os_names.parse_list("10_X64"))
    assert [build(package, OPTIONS).attribute("PE") for package in packages] == ["TRUSTED", "TRUSTED"]


def test_files_of_the_same_bytes_are_members_each_by_its_name(tmp_path: Path) -> None:
    text = with_change(
        ("[Drivers]\n", "[Drivers]\none.bin\ntwo.bin\n"), ("sample.sys = 1", "sample.sys = 1\none.bin = 1\ntwo.bin = 1")
    )
    write_package(tmp_path, text, "sample.sys", "one.bin", "two.bin")
    (tmp_path / "two.bin").write_bytes((tmp_path / "one.bin").read_bytes())
    same = [member for member in built(tmp_path).members if member.file in ("one.bin", "two.bin")]
    assert len(same) == 4
    assert len({member.tag for member in same}) == 2


def test_files_of_the_same_bytes_and_name_are_members_each(tmp_path: Path) -> None:
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
    """As in the 22 members of real catalogs that are cabinets."""
    sha1, sha256 = subjects(hash_file(memoryview(CABINET)), [], 2)
    assert [oid for oid, _ in sha1.attributes] == [oids.CAT_MEMBERINFO2]
    (content,) = (value for oid, value in sha256.attributes if oid == oids.SPC_INDIRECT_DATA)
    digest = hashlib.sha256(CABINET[:4] + CABINET[8:]).hexdigest()
    enhanced = hashlib.sha256(struct.pack("<I", 40)).hexdigest()
    assert content == bytes.fromhex(ENHANCED.format(digest=digest, enhanced=enhanced))
    assert sha256.identifier.hex() == digest
    assert interpret(sha256).kind == "cabinet"
