"""Attacks on the chain of a signer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from signer.asn1 import oids
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from signer.policy.trust import Trust
from tests.attacks.attack import Attempt, attack
from tests.support.files import patched
from tests.support.hierarchy import Entity, issue, mislabeled, name, rsa_key
from tests.support.signed_samples import BITS, CA, LEAF, ROOT, UNSIGNED, identity

CODE, TLS, ANY = oids.EKU_CODE_SIGNING, "1.3.6.1.5.5.7.3.1", oids.EKU_ANY
PORTAL = "Microsoft Windows Hardware Compatibility Publisher"


def leaf(subject: str | x509.Name, issuer: Entity, usages: Sequence[str] | None = (CODE,), **more: Any) -> Entity:
    """Issue the certificate of a signer with an RSA key, which the kernel requires."""
    return issue(subject, issuer, usages=usages, private_key=rsa_key("Victim", BITS), **more)


def authority_of(subject: str, issuer: Entity | None, label: str = "An Authority", **more: Any) -> Entity:
    """Issue the certificate of a CA with the RSA key for `label`."""
    return issue(subject, issuer, **{"ca": True, "may_sign": True, "private_key": rsa_key(label, BITS), **more})


def signed_by(leaf: Entity, *issuers: Entity, trust: Trust | None = None) -> Attempt:
    """Return the image, signed by a leaf; the signature carries its issuers."""
    options = SigningOptions(certificates=tuple(one.certificate for one in issuers))
    data = patched(UNSIGNED, sign_file(UNSIGNED, identity(leaf), options).changes)
    return Attempt(data) if trust is None else Attempt(data, trust=trust)


@attack("RFC 5280, 4.2.1.12", kernel="accepted", code="wrong-usage")
def certificate_for_servers() -> Attempt:
    """A signer whose certificate is for TLS servers."""
    return signed_by(leaf("A Server", CA, (TLS,)), CA)


@attack("MS02-050 (CVE-2002-0862)", kernel="unknown", code="not-a-ca")
def issued_by_a_signer() -> Attempt:
    """A certificate that a signer issued, who is not a CA."""
    signer = authority_of("A Signer", CA, usages=[CODE], ca=False)
    return signed_by(leaf("Victim", signer), signer, CA)


@attack("MS02-050 (CVE-2002-0862)", kernel="unknown", code="basic-constraints-missing")
def issued_without_basic_constraints() -> Attempt:
    """A certificate that a signer issued, whose certificate does not say that it is not a CA."""
    return signed_by(leaf("Victim", LEAF), LEAF, CA)


@attack("RFC 5280, 4.2.1.3", kernel="unknown", code="key-usage")
def issued_without_key_cert_sign() -> Attempt:
    """A certificate of a CA whose key may not sign certificates."""
    authority = authority_of("No Cert Sign CA", ROOT, may_sign=False)
    return signed_by(leaf("Victim", authority), authority)


@attack("RFC 5280, 4.2.1.9", kernel="unknown", code="path-too-long")
def longer_path_than_permitted() -> Attempt:
    """A CA below one that permits no CA below it."""
    last = authority_of("Last CA", ROOT, path_length=0)
    another = authority_of("Another CA", last, "Another Authority")
    return signed_by(leaf("Victim", another), another, last)


@attack("RFC 5280, 4.2.1.10", kernel="unknown", code="name-constraints")
def name_outside_of_the_constraints() -> Attempt:
    """A name that the constraints of the CA exclude."""
    contoso = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Contoso")])
    limits = (x509.NameConstraints([x509.DirectoryName(contoso)], None), True)
    authority = authority_of("Contoso CA", ROOT, extensions=[limits])
    return signed_by(leaf(name("Fabrikam", (NameOID.ORGANIZATION_NAME, "Fabrikam")), authority), authority)


@attack("RFC 5280, 4.2.1.11", kernel="unknown", code="invalid-policy")
def without_the_policy_that_the_ca_requires() -> Attempt:
    """A signer without the certificate policy that the CA requires of those below it."""
    required = (x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None), True)
    strict = authority_of("Strict CA", CA, extensions=[required])
    return signed_by(leaf("Victim", strict), strict, CA)


@attack("CVE-2025-61727", kernel="unknown", code="name-constraints")
def wildcard_around_the_constraints() -> Attempt:
    """A wildcard for hosts that the constraints of the CA exclude."""
    limits = (x509.NameConstraints(None, [x509.DNSName("bar.example.com")]), True)
    authority = authority_of("Constrained CA", ROOT, extensions=[limits])
    names = (x509.SubjectAlternativeName([x509.DNSName("*.example.com")]), False)
    return signed_by(leaf("Wildcard", authority, extensions=[names]), authority)


@attack("RFC 5280, 4.2.1.12; CertGetCertificateChain", kernel="unknown", code="eku-nesting")
def usage_that_the_ca_does_not_have() -> Attempt:
    """A code-signing certificate of a CA for TLS (EKU nesting)."""
    authority = authority_of("TLS CA", ROOT, usages=[TLS])
    return signed_by(leaf("Victim", authority), authority)


@attack("RFC 5280, 6.1.3 (a)", kernel="unknown", code="bad-signature")
def forged_issuer() -> Attempt:
    """A certificate with the name of the CA as its issuer, and the signature of another key."""
    stranger = Entity(CA.certificate, rsa_key("An Authority", BITS))
    return signed_by(leaf("Victim", stranger), CA)


@attack("RFC 5280, 6.1", kernel="accepted", code="untrusted-root")
def root_with_the_name_of_a_trusted_one() -> Attempt:
    """A root with the name of the trusted root and another key."""
    fake = authority_of("Sample Root", None)
    return signed_by(leaf("Victim", fake), fake)


@attack("MINCRYPT_KNOWN_ROOT_ID; docs/trust.md", code="test-signed")
def names_of_microsoft() -> Attempt:
    """A chain with the names and the usage of Microsoft's portal, under a root with the name of Microsoft's."""
    root = authority_of("Microsoft Root Certificate Authority 2010", None)
    authority = authority_of("Microsoft Windows Third Party Component CA 2012", root, "Another Authority")
    portal = leaf(PORTAL, authority, (CODE, oids.EKU_WHQL))
    return signed_by(portal, authority, root, trust=Trust.release())


@attack("RFC 4158, 5.2", kernel="accepted", code="chain-incomplete")
def authorities_that_certify_each_other() -> Attempt:
    """Two CAs that certify each other, which a search without a check of loops follows forever."""
    first, second = authority_of("First CA", None), authority_of("Second CA", None, "Another Authority")
    crossed = [authority_of("First CA", second), authority_of("Second CA", first, "Another Authority")]
    return signed_by(leaf("Victim", first), *crossed)


@attack("RFC 5280, 4.2.1.12", authenticode="accepted", kernel="accepted", code="named-root")
def certificate_without_usages() -> Attempt:
    """A signer whose certificate has no EKU extension, which permits every usage below CAs that permit it."""
    return signed_by(leaf("Any Usage", CA, None), CA)


@attack("CVE-2004-2761 (a forged CA, 2008); KB2862973", authenticode="accepted", kernel="unknown", code="chain-md5")
def certificate_signed_with_md5() -> Attempt:
    """A certificate that is signed with MD5, below a root of one's own: Windows refuses it below a published root."""
    return signed_by(leaf("MD5", CA, digest="md5"), CA)


