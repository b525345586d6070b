"""`catalogs.verification`: what paths mean, which targets are checked, and how failures are isolated."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions
from catalogs.package.driver_package import read_packages
from catalogs.signing import PackagingOptions, sign_packages
from catalogs.verification.query import VerifyQuery
from catalogs.verification.verify import Verification, verify
from signer.errors import CatalogError, UnfinishedRun, UsageError
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey
from signer.pkcs7.signed_data import SigningOptions, sign
from signer.policy.machine_state import MachineState
from signer.policy.targets import default_target
from signer.policy.trust import Trust
from tests.support.identities import certificate, private_key
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO

AT = datetime(2026, 1, 2, tzinfo=UTC)
ROOT = ("Drvsign Verify Root", "rsa2048")
SIGNER = SigningIdentity(
    LocalKey(private_key("rsa2048", "Drvsign Verify")),
    certificate("Drvsign Verify", "rsa2048", ROOT),
    (certificate(*ROOT),),
)
TRUST = Trust.for_signer(SIGNER.certificate, SIGNER.chain)
MACHINE = MachineState(at=AT, roots="test-signing", testsigning=True)
QUERY = VerifyQuery("kernel", TRUST, MACHINE)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A test-signed package."""
    return signed(tmp_path / "hello")


def signed(folder: Path, inf: str = HELLO) -> Path:
    """Make a test-signed package."""
    folder.mkdir(parents=True)
    (folder / "hello.inf").write_bytes(inf.encode())
    (folder / "hello.sys").write_bytes(PeSpec().build())
    options = PackagingOptions(SigningOptions(), CatalogOptions(datetime(2026, 1, 1, tzinfo=UTC)))
    sign_packages(folder, read_packages(folder), SIGNER, options)
    return folder


def test_a_package_is_its_installation_and_its_drivers(package: Path) -> None:
    installation, driver = verify(str(package), QUERY)
    assert (installation.kind, installation.path, installation.inf) == ("package", package, "hello.inf")
    assert (driver.kind, driver.path) == ("image", package / "hello.sys")
    assert installation.accepted
    assert driver.accepted
    assert [one.verdict.target for one in driver.consequences] == [default_target("x64").name]


def test_without_test_signing_mode_the_same_package_installs_and_does_not_load(package: Path) -> None:
    query = replace(QUERY, machine=replace(MACHINE, testsigning=False))
    assert [one.rejected for one in verify([package], query)] == [False, True]


@pytest.mark.parametrize(("group", "rule"), [("Early-Launch", "elam"), ("Filter", "test-signing")])
def test_the_load_order_group_makes_an_early_launch_driver(tmp_path: Path, group: str, rule: str) -> None:
    """The certificate has no EKU for early launch (windows-driver-docs install/elam-driver-requirements.md)."""
    text = HELLO.replace("StartType=3", f'StartType=0\nLoadOrderGroup="{group}"')
    installation, driver = verify(signed(tmp_path / "early", text), QUERY)
    assert installation.accepted
    assert [one.rule for one in driver.verdicts] == [rule]
    assert driver.accepted == (rule == "test-signing")


def test_a_catalog_of_the_query_lists_a_file_elsewhere(package: Path, tmp_path: Path) -> None:
    """A text file has no signature of its own."""
    copied = tmp_path / "hello.txt"
    copied.write_bytes((package / "hello.inf").read_bytes())
    query = VerifyQuery.create("pnp", TRUST, MACHINE, catalogs=[str(package / "hello.cat")])
    (found,) = verify(copied, query)
    assert found.evidence is not None
    assert [(one.source, one.catalog) for one in found.evidence.signatures] == [("catalog", "hello.cat")]
    (without,) = verify(copied, VerifyQuery("pnp", TRUST, MACHINE))
    assert str(without.error).startswith(f"{copied}: not a PE image, a catalog or a cabinet")


def test_catalogs_of_a_folder_count_for_its_other_files_only(package: Path) -> None:
    (package / "hello.inf").unlink()
    found = {one.path.name: one for one in verify(package, QUERY)}
    assert set(found) == {"hello.cat", "hello.sys"}
    sources = {name: {one.source for one in each.evidence.signatures} for name, each in found.items() if each.evidence}
    assert sources == {"hello.cat": {"embedded"}, "hello.sys": {"embedded", "catalog"}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gone.sys", "image"),
        ("gone.exe", "image"),
        ("gone.cat", "catalog"),
        ("gone.cab", "cabinet"),
        ("gone.inf", "package"),
        ("gone", "file"),
    ],
)
def test_a_path_that_is_not_there_fails_as_what_its_name_promises(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "here.sys").write_bytes(PeSpec().build())
    gone, here = verify([tmp_path / name, tmp_path / "here.sys"], QUERY)
    assert (gone.kind, str(gone.error)) == (kind, f"{tmp_path / name}: file or folder not found")
    assert here.error is None


def test_a_catalog_with_a_wrong_tag_is_refused_alone_and_in_a_lookup(package: Path) -> None:
    """Its signature covers the tag, so a signer can make such a catalog."""
    from catalogs.catalog.file import Catalog
    from catalogs.catalog.trust_list import TrustedSubject

    path = package / "hello.cat"
    catalog = Catalog.parse(path.read_bytes())
    wrong = tuple(
        TrustedSubject(one.identifier[::-1], one.attributes) if len(one.identifier) == 32 else one
        for one in catalog.trust_list.subjects
    )
    changed = replace(catalog, trust_list=replace(catalog.trust_list, subjects=wrong))
    path.write_bytes(sign(changed.content, SIGNER, SigningOptions()))
    (alone,) = verify(path, QUERY)
    assert "differs from the digest in it" in str(alone.error)
    with pytest.raises(CatalogError, match="differs from the digest in it"):
        VerifyQuery.create("pnp", TRUST, MACHINE, catalogs=[str(path)])


