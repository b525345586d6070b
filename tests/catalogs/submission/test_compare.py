"""Comparison of returned packages with submitted ones: real packages, and one problem at a time."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogs.submission.compare import Returned, compare
from catalogs.submission.unpack import unpack_submission
from signer.errors import FileError, MalformedInput, PackageError
from signer.operations.signatures import without_signatures
from signer.storage.patching import patch_atomically
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, write_package
from tests.support.program import drvsign

REAL = (
    "arduino+Arduino__build__windows__dist__drivers__FTDI_USB_Drivers__ftdibus",
    "arduino+Arduino__build__windows__dist__drivers__FTDI_USB_Drivers__ftdiport",
    "SoftEtherVPN+SoftEtherVPN__src__bin__hamcore__DriverPackages__Neo6_Win10__x64__Neo6_x64_VPN11",
)


def codes(found: Returned) -> list[str]:
    return sorted({problem.code for problem in found.problems})


def states(found: Returned) -> dict[str, str]:
    return {str(file.name): file.state for file in found.files}


def unsigned_copy(source: Path, target: Path) -> None:
    """Copy a package as its vendor submitted it: without catalog and signatures."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.cat", "HASHES.tsv", "SOURCE.txt"))
    for path in target.rglob("*.sys"):
        changes = without_signatures(path.read_bytes())
        if changes is not None:
            patch_atomically(path, path, changes)


