"""The kernel policy's rules about the signer: accepted roots and signature classes per release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from signer.asn1.oids import EKU_ELAM, EKU_STORE
from signer.policy import features, remedies, sources
from signer.policy.classify import MICROSOFT_CLASSES
from signer.policy.evaluation import EvaluationContext
from signer.policy.rules import Rule, RuleResult, allows, disputed, notes, rejects, rule, undecided, warns
from signer.policy.subjects import NAMESAKE_HINT, SignaturePath, missing_issuer_hint
from signer.policy.tables import table
from signer.policy.targets import Releases

LEAF_CUTOFF = datetime(2015, 7, 29, tzinfo=UTC)
"""Releases since Windows 10 1607 accept cross-signed drivers whose certificate was issued before this date."""

_PORTAL = "Submit the driver package to Microsoft's Hardware Dev Center, which signs it."
_ALLOW_LIST = (
    "Give a machine's list with --allow-list: {8F9CB695-5D48-48D6-A329-7202B44607E3}.cip in "
    "System32\\CodeIntegrity\\CiPolicies\\Active. Or submit the driver to Microsoft's Hardware Dev Center."
)
_HLK = "Submit the driver with HLK test results to Microsoft's Hardware Dev Center."


@rule(
    "test-signing",
    "A test-signed driver loads only in test-signing mode, which requires Secure Boot to be off.",
    source=f"{sources.TEST_MODE}; {sources.PREPRODUCTION}",
    default="test-signing mode is off",
)
def test_signing(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Decide about a signature that only a test machine trusts."""
    signed, machine = candidate.signed, context.machine
    if not signed.test_signed:
        return
    kind = "self-signed, which counts as test-signed" if signed.classification == "self-signed" else "test-signed"
    what = f"the driver is {kind}: {candidate.chain_end}"
    if machine.roots == "release":
        yield rejects("test-signed", f"{what}; Windows does not trust it by default", remedies.TEST_SIGNED)
    elif context.test_mode:
        yield allows("test-mode", f"{what}; {context.title} loads it in test-signing mode")
    elif _provisioned(candidate, context):
        yield allows("preproduction", f"{what}; the machine is provisioned for preproduction drivers")
    elif machine.testsigning:
        yield rejects(
            "test-signing-secure-boot",
            f"{what}; {context.title} is not in test-signing mode, because Secure Boot prevents it",
            remedies.TEST_SIGNING_SECURE_BOOT,
        )
    else:
        yield rejects(
            "test-signing-off",
            f"{what}; test-signing mode is off on {context.title}",
            remedies.TEST_SIGNING_OFF,
        )


def _provisioned(candidate: SignaturePath, context: EvaluationContext) -> bool:
    """Return whether EnableUefiSbTest permits this preproduction signature with Secure Boot on."""
    return (
        candidate.signed.classification == "preproduction"
        and context.machine.uefi_sb_test
        and context.has(features.UEFI_SB_TEST)
    )