@attack("CVE-2005-4900 (SHAttered, 2017)", authenticode="accepted", kernel="accepted", code="digest-sha1")
def ca_certificate_signed_with_sha1() -> Attempt:
    """A CA whose certificate is signed with SHA-1: Windows reports it only in downloaded files."""
    authority = authority_of("SHA-1 CA", ROOT, digest="sha1")
    return signed_by(leaf("Victim", authority), authority)


@attack("RFC 5280, 4.1.1.2", kernel="unknown", code="bad-signature")
def outer_algorithm_changed() -> Attempt:
    """Another name of the algorithm outside of the signed part: the thumbprint changes, and a block list misses it."""
    return signed_by(mislabeled(leaf("Blocked", CA, digest="sha1")), CA)


@attack("RFC 5652, 5.3: issuerAndSerialNumber", code="signature-mismatch")
def certificate_with_the_serial_number_of_the_signer() -> Attempt:
    """Another key in a certificate with the issuer and serial number of the signer, beside the signer's own one."""
    stranger = Entity(CA.certificate, rsa_key("An Authority", BITS))
    twin = leaf("Sample Signer", stranger, serial=LEAF.certificate.serial_number)
    return signed_by(twin, LEAF, CA)


@attack("CVE-2009-2408", authenticode="accepted", kernel="accepted", code="named-root")
def nul_in_a_name() -> Attempt:
    """A NUL in the common name, where a C string ends: messages show it escaped, and no verdict depends on it."""
    return signed_by(leaf("Microsoft Windows\0.attacker.example", CA), CA)
