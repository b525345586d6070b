"""Decide whether the time of a timestamp counts.

A timestamp keeps a signature valid after its certificate expired or was revoked, so the holder of a revoked key gains
by forging one. It counts only if everything about it is valid. Otherwise, messages name the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from signer.asn1.oids import EKU_TIME_STAMPING
from signer.certificates import common_name, valid_at
from signer.policy.classify import usages_of
from signer.trust.checks import BROKEN
from signer.trust.fields import fields_of, key_identity
from signer.trust.path import CertificatePath
from signer.trust.root_program import program_objection
from signer.trust.signatures import rsa_bits
from signer.verify.evidence import Signature

_MIN_RSA_BITS = 1024


def trusted_time(signature: Signature, paths: Sequence[CertificatePath]) -> datetime | None:
    """Return the time of a timestamp that counts; `paths` are those of its authority. None without one."""
    stamp = signature.timestamp
    return stamp.time if stamp is not None and objection(signature, paths) is None else None


def objection(signature: Signature, paths: Sequence[CertificatePath]) -> str | None:
    """Return why the timestamp of a signature does not count, as a clause for messages; None if it counts.

    It counts if it is intact, its authority's certificate is for time stamping, and one of the paths is valid.
    """
    stamp = signature.timestamp
    if stamp is None:
        return "the signature has no timestamp"
    if stamp.problems:
        return stamp.problems[0].message
    usages = usages_of(stamp.signer)
    if usages is not None and EKU_TIME_STAMPING not in usages:
        return "the certificate of its authority is not for time stamping"
    signer = signature.signer if stamp.signer is not None else None  # a forecast has no authority yet
    reasons = [_path_objection(path, signer, stamp.time) for path in paths if path.anchor is not None]
    if not reasons:
        return "the chain of its authority ends at no trusted root"
    return None if None in reasons else reasons[0]


def _path_objection(path: CertificatePath, signer: x509.Certificate | None, time: datetime) -> str | None:
    """Return which rule the path of an authority violates.

    None of its certificates may be revoked or have the signer's key, and all below the root must be valid at the time
    of the timestamp. The root must be one that Microsoft's root program permits for time stamping.
    """
    for problem in path.problems:
        if problem.code in BROKEN or problem.code == "revoked":
            return f"the chain of its authority is not valid: {problem.message}"
    if signer is not None and fields_of(signer).spki in (fields_of(one).spki for one in path.certificates):
        return "the key of the signer is in the chain of its authority, so the signer could choose the time"
    for certificate in _below_root(path):
        if not valid_at(certificate, time):
            return f"{common_name(certificate)!r} was not valid on {time:%Y-%m-%d}"
    return _weakness(path) or _root_objection(path, time)


def _below_root(path: CertificatePath) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a path without the root that it ends at. Others can name themselves as the issuer."""
    top = path.certificates[-1]
    ends = path.anchor is not None and key_identity(fields_of(top).spki) == path.anchor.spki_sha256
    return path.certificates[:-1] if ends else path.certificates


def _weakness(path: CertificatePath) -> str | None:
    """Return a weakness that lets anyone forge a path, which Windows rejects in the paths of signers, too.

    Sources: KB 2661254; Microsoft Security Advisory 2862973, which names time stamping.
    """
    for certificate in path.certificates:
        bits = rsa_bits(certificate)
        if bits is not None and bits < _MIN_RSA_BITS:
            return f"the RSA key of {common_name(certificate)!r} has only {bits} bits"
    published = path.anchor is not None and path.anchor.kind in ("microsoft", "commercial")
    md5 = next((problem.message for problem in path.problems if problem.code == "digest-md5"), None)
    return md5 if published else None


def _root_objection(path: CertificatePath, time: datetime) -> str | None:
    if path.anchor is None:
        return None
    reason = program_objection(path.anchor, EKU_TIME_STAMPING, path.leaf, at=time, timestamp=time)
    return f"the root {path.anchor.name!r} {reason}" if reason is not None else None
