"""The class of a signature, and the publisher of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from signer.asn1.oids import (
    EKU_CODE_SIGNING,
    EKU_ELAM,
    EKU_FLIGHT_SIGNING,
    EKU_HAL_EXTENSION,
    EKU_PROTECTED_PROCESS,
    EKU_WHQL,
    EKU_WHQL_ATTESTED,
    EKU_WHQL_EXTENDED,
    EKU_WHQL_OEM,
    EKU_WINDOWS_SYSTEM,
    EKU_WINDOWS_TCB,
)
from signer.certificates import common_name
from signer.policy.classify import publisher, usages_of
from signer.policy.findings import Classification
from signer.policy.subjects import FileSubject
from tests.support.hierarchy import issue
from tests.support.policy_builder import (
    Sign,
    anchor,
    by_microsoft,
    by_microsoft_test,
    certificate,
    chain,
    commercial,
    cross_signed,
    driver,
    of_test_root,
    self_signed,
    unknown_issuer,
)
from tests.support.published import published_by_key


def _class_of(sign: Sign) -> Classification:
    sample = driver(sign)
    return FileSubject.of(sample.evidence, sample.paths).signatures[0].classification


def _below(issuer: str, *usages: str, root: bool = False) -> Sign:
    """Sign under an issuer that no store contains, with or without its certificate embedded."""
    leaf = certificate("Contoso Ltd.", issuer, usages=(EKU_CODE_SIGNING, *usages))
    return Sign(leaf, (chain(leaf, None, *((certificate(issuer),) if root else ())),))


def _above(root: str, *usages: str) -> Sign:
    """Return a signature whose path ends, without an anchor, at a certificate below a root of this name."""
    leaf = certificate("Contoso", "Some PCA", usages=(EKU_CODE_SIGNING, *usages))
    return Sign(leaf, (chain(leaf, None, certificate("Some PCA", root)),))


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        (by_microsoft(EKU_WHQL), "whql"),
        (by_microsoft(EKU_WHQL_EXTENDED), "whql"),
        (by_microsoft(EKU_WHQL_OEM), "whql"),
        (by_microsoft(EKU_WHQL_ATTESTED), "attested"),
        (by_microsoft(EKU_WHQL, EKU_WHQL_ATTESTED, EKU_WHQL_EXTENDED), "attested"),
        (by_microsoft(EKU_WINDOWS_SYSTEM), "windows"),
        (by_microsoft(EKU_WINDOWS_TCB), "windows"),
        (by_microsoft(EKU_PROTECTED_PROCESS), "windows"),
        (by_microsoft(EKU_WHQL, EKU_WINDOWS_SYSTEM), "whql"),
        (by_microsoft(EKU_ELAM), "whql"),
        (by_microsoft(EKU_HAL_EXTENSION), "whql"),
        (by_microsoft(EKU_HAL_EXTENSION, EKU_WHQL_ATTESTED), "attested"),
        (by_microsoft(EKU_ELAM, EKU_WINDOWS_SYSTEM), "windows"),
        (by_microsoft(), "commercial"),
        (cross_signed(), "cross-signed"),
        (cross_signed(usages=(EKU_CODE_SIGNING, EKU_WHQL)), "cross-signed"),
        (commercial(), "commercial"),
        (commercial(usages=(EKU_CODE_SIGNING, EKU_WHQL)), "commercial"),
        (of_test_root(named=True), "test"),
        (of_test_root(named=True, usages=(EKU_CODE_SIGNING, EKU_WHQL)), "test"),
        (of_test_root(named=False), "test"),
        (self_signed(), "self-signed"),
        (self_signed(named=True), "self-signed"),
        (by_microsoft_test(EKU_WHQL), "preproduction"),
        (by_microsoft_test(EKU_WHQL_ATTESTED), "preproduction"),
        (by_microsoft_test(EKU_FLIGHT_SIGNING, root_id=14), "preproduction"),
        (by_microsoft_test(), "test"),
        (unknown_issuer(), "unknown"),
        (_below("Contoso Private Root", root=True), "test"),
        (_below("Contoso (Test) Issuing"), "test"),
        (_below("Contoso Testing CA"), "test"),
        (_below("Testo Industries CA"), "unknown"),
        (_below("Latest Contest CA"), "unknown"),
        (_below("Microsoft Testing Root Certificate Authority 2010", EKU_WHQL), "preproduction"),
        (_below("Microsoft Testing Root Certificate Authority 2010"), "test"),
        (_below("Microsoft Root Certificate Authority 2010", EKU_WHQL), "unknown"),
        (_above("Microsoft Testing Root Certificate Authority 2010", EKU_WHQL), "preproduction"),
        (_above("Microsoft Root Certificate Authority 2010", EKU_WHQL), "unknown"),
        (Sign(None, ()), "unknown"),
    ],
)
def test_class(sign: Sign, expected: Classification) -> None:
    assert _class_of(sign) == expected


def test_a_production_root_that_is_not_trusted_is_no_test_root_of_microsoft() -> None:
    """A release does not trust every published root; signers below one are not of the portal before production."""
    key = "C9905B0EE01202293CA026E64F08412442C5504C06E44CA7E9726D61F20E4089"
    root = published_by_key()[key].load()
    leaf = certificate("Contoso", common_name(root), usages=(EKU_CODE_SIGNING, EKU_WHQL))
    assert _class_of(Sign(leaf, (chain(leaf, None, root),))) == "test"


def test_unreadable_usages_permit_nothing() -> None:
    unreadable = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"\xff")
    signer = issue("Contoso", extensions=[(unreadable, False)]).certificate
    assert usages_of(signer) == frozenset()
    assert usages_of(issue("Contoso").certificate) is None


def test_a_microsoft_root_takes_precedence_over_a_cross_certificate() -> None:
    kernel = cross_signed(usages=(EKU_CODE_SIGNING, EKU_WHQL))
    assert kernel.leaf is not None
    assert _class_of(Sign(kernel.leaf, (*kernel.paths, chain(kernel.leaf, anchor("microsoft", 6))))) == "whql"


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        (
            by_microsoft(EKU_WHQL).having(program_name="Nefarius Software Solutions e.U."),
            "Nefarius Software Solutions e.U.",
        ),
        (by_microsoft(EKU_WHQL_ATTESTED), None),
        (commercial().having(program_name="Some Program"), "Contoso Ltd."),
        (by_microsoft(EKU_WINDOWS_SYSTEM), "Microsoft Windows Hardware Compatibility Publisher"),
        (Sign(None, ()), None),
    ],
)
def test_publisher(sign: Sign, expected: str | None) -> None:
    signature = driver(sign).evidence.signatures[0]
    assert publisher(signature, _class_of(sign)) == expected


def test_real_catalogs(corpus: Path) -> None:
    from signer.policy.judge import paths_of
    from signer.trust.store import TrustStore
    from signer.verify.gather import gather

    expected = {
        "nefarius+HidHide": ("attested", "Nefarius Software Solutions e.U."),
        "SoftEtherVPN": ("whql", "SoftEther Corporation"),
        "virtio-win+virtio": ("self-signed", "Red Hat Inc."),
        "RAMAN2020": ("commercial", "Python Software Foundation"),
        "sassoftware+relic": ("windows", "Microsoft Windows"),
    }
    store = TrustStore.release()
    for start, wanted in expected.items():
        for path in sorted(corpus.glob(f"catalogs/{start}*.cat"))[:1]:
            evidence = gather(path.read_bytes(), "catalog", path.name)
            (signed,) = FileSubject.of(evidence, paths_of(evidence, store)).signatures
            assert (signed.classification, publisher(signed.signature, signed.classification)) == wanted, path.name
