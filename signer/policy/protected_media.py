"""What protected media asks of drivers: PUMA and PAP for audio, PVP-OPM for video, protected processes for the rest.

It is the kernel policy, enforced on x86 as well, and more by what the catalog says of the file: DRMLevel for audio
drivers, PETrusted for code that protected processes load. Much of it was never published; then the answer is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy import kernel, sources
from signer.policy.decide import Decided, Policy
from signer.policy.machine_state import EvaluationContext
from signer.policy.rules import Rule, RuleResult, allows, notes, rejects, rule, undecided, warns

DRM_LEVEL = "DRMLevel"
PE_TRUSTED = "PETrusted"
_LEVELS = ("1200", "1300")
_ASK = "Ask for it in the INF's [SignatureAttributes], and submit the package to Microsoft's Hardware Dev Center."


@rule(
    "media-attributes",
    "The catalog says what the driver is for: DRMLevel for audio, PETrusted for protected processes. A display driver "
    "carries an OPM certificate as data, which no signature shows.",
    source=f"{sources.MEDIA}; {sources.SIGNATURE_ATTRIBUTES}",
)
def media_attributes(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """Without either attribute nothing can be said: the driver may have no part in protected media, or be for video."""
    attributes, name = decided.subject.attributes, decided.subject.name
    if attributes is None:
        message = f"what a catalog says about {name!r} is not known, so its part in protected media is not either"
        yield undecided("media-no-catalog", message, "Give the package's catalog with --catalog.")
    elif _has(decided, PE_TRUSTED) and attributes[PE_TRUSTED] not in ("1", "true"):
        yield rejects("media-pe-value", f"PETrusted of {name!r} is {attributes[PE_TRUSTED]!r}, and has to be 1", _ASK)
    elif not (_has(decided, DRM_LEVEL) or _has(decided, PE_TRUSTED)):
        message = (
            f"{name!r} has neither DRMLevel nor PETrusted; whether a display driver among it carries its OPM "
            "certificate is not in any signature"
        )
        yield undecided("media-not-marked", message, _ASK)


@rule(
    "media-audio-whql",
    "Audio drivers in the protected path are signed by Microsoft's portal: PUMA is WHQL only.",
    source=f"{sources.MEDIA}; {sources.PORTAL} for attestation with DrmLevel",
)
def media_audio_whql(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """Attestation can process DrmLevel, says the dashboard's page."""
    if not _has(decided, DRM_LEVEL) or decided.best is None or decided.best.outcome == "rejected":
        return
    signed = decided.best.candidate.signed
    if signed.classification in ("whql", "windows", "attested"):
        yield allows("media-audio-whql", f"{signed.label} is Microsoft's signature, as protected audio requires")
    elif context.test_mode:
        message = f"{signed.label} is no WHQL signature; what a machine in test-signing mode plays is not published"
        yield undecided("media-audio-test", message)
    else:
        yield rejects("media-audio-not-whql", f"{signed.label} is no WHQL signature, which protected audio wants", _ASK)


@rule(
    "media-drm-level",
    "DRMLevel is 1200 or 1300; 1300 is what trusted audio drivers have.",
    source=f"{sources.SIGNATURE_ATTRIBUTES}",
)
def media_drm_level(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """Other values mean nothing."""
    level = (decided.subject.attributes or {}).get(DRM_LEVEL)
    if level is not None and level not in _LEVELS:
        yield rejects(
            "media-drm-level", f"DRMLevel of {decided.subject.name!r} is {level!r}, and 1200 or 1300 exist", _ASK
        )
    elif level == "1200":
        yield warns(
            "media-drm-level-1200", f"DRMLevel of {decided.subject.name!r} is 1200; trusted audio drivers have 1300"
        )


@rule(
    "media-page-hashes",
    "What protected processes load carries page hashes.",
    source=f"{sources.EVENTS}, VerificationError 10; {sources.SIGNATURE_ATTRIBUTES}",
)
def media_page_hashes(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """Real catalogs carry them for DRMLevel as well, though no page asks for them there."""
    if decided.best is None or decided.best.outcome == "rejected" or not decided.subject.attributes:
        return
    carried = any(judged.candidate.signature.page_hashes != "none" for judged in decided.signatures)
    hint = "Sign or catalogue with page hashes: --page-hashes."
    if _has(decided, PE_TRUSTED) and not carried:
        yield rejects("media-no-page-hashes", f"{decided.subject.name!r} is PETrusted and has no page hashes", hint)
    elif _has(decided, DRM_LEVEL) and not carried:
        yield warns("media-no-page-hashes", f"{decided.subject.name!r} has a DRMLevel and no page hashes", hint)


@rule(
    "media-catalog",
    "Protected-process trust that only a catalog gives is lost when Windows is upgraded.",
    source="Microsoft KB959916",
)
def media_catalog(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """An embedded signature survives the upgrade."""
    sources_of = {judged.candidate.signature.source for judged in decided.signatures if judged.outcome == "accepted"}
    if _has(decided, PE_TRUSTED) and sources_of == {"catalog"}:
        message = f"{decided.subject.name!r} is trusted through its catalog only, which an upgrade of Windows loses"
        yield notes("media-catalog-only", message, "Embed a signature as well: drvsign sign.")


def _has(decided: Decided, attribute: str) -> bool:
    return attribute in (decided.subject.attributes or {})


RULES: tuple[Rule[Decided], ...] = (
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
