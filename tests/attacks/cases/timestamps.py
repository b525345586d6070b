"""Attacks on time: the signer's certificate has expired or was revoked, and a timestamp claims an earlier signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions, TimestampAttribute, Timestamper
from signer.pkcs7.timestamp_request import rfc3161_request
from tests.attacks.attack import Attempt, attack
from tests.support.files import patched
from tests.support.hierarchy import NOW, Entity, issue, key, key_usage, rsa_key
from tests.support.signed_samples import (
    AFTERWARDS,
    AUTHORITY,
    BITS,
    CA,
    LEAF,
    ROOT,
    TRUST,
    UNSIGNED,
    identity,
    legacy,
    signed,
)
from tests.support.timestamping import tsa

RFC_3161 = "RFC 3161, 2.4.2"
STAMPING = (x509.ExtendedKeyUsage([x509.ObjectIdentifier(oids.EKU_TIME_STAMPING)]), True)


def stamped(
    authority: Entity,
    *issuers: Entity,
    over: bytes | None = None,
    by: Entity = LEAF,
    change: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """Return the image, signed by the expired signer, with a timestamp of NOW over the signature, or over `over`."""

    def stamp(octets: bytes) -> TimestampAttribute:
        request = rfc3161_request(octets if over is None else over, DigestAlgorithm.SHA256, 7)
        response = tsa(identity(authority, *issuers), NOW).answer(request)
        _, token = der.children(response, der.read(response))
        return TimestampAttribute((oids.RFC3161_TIMESTAMP, (change(token.whole(response)),)))

    return stamped_with(stamp, by)


def stamped_with(timestamper: Timestamper, by: Entity) -> bytes:
    made = sign_file(UNSIGNED, identity(by, CA, ROOT), SigningOptions(), timestamper=timestamper)
    return patched(UNSIGNED, made.changes)


def after_expiry(data: bytes) -> Attempt:
    return Attempt(data, at=AFTERWARDS)


@attack(RFC_3161, kernel="accepted", code="timestamp-imprint")
def timestamp_of_another_signature() -> Attempt:
    """The timestamp of another signature."""
    return after_expiry(stamped(AUTHORITY, ROOT, over=b"another signature"))


@attack("RFC 3161, 2.3", kernel="accepted", code="timestamp-usage")
def timestamp_of_a_signer() -> Attempt:
    """A timestamp by a certificate for code signing, without the time-stamping EKU."""
    return after_expiry(stamped(issue("Not an Authority", ROOT, usages=[oids.EKU_CODE_SIGNING]), ROOT))


@attack("RFC 3161, 2.3", kernel="accepted", code="timestamp-usage")
def timestamp_of_any_usage() -> Attempt:
    """A timestamp by a certificate without an EKU."""
    return after_expiry(stamped(issue("Any Authority", ROOT), ROOT))


@attack("RFC 5280, 6.1", kernel="accepted", code="timestamp-untrusted")
def timestamp_of_an_unknown_authority() -> Attempt:
    """A timestamp of an authority of one's own."""
    return after_expiry(stamped(issue("Own Authority", extensions=[STAMPING])))


@attack("RFC 3161, 2.3", kernel="accepted", code="timestamp-lifetime")
def timestamp_of_an_expired_authority() -> Attempt:
    """A timestamp with a time after the end of the authority's certificate."""
    old = issue("Old Authority", ROOT, extensions=[STAMPING], end=NOW - timedelta(days=1))
    return after_expiry(stamped(old, ROOT))


def revoked(data: bytes, signer: Entity = LEAF, *, hours: int = -1) -> Attempt:
    """Return the image on a machine with a list that revoked the signer an hour before NOW's timestamp."""
    entry = x509.RevokedCertificateBuilder().serial_number(signer.certificate.serial_number)
    entry = entry.revocation_date(NOW + timedelta(hours=hours)).add_extension(SUPERSEDED, critical=False)
    builder = x509.CertificateRevocationListBuilder().issuer_name(CA.subject).last_update(NOW - timedelta(days=2))
    builder = builder.next_update(NOW + timedelta(days=30)).add_revoked_certificate(entry.build())
    crl = builder.sign(CA.private_key, hashes.SHA256())
    return Attempt(data, trust=replace(TRUST, crls=(crl,)), at=NOW + timedelta(days=1))


