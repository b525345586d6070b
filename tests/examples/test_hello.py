"""The example driver: what is committed is what the source builds, and every parser reads it as a driver."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import lief
import pefile
import pytest

from catalogs.package.driver_package import survey_packages
from signer.algorithms import DigestAlgorithm
from signer.pe.digest import digest_image
from signer.pe.image import Image
from signer.pe.layout_check import require_agreement
from tests.support.files import ROOT

HELLO = ROOT / "examples" / "hello"
COMPILER = "x86_64-w64-mingw32-gcc"
BUILT_WITH = ("12-win32", "2.40")
"""GCC and binutils that built the committed image: others choose other instructions."""


@pytest.fixture(scope="module")
def built() -> bytes:
    return (HELLO / "hello.sys").read_bytes()


def test_three_parsers_read_the_same_unsigned_x64_image(built):
    ours = Image.parse(built)
    require_agreement(ours)
    assert (ours.architecture, ours.is_signed, ours.section_alignment) == ("x64", False, 0x1000)
    theirs = pefile.PE(data=built)
    assert theirs.verify_checksum()
    assert [s.Name.rstrip(b"\0").decode() for s in theirs.sections] == [s.name for s in ours.sections]
    digest = digest_image(ours, [DigestAlgorithm.SHA256])[DigestAlgorithm.SHA256]
    assert bytes(lief.PE.parse(built).authentihash(lief.PE.ALGORITHMS.SHA_256)) == digest


def test_windows_could_load_it_with_memory_integrity_on(built):
    pe = pefile.PE(data=built)
    assert pe.OPTIONAL_HEADER.Subsystem == pefile.SUBSYSTEM_TYPE["IMAGE_SUBSYSTEM_NATIVE"]
    assert (
        pe.OPTIONAL_HEADER.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE
        and pe.OPTIONAL_HEADER.IMAGE_DLLCHARACTERISTICS_NX_COMPAT
    )
    assert pe.FILE_HEADER.TimeDateStamp == 0
    assert not any(s.IMAGE_SCN_MEM_WRITE and s.IMAGE_SCN_MEM_EXECUTE for s in pe.sections)
    assert {entry.dll for entry in pe.DIRECTORY_ENTRY_IMPORT} == {b"ntoskrnl.exe"}
    assert (
        sum(
            entry.type == pefile.RELOCATION_TYPE["IMAGE_REL_BASED_DIR64"]
            for block in pe.DIRECTORY_ENTRY_BASERELOC
            for entry in block.entries
        )
        == 3
    )
    assert not hasattr(pe, "DIRECTORY_ENTRY_EXPORT")


def test_the_source_still_builds_exactly_this_image(built, tmp_path):
    if not shutil.which(COMPILER):
        pytest.skip(f"{COMPILER} is not installed (Debian package gcc-mingw-w64-x86-64)")
    result = rebuild(tmp_path)
    assert [s.name for s in Image.parse(result).sections] == [s.name for s in Image.parse(built).sections]
    assert pefile.PE(data=result).verify_checksum()
    if toolchain() == BUILT_WITH:
        assert result == built


def rebuild(folder: Path) -> bytes:
    """The image that the Makefile's own command builds."""
    lines = said("make", "-n", "example").replace("\\\n", " ").splitlines()
    command = next(line for line in lines if line.startswith(COMPILER)).split()
    command[command.index("examples/hello/hello.sys")] = str(folder / "hello.sys")
    said(*command)
    return (folder / "hello.sys").read_bytes()


def toolchain() -> tuple[str, str]:
    linker = said(said(COMPILER, "-print-prog-name=ld").strip(), "--version")
    return said(COMPILER, "-dumpfullversion").strip(), linker.splitlines()[0].split()[-1]


def said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_its_inf_passes_the_signability_test_for_every_release_it_names():
    survey = survey_packages(HELLO, today=date(2026, 4, 1))
    (package,) = survey.packages
    assert survey.problems == ()
    assert [file.name for file in package.files] == ["hello.inf", "hello.sys"]
    assert package.hardware_ids == ("root\\drvsignhello",)
