"""Check a planned release signature before anything is signed.

The check evaluates the same rules as verification, on a hypothetical signature with the planned certificate, digests
and time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.certificates import common_name
from signer.errors import ReleaseRefused
from signer.policy.classify import classify
from signer.policy.findings import Classification, Finding, Verdict
from signer.policy.judge import judge, paths_of
from signer.policy.machine_state import MachineState
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target
from signer.records import dataclass
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
    """A planned signature."""

    certificate: x509.Certificate
    carried: tuple[x509.Certificate, ...]
    """The other certificates to embed: the chain and cross-certificates."""
    digests: tuple[DigestAlgorithm, ...]
    """The digest algorithm of each signature of the file."""
    timestamped: bool
    at: datetime
    """The signing time, aware."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The verdicts of one target on a planned signature."""

    embedded: Verdict
    """Whether the kernel would load a driver with the signature embedded."""
    listed: Verdict
    """Whether the kernel would load a driver that a catalog with the signature lists."""
    installed: Verdict
    """Whether a package with such a catalog would install."""

    @property
    def rejected(self) -> Verdict | None:
        """The rejection that neither embedding nor a catalog avoids, or None."""
        if self.embedded.outcome == self.listed.outcome == "rejected":
            return self.embedded
        return self.installed if self.installed.outcome == "rejected" else None


def require_releasable(plan: Plan, targets: Iterable[Target], profile: str, *, source: Path | None = None) -> None:
    """Raise ReleaseRefused, with every reason, unless a release can be signed according to `plan`.

    `profile` names the release profile and `source` the file that it comes from, for the message.
    """
    found = refusals(plan, targets, TrustStore.release())
    if found:
        raise ReleaseRefused(
            f"profile {profile!r} can't be used for a release; no file was changed",
            path=source,
            problems=tuple(found),
        )


def refusals(plan: Plan, targets: Iterable[Target], store: TrustStore) -> list[Finding]:
    """Return the reasons not to sign a release like this; empty if there are none. `store` holds the release roots."""
    found = [*_identity(plan, store), *_validity(plan)]
    if not plan.timestamped:
        found.append(
            Finding(
                "release-timestamp",
                "error",
                "no timestamp authority is configured: the signature would expire with the certificate",
                _RELEASE,
                'Configure one: timestamp = ["http://…"] in the profile, or --timestamp URL',
            )
        )
    if not any(digest.modern for digest in plan.digests):
        found.append(
            Finding(
                "release-digest",
                "error",
                f"a release requires a SHA-2 digest, and the plan has only {' and '.join(map(str, plan.digests))}",
                _KMCS,
                "Sign with SHA-256: --digest sha256",
            )
        )
    return found or [finding for target in targets for finding in _target(plan, target, store)]


def forecast(plan: Plan, target: Target, store: TrustStore) -> Forecast:
    """Return the verdicts of a target on a driver with the planned signature."""
    # Existing drivers with an expired cross-certificate load; a new one must follow the documentation.
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
        hint = "Configure the release certificate: identity = … in the profile"
        yield Finding("release-identity", "error", message, _KMCS, hint)
    elif kind == "unknown":
        yield Finding(
            "release-root",
            "error",
            f"the chain of the certificate {name!r} does not end at a root that Windows trusts",
            _KMCS,
            'Add its intermediate certificates to the profile: cross-certificates = ["intermediate.cer"]',
        )


def _validity(plan: Plan) -> Iterator[Finding]:
    certificate, name = plan.certificate, common_name(plan.certificate)
    if plan.at > certificate.not_valid_after_utc:
        message = f"the certificate {name!r} expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
        hint = "Use the renewed certificate, or correct the system clock."
        yield Finding("release-expired", "error", message, _DEPRECATED, hint)
    if plan.at < certificate.not_valid_before_utc:
        message = f"the certificate {name!r} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
        yield Finding("release-not-yet-valid", "error", message, _DEPRECATED, "Correct the system clock.")


def _target(plan: Plan, target: Target, store: TrustStore) -> Iterator[Finding]:
    """Yield a finding if the target would refuse the driver, both with an embedded signature and with a catalog."""
    rejected = forecast(plan, target, store).rejected
    if rejected is None:
        return
    reason = next((finding for finding in rejected.findings if finding.severity == "error"), None)
    explanation = reason.message if reason is not None else rejected.rule
    yield Finding(
        "release-target",
        "error",
        f"{target.title} would refuse a driver with this signature: {explanation}",
        reason.source if reason is not None else _KMCS,
        "Submit the driver to Microsoft (drvsign submission build), or remove the target from the profile.",
    )


def _paths(plan: Plan, evidence: Evidence, store: TrustStore) -> tuple[CertificatePaths, ...]:
    """Build the paths of the planned signatures. Their timestamp is assumed valid; signing checks the real one."""
    found = paths_of(evidence, store)
    if not plan.timestamped:
        return found
    authority = CertificatePath((plan.certificate,), Anchor("the timestamp authority's root", "commercial", ""))
    return tuple(replace(paths, timestamp=(authority,)) for paths in found)


def _evidence(plan: Plan, target: Target | None, source: Source) -> Evidence:
    """Return the evidence of a file with the planned signatures."""
    signatures = tuple(
        Signature(
            index=index,
            source=source if index == 0 or source == "catalog" else "nested",
            catalog="driver.cat" if source == "catalog" else None,
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
    return Evidence("driver.sys", "image", digests, architecture, signatures=signatures)
