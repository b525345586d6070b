"""The kernel policy's rules about one signature itself: intact, understood, and as CI treats time."""

from __future__ import annotations

from collections.abc import Iterator

from signer.algorithms import DigestAlgorithm
from signer.certificates import CODE_SIGNING
from signer.policy import sources
from signer.policy.classify import LIFETIME, MICROSOFTS
from signer.policy.machine_state import EvaluationContext
from signer.policy.rules import Releases, Rule, RuleResult, notes, rejects, rule, settled, undecided, warns
from signer.policy.subjects import SignaturePath
from signer.trust.checks import ANY_USAGE, BROKEN
from signer.verify.evidence import Signature

_AGAIN = "Get the file from its publisher again, or sign it again after the last change."
_STAMP = "Timestamp while the certificate is valid: drvsign sign --timestamp URL."
_UNANCHORED = ("root-untrusted", "issuer-unknown")
_MAX_RSA_BITS = 4096
_LIFETIME_SINCE = 10240


@rule(
    "nested",
    "Releases before Windows 8 look at the outer signature of an image only; what is nested in it came later.",
    source=f"{sources.DUAL_SIGNING}; {sources.POLICY}",
    releases=Releases(before="win8"),
)
def nested(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Windows 8 was the first to understand several signatures, which is why SHA-1 has to be the outer one."""
    if candidate.signature.source == "nested":
        message = f"{candidate.signed.label} is nested in another signature, where {context.target.title} does not look"
        hint = "Make it the outer signature: sign for the oldest release first, then drvsign sign --append."
        yield rejects("nested-not-seen", message, hint)


@rule(
    "digest",
    "The signature is intact: what was signed is the digest of this file.",
    source=sources.AUTHENTICODE,
)
def digest(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """A changed byte is another digest; a broken structure proves nothing; what can't be read here is left open."""
    if candidate.signature.undecidable:
        for problem in candidate.signature.problems:
            yield undecided(problem.code, f"the signature of {candidate.signed.label} is left open: {problem.message}")
        return
    for problem in candidate.signature.problems:
        message = f"the signature of {candidate.signed.label} is broken: {problem.message}"
        yield rejects(problem.code, message, _AGAIN)
    for note in candidate.signature.notes:
        yield notes(note.code, f"the signature of {candidate.signed.label}: {note.message}")


@rule(
    "page-hashes",
    "Page hashes that a signature carries are those of the file.",
    source=f"{sources.EVENTS}, VerificationError 11",
)
def page_hashes(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Pages are checked against the table when they are read in."""
    if candidate.signature.page_hashes_intact is False:
        yield rejects(
            "page-hash-mismatch", f"the page hashes of {candidate.signed.label} are not those of the file", _AGAIN
        )


@rule(
    "digest-algorithm",
    "The digest is SHA-1 or SHA-2; MD5 is too weak.",
    source=f'{sources.POLICY}, "Signature algorithm"',
)
def digest_algorithm(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Weak and unknown digests. SHA-1 still loads everywhere, which old drivers live on."""
    used = {candidate.signature.digest_algorithm, candidate.signature.signer_digest_algorithm}
    label = candidate.signed.label
    if None in used:
        yield rejects("digest-unknown", f"the signature of {label} uses a digest that Code Integrity does not know")
    if DigestAlgorithm.MD5 in used:
        yield rejects(
            "digest-md5", f"the signature of {label} uses MD5, which is forged easily", "Sign it with SHA-256."
        )
    if DigestAlgorithm.SHA1 in used and context.target.build >= 10240:
        yield _sha1_is_old(candidate.signature, label)


def _sha1_is_old(signature: Signature, label: str) -> RuleResult:
    """The warning: what of it uses SHA-1, the signature or the list that is signed, and how to do better."""
    if signature.source == "catalog" and signature.signer_digest_algorithm is not DigestAlgorithm.SHA1:
        message = f"the catalog {signature.catalog!r} knows the file by SHA-1"
        hint = "Build it with --catalog-version 2, which adds SHA-256; --os with a release before Windows 8 selects 1."
        return warns("digest-sha1", message, hint)
    return warns("digest-sha1", f"the signature of {label} uses SHA-1", "Sign it with SHA-256.")


@rule(
    "sha2",
    "Releases before Windows 8 understand SHA-2 only with their update, and Vista not at all.",
    source=f"{sources.PUBLIC_RELEASE}; Microsoft Security Advisory 3033929",
    default="Windows 7 and Server 2008 R2 have KB3033929; Server 2008 SP2 lacks its servicing of 2019",
)
def sha2(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """A chain with SHA-2 in it passes signtool on such a machine, and the driver does not load."""
    if context.knows_sha2:
        return
    modern = sorted(found.label for found in candidate.digests if found.modern)
    if modern:
        yield rejects(
            "sha2-not-understood",
            f"the signature of {candidate.signed.label} needs {' and '.join(modern)}, which "
            f"{context.target.title} does not understand in kernel-mode signatures",
            "Sign it with SHA-1 as well: drvsign sign --digest sha1, then drvsign sign --append --digest sha256.",
        )


@rule(
    "key-algorithm",
    "Every key of the path is RSA.",
    source=f"{sources.EVENTS}, VerificationError 23; {sources.SIGNER_RULES}",
)
def key_algorithm(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Code Integrity reports an elliptic curve signature as an invalid image hash."""
    for name, size in candidate.rsa_keys:
        if size is None:
            yield rejects(
                "key-not-rsa",
                f"the key of {name!r} is not RSA, and Code Integrity verifies RSA signatures only",
                "Sign with an RSA key of 2048 to 4096 bits.",
            )
        elif size > _MAX_RSA_BITS:
            yield undecided(
                "key-too-long",
                f"the RSA key of {name!r} has {size} bits; App Control stops at 4096, and nothing says that the kernel "
                "takes more",
                "Sign with an RSA key of 2048 to 4096 bits.",
            )


@rule(
    "code-signing",
    "The signer's certificate is for code signing.",
    source=f"{sources.WDD} install/software-publisher-certificate.md",
)
def code_signing(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """A certificate without the extension is for any use, and Microsoft's own usages for drivers imply this one."""
    usages = candidate.signed.usages
    if usages is None or CODE_SIGNING in usages or ANY_USAGE in usages:
        return
    if candidate.signed.classification in MICROSOFTS:
        return
    message = f"the certificate of {candidate.signed.label} is not for code signing"
    if context.test_mode:
        yield warns("wrong-usage", f"{message}; test-signing mode takes it all the same")
    else:
        yield rejects("wrong-usage", message, "Sign with a certificate that has the code-signing usage.")


@rule(
    "chain",
    "Every certificate of the path had the right to issue the one below it.",
    source="RFC 5280, 6.1",
)
def chain(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Broken rules of issuing reject, except in test-signing mode, where nothing says how much of them is checked."""
    for problem in candidate.path.problems if candidate.path is not None else ():
        message = f"the path of {candidate.signed.label} breaks a rule: {problem.message}"
        if problem.code == "revoked":
            yield warns(
                "revoked", f"{problem.message}; Code Integrity reads no revocation lists of certificate authorities"
            )
        elif problem.code in _UNANCHORED:
            continue
        elif problem.code not in BROKEN:
            yield notes(problem.code, problem.message)
        elif context.test_mode:
            yield undecided(problem.code, f"{message}; how much of this test-signing mode checks is not published")
        else:
            yield rejects(problem.code, message, "Have the certificate issued again by its authority.")


@rule(
    "expiry",
    "A timestamp from the signer's lifetime keeps a signature good for ever; CA certificates may expire.",
    source=sources.EXPIRED_IN_THE_FIELD,
    default="an expired signer without a timestamp loads, with a warning",
)
def expiry(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Time as Code Integrity treats it: the root of all cross-certificates itself expired in 2025."""
    when, lifetime = candidate.signed.time, candidate.signed.lifetime
    if lifetime is None:
        return
    yield from _about_timestamp(candidate)
    begin, end = lifetime
    if when is not None and begin <= when <= end:
        return
    at, label = context.machine.at, candidate.signed.label
    if at < begin:
        message = f"the certificate of {label} is valid from {begin:%Y-%m-%d} only"
        yield settled(context.machine.expired_leaf, "not-yet-valid", message, _STAMP)
    elif at > end:
        message = f"the certificate of {label} expired on {end:%Y-%m-%d}, and no timestamp says that it signed before"
        yield settled(context.machine.expired_leaf, "expired", message, _STAMP)


def _about_timestamp(candidate: SignaturePath) -> Iterator[RuleResult]:
    """Why a timestamp does not count."""
    stamp, lifetime = candidate.signature.timestamp, candidate.signed.lifetime
    if stamp is None or lifetime is None:
        return
    label = candidate.signed.label
    if candidate.signed.time is None:
        reason = stamp.problems[0].message if stamp.problems else "its authority reaches no known root"
        yield warns("timestamp-untrusted", f"the timestamp of {label} does not count: {reason}")
    elif not lifetime[0] <= stamp.time <= lifetime[1]:
        span = f"{lifetime[0]:%Y-%m-%d} to {lifetime[1]:%Y-%m-%d}"
        message = f"{label} signed on {stamp.time:%Y-%m-%d}, outside the certificate's lifetime ({span})"
        yield warns("timestamp-outside-lifetime", message)


@rule(
    "lifetime",
    "A certificate for lifetime signing ends its signatures when it expires, timestamp or not.",
    source=f"{sources.EVENT_IDS}, event 3033",
)
def lifetime(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """The only expiry that Code Integrity is documented to enforce."""
    leaf = candidate.signature.signer
    if (
        leaf is None
        or LIFETIME not in (candidate.signed.usages or ())
        or context.machine.at <= leaf.not_valid_after_utc
    ):
        return
    message = (
        f"the certificate of {candidate.signed.label} is for lifetime signing and expired on "
        f"{leaf.not_valid_after_utc:%Y-%m-%d}, which no timestamp extends"
    )
    if context.target.build >= _LIFETIME_SINCE:
        yield rejects("lifetime-expired", message, "Sign again with a certificate that is valid.")
    else:
        yield warns("lifetime-expired", message)


INTEGRITY: tuple[Rule[SignaturePath], ...] = (
    nested,
    digest,
    page_hashes,
    digest_algorithm,
    sha2,
    key_algorithm,
    code_signing,
    chain,
)
TIME: tuple[Rule[SignaturePath], ...] = (expiry, lifetime)