@rule(
    "root",
    "The chain ends at a root that the release accepts for kernel-mode code: Microsoft's roots of 1997, 2001 and "
    "2010, and for cross-signed drivers the Code Verification Root.",
    source=f'{sources.POLICY}, "Signing requirements by version"',
)
def root(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Look the root up in `kernel_root_sets.tsv`. Test-signing mode accepts any certificate."""
    if candidate.signed.test_signed:
        return
    anchor = candidate.anchor
    row = table("kernel_root_sets.tsv", "root_id").get(str(anchor.root_id)) if anchor is not None else None
    answer = "no" if row is None else row["whql_enforced" if context.whql_enforced else "standard"]
    chain = candidate.chain_end
    if answer in ("yes", "exceptions"):
        yield allows("root", f"{chain}, a root for kernel-mode code")
    elif context.test_mode:
        yield from _any_certificate(candidate, context)
    elif answer == "unknown":
        message = f"{chain}; Microsoft does not document whether it is a standard root of {context.title}"
        yield undecided("root-not-settled", message)
    elif context.machine.roots == "test-signing":
        yield _no_test_root(candidate)
    else:
        yield rejects("root", f"{chain}; {context.title} does not accept this chain for kernel-mode code", _PORTAL)


def _no_test_root(candidate: SignaturePath) -> RuleResult:
    """Return the rejection of a signature whose chain does not end at a test root."""
    released = candidate.release_root
    if released is None and candidate.under_namesake:
        return rejects("root", candidate.chain_end, NAMESAKE_HINT)
    if released is None:
        hint = f"{missing_issuer_hint(candidate, '--root FILE')}; and check with --testsigning."
        return rejects("root", f"{candidate.chain_end}; the chain does not end at a given test root", hint)
    message = f"{candidate.signed.label} is a release signature: its chain ends at {released!r}, not at a test root"
    return rejects("root", message, "Check a released driver with --roots release.")


def _any_certificate(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Accept any root in test-signing mode, except with memory integrity, which requires a test certificate."""
    message = f"test-signing mode accepts {candidate.signed.label} with any root"
    if candidate.signed.classification in MICROSOFT_CLASSES:
        message = f"{candidate.signed.label} is Microsoft's signature, which test-signing mode accepts as well"
        yield allows("any-certificate", message)
    elif context.hvci:
        yield undecided(
            "any-certificate-hvci",
            f"{candidate.signed.label} is not a known test certificate, which test-signing mode requires with memory "
            "integrity",
            "If it is a test certificate, give its root with --root FILE.",
        )
    elif candidate.under_namesake:
        yield allows("any-certificate", f"{message}; {candidate.chain_end}", NAMESAKE_HINT)
    else:
        hint = "Give its root with --root FILE; installing the package requires that root."
        yield allows("any-certificate", message, hint)


@rule(
    "cross-signed",
    "Since Windows 10 1607 a cross-signed driver loads only if its certificate was issued before 2015-07-29, the "
    "machine was upgraded from an older release, Secure Boot is off, or it is a boot-start driver.",
    source=f'{sources.POLICY}, "Exceptions"',
    releases=features.WHQL_ENFORCED,
    default="a clean installation with Secure Boot on",
)
def cross_signed(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Compare the issue date of the signer's certificate; the signing time does not matter."""
    leaf = candidate.signature.signer
    if leaf is None or not _is_cross_signed(candidate):
        return
    issued = leaf.not_valid_before_utc
    what = f"{candidate.signed.label} is cross-signed with a certificate issued on {issued:%Y-%m-%d}"
    if not context.whql_enforced:
        reason = (
            "the machine was upgraded from a release before 1607" if context.machine.upgraded else "Secure Boot is off"
        )
        code = "cross-signed-upgraded" if context.machine.upgraded else "cross-signed-exempt"
        yield allows(code, f"{what}; it loads because {reason}")
    elif issued < LEAF_CUTOFF:
        yield allows("cross-signed-before-cutoff", f"{what}, before 2015-07-29")
    elif context.machine.boot_start:
        message = f"{what}; it loads as a boot-start driver, an exception that Microsoft has announced to remove"
        yield allows("cross-signed-boot-start", message, _PORTAL)
    else:
        message = f"{what}; {context.title} requires Microsoft's signature on new drivers"
        yield rejects("cross-signed-after-cutoff", message, _PORTAL)


def _is_cross_signed(candidate: SignaturePath) -> bool:
    return candidate.anchor is not None and candidate.anchor.kind == "code-verification"


@rule(
    "cross-signed-1809",
    "Since Windows 10 1809 a cross-signed driver does not load even if its certificate was issued before 2015-07-29.",
    source=f"{sources.PORTAL}; {sources.POLICY} has no such cut-off",
    releases=Releases(since="win10-1809", editions=("client",)),
    default="off, as on the policy's own page",
)
def cross_signed_1809(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Apply the cut-off if the machine state enables it; otherwise note that Microsoft's pages disagree."""
    leaf = candidate.signature.signer
    if leaf is None or not _is_cross_signed(candidate) or leaf.not_valid_before_utc >= LEAF_CUTOFF:
        return
    if not context.whql_enforced or context.machine.boot_start:
        return  # an exemption for certificates of any date includes old ones
    what = f"{candidate.signed.label} is cross-signed"
    if context.machine.cross_signed_1809_cutoff:
        yield rejects("cross-signed-1809", f"{what}, which Windows 10 1809 and later refuse", _PORTAL)
    else:
        message = (
            f"{what}; the dashboard's table says that Windows 10 1809 and later refuse it, the policy's page says that "
            "they load it"
        )
        yield notes("cross-signed-1809-disputed", message)


@rule(
    "cross-certificate-expired",
    "A driver that was signed after its cross-certificate expired does not load.",
    source=sources.EXPIRED_CROSS,
    default="it loads, with a warning, as observed for drivers with expired cross-certificates",
)
def cross_certificate_expired(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Compare the timestamp with the cross-certificate's expiry; without a timestamp the rule does not apply."""
    cross, when = candidate.cross_certificate, candidate.signed.time
    if cross is None or when is None or when <= cross.not_valid_after_utc:
        return
    message = (
        f"{candidate.signed.label} was timestamped on {when:%Y-%m-%d}, after the cross-certificate for "
        f"{candidate.cross_name} expired on {cross.not_valid_after_utc:%Y-%m-%d}"
    )
    yield disputed(context.machine.expired_cross, "cross-certificate-expired", message, _PORTAL)


@rule(
    "attested",
    "Attestation-signed drivers load on Windows 10 and later.",
    source=sources.PORTAL,
)
def attested(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject attestation signatures before Windows 10. Test-signing mode accepts any certificate."""
    if candidate.signed.classification != "attested" or context.test_mode:
        return
    what = f"{candidate.signed.label} is an attestation signature"
    if not context.has(features.ATTESTATION):
        yield rejects("attested-too-old", f"{what}, which {context.title} does not accept", _HLK)
    else:
        yield allows("attested", f"{what}, which Windows 10 and later accept")


@rule(
    "server-hlk",
    "Windows Server 2016 and later support drivers only if they passed the HLK tests.",
    source=sources.ATTESTED_ON_SERVERS,
    releases=Releases(since="server2016", editions=("server",)),
    default="attested drivers load, with a warning: the documented refusal was never enforced",
)
def server_hlk(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Warn about attestation signatures on servers, or apply the refusal that the dashboard's page documents."""
    if candidate.signed.classification == "attested" and not context.test_mode:
        message = f"{candidate.signed.label} is an attestation signature, which Microsoft does not support on servers"
        yield disputed(context.machine.attested_on_server, "attested-on-server", message, _HLK)


@rule(
    "arm64-microsoft",
    "On ARM64 only Microsoft's signatures count, not those of other publishers.",
    source=sources.PNP,
    releases=Releases(architectures=("arm64",)),
)
def arm64_microsoft(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject other signers: cross-signing never existed for ARM64."""
    if candidate.signed.test_signed or context.test_mode:
        return
    if candidate.anchor is not None and candidate.anchor.kind not in ("microsoft", "microsoft-test"):
        message = f"{candidate.signed.label} is not Microsoft's signature, which {context.title} requires"
        yield rejects("arm64-not-microsoft", message, _PORTAL)


@rule(
    "s-mode",
    "S mode requires a Windows, WHQL, ELAM or Store signature.",
    source=sources.S_MODE,
    releases=Releases(s_mode=True),
)
def s_mode(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Require one of the listed signatures. The page does not mention attestation or test machines."""
    signed, title = candidate.signed, context.title
    usages = signed.usages or frozenset()
    if signed.classification in ("windows", "whql"):
        return
    microsoft = candidate.anchor is not None and candidate.anchor.kind == "microsoft"
    if microsoft and (EKU_ELAM in usages or EKU_STORE in usages):
        return
    if signed.classification == "attested":
        yield undecided(
            "s-mode-attested",
            f"{signed.label} is an attestation signature; Microsoft does not document whether {title} accepts it",
            _HLK,
        )
    elif context.test_mode:
        yield undecided("s-mode-test", f"Microsoft does not document whether {title} has a test-signing mode")
    else:
        message = f"{signed.label} is not a Windows, WHQL, ELAM or Store signature, which {title} requires"
        yield rejects("s-mode", message, remedies.S_MODE)


@rule(
    "elam",
    "An early-launch driver is signed with Microsoft's certificate for early-launch antimalware.",
    source=sources.ELAM,
    releases=features.EARLY_LAUNCH,
    default="the driver is not an early-launch driver",
)
def elam(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Require the EKU of early-launch antimalware, also of the certificate of a test-signed driver."""
    if context.machine.early_launch and EKU_ELAM not in (candidate.signed.usages or ()):
        message = f"the certificate of {candidate.signed.label} lacks the early-launch EKU ({EKU_ELAM})"
        hint = "Set Elam = true in the INF's [SignatureAttributes], and submit the driver with HLK test results."
        if candidate.signed.test_signed:
            hint = f"Test-sign it with a certificate that has the EKU {EKU_ELAM}."
        yield rejects("elam-certificate", message, hint)


@rule(
    "driver-policy",
    "The Windows Driver Policy of 2026 blocks cross-signed drivers that are not on its allow list.",
    source=sources.DRIVER_POLICY,
    releases=features.DRIVER_POLICY,
    default="enforced since the April 2026 update; unknown if no allow list is given",
)
def driver_policy(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Apply the policy's phase: evaluation loads violators and logs event 3076, enforcement blocks them (3077)."""
    if not _is_cross_signed(candidate):
        yield from _attested_and_driver_policy(candidate, context)
        return
    what = f"{candidate.signed.label} is cross-signed, which the Windows Driver Policy no longer trusts"
    allow_list = context.machine.allow_list
    allowed = allow_list.allows(candidate.signed) if allow_list is not None else None
    if context.driver_policy == "off":
        yield notes("driver-policy-off", f"{what} once {context.title} enforces the policy", _PORTAL)
    elif allowed:
        yield allows("driver-policy-allowed", f"{candidate.signed.label} is cross-signed and on the allow list")
    elif context.driver_policy == "evaluation":
        message = f"{what}; the evaluation phase loads the driver and logs event 3076"
        yield warns("driver-policy-evaluation", message, remedies.WINDOWS_DRIVER_POLICY)
    elif allowed is False:
        yield rejects(
            "driver-policy-blocked",
            f"{what}; the driver is not on the given allow list",
            remedies.WINDOWS_DRIVER_POLICY,
        )
    else:
        reason = (
            "which is not public"
            if allow_list is None
            else "whose rules use properties that can't be determined from this file"
        )
        yield undecided(
            "driver-policy-unknown",
            f"{what} unless it is on Microsoft's allow list, {reason}",
            _ALLOW_LIST if allow_list is None else _PORTAL,
        )


def _attested_and_driver_policy(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Note that the announcement covers drivers signed through WHCP and does not mention attestation."""
    if candidate.signed.classification == "attested" and context.driver_policy != "off":
        message = "the announcement of the Windows Driver Policy does not mention attestation signatures"
        yield notes("driver-policy-attested", message)


RULES: tuple[Rule[SignaturePath], ...] = (
    test_signing,
    root,
    cross_signed,
    cross_signed_1809,
    cross_certificate_expired,
    attested,
    server_hlk,
    arm64_microsoft,
    s_mode,
    elam,
    driver_policy,
)
