"""The protected-media policy: PUMA and PAP for audio drivers, PVP-OPM for video, and protected processes.

It is the kernel policy, enforced on x86 as well, plus rules about the file's attributes in the catalog: DRMLevel for
audio drivers, PETrusted for code that protected processes load. Microsoft does not document all requirements; the
outcome is then "unknown".
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy import kernel, sources
from signer.policy.decide import Decision, Policy
from signer.policy.evaluation import EvaluationContext
from signer.policy.rules import Rule, RuleResult, allows, notes, rejects, rule, undecided, warns

DRM_LEVEL = "DRMLevel"
PE_TRUSTED = "PETrusted"
_LEVELS = ("1200", "1300")
_ASK = "Request it in the INF's [SignatureAttributes], and submit the package to Microsoft's Hardware Dev Center."


@rule(
    "media-attributes",
    "The catalog has the attribute DRMLevel for audio drivers or PETrusted for protected processes. A display driver "
    "contains its OPM certificate as data, which can't be checked.",
    source=f"{sources.MEDIA}; {sources.SIGNATURE_ATTRIBUTES}",
)
def media_attributes(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return "undecided" without either attribute: the driver may not take part in protected media, or be for video."""
    attributes, name = decision.subject.attributes, decision.subject.name
    if attributes is None:
        message = f"the protected-media attributes of {name!r} are unknown: no catalog was given"
        yield undecided("media-no-catalog", message, "Give the package's catalog: --catalog FILE")
    elif _has(decision, PE_TRUSTED) and attributes[PE_TRUSTED] not in ("1", "true"):
        yield rejects("media-pe-value", f"PETrusted of {name!r} is {attributes[PE_TRUSTED]!r} instead of 1", _ASK)
    elif not (_has(decision, DRM_LEVEL) or _has(decision, PE_TRUSTED)):
        message = (
            f"{name!r} has neither DRMLevel nor PETrusted; if it is a display driver, its signature does not show "
            "whether it contains an OPM certificate"
        )
        yield undecided("media-not-marked", message, _ASK)


@rule(
    "media-audio-whql",
    "Audio drivers in the protected path have a signature of Microsoft's portal: PUMA requires WHQL.",
    source=f"{sources.MEDIA}; {sources.PORTAL} for attestation with DrmLevel",
)
def media_audio_whql(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Accept attestation as well: the dashboard's page says that attestation signing can process DrmLevel."""
    if not _has(decision, DRM_LEVEL) or decision.best is None or decision.best.outcome == "rejected":
        return
    signed = decision.best.candidate.signed
    if signed.classification in ("whql", "windows", "attested"):
        yield allows("media-audio-whql", f"{signed.label} is Microsoft's signature, as protected audio requires")
    elif context.test_mode:
        message = (
            f"{signed.label} is not a WHQL signature; Microsoft does not document the effect of test-signing mode on "
            "protected audio"
        )
        yield undecided("media-audio-test", message)
    else:
        message = f"{signed.label} is not a WHQL signature, which protected audio requires"
        yield rejects("media-audio-not-whql", message, _ASK)


@rule(
    "media-drm-level",
    "DRMLevel is 1200 or 1300; trusted audio drivers have 1300.",
    source=f"{sources.SIGNATURE_ATTRIBUTES}",
)
def media_drm_level(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject values that are not documented."""
    level = (decision.subject.attributes or {}).get(DRM_LEVEL)
    if level is not None and level not in _LEVELS:
        message = f"DRMLevel of {decision.subject.name!r} is {level!r} instead of 1200 or 1300"
        yield rejects("media-drm-level", message, _ASK)
    elif level == "1200":
        yield warns(
            "media-drm-level-1200", f"DRMLevel of {decision.subject.name!r} is 1200; trusted audio drivers have 1300"
        )


@rule(
    "media-page-hashes",
    "The signature of a file that protected processes load contains page hashes.",
    source=f"{sources.EVENTS}, VerificationError 10; {sources.SIGNATURE_ATTRIBUTES}",
)
def media_page_hashes(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Warn for DRMLevel as well: real catalogs contain page hashes there, although no page requires them."""
    if decision.best is None or decision.best.outcome == "rejected":
        return
    paged = any(evaluated.candidate.signature.page_hashes != "none" for evaluated in decision.signatures)
    hint = "Sign the file, or build the catalog, with --page-hashes."
    if _has(decision, PE_TRUSTED) and not paged:
        yield rejects("media-no-page-hashes", f"{decision.subject.name!r} is PETrusted but has no page hashes", hint)
    elif _has(decision, DRM_LEVEL) and not paged:
        yield warns("media-no-page-hashes", f"{decision.subject.name!r} has a DRMLevel but no page hashes", hint)


@rule(
    "media-catalog",
    "A file for protected processes has an embedded signature: an upgrade of Windows loses trust through a catalog.",
    source="Microsoft KB959916",
)
def media_catalog(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Note a file without an embedded signature, which would survive the upgrade."""
    accepted = {
        evaluated.candidate.signature.source for evaluated in decision.signatures if evaluated.outcome == "accepted"
    }
    if _has(decision, PE_TRUSTED) and accepted == {"catalog"}:
        message = f"only a catalog makes {decision.subject.name!r} trusted, and an upgrade of Windows loses that trust"
        yield notes("media-catalog-only", message, "Embed a signature as well: drvsign sign FILE")


def _has(decision: Decision, attribute: str) -> bool:
    return attribute in (decision.subject.attributes or {})


RULES: tuple[Rule[Decision], ...] = (
    media_attributes,
    media_audio_whql,
    media_drm_level,
    media_page_hashes,
    media_catalog,
)

POLICY = Policy(
    "protected-media",
    file_rules=kernel.POLICY.file_rules,
    signature_rules=kernel.POLICY.signature_rules,
    outcome_rules=(*kernel.POLICY.outcome_rules, *RULES),
)
