"""Every real package: its INF as drvsign reads it, compared with the catalog that Microsoft's tools built."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from catalogs.catalog import os_names
from catalogs.inf.driver import DriverInf
from catalogs.package.driver_package import DriverPackage, read_packages
from tests.support.files import corpus_files, corpus_id
from tests.support.real_catalog import RealCatalog, read

CATALOGS = corpus_files("packages/*/*.cat", "packages-media/*/*.cat")

OTHER_MEMBERS = {
    "stmcdc.cat": "made by hand: it lists its INF by SHA-1 and by SHA-256, both in version 1",
    "ubloxusb.cat": "made in 2013, when files of one architecture were still listed for all releases",
}
HAS_IDS_OF_MORE_INFS = {
    "Neo6_x64_VPN101.cat": "128 packages were submitted together",
    "Neo6_x64_VPN102.cat": "128 packages were submitted together",
    "Neo6_x64_VPN11.cat": "128 packages were submitted together",
    "Neo6_x64_VPN111.cat": "128 packages were submitted together",
    "Neo6_x64_VPN112.cat": "128 packages were submitted together",
    "ftdibus.cat": "submitted together with ftdiport.inf",
    "ftdiport.cat": "submitted together with ftdibus.inf",
    "arduino_gemma.cat": "made in a folder with another INF",
}
ADDS_IDS = {"pvpanic.cat": "made in a folder with pvpanic-pci.inf for Windows 8"}


def package_of(path: Path, real: RealCatalog) -> DriverPackage:
    """Return the package of a catalog, for the releases that the catalog names."""
    names = os_names.from_tokens(real.attributes["OS"])
    packages = read_packages(path.parent, names)
    (found,) = (package for package in packages if package.catalog_name.lower() == path.name.lower())
    return found


@pytest.mark.parametrize("path", CATALOGS, ids=corpus_id)
def test_the_catalog_lists_the_files_that_the_inf_copies(path: Path) -> None:
    real = read(path)
    package = package_of(path, real)
    assert os_names.tokens(package.os) == real.attributes["OS"]
    members = Counter((file.name, os_names.os_attribute(file.os)) for file in package.files)
    if path.name in OTHER_MEMBERS:
        assert {name for name, _ in members} == {name for name, _ in real.members}
        assert members != real.members, "remove the exception"
    else:
        assert members == real.members


@pytest.mark.parametrize("path", CATALOGS, ids=corpus_id)
def test_the_catalog_has_the_hardware_ids_of_all_models(path: Path) -> None:
    real = read(path)
    ids = list(package_of(path, real).hardware_ids)
    if path.name in HAS_IDS_OF_MORE_INFS:
        assert ids == [id_ for id_ in real.hardware_ids if id_ in ids]
        assert ids != real.hardware_ids, "remove the exception"
    elif path.name in ADDS_IDS:
        assert ids in (real.hardware_ids, real.hardware_ids[1:])
    else:
        assert ids == real.hardware_ids


@pytest.mark.parametrize("path", [path for path in CATALOGS if "media" in corpus_id(path)], ids=corpus_id)
def test_signature_attributes_match_the_members(path: Path) -> None:
    real = read(path)
    expected = {"PETrust": ("PETrusted", "1"), "DRMLevel": ("DRMLevel", "1300")}
    for file in package_of(path, real).files:
        has = {
            name: value for name, value in real.member_attributes[file.name].items() if name in dict(expected.values())
        }
        assert dict(expected[attribute.name] for attribute in file.attributes) == has


@pytest.mark.parametrize("path", [path for path in CATALOGS if "media" not in corpus_id(path)], ids=corpus_id)
def test_the_files_match_the_hash_list_of_the_corpus(path: Path) -> None:
    table = path.with_name("HASHES.tsv")
    package = package_of(path, read(path))
    listed = {line.split("\t")[0].lower() for line in table.read_text("utf-8").splitlines()}
    assert {file.relative.as_posix().lower() for file in package.files} == listed


@pytest.mark.parametrize("path", CATALOGS, ids=corpus_id)
def test_the_inf_targets_every_release_of_the_catalog(path: Path) -> None:
    """The reverse does not hold: vendors list fewer releases than their decorations target."""
    real = read(path)
    names = os_names.from_tokens(real.attributes["OS"])
    infs = [DriverInf.read(inf) for inf in package_of(path, real).infs]
    targeted = {name for inf in infs for name in os_names.ALL if inf.installs_on(name)}
    others = {name for name in names if name.option not in {each.option for each in targeted}}
    architectures = {architecture for inf in infs for architecture in inf.architectures}
    assert not {name for name in others if name.architecture in architectures}


def test_there_are_real_packages(corpus: Path) -> None:
    assert len(CATALOGS) == 76
