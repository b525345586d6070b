"""Small signed files of every kind, with and without timestamps, under one test root."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count

from cryptography import x509

from catalogs.build import CatalogOptions, assemble
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, hash_file, subjects
from catalogs.catalog.sign import sign_catalog
from catalogs.catalog.trust_list import NameValue
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey
from signer.operations.sign import sign_file
from signer.pkcs7.counter_signature import signer_info_of
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import SigningOptions, TimestampAttribute, Timestamper
from signer.pkcs7.timestamp_request import legacy_request, rfc3161_request
from signer.policy.trust import Trust
from signer.trust.store import TrustStore
from tests.support.cabinets import cabinet
from tests.support.files import patched
from tests.support.hierarchy import NOW, Entity, issue, rsa_key
from tests.support.images import PeSpec
from tests.support.tampering import Sample
from tests.support.timestamping import tsa

BITS = 1024
"""The size of the RSA keys: the least that the kernel accepts, and it accepts no other kind. Certificates are small."""
ROOT = issue("Sample Root", ca=True, may_sign=True, private_key=rsa_key("Sample Root", BITS))
CA = issue("Sample CA", ROOT, ca=True, may_sign=True, private_key=rsa_key("Sample CA", BITS))
LEAF = issue(
    "Sample Signer",
    CA,
    usages=[oids.EKU_CODE_SIGNING],
    end=NOW + timedelta(days=30),
    private_key=rsa_key("Sample Signer", BITS),
)
_TIME_STAMPING = (x509.ExtendedKeyUsage([x509.ObjectIdentifier(oids.EKU_TIME_STAMPING)]), True)
AUTHORITY = issue("Sample Timestamps", ROOT, extensions=[_TIME_STAMPING])
AFTERWARDS = NOW + timedelta(days=60)
"""When the signer's certificate has expired, so that only a timestamp keeps a signature valid."""
_STORE = TrustStore.test_signing([ROOT.certificate])
TRUST = Trust(_STORE, _STORE)
UNSIGNED = PeSpec(headers_size=0x200, sections=[(".text", 0x200, 0x200)]).build()
OTHER = PeSpec(headers_size=0x200, sections=[(".text", 0x200, 0x200)], fill=0x90).build()
CABINET = cabinet({"a.inf": b"[Version]"})
MEMBERS = ("a.inf", "b.dll", "c.txt")
SHA256 = DigestAlgorithm.SHA256


def identity(entity: Entity = LEAF, *chain: Entity) -> SigningIdentity:
    return SigningIdentity(LocalKey(entity.private_key), entity.certificate, tuple(one.certificate for one in chain))  # type: ignore[arg-type]


SIGNER = identity(LEAF, CA, ROOT)


def rfc3161(octets: bytes) -> TimestampAttribute:
    """Timestamp the octets as of NOW."""
    response = tsa(identity(AUTHORITY, ROOT), NOW).answer(rfc3161_request(octets, SHA256, 7))
    _, token = der.children(response, der.read(response))
    return TimestampAttribute((oids.RFC3161_TIMESTAMP, (token.whole(response),)))


def legacy(octets: bytes, authority: Entity = AUTHORITY) -> TimestampAttribute:
    """Timestamp the octets as of NOW, in the form before RFC 3161."""
    answer = base64.b64decode(tsa(identity(authority, ROOT), NOW).answer_legacy(legacy_request(octets)))
    return TimestampAttribute((oids.COUNTER_SIGNATURE, (signer_info_of(answer),)), parse(answer).certificates_der)


def signed(data: bytes, timestamper: Timestamper | None = None, *, page_hashes: bool = False) -> bytes:
    """Sign a file so that four bytes of padding follow the signature, for any length of the ECDSA signatures in it."""
    for length in count(1):
        options = SigningOptions(description="Sample " + "x" * (length % 4))
        made = sign_file(data, SIGNER, options, timestamper=timestamper, page_hashes=page_hashes)
        if len(made.signature) % 8 == 4:
            return patched(data, made.changes)
    raise AssertionError


def signature_of(data: bytes) -> bytes:
    """Return the signature of a file, in DER."""
    return sign_file(data, SIGNER, SigningOptions()).signature


def catalog() -> Catalog:
    """Return the signed catalog of MEMBERS, whose content is their name."""
    entries = [
        entry
        for name in MEMBERS
        for entry in subjects(hash_file(memoryview(name.encode())), [NameValue("File", MEMBER_FLAGS, name)], 2)
    ]
    made = assemble(entries, [], CatalogOptions(datetime(2024, 5, 1, tzinfo=UTC)), "sample.cat")
    return sign_catalog(made, SIGNER, SigningOptions())


@cache
def samples() -> dict[str, Sample]:
    """Return a sample of every kind, by name."""
    made = [
        Sample("image with page hashes", "image", signed(UNSIGNED, page_hashes=True), TRUST, NOW),
        Sample("image with an RFC 3161 timestamp", "image", signed(UNSIGNED, rfc3161), TRUST, AFTERWARDS),
        Sample("image with a legacy timestamp", "image", signed(UNSIGNED, legacy), TRUST, AFTERWARDS),
        Sample("cabinet", "cabinet", signed(CABINET), TRUST, NOW),
        Sample("catalog", "catalog", catalog().to_bytes(), TRUST, NOW),
        Sample("signature file", "signature", signature_of(UNSIGNED), TRUST, NOW, UNSIGNED),
    ]
    return {sample.name: sample for sample in made}
