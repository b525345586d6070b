"""A package with its INF, catalog and files: missing files, the releases that they are for, how its drivers start."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, build
from catalogs.catalog import os_names
from catalogs.catalog.sign import sign_catalog
from catalogs.package.driver_package import read_packages
from catalogs.verification.checked_package import CheckedPackage
from catalogs.verification.package_evidence import check_packages
from signer.pkcs7.signed_data import SigningOptions
from signer.policy.judge import paths_of
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.trust.store import TrustStore
from tests.support.identities import identity
from tests.support.inf_files import BASE, with_change, write_package

STORE = TrustStore.test_signing(identity().chain)
MACHINE = MachineState(at=datetime(2025, 1, 1, tzinfo=UTC), roots="test-signing", testsigning=True)
TARGET = Target.parse("win10-22h2-x64")


def checked(folder: Path) -> CheckedPackage:
    (package,) = check_packages(folder, [], lambda evidence: paths_of(evidence, STORE))
    return package


def signed_package(folder: Path) -> None:
    """A package in order, with its catalog."""
    write_package(folder)
    (package,) = read_packages(folder)
    catalog = build(package, CatalogOptions(datetime(2025, 1, 1, tzinfo=UTC)))
    package.catalog.write_bytes(sign_catalog(catalog, identity(), SigningOptions()).to_bytes())


def test_a_package_with_all_its_files_is_installed(tmp_path: Path) -> None:
    signed_package(tmp_path)
    package = checked(tmp_path)
    assert package.missing_on(TARGET) == []
    assert package.judge(TARGET, MACHINE).outcome == "accepted"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("sample.sys = 1", "sample.sys = 1,x64"), id="the file is not where the INF says"),
        pytest.param(("sample.sys = 1\n", ""), id="the INF does not say where the file is"),
        pytest.param(("sample.sys = 1", "sample.sys = 1,..\\other"), id="beside the package"),
        pytest.param(("sample.sys = 1", "sample.sys = 1,C:\\Windows"), id="on a drive"),
    ],
)
def test_a_file_that_the_package_does_not_hold_rejects_it(tmp_path: Path, change: tuple[str, str]) -> None:
    """What Plug and Play would copy from elsewhere no catalog of the package vouches for."""
    signed_package(tmp_path / "package")
    write_package(tmp_path / "package", with_change(change))
    package = checked(tmp_path / "package")
    assert [finding.code for finding in package.missing_on(TARGET)] == ["file-missing"]
    verdict = package.judge(TARGET, MACHINE)
    assert verdict.outcome == "rejected"
    assert "file-missing" in verdict.codes


PER_MACHINE = (
    ("%Vendor% = Models,NTamd64", "%Vendor% = Models,NTx86,NTamd64"),
    (
        "[Sample.NT]\n",
        "[Models.NTx86]\n%Device% = Other.NT,ROOT\\Sample\n\n[Other.NT]\nCopyFiles = @old.sys\n\n[Sample.NT]\n",
    ),
    ("sample.sys = 1\n", "sample.sys = 1\nold.sys = 1\n"),
)


def test_a_file_that_another_machine_needs_may_be_missing(tmp_path: Path) -> None:
    write_package(tmp_path, with_change(*PER_MACHINE))
    (package,) = read_packages(tmp_path, os_names.parse_list("10_X64"))
    catalog = build(package, CatalogOptions(datetime(2025, 1, 1, tzinfo=UTC)))
    package.catalog.write_bytes(sign_catalog(catalog, identity(), SigningOptions()).to_bytes())
    found = checked(tmp_path)
    assert found.judge(TARGET, MACHINE).outcome == "accepted"
    assert [one.code for one in found.missing_on(Target.parse("win10-22h2-x86"))] == ["file-missing"]


def test_a_machine_installs_its_own_files(tmp_path: Path) -> None:
    write_package(tmp_path, with_change(*PER_MACHINE), "sample.sys", "old.sys")
    found = checked(tmp_path)
    for name, file in (("win10-22h2-x64", "sample.sys"), ("win10-22h2-x86", "old.sys")):
        assert [one.file.name for one in found.files_on(Target.parse(name))] == ["sample.inf", file]


def _for_releases(folder: Path, inf: str, names: str, *files: str) -> CheckedPackage:
    """The package with a catalog that names these releases."""
    write_package(folder, inf, *files)
    (package,) = read_packages(folder, os_names.parse_list(names))
    catalog = build(package, CatalogOptions(datetime(2025, 1, 1, tzinfo=UTC)))
    package.catalog.write_bytes(sign_catalog(catalog, identity(), SigningOptions()).to_bytes())
    return checked(folder)


@pytest.mark.parametrize(
    ("catalog", "target", "code"),
    [
        pytest.param("10_X64", "win10-22h2-x64", None, id="the release of the catalog"),
        pytest.param("10_X64", "server2022-x64", "catalog-not-for-target", id="a server, a catalog for clients"),
        pytest.param("10_VB_X64", "win10-1809-x64", "catalog-not-for-target", id="before the catalog's first release"),
        pytest.param("10_X64", "win8.1-x64", "os-attribute-mismatch", id="another kernel version"),
        pytest.param("7_X64", "win10-22h2-x64", "os-attribute-older", id="an older kernel version"),
    ],
)
def test_a_target_that_the_catalog_does_not_name(tmp_path: Path, catalog: str, target: str, code: str | None) -> None:
    """The INF installs on all of them. A contradiction is named once."""
    verdict = _for_releases(tmp_path, BASE, catalog).judge(Target.parse(target), MACHINE)
    named = [one for one in verdict.codes if one.startswith(("catalog-", "os-attribute"))]
    assert named == ([] if code is None else [code])
    assert (verdict.outcome == "rejected") == (code == "os-attribute-mismatch")


def test_a_catalog_that_names_releases_without_models(tmp_path: Path) -> None:
    """The catalog of a package whose INF lost its models for an architecture."""
    both = ("%Vendor% = Models,NTamd64", "%Vendor% = Models,NTx86,NTamd64")
    x86 = ("[Sample.NT]\n", "[Models.NTx86]\n%Device% = Sample,ROOT\\Sample\n\n[Sample.NT]\n")
    found = _for_releases(tmp_path, with_change(both, x86), "10_X86,10_X64")
    assert "catalog-for-other-releases" not in found.judge(TARGET, MACHINE).codes
    write_package(tmp_path)
    (finding,) = (
        one for one in checked(tmp_path).judge(TARGET, MACHINE).findings if one.code == "catalog-for-other-releases"
    )
    assert (finding.severity, finding.message) == (
        "warning",
        "the catalog 'sample.cat' names releases that 'sample.inf' has no models for: 10_X86",
    )


SERVICE = ("StartType = 3\n", "StartType = {start}\nLoadOrderGroup = {group}\n")


@pytest.mark.parametrize(
    ("start", "group", "boot_start", "early_launch"),
    [
        ("0", '"Early-Launch"', True, True),
        ("0x0", "early-launch", True, True),
        ("0", "Boot Bus Extender", True, False),
        ("1", "Early-Launch", False, False),
    ],
)
def test_the_inf_says_how_a_driver_starts(
    tmp_path: Path, start: str, group: str, boot_start: bool, early_launch: bool
) -> None:
    """Source: windows-driver-docs install/elam-driver-requirements.md."""
    old, new = SERVICE
    write_package(tmp_path, with_change((old, new.format(start=start, group=group))))
    (driver,) = checked(tmp_path).drivers_on(TARGET)
    state = driver.started_on(MACHINE)
    assert (state.boot_start, state.early_launch) == (boot_start, early_launch)
    (named,) = (one for one in checked(tmp_path).files if not one.is_driver)
    assert named.started_on(MACHINE) is MACHINE


UNDECORATED = (
    ("[Manufacturer]\n%Vendor% = Models,NTamd64\n\n[Models.NTamd64]\n", ""),
    ("%Device% = Sample,ROOT\\Sample,ROOT\\SampleCompatible\n\n[Sample.NT]\n", "[DefaultInstall]\n"),
    ("[Sample.NT.Services]", "[DefaultInstall.Services]"),
)


@pytest.mark.parametrize("target", ["win7-x64", "win10-22h2-x64", "win11-23h2-x64", "win10-22h2-x86"])
def test_an_undecorated_default_install_is_for_every_architecture(tmp_path: Path, target: str) -> None:
    write_package(tmp_path, with_change(*UNDECORATED))
    found = checked(tmp_path)
    assert found.installs_on(Target.parse(target))
    assert [one.file.name for one in found.files_on(Target.parse(target))] == ["sample.inf", "sample.sys"]
