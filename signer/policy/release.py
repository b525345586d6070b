"""What a release must not be signed with, said before anything is signed.

Whether a target will accept the signature is asked of the same rules that judge it afterwards: they are given a
signature that is not there yet, by this certificate, with this digest, made now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.certificates import common_name
from signer.policy.classify import classify
from signer.policy.findings import Classification, Finding, Verdict
from signer.policy.judge import judge, paths_of
from signer.policy.machine_state import MachineState
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target
from signer.trust.path import Anchor, CertificatePath
from signer.trust.store import TrustStore
from signer.verify.evidence import Evidence, Signature, Source, Timestamp

_KMCS = "windows-driver-docs install/kernel-mode-code-signing-policy--windows-vista-and-later-.md"
_DEPRECATED = (
    "windows-driver-docs install/deprecation-of-software-publisher-certificates-and-commercial-release-certificates.md"
)
_RELEASE = "windows-driver-docs develop/signing-a-driver-for-public-release.md"
_TESTS: tuple[Classification, ...] = ("test", "self-signed", "preproduction")


@dataclass(frozen=True, slots=True)
class Plan:
    """A signature that is to be made."""

    certificate: x509.Certificate
    carried: tuple[x509.Certificate, ...]
    """What it will carry besides: the chain and cross-certificates."""
    digests: tuple[DigestAlgorithm, ...]
    """Of each signature that will stand in the file."""
    timestamped: bool
    at: datetime
    """When it is made, aware."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a target would say to a signature that is not there yet."""

    embedded: Verdict
    """Whether the kernel would load a driver with the signature in it."""
    listed: Verdict
    """Whether it would load one that a catalog with the signature lists."""
    installed: Verdict
    """Whether a package with such a catalog would be installed."""

    @property
    def rejected(self) -> Verdict | None:
        """The verdict that keeps the driver out whatever else is done; None where none does."""
        if self.embedded.outcome == self.listed.outcome == "rejected":
            return self.embedded
        return self.installed if self.installed.outcome == "rejected" else None


def refusals(plan: Plan, targets: Iterable[Target], store: TrustStore) -> list[Finding]:
    """Why nothing is to be signed for release like this; nothing where all is well. `store` holds the release roots."""
    found = [*_identity(plan, store), *_validity(plan)]
    if not plan.timestamped:
        found.append(
            Finding(
                "release-timestamp",
                "error",
                "no timestamp authority is named: the signature would be worth nothing once the certificate expires",
                _RELEASE,
                'Name one: timestamp = ["http://…"] in the profile, or --timestamp URL.',
            )
        )
    if not any(digest.modern for digest in plan.digests):
        found.append(
            Finding(
                "release-digest",
                "error",
                f"{' and '.join(map(str, plan.digests))} alone is no digest for a release any more",
                _KMCS,
                "Sign with sha256.",
            )
        )
    return found or [finding for target in targets for finding in _target(plan, target, store)]


def forecast(plan: Plan, target: Target, store: TrustStore) -> Forecast:
    """What a target would make of a driver that is signed like this."""
    # Of drivers that are there the field tells that they load; a new one is not made against the documentation.
    machine = MachineState(at=plan.at, roots="release", expired_cross="blocked")
    embedded, listed = _evidence(plan, target, "embedded"), _evidence(plan, target, "catalog")
    paths = _paths(plan, listed, store)
    return Forecast(
        judge("kernel", embedded, _paths(plan, embedded, store), target, machine),
        judge("kernel", listed, paths, target, machine),
        judge("pnp", listed, paths, target, machine),
    )


def _identity(plan: Plan, store: TrustStore) -> Iterator[Finding]:
    evidence = _evidence(plan, None, "embedded")
    kind = classify(evidence.signatures[0], paths_of(evidence, store)[0].signer)
    name = common_name(plan.certificate)
    if kind in _TESTS:
        message = f"{name!r} is a {'self-signed' if kind == 'self-signed' else 'test'} certificate"
        yield Finding("release-identity", "error", message, _KMCS, "Name the release key: identity = … in the profile.")
    elif kind == "unknown":
        yield Finding(
            "release-root",
            "error",
            f"the certificate {name!r} leads to no root that releases of Windows know",
            _KMCS,
            'Add the certificates between it and the root: cross-certificates = ["intermediate.cer"].',
        )


def _validity(plan: Plan) -> Iterator[Finding]:
    certificate, name = plan.certificate, common_name(plan.certificate)
    if plan.at > certificate.not_valid_after_utc:
        message = f"the certificate {name!r} expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
        yield Finding("release-expired", "error", message, _DEPRECATED, "Use its successor; or is the clock wrong?")
    if plan.at < certificate.not_valid_before_utc:
        message = f"the certificate {name!r} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
        yield Finding("release-not-yet-valid", "error", message, _DEPRECATED, "Is the clock wrong?")


def _target(plan: Plan, target: Target, store: TrustStore) -> Iterator[Finding]:
    """One finding where the target would refuse the driver however it is signed with this certificate."""
    rejected = forecast(plan, target, store).rejected
    if rejected is None:
        return
    reason = next((finding for finding in rejected.findings if finding.severity == "error"), None)
    why = reason.message if reason is not None else rejected.rule
    yield Finding(
        "release-target",
        "error",
        f"{target.title} will not take a driver signed like this: {why}",
        reason.source if reason is not None else _KMCS,
        "Have it signed by Microsoft (drvsign submission build), or take the target out of the profile.",
    )


def _paths(plan: Plan, evidence: Evidence, store: TrustStore) -> tuple[CertificatePaths, ...]:
    """The paths of the signatures to come; their timestamp is taken for a good one, and checked when it is there."""
    found = paths_of(evidence, store)
    if not plan.timestamped:
        return found
    authority = CertificatePath((plan.certificate,), Anchor("the timestamp authority's root", "commercial", ""))
    return tuple(replace(paths, timestamp=(authority,)) for paths in found)


def _evidence(plan: Plan, target: Target | None, source: Source) -> Evidence:
    """A file with the signatures that are to be made."""
    signatures = tuple(
        Signature(
            index=index,
            source=source if index == 0 or source == "catalog" else "nested",
            catalog="release.cat" if source == "catalog" else None,
            digest_algorithm=digest,
            digest=bytes(digest.size),
            signer=plan.certificate,
            certificates=(plan.certificate, *plan.carried),
            signer_digest_algorithm=digest,
            timestamp=Timestamp("rfc3161", plan.at, digest, None, ()) if plan.timestamped else None,
        )
        for index, digest in enumerate(plan.digests)
    )
    architecture = target.architecture if target is not None else None
    digests = {digest: bytes(digest.size) for digest in plan.digests}
    return Evidence("driver.sys", "image", digests, architecture, signatures)
