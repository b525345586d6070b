"""Decide whether the time of a timestamp counts.

A timestamp keeps a signature valid after its certificate expired or was revoked, so the holder of a revoked key gains
by forging one. It counts only if everything about it is valid. Otherwise, messages name the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from signer.asn1.oids import EKU_TIME_STAMPING
from signer.certificates import common_name, is_self_signed, valid_at
from signer.policy.classify import usages_of
from signer.trust.checks import BROKEN
from signer.trust.path import CertificatePath
from signer.verify.evidence import Timestamp


def trusted_time(stamp: Timestamp | None, paths: Sequence[CertificatePath]) -> datetime | None:
    """Return the time of a timestamp that counts; `paths` are those of its authority. None without one."""
    return stamp.time if stamp is not None and objection(stamp, paths) is None else None


def objection(stamp: Timestamp, paths: Sequence[CertificatePath]) -> str | None:
    """Return why a timestamp does not count, as a clause for messages; None if it counts.

    It counts if it is intact, its authority's certificate is for time stamping, and one of the paths is valid.
    """
    if stamp.problems:
        return stamp.problems[0].message
    usages = usages_of(stamp.signer)
    if usages is not None and EKU_TIME_STAMPING not in usages:
        return "the certificate of its authority is not for time stamping"
    reasons = [_path_objection(path, stamp.time) for path in paths if path.anchor is not None]
    if not reasons:
        return "the chain of its authority ends at no trusted root"
    return None if None in reasons else reasons[0]


def _path_objection(path: CertificatePath, time: datetime) -> str | None:
    """Return which rule the path of an authority violates.

    None of its certificates may be revoked, and all below the root must be valid at the time of the timestamp.
    """
    for problem in path.problems:
        if problem.code in BROKEN or problem.code == "revoked":
            return f"the chain of its authority is not valid: {problem.message}"
    for certificate in path.certificates:
        if not valid_at(certificate, time) and not is_self_signed(certificate):
            return f"{common_name(certificate)!r} was not valid on {time:%Y-%m-%d}"
    return None