SUPERSEDED = x509.CRLReason(x509.ReasonFlags.superseded)
"""A reason that leaves the older timestamps of an authority valid."""
SIGNING_CA = issue(
    "Signer and CA",
    CA,
    ca=True,
    may_sign=True,
    usages=[oids.EKU_CODE_SIGNING, oids.EKU_TIME_STAMPING],
    private_key=rsa_key("Signer and CA", BITS),
)


@attack("RFC 5280, 5.3", code="revoked", kernel="accepted")
def timestamp_by_an_authority_of_the_revoked_signer() -> Attempt:
    """Backdated: a timestamp before the revocation, by an authority whose certificate the revoked signer issued."""
    authority = issue("Authority of the Signer", LEAF, extensions=[STAMPING])
    return revoked(stamped(authority, LEAF, CA))


@attack("RFC 5280, 5.3", code="revoked", kernel="accepted")
def timestamp_after_the_revocation() -> Attempt:
    """A timestamp after the revocation."""
    return revoked(stamped(AUTHORITY, ROOT))


@attack("RFC 5280, 5.3", code="revoked", kernel="accepted")
def timestamp_by_an_authority_of_a_revoked_ca() -> Attempt:
    """Backdated: as before, by a signer whose certificate is also that of a CA for time stamping."""
    authority = issue("Authority of the CA", SIGNING_CA, extensions=[STAMPING])
    return revoked(stamped(authority, SIGNING_CA, CA, by=SIGNING_CA), SIGNING_CA, hours=1)


@attack("RFC 5280, 5.3", code="revoked", kernel="accepted")
def timestamp_by_the_key_of_the_revoked_signer() -> Attempt:
    """Backdated: a timestamp by another certificate of the signer's key, which is for time stamping."""
    authority = issue("Twin of the Signer", ROOT, extensions=[STAMPING], private_key=LEAF.private_key)
    return revoked(stamped(authority, ROOT), hours=1)


@attack("RFC 5280, 5.3", code="revoked", kernel="accepted")
def legacy_timestamp_by_the_revoked_signer() -> Attempt:
    """Backdated: a counter-signature by the signer, whose certificate permits every usage."""
    signer = issue("Signer for Everything", CA, private_key=rsa_key("Signer for Everything", BITS))
    return revoked(stamped_with(lambda octets: legacy(octets, signer), signer), signer, hours=1)


@attack("RFC 5280, 4.2.1.12", kernel="accepted", code="timestamp-usage")
def timestamp_of_a_key_that_is_not_for_signatures() -> Attempt:
    """A timestamp by a key whose usage is to sign certificates."""
    authority = issue("CA of Timestamps", ROOT, ca=True, extensions=[STAMPING, (ONLY_CERTIFICATES, True)])
    return after_expiry(stamped(authority, ROOT))


@attack("RFC 5280, 6.1.3 (a)", kernel="accepted", code="timestamp-untrusted")
def timestamp_below_an_expired_ca_of_its_own_name() -> Attempt:
    """A timestamp below a CA certificate that expired before it and has the root's name as subject and issuer."""
    rollover = issue(
        ROOT.subject, ROOT, ca=True, may_sign=True, private_key=key("Next Root"), end=NOW - timedelta(days=1)
    )
    return after_expiry(stamped(issue("Authority after Rollover", rollover, extensions=[STAMPING]), rollover, ROOT))


ONLY_CERTIFICATES = key_usage(sign_certificates=True, sign_data=False)


@attack("RFC 5816; RFC 2634, 5.4", kernel="accepted", code="signing-certificate")
def timestamp_with_another_certificate_of_its_key() -> Attempt:
    """A token with another certificate of the authority's key, name and serial number, which is valid for longer."""
    own, other = (
        issue("Twin Authority", ROOT, extensions=[STAMPING], serial=5, end=end)
        for end in (NOW + timedelta(days=1), NOW + timedelta(days=2))
    )
    old, new = (one.certificate.public_bytes(Encoding.DER) for one in (own, other))
    return after_expiry(stamped(own, ROOT, change=lambda token: token.replace(old, new)))


@attack("RFC 2985, 5.3.6; RFC 5652, 11.4", kernel="accepted", code="timestamp-imprint")
def legacy_timestamp_of_another_signature() -> Attempt:
    """A counter-signature of another signature, which is the timestamp before RFC 3161."""
    return after_expiry(signed(UNSIGNED, lambda octets: legacy(b"another signature")))
