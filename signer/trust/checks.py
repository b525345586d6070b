"""Check the rules of a certificate path: the right to issue, usages, path length, keys and digests.

A violation is a PathProblem; policies decide its effect. There are two groups: a `BROKEN` code means that the path is
not valid, a `WEAK` code names a key or digest that some Windows releases still accept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtensionOID

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.certificates import common_name, extended_key_usages, extensions, is_self_signed, per_certificate
from signer.errors import CertificateError
from signer.trust.certificate_policies import invalid_policies, policy_mappings
from signer.trust.constraints import broken_constraints
from signer.trust.fields import fields_of, key_identity
from signer.trust.path import Anchor, PathProblem
from signer.trust.signatures import digest_of, load_key

T = TypeVar("T", bound=x509.ExtensionType)

BROKEN = frozenset(
    {
        "bad-signature",
        "signature-unknown",
        "issuer-unknown",
        "root-untrusted",
        "search-limit",
        "unreadable",
        "not-a-ca",
        "basic-constraints-missing",
        "path-too-long",
        "key-usage",
        "eku-nesting",
        "name-constraints",
        "critical-extension",
        "invalid-policy",
    }
)
"""Codes of violated rules: the path is not valid."""

WEAK = frozenset({"weak-key", "digest-md5", "digest-sha1", "key-unknown"})
"""Codes of weak keys and digests, for a policy to evaluate."""


MIN_RSA_BITS = 2048
MIN_EC_BITS = 256

_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS.dotted_string,
    ExtensionOID.KEY_USAGE.dotted_string,
    ExtensionOID.EXTENDED_KEY_USAGE.dotted_string,
    ExtensionOID.NAME_CONSTRAINTS.dotted_string,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string,
    ExtensionOID.ISSUER_ALTERNATIVE_NAME.dotted_string,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string,
    ExtensionOID.CRL_DISTRIBUTION_POINTS.dotted_string,
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS.dotted_string,
    ExtensionOID.CERTIFICATE_POLICIES.dotted_string,
    ExtensionOID.POLICY_MAPPINGS.dotted_string,
    ExtensionOID.POLICY_CONSTRAINTS.dotted_string,
    ExtensionOID.INHIBIT_ANY_POLICY.dotted_string,
    oids.NETSCAPE_CERT_TYPE,
    oids.APPLICATION_POLICIES,
    # Authenticode extensions of 1996 to 2000, which restrict the key to code signing and link to the CA's policy.
    oids.KEY_USAGE_RESTRICTION,
    oids.SPC_SP_AGENCY_INFO,
}


def examine(certificates: tuple[x509.Certificate, ...], anchor: Anchor | None, usage: str) -> Iterator[PathProblem]:
    """Yield every rule that the path breaks, from the leaf up."""
    anchored = anchor is not None and key_identity(fields_of(certificates[-1]).spki) == anchor.spki_sha256
    for index, certificate in enumerate(certificates):
        try:
            found = extensions(certificate)
            policy_mappings(found)
        except CertificateError as error:
            yield PathProblem("unreadable", error.message, index)
        else:
            if index:
                is_root = anchored and index == len(certificates) - 1
                yield from _issuing(certificates, index, found, is_root)
                yield from _usage(certificate, index, usage)
            yield from _critical(certificate, index, found)
        below_root = not (anchored and index == len(certificates) - 1)
        for weakness in (_key(certificate), _digest(certificate) if below_root else None):
            if weakness is not None:
                yield PathProblem(*weakness, index)
    yield from broken_constraints(certificates)
    yield from invalid_policies(certificates)


def _issuing(
    certificates: tuple[x509.Certificate, ...], index: int, found: x509.Extensions, is_root: bool
) -> Iterator[PathProblem]:
    """Check RFC 5280, 6.1.4 (k) to (n). A root without basic constraints may issue, as version 1 roots do."""
    name = common_name(certificates[index])
    basic = _extension(found, x509.BasicConstraints)
    if basic is None and not is_root:
        yield PathProblem("basic-constraints-missing", f"{name!r} has no basic constraints, which a CA needs", index)
    if basic is not None and not basic.ca:
        yield PathProblem("not-a-ca", f"{name!r} is not a CA but issued a certificate", index)
    if basic is not None and basic.path_length is not None:
        below = sum(not is_self_signed(certificate) for certificate in certificates[1:index])
        if below > basic.path_length:
            message = f"{name!r} allows at most {basic.path_length} CAs below it, and the path has {below}"
            yield PathProblem("path-too-long", message, index)
    key_usage = _extension(found, x509.KeyUsage)
    if key_usage is not None and not key_usage.key_cert_sign:
        yield PathProblem("key-usage", f"the key of {name!r} may not sign certificates", index)


def _usage(certificate: x509.Certificate, index: int, usage: str) -> Iterator[PathProblem]:
    usages = extended_key_usages(certificate)
    if usages is not None and usage not in usages and oids.EKU_ANY not in usages:
        message = f"{common_name(certificate)!r} may not issue certificates for the usage {usage}"
        yield PathProblem("eku-nesting", message, index)


def _critical(certificate: x509.Certificate, index: int, found: x509.Extensions) -> Iterator[PathProblem]:
    for extension in found:
        if extension.critical and extension.oid.dotted_string not in _UNDERSTOOD:
            message = f"{common_name(certificate)!r} has an unknown critical extension ({extension.oid.dotted_string})"
            yield PathProblem("critical-extension", message, index)


@per_certificate
def _key(certificate: x509.Certificate) -> tuple[str, str] | None:
    """Return code and message about a weak or unknown key, or None."""
    key = load_key(fields_of(certificate).spki)
    name = common_name(certificate)
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            return "weak-key", f"the RSA key of {name!r} has only {key.key_size} bits"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.key_size < MIN_EC_BITS:
            return "weak-key", f"the elliptic curve key of {name!r} has only {key.key_size} bits"
    else:
        return "key-unknown", f"the key of {name!r} has a type that Authenticode does not support"
    return None


@per_certificate
def _digest(certificate: x509.Certificate) -> tuple[str, str] | None:
    """Return code and message about a weak signature digest, or None."""
    digest = digest_of(certificate.signature_algorithm_oid.dotted_string)
    if digest in (DigestAlgorithm.MD5, DigestAlgorithm.SHA1):
        message = f"the issuer's signature on {common_name(certificate)!r} uses {digest.label.upper()}"
        return f"digest-{digest.label}", message
    return None


def _extension(found: x509.Extensions, kind: type[T]) -> T | None:
    try:
        return found.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
