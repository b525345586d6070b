"""Revocation lists, and what they say about the certificates of a path."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from signer.errors import CertificateError
from signer.trust import revocation
from signer.trust.chain import build_paths
from signer.trust.path import CertificatePath
from signer.trust.store import TrustStore
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.harness import Harness
from tests.fuzz.identities import NOON, ROOT, root, signer
from tests.fuzz.resigning import reissued

INSTRUMENTED = ("signer.trust.revocation",)
REISSUED = 0.8
"""Share of the mutants that the root issues again."""
ISSUED = NOON - timedelta(days=1)


def _entry(serial: int, reason: x509.ReasonFlags | None) -> x509.RevokedCertificate:
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(ISSUED)
    if reason is not None:
        entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        entry = entry.add_extension(x509.InvalidityDate(ISSUED), critical=False)
    return entry.build()


def _list(
    *entries: x509.RevokedCertificate, extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root().subject)
        .last_update(ISSUED)
        .next_update(NOON + timedelta(days=1))
    )
    for entry in entries:
        builder = builder.add_revoked_certificate(entry)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(ROOT.private, hashes.SHA256())


def seeds() -> Iterator[bytes]:
    serial = signer().certificate.serial_number
    point = x509.UniformResourceIdentifier("http://example.com/a.crl")
    partial = x509.IssuingDistributionPoint(
        [point], None, False, False, frozenset({x509.ReasonFlags.key_compromise}), False, False
    )
    for one in (
        _list(),
        _list(_entry(5, x509.ReasonFlags.unspecified), _entry(serial, None)),
        _list(_entry(serial, x509.ReasonFlags.key_compromise), extensions=((x509.CRLNumber(3), False),)),
        _list(_entry(serial, x509.ReasonFlags.superseded), extensions=((x509.DeltaCRLIndicator(2), True),)),
        _list(_entry(serial, x509.ReasonFlags.remove_from_crl), extensions=((partial, True),)),
    ):
        yield one.public_bytes(Encoding.DER)
    yield _list(_entry(serial, None)).public_bytes(Encoding.PEM)


@cache
def _path() -> CertificatePath:
    return build_paths(signer().certificate, (root(),), TrustStore.test_signing([root()]))[0]


def run(data: bytes) -> bool:
    try:
        lists = revocation.load_crls(data)
    except CertificateError:
        return False
    for timestamps in (False, True):
        status = revocation.revoked(_path(), lists, NOON, known=(root(),), timestamps=timestamps)
        assert all(note.code in revocation.NOTES for note in status.notes)
        assert all(one.name and one.reason for one in status.revocations)
        revocation.with_revocations(_path(), lists, NOON, known=(root(),), timestamps=timestamps)
    return True


def mutate(data: bytes, chooser: random.Random) -> bytes:
    data = mutated_der(data, chooser)
    return reissued(data) if chooser.random() < REISSUED else data


HARNESS = Harness(
    "crl",
    run,
    seeds,
    (revocation._entries, revocation._reason, revocation._invalidity_date, revocation._gap, revocation._freshness),
    mutate=mutate,
    max_size=1024,
)
