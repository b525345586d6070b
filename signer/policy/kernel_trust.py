"""The kernel policy's rules about who signed: which roots, which classes, on which release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from signer.policy import sources
from signer.policy.classify import ELAM, MICROSOFTS, STORE
from signer.policy.machine_state import EvaluationContext
from signer.policy.rules import Releases, Rule, RuleResult, allows, notes, rejects, rule, settled, undecided, warns
from signer.policy.subjects import SignaturePath
from signer.policy.tables import table

LEAF_CUTOFF = datetime(2015, 7, 29, tzinfo=UTC)
"""Cross-signed drivers are still taken where the signer's certificate was issued before this day."""

_TO_TEST = "Judge it for a machine in test mode: --roots test-signing --testsigning, and --root for your own root."
_PORTAL = "Have the driver signed by Microsoft: submit the package to the Hardware Dev Center."
_ALLOW_LIST = (
    "Give a machine's list with --allow-list: {8F9CB695-5D48-48D6-A329-7202B44607E3}.cip in "
    "System32\\CodeIntegrity\\CiPolicies\\Active. Or have the driver signed by Microsoft."
)
_HLK = "Submit the driver with its HLK results, so that it is signed for this release as well."
_UEFI_SB_TEST_SINCE = 22621


@rule(
    "test-signing",
    "A test-signed driver is loaded in test-signing mode only, which Secure Boot rules out.",
    source=f"{sources.TEST_MODE}; {sources.PREPRODUCTION}",
    default="test-signing mode is off",
)
def test_signing(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Who may load what only a test machine trusts."""
    signed, machine = candidate.signed, context.machine
    if not signed.test_signed:
        return
    kind = "self-signed, so test-signed" if signed.classification == "self-signed" else "test-signed"
    what = f"the driver is {kind}: {signed.label} reaches {candidate.root_name}"
    if machine.roots == "release":
        yield rejects("test-signed", f"{what}, and no release of Windows trusts that", _TO_TEST)
    elif context.test_mode:
        yield allows("test-mode", f"{what}; {context.target.title} loads it in test-signing mode")
    elif _provisioned(candidate, context):
        yield allows("preproduction", f"{what}; the machine was provisioned for preproduction drivers")
    elif machine.testsigning:
        yield rejects(
            "test-signing-secure-boot",
            f"{what}, and Secure Boot keeps {context.target.title} out of test-signing mode",
            "Turn Secure Boot off in the firmware of the test machine; then judge with --no-secure-boot.",
        )
    else:
        yield rejects(
            "test-signing-off",
            f"{what}, and test-signing mode is off on {context.target.title}",
            "On the test machine: bcdedit -set TESTSIGNING ON, and restart; then judge with --testsigning.",
        )


def _provisioned(candidate: SignaturePath, context: EvaluationContext) -> bool:
    """Whether EnableUefiSbTest lets this preproduction signature in, with Secure Boot on."""
    return (
        candidate.signed.classification == "preproduction"
        and context.machine.uefi_sb_test
        and context.target.build >= _UEFI_SB_TEST_SINCE
    )


@rule(
    "root",
    "The path ends in a root that the release's kernel takes: Microsoft's of 1997, 2001 and 2010, and for "
    "cross-signed drivers the Code Verification Root.",
    source=f'{sources.POLICY}, "Signing requirements by version"',
)
def root(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Which roots count, from `kernel_root_sets.tsv`; test-signing mode takes any certificate."""
    if candidate.signed.test_signed:
        return
    anchor, target = candidate.anchor, context.target
    row = table("kernel_root_sets.tsv", "root_id").get(str(anchor.root_id)) if anchor is not None else None
    answer = "no" if row is None else row["whql_enforced" if context.whql_enforced else "standard"]
    reaches = f"{candidate.signed.label} reaches {candidate.root_name}"
    if answer in ("yes", "exceptions"):
        yield allows("root", f"{reaches}, a root for kernel-mode code")
    elif context.test_mode:
        yield from _any_certificate(candidate, context)
    elif answer == "unknown":
        message = f"{reaches}, and whether {target.title} counts that among its standard roots is not published"
        yield undecided("root-not-settled", message)
    elif context.machine.roots == "test-signing":
        yield _no_test_root(candidate, reaches)
    else:
        yield rejects("root", f"{reaches}, which {target.title} does not take for kernel-mode code", _PORTAL)


def _no_test_root(candidate: SignaturePath, reaches: str) -> RuleResult:
    """What is wrong with a signature that reaches no test root: it is a release signature, or the root is not named."""
    released = candidate.released_under
    if released is None:
        hint = "Name the root with --root and judge with --testsigning."
        return rejects("root", f"{reaches}, which is no root for tests that was named", hint)
    message = f"{candidate.signed.label} is a release signature: it reaches {released!r}, which is no root for tests"
    return rejects("root", message, "Judge a released driver with --roots release.")


def _any_certificate(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Test-signing mode asks for no root; memory integrity asks for a test certificate all the same."""
    message = f"{candidate.signed.label} is taken in test-signing mode, which asks for no root"
    if candidate.signed.classification in MICROSOFTS:
        message = f"{candidate.signed.label} is Microsoft's signature, which test-signing mode takes as well"
        yield allows("any-certificate", message)
    elif context.hvci:
        yield undecided(
            "any-certificate-hvci",
            f"{candidate.signed.label} is not known as a test certificate, and with memory integrity test-signing mode "
            "wants one",
            "Name its root with --root if it is one.",
        )
    else:
        yield allows("any-certificate", message, "Name its root with --root; installing the package will ask for it.")


@rule(
    "cross-signed",
    "From Windows 10 1607 on a cross-signed driver loads only if its certificate was issued before 2015-07-29, the "
    "machine was upgraded from an older release, Secure Boot is off, or it starts at boot.",
    source=f'{sources.POLICY}, "Exceptions"',
    releases=Releases(since="win10-1607"),
    default="a clean installation with Secure Boot on",
)
def cross_signed(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """The end-entity certificate's own date counts, not the signing time."""
    leaf = candidate.signature.signer
    if leaf is None or not _is_cross_signed(candidate):
        return
    issued = leaf.not_valid_before_utc
    what = f"{candidate.signed.label} is cross-signed with a certificate issued on {issued:%Y-%m-%d}"
    if not context.whql_enforced:
        why = (
            "the machine was upgraded from a release before 1607" if context.machine.upgraded else "Secure Boot is off"
        )
        code = "cross-signed-upgraded" if context.machine.upgraded else "cross-signed-exempt"
        yield allows(code, f"{what}, which loads because {why}")
    elif issued < LEAF_CUTOFF:
        yield allows("cross-signed-before-cutoff", f"{what}, before 2015-07-29")
    elif context.machine.boot_start:
        message = f"{what}, and loads because boot drivers are not blocked; Microsoft has announced that they will be"
        yield allows("cross-signed-boot-start", message, _PORTAL)
    else:
        message = f"{what}, and {context.target.title} wants new drivers signed by Microsoft"
        yield rejects("cross-signed-after-cutoff", message, _PORTAL)


def _is_cross_signed(candidate: SignaturePath) -> bool:
    return candidate.anchor is not None and candidate.anchor.kind == "code-verification"


@rule(
    "cross-signed-1809",
    "From Windows 10 1809 on, cross-signed drivers of certificates issued before 2015-07-29 do not load either.",
    source=f"{sources.PORTAL}, against {sources.POLICY}, which has no such cut-off",
    releases=Releases(since="win10-1809", servers=False),
    default="off: the policy's own page counts",
)
def cross_signed_1809(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Microsoft's pages disagree, so the rule is a switch and the verdict says so."""
    leaf = candidate.signature.signer
    if leaf is None or not _is_cross_signed(candidate) or leaf.not_valid_before_utc >= LEAF_CUTOFF:
        return
    if not context.whql_enforced or context.machine.boot_start:
        return  # what lets a certificate of any age in lets an old one in
    what = f"{candidate.signed.label} is cross-signed"
    if context.machine.cross_signed_1809_cutoff:
        yield rejects("cross-signed-1809", f"{what}, which Windows 10 1809 and later refuse", _PORTAL)
    else:
        message = f"{what}, which by the dashboard's table Windows 10 refuses as of 1809, and by the policy's page not"
        yield notes("cross-signed-1809-disputed", message)


@rule(
    "cross-certificate-expired",
    "A signature that was made after its cross-certificate expired does not load.",
    source=sources.EXPIRED_CROSS,
    default="it loads, with a warning, as drivers under expired authorities did in the field",
)
def cross_certificate_expired(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Only a timestamp tells when it was made; without one nothing is said."""
    cross, when = candidate.cross_certificate, candidate.signed.time
    if cross is None or when is None or when <= cross.not_valid_after_utc:
        return
    message = (
        f"{candidate.signed.label} signed on {when:%Y-%m-%d}, after the cross-certificate for {candidate.cross_name} "
        f"expired on {cross.not_valid_after_utc:%Y-%m-%d}"
    )
    yield settled(context.machine.expired_cross, "cross-certificate-expired", message, _PORTAL)


@rule(
    "attested",
    "Attestation-signed drivers load on Windows 10 and later.",
    source=sources.PORTAL,
)
def attested(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Attestation came with Windows 10; test-signing mode takes any certificate."""
    if candidate.signed.classification != "attested" or context.test_mode:
        return
    what = f"{candidate.signed.label} is an attestation signature"
    if context.target.build < 10240:
        yield rejects("attested-too-old", f"{what}, which {context.target.title} does not accept", _HLK)
    elif not context.target.server:
        yield allows("attested", f"{what}, which Windows 10 and later accept")


@rule(
    "server-hlk",
    "Servers from 2016 on load dashboard-signed drivers only if they passed the HLK tests.",
    source=f'{sources.PORTAL}, "Windows Server signed drivers"',
    releases=Releases(since="server2016", clients=False),
)
def server_hlk(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Attestation is not enough for a server."""
    if candidate.signed.classification == "attested" and not context.test_mode:
        message = f"{candidate.signed.label} is an attestation signature, and {context.target.title} wants HLK results"
        yield rejects("attested-on-server", message, _HLK)


@rule(
    "arm64-microsoft",
    "On ARM64 only Microsoft's signatures count; certificates of other publishers do not.",
    source=sources.PNP,
    releases=Releases(architectures=("arm64",)),
)
def arm64_microsoft(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """There never was cross-signing for ARM64."""
    if candidate.signed.test_signed or context.test_mode:
        return
    if candidate.anchor is not None and candidate.anchor.kind not in ("microsoft", "microsoft-test"):
        message = f"{candidate.signed.label} is not Microsoft's signature, and {context.target.title} takes no other"
        yield rejects("arm64-not-microsoft", message, _PORTAL)


@rule(
    "s-mode",
    "S mode wants a Windows, WHQL, ELAM or Store signature.",
    source=sources.S_MODE,
    releases=Releases(s_mode=True),
)
def s_mode(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """The page does not say whether attestation, or a test machine, counts."""
    signed, title = candidate.signed, context.target.title
    usages = signed.usages or frozenset()
    if signed.classification in ("windows", "whql"):
        return
    microsoft = candidate.anchor is not None and candidate.anchor.kind == "microsoft"
    if microsoft and (ELAM in usages or STORE in usages):
        return
    if signed.classification == "attested":
        yield undecided(
            "s-mode-attested",
            f"{signed.label} is an attestation signature; whether {title} takes it for a WHQL one is not published",
            _HLK,
        )
    elif context.test_mode:
        yield undecided("s-mode-test", f"whether {title} has a test-signing mode is not published")
    else:
        yield rejects(
            "s-mode", f"{signed.label} is no Windows, WHQL, ELAM or Store signature, as {title} wants one", _HLK
        )


@rule(
    "driver-policy",
    "The Windows Driver Policy of 2026 blocks cross-signed drivers that are not on its allow list.",
    source=sources.DRIVER_POLICY,
    releases=Releases(since="win11-24h2"),
    default="enforced from the April 2026 update on; without an allow list the answer is unknown",
)
def driver_policy(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Evaluation lets violators load and logs event 3076; enforcement blocks them with event 3077."""
    if not _is_cross_signed(candidate):
        yield from _attested_and_driver_policy(candidate, context)
        return
    what = f"{candidate.signed.label} is cross-signed, which the Windows Driver Policy no longer trusts"
    allow_list = context.machine.allow_list
    allowed = allow_list.allows(candidate.signed) if allow_list is not None else None
    if context.driver_policy == "off":
        yield notes("driver-policy-off", f"{what} once it is in force on {context.target.title}", _PORTAL)
    elif allowed:
        yield allows("driver-policy-allowed", f"{candidate.signed.label} is cross-signed and on the allow list")
    elif context.driver_policy == "evaluation":
        yield warns("driver-policy-evaluation", f"{what}; the evaluation phase loads the driver and logs it", _PORTAL)
    elif allowed is False:
        yield rejects("driver-policy-blocked", f"{what}, and it is not on the allow list that was given", _PORTAL)
    else:
        yield undecided(
            "driver-policy-unknown",
            f"{what} unless it is on Microsoft's allow list, which "
            + ("is not public" if allow_list is None else "asks for more than is known of this file"),
            _ALLOW_LIST if allow_list is None else _PORTAL,
        )


def _attested_and_driver_policy(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """The announcement speaks of drivers signed through WHCP; attested ones come from the same portal."""
    if candidate.signed.classification == "attested" and context.driver_policy != "off":
        message = "the Windows Driver Policy removes trust in cross-signed drivers; attestation is not mentioned there"
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
    driver_policy,
)
