"""The target of a package if none is named: a release that its catalog is for and its INF installs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.catalog import os_names
from catalogs.inf.driver import DriverInf
from catalogs.package.driver_package import read_packages
from catalogs.verification.default_target import checks_for, target_for
from signer.policy.targets import default_target
from tests.support.inf_files import with_change, write_package

NEWEST = default_target("x64").name
UNDECORATED = (
    ("[Manufacturer]\n%Vendor% = Models,NTamd64\n\n[Models.NTamd64]\n", ""),
    ("%Device% = Sample,ROOT\\Sample,ROOT\\SampleCompatible\n\n[Sample.NT]\n", "[DefaultInstall]\n"),
)
CASES = [
    ("Windows 10 in general", "NTamd64", "10_X64", NEWEST),
    ("an older Windows 10", "NTamd64", "10_VB_X64", NEWEST),
    ("Windows 7", "NTamd64", "7_X64", "win7-x64"),
    ("the newest of several versions", "NTamd64", "7_X64,6_3_X64", "win8.1-x64"),
    ("servers only", "NTamd64.10.0.3", "10_X64,Server2025_X64", "server2025-x64"),
    ("a server of Windows 7's time", "NTamd64", "Server2008R2_X64", "server2008r2-x64"),
    ("hardware of a later build only", "NTamd64.10.0...28000", "10_26H1_X64", "win11-26h1-x64"),
    ("x64 before x86", "NTamd64,NTx86", "10_X86,10_X64", NEWEST),
    ("x86 only", "NTx86", "10_X86", default_target("x86").name),
    ("the catalog is not for x64", "NTamd64,NTx86", "10_X86", default_target("x86").name),
    ("ARM64 only", "NTarm64", "10_NI_ARM64", default_target("arm64").name),
    ("no target", "NTarm", "8_ARM", None),
]


def driver(text: str) -> DriverInf:
    return DriverInf.parse(text.encode(), Path("sample.inf"))


@pytest.mark.parametrize(("models", "names", "target"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_the_target_is_a_release_of_the_catalog(models: str, names: str, target: str | None) -> None:
    sections = "\n\n".join(f"[Models.{name}]\n%Device% = Sample,ROOT\\Sample" for name in models.split(","))
    text = with_change(("Models,NTamd64", f"Models,{models}"), ("[Models.NTamd64]", f"[Old]\n\n{sections}\n\n[Unused]"))
    found = target_for([driver(text)], os_names.parse_list(names))
    assert (None if found is None else found.name) == target


def test_a_legacy_inf_is_checked_on_the_architecture_of_its_catalog() -> None:
    found = target_for([driver(with_change(*UNDECORATED))], os_names.parse_list("10_X64"))
    assert found == default_target("x64")


def test_packages_with_one_target_are_checked_as_a_folder(tmp_path: Path) -> None:
    write_package(tmp_path / "a")
    write_package(tmp_path / "b")
    packages = read_packages(tmp_path)
    assert checks_for(packages, tmp_path, tmp_path / "out") == [([tmp_path / "out"], default_target("x64"))]


def test_packages_with_different_targets_are_checked_separately(tmp_path: Path) -> None:
    write_package(tmp_path / "a")
    write_package(
        tmp_path / "b",
        with_change(("Models,NTamd64", "Models,NTamd64.10.0.3"), ("[Models.NTamd64]", "[Models.NTamd64.10.0.3]")),
    )
    found = checks_for(read_packages(tmp_path), tmp_path, tmp_path)
    assert {target.name: [path.parent.name for path in paths] for paths, target in found if target} == {
        NEWEST: ["a"],
        "server2025-x64": ["b"],
    }
