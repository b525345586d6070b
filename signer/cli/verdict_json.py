"""The document `drvsign.verdict/1`: what was verified, as programs read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.cli.assess import KERNEL_POLICIES, Assessment
from signer.errors import SignerError

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from signer.codeintegrity.consequences import Consequences
    from signer.codeintegrity.events import Event
    from signer.policy.subjects import CertificatePaths
    from signer.trust.path import CertificatePath
    from signer.verify.evidence import Signature, Timestamp

SCHEMA = "drvsign.verdict/1"
UNKNOWN_SIGNER = dict.fromkeys(("subject", "common_name", "issuer", "serial", "sha1", "sha256"), "")
"""The signer of a signature that can't be read, or whose certificate is not carried along."""


@dataclass(frozen=True, slots=True)
class SerializedAssessment:
    """An assessment that was told: small, and made of what can be handed from one process to another."""

    path: Path
    accepted: bool
    decided: bool
    rejected: bool
    error: SignerError | None
    entry: str
    """One of `files`, written as JSON."""
    events: str
    """What Windows would log, as JSON lines."""


def tell(write: Callable[[dict[str, Any]], str], logged: bool, assessment: Assessment) -> SerializedAssessment:
    """An assessment, with its entry as `write` has it, and with its events where `logged`."""
    one = assessment
    events = event_lines(one) if logged else ""
    return SerializedAssessment(one.path, one.accepted, one.decided, one.rejected, one.error, write(entry(one)), events)


def head(told: Sequence[SerializedAssessment]) -> dict[str, Any]:
    """The document but for its `files`."""
    return {
        "schema": SCHEMA,
        "accepted": bool(told) and all(one.accepted for one in told),
        "decided": bool(told) and all(one.decided for one in told),
    }


def event_lines(assessment: Assessment) -> str:
    """The events of all targets as JSON lines."""
    lines = [
        json.dumps({"path": str(assessment.path), **event(what, logged)})
        for what in assessment.consequences
        for logged in what.events
    ]
    return "".join(f"{line}\n" for line in lines)


def entry(assessment: Assessment) -> dict[str, Any]:
    """One of `files`."""
    return {
        "path": str(assessment.path),
        "kind": assessment.kind,
        "accepted": assessment.accepted,
        "decided": assessment.decided,
        "signatures": signatures(assessment),
        "targets": [one.row for one in assessment.consequences],
        "findings": findings(assessment),
        "events": [event(one, logged) for one in assessment.consequences for logged in one.events],
    }


def event(one: Consequences, logged: Event) -> dict[str, Any]:
    """One of `events`; its data begin with the target that would log it."""
    entry = logged.as_json()
    return {**entry, "data": {"target": one.verdict.target, **entry["data"]}}


def findings(assessment: Assessment) -> list[dict[str, Any]]:
    """Everything that was said, each once, the worst first; an error where nothing could be decided."""
    from signer.policy.findings import merged

    if assessment.error is not None:
        error = assessment.error
        return [
            {"code": error.code, "severity": "error", "message": str(error), "source": "", "hint": error.hint},
        ]
    return [finding.as_json() for finding in merged([one.verdict for one in assessment.consequences])]


def signatures(assessment: Assessment) -> list[dict[str, Any]]:
    """Each signature with its class and the chain that counts."""
    evidence = assessment.evidence
    if evidence is None:
        return []
    kernel = assessment.policy in KERNEL_POLICIES
    pairs = zip(evidence.signatures, assessment.paths, strict=True)
    return [signature(one, paths, kernel=kernel) for one, paths in pairs]


def signature(one: Signature, paths: CertificatePaths, *, kernel: bool = True) -> dict[str, Any]:
    """One signature; its chain as the kernel sees it, or as user mode does."""
    from signer.policy.classify import classify

    path = best(paths.classification_paths, kernel=kernel)
    return {
        "index": one.index,
        "source": one.source,
        "catalog": one.catalog,
        "digest_algorithm": str(one.digest_algorithm or "unknown"),
        "intact": one.intact,
        "signer": certificate(one.signer) if one.signer is not None else dict(UNKNOWN_SIGNER),
        "program_name": one.program_name,
        "url": one.url,
        "class": classify(one, paths.classification_paths),
        "page_hashes": one.page_hashes,
        "page_hashes_intact": one.page_hashes_intact,
        "timestamp": timestamp(one.timestamp) if one.timestamp is not None else None,
        "chain": [link(certificate) for certificate in path.certificates] if path is not None else [],
        "root": path.anchor.name if path is not None and path.anchor is not None else None,
    }


def certificate(one: x509.Certificate) -> dict[str, Any]:
    """A signer's certificate."""
    from signer.certificates import common_name, issuer_name, serial_hex, subject_name, thumbprint

    return {
        "subject": subject_name(one),
        "common_name": common_name(one),
        "issuer": issuer_name(one),
        "serial": serial_hex(one),
        "sha1": thumbprint(one, "sha1").lower(),
        "sha256": thumbprint(one, "sha256").lower(),
    }


def link(one: x509.Certificate) -> dict[str, Any]:
    """A certificate of a chain."""
    from signer.certificates import subject_name, thumbprint

    return {
        "subject": subject_name(one),
        "sha1": thumbprint(one, "sha1").lower(),
        "not_before": iso(one.not_valid_before_utc),
        "not_after": iso(one.not_valid_after_utc),
    }


def timestamp(one: Timestamp) -> dict[str, Any]:
    """A timestamp."""
    from signer.certificates import common_name

    name = common_name(one.signer) if one.signer is not None else ""
    return {"kind": one.kind, "time": iso(one.time), "intact": one.intact, "signer": name}


def iso(time: datetime) -> str:
    """A time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def best(paths: Sequence[CertificatePath], *, kernel: bool) -> CertificatePath | None:
    """The path to show: the first that reaches a root and breaks no rule; cross-certificates are the kernel's only."""
    from signer.policy.subjects import broken

    def order(path: CertificatePath) -> tuple[bool, bool, bool]:
        crossed = path.anchor is not None and path.anchor.kind == "code-verification"
        return path.anchor is None, bool(broken(path)), crossed and not kernel

    return min(paths, key=order, default=None)
