"""The files that an INF copies, in cases that real catalogs decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.inf.driver import DriverInf
from catalogs.package.copied_files import copied_files

HEAD = "[Version]\n[SourceDisksNames]\n1=d\n"


def files_of(text: str, *architectures: str) -> set[tuple[str, str, str]]:
    """Return name, path, and the architecture of the releases that install it."""
    driver = DriverInf.parse((HEAD + text).encode(), Path("a.inf"))
    items = copied_files(driver, architectures).items
    assert all(item.source is not None for item in items)
    return {
        (item.copy.target, "/".join((*item.source.folders, item.copy.source)), item.on) for item in items if item.source
    }


TWO = """
[SourceDisksFiles.arm]
a.sys = 1,arm
[SourceDisksFiles.arm64]
a.sys = 1,arm64
[List]
a.sys
[Manufacturer]
x = M,NTarm,NTarm64
[M.NTarm]
x = {arm},id
[M.NTarm64]
x = {arm64},id
"""


def test_a_decorated_section_applies_to_its_architecture_only() -> None:
    text = TWO.format(arm="I", arm64="I") + "[I.NTarm]\nCopyFiles=List\n[I.NTarm64]\nCopyFiles=List\n"
    assert files_of(text, "arm") == {("a.sys", "arm/a.sys", "arm")}
    assert files_of(text, "arm", "arm64") == {("a.sys", "arm/a.sys", "arm"), ("a.sys", "arm64/a.sys", "arm64")}


def test_an_undecorated_section_installs_the_files_of_all_models() -> None:
    """The INF of emb.arm.cat."""
    text = TWO.format(arm="I", arm64="I_64") + "[I]\nCopyFiles=List\n[I_64]\nCopyFiles=List\n"
    assert files_of(text, "arm") == {("a.sys", "arm/a.sys", "arm"), ("a.sys", "arm64/a.sys", "arm")}


def test_an_undecorated_section_installs_the_files_of_all_architectures_of_the_inf() -> None:
    """The INF of an adb interface: a section for a few x64 devices puts the files of both into both catalogs."""
    text = TWO.format(arm="I", arm64="J") + "[I]\n[J]\nCopyFiles=List\n"
    both = {("a.sys", "arm/a.sys"), ("a.sys", "arm64/a.sys")}
    assert files_of(text, "arm") == {(*file, "arm") for file in both}
    assert files_of(text, "arm64") == {(*file, "arm64") for file in both}


def test_files_for_architectures_without_models_need_no_source() -> None:
    text = TWO.format(arm="I", arm64="J") + "[I]\n[J]\nCopyFiles=List\n"
    text = text.replace("[SourceDisksFiles.arm]\na.sys = 1,arm\n", "")
    assert files_of(text, "arm", "arm64") == {("a.sys", "arm64/a.sys", "arm"), ("a.sys", "arm64/a.sys", "arm64")}


def test_a_section_named_with_its_decoration_applies_to_every_architecture() -> None:
    """The INF of gripdet.arm.cat, and of arduino_gemma.cat with its ia64 files."""
    text = TWO.format(arm="I.NTarm", arm64="I.NTarm64") + "[I.NTarm]\nCopyFiles=List\n[I.NTarm64]\nCopyFiles=List\n"
    assert files_of(text, "arm") == {("a.sys", "arm/a.sys", "arm"), ("a.sys", "arm64/a.sys", "arm")}


def test_a_decorated_section_replaces_the_undecorated_one() -> None:
    """The INF of revrmnet8994.arm.cat."""
    text = TWO.format(arm="I", arm64="I") + "[I]\nCopyFiles=List\n[I.NTarm64]\nCopyFiles=List\n"
    assert files_of(text, "arm") == {("a.sys", "arm/a.sys", "arm")}
    assert files_of(text, "arm64") == {("a.sys", "arm64/a.sys", "arm64")}


def test_models_of_other_architectures_are_used() -> None:
    """The INF of qccamjpege8994.cat, which is for ARM and has models for ARM64 only."""
    text = "[SourceDisksFiles]\na.sys=1\n[Manufacturer]\nx=M,NTarm64\n[M.NTarm64]\nx=I,id\n[I.NT]\nCopyFiles=@a.sys\n"
    assert files_of(text, "arm") == {("a.sys", "a.sys", "arm")}


BESIDE = """
[SourceDisksNames.x86]
1=d,,,32
[SourceDisksNames.amd64]
1=d,,,64
[SourceDisksFiles]
a.sys=1
b.dll=1
[Manufacturer]
x=M,NTx86,NTamd64
[M.NTx86]
x=I,id
[M.NTamd64]
x=I,id
[I.NT]
CopyFiles=@a.sys
[I.NT.CoInstallers]
CopyFiles=@b.dll
[I.NTamd64]
CopyFiles=@a.sys
"""


def test_co_installer_sections_have_their_own_lookup() -> None:
    """The INF of feather_dummy.cat: its x86 driver is for x86, its co-installers are for all."""
    assert files_of(BESIDE, "x86", "amd64") == {
        ("a.sys", "32/a.sys", "x86"),
        ("a.sys", "64/a.sys", "amd64"),
        ("b.dll", "32/b.dll", "x86"),
        ("b.dll", "32/b.dll", "amd64"),
        ("b.dll", "64/b.dll", "x86"),
        ("b.dll", "64/b.dll", "amd64"),
    }


DEFAULT = """
[SourceDisksFiles]
a.sys = 1
b.sys = 1,new
[DefaultInstall.NTarm]
CopyFiles = @a.sys
[DefaultInstall.NTarm.10.0...25952]
CopyFiles = @b.sys
[DefaultInstall.NTarm.Services]
AddService = a,,x
"""


def test_default_install_sections_apply_to_their_architecture() -> None:
    assert files_of(DEFAULT, "arm") == {("a.sys", "a.sys", "arm"), ("b.sys", "new/b.sys", "arm")}
    assert files_of(DEFAULT, "arm64") == set()
    assert files_of("[SourceDisksFiles]\na.sys=1\n[DefaultInstall]\nCopyFiles=@a.sys\n", "arm") == {
        ("a.sys", "a.sys", "arm")
    }


ALL_OVER = """
[SourceDisksFiles]
{files}
[Manufacturer]
x = M,NTamd64
[M.NTamd64]
x = I,id
[I.NT]
CopyFiles = List, @alone.dll
Needs = Other, I.NT
Include = needs.inf
[Other]
CopyFiles = Other.List
[Other.List]
needed.dll
[List]
; target, source, unused, flags
renamed.dll, source.dll,,2
plain.sys,,,0x20
[I.NT.CoInstallers]
CopyFiles = CoInstallers
[CoInstallers]
co.dll
[I.NT.Interfaces]
AddInterface = {{guid}},,Interface
[Interface]
CopyFiles = @interface.dll
[I.NT.Services]
AddService = x,2,Service
[Service]
ServiceBinary = %12%\\service.sys
[ClassInstall32]
CopyFiles = @class.dll
[InterfaceInstall32]
{{guid}} = InterfaceClass
[InterfaceClass.NTamd64]
CopyFiles = @interfaceclass.dll
[Unused]
CopyFiles = @unused.dll
"""
NAMES = ["renamed", "plain", "alone", "needed", "co", "interface", "class", "interfaceclass"]


def test_copyfiles_is_read_in_every_section_that_windows_reads() -> None:
    files = "\n".join(f"{name}=1" for name in ("source.dll", "plain.sys", *(f"{name}.dll" for name in NAMES)))
    found = {name for name, _, _ in files_of(ALL_OVER.format(files=files), "amd64")}
    assert found == {"plain.sys" if name == "plain" else f"{name}.dll" for name in NAMES}


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ("[SourceDisksFiles.amd64]\na.sys=2\n[SourceDisksFiles]\na.sys=1", "disk2/a.sys"),
        ("[SourceDisksFiles]\nA.SYS=2,sub\\\\deep", "disk2/sub/deep/a.sys"),
        ("[SourceDisksFiles]\na.sys=3,\\sub\\,", "sub/a.sys"),
        ("[SourceDisksFiles]\na.sys=1,.\\x/y", "x/y/a.sys"),
        ("[SourceDisksFiles]\na.sys=4", "own/a.sys"),
    ],
)
def test_disk_and_folder_give_the_path(files: str, path: str) -> None:
    names = '2=d,,,\\disk2\n3=d,tag,,""\n4=d,,,other\n[SourceDisksNames.amd64]\n4=d,,,own\n'
    text = f"{names}{files}\n[Manufacturer]\nx=M,NTamd64\n[M.NTamd64]\nx=I,id\n[I]\nCopyFiles=@a.sys\n"
    assert {found for _, found, _ in files_of(text, "amd64")} == {path}


def test_circular_needs_terminate() -> None:
    text = "[SourceDisksFiles]\na=1\n[Manufacturer]\nx=M\n[M]\nx=I,id\n[I]\nNeeds=J\nCopyFiles=@a\n[J]\nNeeds=I,J\n"
    assert files_of(text, "x86") == {("a", "a", "x86")}
