"""The kernel policy's rules about one signature: integrity, algorithms, chain and time."""

from __future__ import annotations

from collections.abc import Iterator

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_ANY, EKU_CODE_SIGNING, EKU_LIFETIME_SIGNING
from signer.policy import features, signature_remarks, sources
from signer.policy.classify import MICROSOFT_CLASSES
from signer.policy.evaluation import EvaluationContext
from signer.policy.rules import Rule, RuleResult, disputed, notes, rejects, rule, undecided, warns
from signer.policy.subjects import SignaturePath
from signer.policy.timestamps import objection
from signer.trust.checks import BROKEN
from signer.verify.evidence import Signature

_AGAIN = "Get an unmodified file from its publisher, or sign the file again after the last change."
_STAMP = "Add a timestamp while the certificate is valid: drvsign sign --timestamp URL FILE"
_UNANCHORED = ("root-untrusted", "issuer-unknown")
_MD5 = "digest-md5"
_INVALID_POLICY = "invalid-policy"
"""Code of a chain's problem."""
_MIN_RSA_BITS, _MAX_RSA_BITS = 1024, 4096


@rule(
    "nested",
    "Releases before Windows 8 check only the outer signature of an image, not nested signatures.",
    source=f"{sources.DUAL_SIGNING}; {sources.POLICY}",
    releases=features.OUTER_SIGNATURE_ONLY,
)
def nested(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject nested signatures before Windows 8. For this reason the outer signature of a dual-signed file is SHA-1."""
    if candidate.signature.source == "nested":
        message = f"{candidate.signed.label} is nested, and {context.title} checks only the outer signature"
        hint = "Make it the outer signature: sign for the oldest release first, then add others: drvsign sign --append"
        yield rejects("nested-not-seen", message, hint)


@rule(
    "digest",
    "The signature is intact: it contains the digest of this file, and its signature value verifies.",
    source=sources.AUTHENTICODE,
)
def digest(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject a signature with a problem, unless each one is undecidable: Windows may accept what drvsign can't read."""
    if candidate.signature.undecidable:
        for problem in candidate.signature.problems:
            message = f"the signature of {candidate.signed.label} can't be verified: {problem.message}"
            yield undecided(problem.code, message)
        return
    for problem in candidate.signature.problems:
        message = f"the signature of {candidate.signed.label} is invalid: {problem.message}"
        yield rejects(problem.code, message, _AGAIN)
    for note in candidate.signature.notes:
        yield notes(note.code, f"the signature of {candidate.signed.label}: {note.message}")


@rule(
    "page-hashes",
    "The page hashes in a signature match the file.",
    source=f"{sources.EVENTS}, VerificationError 11",
)
def page_hashes(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject different page hashes, which Windows compares when it reads a page."""
    if candidate.signature.page_hashes_intact is False:
        yield rejects("page-hash-mismatch", f"the page hashes of {candidate.signed.label} don't match the file", _AGAIN)


@rule(
    "digest-algorithm",
    "The digest is SHA-1 or SHA-2; MD5 is too weak.",
    source=f'{sources.POLICY}, "Signature algorithm"',
)
def digest_algorithm(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject unknown digests and MD5, and warn about SHA-1, which every release accepts for old drivers."""
    used = (candidate.signature.digest_algorithm, candidate.signature.signer_digest_algorithm)
    label = candidate.signed.label
    if None in used:
        message = f"the signature of {label} uses a digest algorithm that Code Integrity does not support"
        yield rejects("digest-unknown", message)
    if DigestAlgorithm.MD5 in used:
        message = f"the signature of {label} uses MD5, which is not collision-resistant"
        yield rejects("digest-md5", message, "Sign it with SHA-256.")
    if DigestAlgorithm.SHA1 in used and context.has(features.SHA1_DEPRECATED):
        yield _sha1_warning(candidate.signature, label)


def _sha1_warning(signature: Signature, label: str) -> RuleResult:
    """Return the warning about SHA-1 in the signature, or in the list of a catalog with a stronger signature."""
    if signature.source == "catalog" and signature.signer_digest_algorithm is not DigestAlgorithm.SHA1:
        message = f"the catalog {signature.catalog!r} lists this file only by its SHA-1 hash"
        hint = (
            "Build a catalog of version 2, which also lists SHA-256: drvsign package --catalog-version 2. "
            "(An --os before Windows 8 selects version 1.)"
        )
        return warns("digest-sha1", message, hint)
    return warns("digest-sha1", f"the signature of {label} uses SHA-1", "Sign it with SHA-256.")


@rule(
    "sha2",
    "Releases before Windows 8 support SHA-2 only with an update; Vista does not support it.",
    source=f"{sources.PUBLIC_RELEASE}; Microsoft Security Advisory 3033929",
    default="Windows 7 and Server 2008 R2 have KB3033929; Server 2008 SP2 lacks its update of 2019",
)
def sha2(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject SHA-2 anywhere in the chain. On such a machine signtool accepts it, but the driver does not load."""
    if context.supports_sha2:
        return
    modern = sorted(found.label for found in candidate.digests if found.modern)
    if modern:
        yield rejects(
            "sha2-not-understood",
            f"the signature of {candidate.signed.label} requires {' and '.join(modern)}, which "
            f"{context.title} does not support in kernel-mode signatures",
            "Sign it with SHA-1 as well: drvsign sign --digest sha1 FILE, "
            "then drvsign sign --append --digest sha256 FILE",
        )


@rule(
    "key-algorithm",
    "Every certificate of the chain has an RSA key.",
    source=f"{sources.EVENTS}, VerificationError 23; {sources.SIGNER_RULES}",
)
def key_algorithm(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject other keys: Code Integrity reports an elliptic curve signature as an invalid image hash."""
    for name, size in candidate.rsa_keys:
        if size is None:
            yield rejects(
                "key-not-rsa",
                f"the key of {name!r} is not an RSA key; Code Integrity verifies only RSA signatures",
                "Sign with an RSA key of 2048 to 4096 bits.",
            )
        elif size < _MIN_RSA_BITS:
            yield warns(
                "key-too-short",
                f"the RSA key of {name!r} has only {size} bits; Windows refuses that in user mode only (KB 2661254)",
                "Sign with an RSA key of 2048 to 4096 bits.",
            )
        elif size > _MAX_RSA_BITS:
            yield undecided(
                "key-too-long",
                f"the RSA key of {name!r} has {size} bits; App Control supports at most 4096, and Microsoft does not "
                "document a limit for the kernel",
                "Sign with an RSA key of 2048 to 4096 bits.",
            )


@rule(
    "code-signing",
    "The signer's certificate is valid for code signing.",
    source=f"{sources.WDD} install/software-publisher-certificate.md",
)
def code_signing(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Accept a certificate without EKUs as well, and Microsoft's driver EKUs, which imply code signing."""
    usages = candidate.signed.usages
    if usages is None or EKU_CODE_SIGNING in usages or EKU_ANY in usages:
        return
    if candidate.signed.classification in MICROSOFT_CLASSES:
        return
    message = f"the certificate of {candidate.signed.label} lacks the code-signing EKU"
    if context.test_mode:
        yield warns("wrong-usage", f"{message}; test-signing mode accepts it")
    else:
        yield rejects("wrong-usage", message, "Sign with a certificate that has the code-signing EKU.")


@rule(
    "chain",
    "Every certificate of the chain is allowed to issue the one below it.",
    source="RFC 5280, 6.1",
)
def chain(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject an invalid chain; in test-signing mode it is undecided, as Microsoft documents no checks for it."""
    for problem in candidate.path.problems if candidate.path is not None else ():
        message = f"the chain of {candidate.signed.label} is invalid: {problem.message}"
        if problem.code == "revoked":
            yield warns(
                "revoked",
                f"{problem.message}; Code Integrity does not read revocation lists of certificate authorities",
            )
        elif problem.code in (*_UNANCHORED, _MD5):
            continue
        elif problem.code not in BROKEN:
            yield notes(problem.code, problem.message)
        elif problem.code == _INVALID_POLICY:
            yield undecided(problem.code, f"{message}; Microsoft does not document whether Code Integrity checks it")
        elif context.test_mode:
            yield undecided(problem.code, f"{message}; Microsoft does not document whether test-signing mode checks it")
        else:
            yield rejects(problem.code, message, "Request a corrected certificate from the certificate authority.")


@rule(
    "chain-digest",
    "No certificate below the root is issued with MD5.",
    source=f"{sources.EVENTS}, VerificationError 6; {sources.WEAK_CRYPTO_EVENTS}",
)
def chain_digest(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return "undecided" for MD5: Code Integrity has a minimum for digests, which Microsoft does not publish."""
    for problem in candidate.path.problems if candidate.path is not None else ():
        if problem.code == _MD5:
            message = f"{problem.message}; Microsoft does not publish which digests Code Integrity accepts in a chain"
            yield undecided("chain-md5", message, "Sign with a certificate whose chain has SHA-2 digests.")


@rule(
    "expiry",
    "A signature stays valid if its timestamp is within the validity period of the signer's certificate; expired CA "
    "certificates do not matter.",
    source=sources.EXPIRED_IN_THE_FIELD,
    default="a driver whose signer expired without a timestamp loads, with a warning",
)
def expiry(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Check the signer's validity period as Code Integrity does; the root of the cross-certificates expired in 2025."""
    when, lifetime = candidate.signed.time, candidate.signed.lifetime
    if lifetime is None:
        return
    yield from timestamp_warnings(candidate)
    begin, end = lifetime
    if when is not None and begin <= when <= end:
        return
    at, label = context.machine.at, candidate.signed.label
    if at < begin:
        message = f"the certificate of {label} is not valid before {begin:%Y-%m-%d}"
        yield disputed(context.machine.expired_leaf, "not-yet-valid", message, _STAMP)
    elif at > end:
        message = f"the certificate of {label} expired on {end:%Y-%m-%d}, and the signature has no valid timestamp"
        yield disputed(context.machine.expired_leaf, "expired", message, _STAMP)


def timestamp_warnings(candidate: SignaturePath) -> Iterator[RuleResult]:
    """Warn about a timestamp that does not count."""
    stamp, lifetime = candidate.signature.timestamp, candidate.signed.lifetime
    if stamp is None or lifetime is None:
        return
    label = candidate.signed.label
    if candidate.signed.time is None:
        reason = objection(candidate.signature, candidate.signed.paths.timestamp)
        yield warns("timestamp-untrusted", f"the timestamp of {label} is not trusted: {reason}")
    elif not lifetime[0] <= stamp.time <= lifetime[1]:
        span = f"{lifetime[0]:%Y-%m-%d} to {lifetime[1]:%Y-%m-%d}"
        message = (
            f"{label} was timestamped on {stamp.time:%Y-%m-%d}, outside the certificate's validity period ({span})"
        )
        yield warns("timestamp-outside-lifetime", message)


@rule(
    "lifetime",
    "A signature by a certificate with the lifetime-signing EKU expires with the certificate, even with a timestamp.",
    source=f"{sources.EVENT_IDS}, event 3033",
)
def lifetime(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject after expiry: the only expiry that Code Integrity is documented to enforce."""
    leaf = candidate.signature.signer
    if (
        leaf is None
        or EKU_LIFETIME_SIGNING not in (candidate.signed.usages or ())
        or context.machine.at <= leaf.not_valid_after_utc
    ):
        return
    message = (
        f"the certificate of {candidate.signed.label} has the lifetime-signing EKU and expired on "
        f"{leaf.not_valid_after_utc:%Y-%m-%d}; a timestamp does not extend it"
    )
    if context.has(features.LIFETIME_SIGNING):
        yield rejects("lifetime-expired", message, "Sign the file again with a valid certificate.")
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
    chain_digest,
)
TIME: tuple[Rule[SignaturePath], ...] = (expiry, lifetime, signature_remarks.remarks)
