"""Certificates: loading, names, extensions, and the paths to a trusted root."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from signer import certificates
from signer.errors import CertificateError
from signer.reports.certificates import certificate as report
from signer.trust import checks, constraints, fields, signatures
from signer.trust.chain import build_paths
from signer.trust.store import TrustStore
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.harness import Harness
from tests.fuzz.identities import END, ROOT, SIGNER, START, STRANGER, attackers, authority, certificate, root, signer
from tests.fuzz.resigning import reissued
from tests.support.files import corpus_files

INSTRUMENTED = (
    "signer.certificates",
    "signer.trust.chain",
    "signer.trust.checks",
    "signer.trust.constraints",
    "signer.trust.fields",
    "signer.trust.signatures",
)
REISSUED = 0.8
"""Share of the mutants that the root issues again, if they still are certificates."""
ISSUER = "Drvsign Fuzz Issuer"


def encoded(one: x509.Certificate) -> bytes:
    return one.public_bytes(Encoding.DER)


@cache
def _constrained() -> x509.Certificate:
    """Return an authority's certificate with all extensions that paths are checked for."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Drvsign Fuzz Signer")])
    permitted = [x509.DirectoryName(name), x509.DNSName("example.com"), x509.RFC822Name("example.com")]
    excluded = [x509.UniformResourceIdentifier(".example.org"), x509.IPAddress(ip_network("10.0.0.0/8"))]
    policy = x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ISSUER)]))
        .issuer_name(root().subject)
        .public_key(SIGNER.private.public_key())
        .serial_number(5)
        .not_valid_before(START)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(permitted, excluded), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example.com"), *permitted[2:]]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier(b"12345678"), critical=False)
        .add_extension(x509.CertificatePolicies([policy]), critical=False)
        .sign(ROOT.private, hashes.SHA256())
    )


def seeds() -> Iterator[bytes]:
    for one in (signer().certificate, authority().identity.certificate, root(), _constrained()):
        yield encoded(one)
    yield signer().certificate.public_bytes(Encoding.PEM)


def extra() -> Iterator[bytes]:
    for path in corpus_files("cross-certificates/*")[:20]:
        data = path.read_bytes()
        if len(data) <= HARNESS.max_size:
            yield data


@cache
def _store() -> TrustStore:
    return TrustStore.test_signing([root()])


@cache
def _below() -> x509.Certificate:
    """Return a leaf whose issuer is the one with all extensions, under the name that mutants of it keep."""
    names = [x509.DNSName("a.example.com"), x509.RFC822Name("a@example.com"), x509.IPAddress(ip_address("10.0.0.1"))]
    names.append(x509.UniformResourceIdentifier("http://a.example.org/"))
    return certificate("Drvsign Fuzz Leaf", STRANGER, SIGNER, by=ISSUER, names=tuple(names))


def run(data: bytes) -> bool:
    try:
        found = certificates.load_all(data)
    except CertificateError:
        return False
    for one in found[:3]:
        _read(one)
        carried = (one, *(each for attacker in attackers() for each in (attacker.certificate, *attacker.chain)))
        paths = (*build_paths(one, carried, _store()), *build_paths(_below(), carried, _store()))
        assert paths
        assert all(problem.message for path in paths for problem in path.problems)
    return True


def _read(one: x509.Certificate) -> None:
    """Read what messages and documents say about a certificate."""
    assert certificates.load_der(encoded(one)) == one
    assert certificates.is_self_signed(one) in (True, False)
    names = (certificates.subject_name(one), certificates.issuer_name(one), certificates.common_name(one))
    assert all(isinstance(name, str) for name in names)
    assert certificates.thumbprint(one) and certificates.serial_hex(one)
    for read in (certificates.extensions, certificates.extended_key_usages, certificates.spki_sha256, report):
        try:
            read(one)
        except CertificateError as error:
            assert error.message


def mutate(data: bytes, chooser: random.Random) -> bytes:
    mutant = mutated_der(data, chooser)
    if chooser.random() >= REISSUED or not _is_certificate(mutant):
        return mutant
    again = reissued(mutant)
    return mutant if again == data else again


def _is_certificate(data: bytes) -> bool:
    """Return whether a certificate is worth a new signature, which takes longer than reading it."""
    try:
        certificates.load_all(data)
    except CertificateError:
        return False
    return True


HARNESS = Harness(
    "certificate",
    run,
    seeds,
    (
        *(signatures.check, checks.examine, fields.fields_of),
        *(constraints.broken_constraints, constraints._breach, constraints._within, constraints._host_within),
    ),
    mutate=mutate,
    extra=extra,
    max_size=2048,
)