@pytest.mark.skipif(os.name == "nt", reason="creating symbolic links needs a privilege on Windows")
def test_a_catalog_that_leaves_its_folder_fails_only_its_package(package: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    shutil.copytree(package, both / "good")
    shutil.copytree(package, both / "linked")
    outside = tmp_path / "outside.cat"
    (both / "linked/hello.cat").rename(outside)
    (both / "linked/hello.cat").symlink_to(outside)
    found = {one.path.relative_to(both).as_posix(): one for one in verify(both, QUERY)}
    assert found["good/hello.inf"].accepted
    assert found["good/hello.sys"].accepted
    assert str(found["linked/hello.inf"].error).endswith(
        "hello.cat: a symbolic link leads outside the folder of the driver package"
    )


def test_a_folder_without_anything_to_verify_is_an_error_of_usage(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing")
    with pytest.raises(UsageError, match="no images, catalogs, cabinets or driver packages"):
        verify(tmp_path, QUERY)
    with pytest.raises(UsageError, match="nothing to verify"):
        verify([], QUERY)


def test_a_folder_whose_other_inf_is_an_autorun_is_one_package(tmp_path: Path) -> None:
    """The root of a driver disk has an autorun.inf for the Explorer."""
    disk = tmp_path / "disk"
    signed(disk / "driver")
    (disk / "autorun.inf").write_text("[autorun]\nicon=setup.ico\n")
    assert [one.path for one in verify(disk, QUERY)] == [disk, disk / "driver/hello.sys"]


def test_packages_are_verified_in_the_order_of_windows(tmp_path: Path) -> None:
    """Upper and lower case are alike; a folder comes before its subfolders. Each package with its drivers."""
    for name in ("b", "B.1", "a/inner", "a"):
        folder = tmp_path / "all" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "hello.inf").write_text(HELLO)
        (folder / "hello.sys").write_bytes(PeSpec().build())
    found = [one.path.relative_to(tmp_path / "all").as_posix() for one in verify(tmp_path / "all", QUERY)]
    assert found == [f"{name}/hello.{suffix}" for name in ("a", "a/inner", "b", "B.1") for suffix in ("inf", "sys")]


def test_files_beside_packages_are_looked_up_in_the_catalogs_of_the_packages(tmp_path: Path) -> None:
    package = signed(tmp_path / "all/hello")
    signed(tmp_path / "all/other")
    shutil.copy(package / "hello.sys", tmp_path / "all/loose.sys")
    (loose,) = (one for one in verify(tmp_path / "all", QUERY) if one.path.name == "loose.sys")
    assert loose.accepted
    assert [one.catalog for one in loose.evidence.signatures if one.source == "catalog"] == ["hello.cat", "hello.cat"]


def test_a_path_that_is_named_twice_is_verified_once(package: Path) -> None:
    assert len(verify([package / "hello.sys", str(package / "hello.sys")], QUERY)) == 1


def test_packages_members_and_files_go_through_their_own_run(package: Path) -> None:
    ran: list[tuple[str, int]] = []

    def runs(label: str):
        def run(work, items):
            ran.append((label, len(items)))
            return map(work, items)

        return run

    verification = Verification([package, package / "hello.sys"], QUERY)
    runs_of = {name: runs(name) for name in ("packages", "members", "files")}
    found = verification.assessments(lambda one: one.path.name, **runs_of)
    assert list(found) == ["hello", "hello.sys", "hello.sys"]
    assert ran == [("packages", 1), ("members", 2), ("files", 1)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param({"policy": "kernal"}, "unknown policy 'kernal'", id="an unknown policy"),
        pytest.param({"matrix": True, "targets": ["win7-x64"]}, "can't be combined", id="a matrix of some targets"),
        pytest.param({"targets": ["win7-arm64"]}, "'win7-arm64'", id="an unknown target"),
        pytest.param({"trust": Trust.release()}, "for test-signing roots", id="a machine state for other roots"),
    ],
)
def test_queries_that_contradict_themselves(arguments: dict, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        VerifyQuery.create(**{"policy": "kernel", "trust": TRUST, "machine": MACHINE, **arguments})


def test_a_catalog_that_an_interrupted_run_replaced_is_refused(package: Path) -> None:
    from signer.storage.transaction import JOURNAL, STAGING

    staging = package / f"{STAGING}x.tmp"
    staging.mkdir()
    (staging / JOURNAL).write_text("hello.cat\n")
    (found,) = verify(package, QUERY)
    assert isinstance(found.error, UnfinishedRun)


@pytest.mark.parametrize("architecture", ["x64", "x86", "ia64", None])
def test_without_a_target_a_file_is_checked_for_the_default_one(architecture: str | None) -> None:
    assert QUERY.targets_for(architecture) == (default_target(architecture),)


def test_a_matrix_has_the_targets_of_the_architecture() -> None:
    targets = replace(QUERY, matrix=True).targets_for("arm64")
    assert len(targets) > 5
    assert {one.architecture for one in targets} == {"arm64"}