@pytest.fixture
def real(corpus: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A submitted package, and the package that the portal returned."""
    source = corpus / "packages" / REAL[0]
    unsigned_copy(source, tmp_path / "sent" / "ftdibus")
    target = tmp_path / "received" / "drivers" / "ftdibus"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("HASHES.tsv", "SOURCE.txt"))
    return tmp_path / "sent", tmp_path / "received"


@pytest.mark.parametrize("name", REAL)
def test_real_packages_that_microsoft_signed_match_the_submitted_ones(corpus: Path, name: str, tmp_path: Path) -> None:
    source = corpus / "packages" / name
    unsigned_copy(source, tmp_path / "sent")
    shutil.copytree(source, tmp_path / "received", ignore=shutil.ignore_patterns("HASHES.tsv", "SOURCE.txt"))
    found = compare(tmp_path / "sent", tmp_path / "received")
    assert codes(found) == []
    drivers = [file for file in found.files if file.name.suffix == ".sys"]
    assert drivers
    assert {(file.state, file.portal_signatures and file.portal_signatures.microsoft) for file in drivers} <= {
        ("signed", "whql"),
        ("signed", "attested"),
    }


def test_the_zip_of_the_portal_can_be_compared(real: tuple[Path, Path], tmp_path: Path) -> None:
    sent, received = real
    with zipfile.ZipFile(tmp_path / "signed.zip", "w") as archive:
        for path in sorted(received.rglob("*")):
            archive.write(path, path.relative_to(received))
    found = compare(sent, unpack_submission(tmp_path / "signed.zip", tmp_path / "unpacked"))
    assert codes(found) == []
    assert states(found)["ftdibus.cat"] == "added"


def touch(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def apply(package: Path) -> None:
        path = package / file
        path.write_bytes(change(path.read_bytes()))

    return apply


def remove(file: str) -> Callable[[Path], None]:
    return lambda package: (package / file).unlink()


def flipped(data: bytes) -> bytes:
    return data[:2000] + bytes([data[2000] ^ 1]) + data[2001:]


WRONG: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "a-driver-is-another": (
        touch("amd64/ftdibus.sys", flipped),
        {"changed", "signature-broken", "not-signed-by-microsoft", "catalog-incomplete"},
    ),
    "a-driver-is-missing": (remove("amd64/ftdibus.sys"), {"not-returned", "22.9.1"}),
    "the-catalog-is-missing": (remove("ftdibus.cat"), {"catalog-missing"}),
    "the-inf-was-changed": (
        touch("ftdibus.inf", lambda data: data.replace(b"FTDI", b"Ftdi", 1)),
        {"inf-changed", "catalog-incomplete"},
    ),
    "a-library-was-changed": (touch("amd64/ftlang.dll", flipped), {"changed", "catalog-incomplete"}),
    "the-catalog-was-changed": (
        touch("ftdibus.cat", lambda data: data.replace("vid".encode("utf-16-be"), "vie".encode("utf-16-be"), 1)),
        {"signature-broken", "not-signed-by-microsoft"},
    ),
    "the-catalog's-timestamp-is-broken": (
        touch("ftdibus.cat", lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:]),
        {"signature-broken"},
    ),
    "the-catalog-is-none": (touch("ftdibus.cat", lambda data: b"no catalog"), {"signature-format"}),
    "nothing-came-back": (lambda package: shutil.rmtree(package), {"package-not-returned"}),
}


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG)
def test_each_problem_is_reported(change: Callable[[Path], None], expected: set[str], real: tuple[Path, Path]) -> None:
    sent, received = real
    change(received / "drivers" / "ftdibus")
    assert set(codes(compare(sent, received))) == expected


def test_the_changes_of_an_inf_are_shown(real: tuple[Path, Path]) -> None:
    sent, received = real
    path = received / "drivers" / "ftdibus" / "ftdibus.inf"
    path.write_bytes(path.read_bytes().replace(b"CatalogFile", b"; was here\r\nCatalogFile", 1))
    (inf,) = (file for file in compare(sent, received).files if file.name.suffix == ".inf")
    assert "+; was here" in inf.difference


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """The same unsigned package twice."""
    for name in ("sent", "received"):
        write_package(tmp_path / name / "Echo", BASE, "sample.sys", "sample.pdb")
    return tmp_path / "sent", tmp_path / "received"


def test_an_unsigned_package_is_rejected(own: tuple[Path, Path]) -> None:
    found = compare(*own)
    assert codes(found) == ["catalog-missing", "not-signed-by-microsoft"]
    assert states(found)["sample.sys"] == "same"


def test_symbols_need_not_be_returned(own: tuple[Path, Path]) -> None:
    (own[1] / "Echo" / "sample.pdb").unlink()
    found = compare(*own)
    assert states(found)["sample.pdb"] == "kept by Microsoft"
    assert "not-returned" not in codes(found)


def test_packages_are_matched_by_their_folders(tmp_path: Path) -> None:
    for side, suffix in (("sent", ""), ("received", "/drivers")):
        for number, folder in enumerate(("x86", "x64")):
            write_package(tmp_path / f"{side}{suffix}" / folder)
            spec = PeSpec(fill=0x10 * number)
            (tmp_path / f"{side}{suffix}" / folder / "sample.sys").write_bytes(spec.build())
    assert [file.state for file in compare(tmp_path / "sent", tmp_path / "received").files] == ["same"] * 4


def test_other_files_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(MalformedInput, match="neither a folder"):
        unpack_submission(tmp_path / "x.zip", tmp_path / "unpacked")
    with pytest.raises(FileError):
        unpack_submission(tmp_path / "nowhere", tmp_path / "unpacked")
    with pytest.raises(PackageError, match="no INF"):
        compare(tmp_path, tmp_path)


def test_a_damaged_zip_is_rejected(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("Echo/a.inf", b"a" * 100)
        archive.writestr("../outside.inf", b"a")
    data = bytearray((tmp_path / "x.zip").read_bytes())
    assert unpack_submission(tmp_path / "x.zip", tmp_path / "first") == tmp_path / "first"
    assert not (tmp_path / "outside.inf").exists()
    data[data.index(b"aaaa")] ^= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(MalformedInput, match="damaged"):
        unpack_submission(tmp_path / "x.zip", tmp_path / "second")


def test_the_command_rejects_a_package_and_prints_the_problems(own: tuple[Path, Path]) -> None:
    ran = drvsign("submission", "compare", *own)
    assert ran.code == 1
    assert "not-signed-by-microsoft" in ran.stdout
    document = drvsign("submission", "compare", *own, "--json").document
    assert document["accepted"] is False
    assert {file["file"] for file in document["files"]} == {"sample.inf", "sample.sys", "sample.pdb"}


def test_the_command_accepts_a_real_package(real: tuple[Path, Path]) -> None:
    ran = drvsign("submission", "compare", *real, "--json")
    assert (ran.code, ran.document["accepted"], ran.document["problems"]) == (0, True, [])
