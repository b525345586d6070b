"""Files that the INF copies and that the package does not hold keep it from being installed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, build
from catalogs.catalog import os_names
from catalogs.catalog.sign import sign_catalog
from catalogs.package.driver_package import read_packages
from catalogs.verification.checked_package import CheckedPackage, check_packages
from signer.pkcs7.signed_data import SigningOptions
from signer.policy.judge import paths_of
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.trust.store import TrustStore
from tests.support.identities import identity
from tests.support.inf_files import with_change, write_package

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
