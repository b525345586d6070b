"""The example driver: the committed image matches its source, and every parser reads it as a driver."""

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
"""Versions of GCC and binutils that built the committed image; other versions generate different code."""


@pytest.fixture(scope="module")
def built() -> bytes:
    return (HELLO / "hello.sys").read_bytes()


def test_three_parsers_agree_on_the_unsigned_x64_image(built):
    image = Image.parse(built)
    require_agreement(image)
    assert (image.architecture, image.is_signed, image.section_alignment) == ("x64", False, 0x1000)
    reference = pefile.PE(data=built)
    assert reference.verify_checksum()
    assert [s.Name.rstrip(b"\0").decode() for s in reference.sections] == [s.name for s in image.sections]
    digest = digest_image(image, [DigestAlgorithm.SHA256])[DigestAlgorithm.SHA256]
    assert bytes(lief.PE.parse(built).authentihash(lief.PE.ALGORITHMS.SHA_256)) == digest


def test_it_meets_the_requirements_of_memory_integrity(built):
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


def test_the_source_builds_the_committed_image(built, tmp_path):
    if not shutil.which(COMPILER):
        pytest.skip(f"{COMPILER} is not installed (Debian package gcc-mingw-w64-x86-64)")
    result = rebuild(tmp_path)
    assert [s.name for s in Image.parse(result).sections] == [s.name for s in Image.parse(built).sections]
    assert pefile.PE(data=result).verify_checksum()
    if toolchain() == BUILT_WITH:
        assert result == built


def rebuild(folder: Path) -> bytes:
    """Build the image with the Makefile's command."""
    lines = output_of("make", "-n", "example").replace("\\\n", " ").splitlines()
    command = next(line for line in lines if line.startswith(COMPILER)).split()
    command[command.index("examples/hello/hello.sys")] = str(folder / "hello.sys")
    output_of(*command)
    return (folder / "hello.sys").read_bytes()


def toolchain() -> tuple[str, str]:
    linker = output_of(output_of(COMPILER, "-print-prog-name=ld").strip(), "--version")
    return output_of(COMPILER, "-dumpfullversion").strip(), linker.splitlines()[0].split()[-1]


def output_of(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_its_inf_passes_the_signability_test():
    survey = survey_packages(HELLO, today=date(2026, 4, 1))
    (package,) = survey.packages
    assert survey.problems == ()
    assert [file.name for file in package.files] == ["hello.inf", "hello.sys"]
    assert package.hardware_ids == ("root\\drvsignhello",)
