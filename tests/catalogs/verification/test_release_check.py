"""The check of a signed package before it is put in place: what a release needs more than a package for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, build
from catalogs.catalog.file import Catalog
from catalogs.catalog.sign import sign_catalog
from catalogs.package.driver_package import DriverPackage, read_packages
from catalogs.signing import PackagingOptions, sign_packages
from catalogs.verification.release_check import ReleaseCheck, verify_signed
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import VerificationError
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey
from signer.pkcs7.signed_data import SigningOptions, TimestampAttribute, Timestamper
from signer.pkcs7.timestamp_request import rfc3161_request
from signer.policy.findings import Verdict
from signer.policy.judge import paths_of
from signer.policy.machine_state import MachineState
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target
from signer.trust.store import TrustStore
from signer.verify.evidence import Evidence
from tests.support.identities import certificate, private_key
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, write_package
from tests.support.timestamping import NOON, ROOT, tsa

RSA_ROOT = ("Drvsign Gate Root", "rsa2048")
SIGNER = SigningIdentity(
    LocalKey(private_key("rsa2048", "Drvsign Gate")),
    certificate("Drvsign Gate", "rsa2048", RSA_ROOT),
    (certificate(*RSA_ROOT),),
)
STORE = TrustStore.test_signing([certificate(*RSA_ROOT), certificate(*ROOT)])
TEST_MACHINE = MachineState(at=NOON, roots="test-signing", testsigning=True)
TARGETS = (Target.parse("win10-22h2-x64"), Target.parse("win11-24h2-x64"))
OPTIONS = CatalogOptions(datetime(2025, 1, 1, tzinfo=UTC))
Stamp = Timestamper | None


def stamped(signature: bytes) -> TimestampAttribute:
    """A timestamp over the signature."""
    response = tsa().answer(rfc3161_request(signature, DigestAlgorithm.SHA256, 7))
    _, token = der.children(response, der.read(response))
    return TimestampAttribute((oids.RFC3161_TIMESTAMP, (token.whole(response),)))


def misstamped(signature: bytes) -> TimestampAttribute:
    """A timestamp over something else."""
    return stamped(signature[::-1])


def package(folder: Path, image: Stamp, catalog: Stamp) -> tuple[DriverPackage, Catalog]:
    """A package of an INF and a signed driver, and its catalog, signed; each with its timestamp."""
    write_package(folder, BASE)
    sign_packages(folder, read_packages(folder), SIGNER, PackagingOptions(SigningOptions(), OPTIONS, timestamper=image))
    (found,) = read_packages(folder)
    return found, signed_catalog(found, catalog)


def signed_catalog(found: DriverPackage, stamp: Stamp) -> Catalog:
    catalog = build(found, OPTIONS)
    return sign_catalog(catalog, SIGNER, SigningOptions(), stamp)


def roots_for_tests(evidence: Evidence) -> tuple[CertificatePaths, ...]:
    return paths_of(evidence, STORE)


def released(evidence: Evidence) -> tuple[CertificatePaths, ...]:
    """The paths as if the root were a commercial one, so that no signature counts as one for tests."""

    def commercial(paths: CertificatePaths) -> CertificatePaths:
        anchored = tuple(
            replace(path, anchor=replace(path.anchor, kind="commercial") if path.anchor else None)
            for path in paths.signer
        )
        return replace(paths, signer=anchored)

    return tuple(map(commercial, paths_of(evidence, STORE)))


def verify(
    made: tuple[DriverPackage, Catalog],
    *,
    release: bool,
    paths: Callable[[Evidence], tuple[CertificatePaths, ...]] = released,
    targets: Sequence[Target] = (),
) -> list[Verdict]:
    """The check; without targets nothing but what a release demands of its signatures is left of it."""
    return list(verify_signed(*made, paths, targets, TEST_MACHINE, release=release).verdicts)


def test_a_package_with_timestamps_is_released(tmp_path: Path) -> None:
    assert verify(package(tmp_path, stamped, stamped), release=True) == []


@pytest.mark.parametrize(
    ("image", "catalog", "at"),
    [
        pytest.param(None, stamped, "sample.sys", id="the driver has no timestamp"),
        pytest.param(stamped, None, "sample.cat", id="the catalog has no timestamp"),
    ],
)
def test_a_release_needs_a_timestamp_on_every_signature(tmp_path: Path, image: Stamp, catalog: Stamp, at: str) -> None:
    made = package(tmp_path, image, catalog)
    assert verify(made, release=False) == []
    with pytest.raises(VerificationError, match="no timestamp") as caught:
        verify(made, release=True)
    assert str(caught.value.path) == at
    assert "Drvsign Gate" in caught.value.message


@pytest.mark.parametrize("release", [True, False])
@pytest.mark.parametrize(
    ("image", "catalog", "at"),
    [
        pytest.param(misstamped, stamped, "sample.sys", id="the driver's timestamp is broken"),
        pytest.param(stamped, misstamped, "sample.cat", id="the catalog's timestamp is broken"),
    ],
)
def test_a_broken_timestamp_is_refused(tmp_path: Path, image: Stamp, catalog: Stamp, at: str, release: bool) -> None:
    made = package(tmp_path, image, catalog)
    with pytest.raises(VerificationError, match="timestamp") as caught:
        verify(made, release=release)
    assert str(caught.value.path) == at


def test_a_broken_signature_is_refused(tmp_path: Path) -> None:
    found, _ = package(tmp_path, stamped, stamped)
    data = bytearray((tmp_path / "sample.sys").read_bytes())
    data[0x400] ^= 1
    (tmp_path / "sample.sys").write_bytes(data)
    with pytest.raises(VerificationError, match="not intact") as caught:
        verify((found, signed_catalog(found, stamped)), release=False)
    assert str(caught.value.path) == "sample.sys"


def test_a_file_that_nothing_vouches_for_is_refused(tmp_path: Path) -> None:
    found, catalog = package(tmp_path, stamped, stamped)
    (tmp_path / "sample.inf").write_bytes((tmp_path / "sample.inf").read_bytes() + b"; changed\r\n")
    with pytest.raises(VerificationError) as caught:
        verify((found, catalog), release=False)
    assert str(caught.value.path) == "sample.inf"


def test_an_unsigned_catalog_is_refused(tmp_path: Path) -> None:
    found, _ = package(tmp_path, stamped, stamped)
    unsigned = build(found, OPTIONS)
    with pytest.raises(VerificationError) as caught:
        verify((found, unsigned), release=False)
    assert str(caught.value.path) == "sample.cat"


def test_a_release_carries_no_signature_for_tests(tmp_path: Path) -> None:
    made = package(tmp_path, stamped, stamped)
    assert verify(made, release=False, paths=roots_for_tests) == []
    with pytest.raises(VerificationError, match="test signature") as caught:
        verify(made, release=True, paths=roots_for_tests)
    assert caught.value.hint is not None


def test_each_target_judges_the_package_and_each_driver(tmp_path: Path) -> None:
    made = package(tmp_path, stamped, stamped)
    verdicts = verify(made, release=False, paths=roots_for_tests, targets=TARGETS)
    assert [verdict.target for verdict in verdicts] == [
        "win10-22h2-x64",
        "win10-22h2-x64",
        "win11-24h2-x64",
        "win11-24h2-x64",
    ]
    assert all(verdict.outcome == "accepted" for verdict in verdicts)


def test_a_target_of_another_architecture_is_not_asked(tmp_path: Path) -> None:
    made = package(tmp_path, stamped, stamped)
    assert verify(made, release=False, paths=roots_for_tests, targets=[Target.parse("win11-24h2-arm64")]) == []


def test_a_target_that_rejects_stops_it(tmp_path: Path) -> None:
    made = package(tmp_path, stamped, stamped)
    with pytest.raises(VerificationError, match="win10-22h2-x64"):
        verify_signed(*made, roots_for_tests, TARGETS, replace(TEST_MACHINE, testsigning=False), release=False)


@pytest.mark.parametrize(("starts", "outcome"), [("3", "accepted"), ("0", "rejected")])
def test_a_driver_that_the_inf_starts_at_boot_is_judged_as_one(tmp_path: Path, starts: str, outcome: str) -> None:
    """On x86 Windows demands a signature of a boot-start driver only."""
    text = BASE.replace("StartType = 3", f"StartType = {starts}").replace("NTamd64", "NTx86")
    write_package(tmp_path, text)
    data = PeSpec(machine="x86").build()
    (tmp_path / "sample.sys").write_bytes(data)
    (found,) = read_packages(tmp_path)
    targets = [Target.parse("win10-22h2-x86")]
    machine = replace(TEST_MACHINE, testsigning=False, secure_boot=False)

    def check() -> list[str]:
        made = (found, signed_catalog(found, stamped))
        done = verify_signed(*made, roots_for_tests, targets, machine, release=False)
        return [one.outcome for one in done.verdicts]

    if outcome == "accepted":
        assert check() == ["accepted", "accepted"]
    else:
        with pytest.raises(VerificationError, match="win10-22h2-x86"):
            check()


def test_a_target_accepts_a_package_only_with_all_of_its_drivers() -> None:
    """The second release installs the package and leaves open whether it loads a driver."""
    targets = tuple(map(Target.parse, ("win11-25h2-x64", "win10-22h2-x64", "win11-25h2-arm64")))
    found = ReleaseCheck(
        targets,
        (
            Verdict("win11-25h2-x64", "accepted", "catalogued", ()),
            Verdict("win11-25h2-x64", "accepted", "portal", ()),
            Verdict("win10-22h2-x64", "accepted", "catalogued", ()),
            Verdict("win10-22h2-x64", "unknown", "allow-list", ()),
        ),
    )
    assert found.accepted == ("win11-25h2-x64",)
    assert found.undecided == ("win10-22h2-x64",)
    assert found.not_checked == ("win11-25h2-arm64",)
