"""A certificate with changed bytes is refused or not trusted: it never crashes the program or reaches an anchor."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signer.asn1.oids import EKU_CODE_SIGNING
from signer.certificates import load_all, load_der
from signer.errors import CertificateError
from signer.trust.chain import build_paths
from signer.trust.fields import fields_of_der
from signer.trust.revocation import load_crls, revoked
from signer.trust.store import TrustStore
from tests.signer.trust.chain_cases import CASES, Built
from tests.signer.trust.test_revocation import CA, LEAF, crl, path
from tests.support.hierarchy import NOW, issue, name, rsa_key

ANCHORED = [case for case in CASES if case.build().anchored and case.build().pool]


@cache
def built(number: int) -> Built:
    return ANCHORED[number].build()


def changed(der: bytes, changes: list[tuple[int, int]]) -> bytes:
    data = bytearray(der)
    for position, value in changes:
        data[position % len(data)] = value
    return bytes(data)


CHANGES = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=3)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(number=st.integers(0, len(ANCHORED) - 1), which=st.integers(0, 5), changes=CHANGES)
def test_changed_certificate_is_never_on_a_trusted_path(number, which, changes) -> None:
    case = built(number)
    certificates = [
        entity.certificate for entity in (case.leaf, *case.pool) if entity.certificate != case.root.certificate
    ]
    which %= len(certificates)
    original = certificates[which].public_bytes(Encoding.DER)
    mutant = changed(original, changes)
    if mutant == original:
        return
    try:
        certificates[which] = load_der(mutant)
        paths = build_paths(certificates[0], certificates[1:], TrustStore.test_signing([case.root.certificate]))
    except CertificateError:
        return
    assert all(path.anchor is None for path in paths if certificates[which] in path.certificates)
    assert all(problem.message for path in paths for problem in path.problems)


EXTENSIONS = [
    x509.SubjectAlternativeName([x509.DirectoryName(name("A")), x509.DNSName("a.b"), x509.RFC822Name("a@b.c")]),
    x509.NameConstraints(
        [x509.DirectoryName(name("A")), x509.IPAddress(ip_network("10.0.0.0/8"))], [x509.DNSName("c")]
    ),
    x509.AuthorityKeyIdentifier(b"key", [x509.DirectoryName(name("A"))], 5),
    x509.SubjectKeyIdentifier(b"key"),
    x509.KeyUsage(True, False, False, False, False, True, True, False, False),
    x509.ExtendedKeyUsage([x509.ObjectIdentifier(EKU_CODE_SIGNING), x509.ObjectIdentifier("1.2.3")]),
    x509.CRLDistributionPoints([x509.DistributionPoint([x509.DirectoryName(name("A"))], None, None, None)]),
    x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), ["http://a"])]),
]


@settings(max_examples=300, deadline=None)
@given(extension=st.sampled_from(EXTENSIONS), changes=CHANGES, critical=st.booleans())
def test_any_contents_of_an_extension_are_handled(extension, changes, critical) -> None:
    """A validly signed certificate with a malformed extension yields problems with messages, never a crash."""
    contents = changed(extension.public_bytes(), changes)
    odd = [(x509.UnrecognizedExtension(extension.oid, contents), critical)]
    root = issue("Root", ca=True)
    ca = issue("CA", root, ca=True, extensions=odd)
    leaf = issue("Leaf", ca, extensions=odd)
    (found,) = build_paths(leaf.certificate, [ca.certificate], TrustStore.test_signing([root.certificate]))
    assert found.anchor is not None
    assert all(problem.message for problem in found.problems)
    revoked(found, [crl(ca, [leaf])], NOW)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_certificate_or_an_error(data) -> None:
    for load in (load_der, load_all, fields_of_der, load_crls):
        with pytest.raises(CertificateError):
            load(data)


@settings(max_examples=300, deadline=None)
@given(changes=CHANGES)
def test_changed_list_revokes_nothing(changes) -> None:
    original = crl(CA, [LEAF]).public_bytes(Encoding.DER)
    mutant = changed(original, changes)
    if mutant == original:
        return
    try:
        (changed_list,) = load_crls(mutant)
        status = revoked(path(), [changed_list], NOW)
    except CertificateError:
        return
    assert status.revocations == ()
    assert status.checked == frozenset()


def test_signature_with_unused_bits_is_bad() -> None:
    """The count of unused bits is not signed; a certificate that was changed there has another thumbprint."""
    root = issue("Root", ca=True, private_key=rsa_key("root"))
    leaf = next(leaf for leaf in iter(lambda: issue("Leaf", root), None) if not leaf.certificate.signature[-1] & 1)
    der, signature = leaf.certificate.public_bytes(Encoding.DER), leaf.certificate.signature
    changed_leaf = load_der(der.replace(b"\x00" + signature, b"\x01" + signature))
    assert changed_leaf != leaf.certificate
    (path,) = build_paths(changed_leaf, [], TrustStore.test_signing([root.certificate]))
    assert path.anchor is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(bytes.fromhex("a003020102"), bytes.fromhex("a00302010f"), id="version-15"),
        pytest.param(b"\x0c\x04Leaf", b"\x0c\x04\xff\xff\xff\xff", id="name-that-is-not-utf-8"),
        pytest.param(b"\x0c\x04Leaf", b"\x03\x04\x00eaf", id="name-that-is-a-bit-string"),
        pytest.param(b"\x0c\x04Leaf", b"\x1e\x04\xd8\x00\xd8\x00", id="name-of-lone-surrogates"),
        pytest.param(b"\x0c\x04Leaf", b"\x14\x04L\xe9af", id="teletex-name-in-latin-1"),
        pytest.param(b"\x0c\x04Leaf", b"\x13\x04L&af", id="printable-name-with-an-ampersand"),
    ],
)
def test_certificate_with_a_lazily_parsed_error_is_refused_when_loaded(old, new) -> None:
    """The message is a sentence, not the library's error structure."""
    der = LEAF.certificate.public_bytes(Encoding.DER)
    assert der.count(old) == 1
    with pytest.raises(CertificateError, match="certificate can't be parsed") as caught:
        load_der(der.replace(old, new))
    assert "ParseError" not in str(caught.value)
