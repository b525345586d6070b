"""The kernel policy's rules about one signature along one path."""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy.case import Candidate
from signer.policy.rules import Remark, Rule, admits, rejects, rule, undecided
from signer.policy.switches import Setting
from signer.policy.tables import table

_POLICY = "windows-driver-docs install/kernel-mode-code-signing-policy--windows-vista-and-later-.md"
_TEST_MODE = "windows-driver-docs install/the-testsigning-boot-configuration-option.md"
_TO_TEST = (
    "Test it on a machine in test mode: verify with --roots test-signing --testsigning, and --root for your root."
)


@rule(
    "digest",
    "The digest that was signed is the digest of the file.",
    source=f"{_POLICY}; Authenticode_PE.docx",
)
def digest(candidate: Candidate, setting: Setting) -> Iterator[Remark]:
    """A changed byte is a changed digest."""
    for problem in candidate.signature.problems:
        yield rejects(
            problem.code,
            f"the signature of {candidate.signed.who} is broken: {problem.message}",
            "Get the file from its publisher again; or sign it again after the last change.",
        )


@rule(
    "test-signing",
    "A test-signed driver is loaded in test-signing mode only, which Secure Boot rules out.",
    source=_TEST_MODE,
    default="test-signing mode is off",
)
def test_signing(candidate: Candidate, setting: Setting) -> Iterator[Remark]:
    """Who may load what only a test machine trusts."""
    signed, switches = candidate.signed, setting.switches
    if not signed.test_signed:
        return
    what = f"the driver is test-signed: {signed.who} reaches {candidate.root_name}"
    if switches.roots == "release":
        yield rejects("test-signed", f"{what}, and no release of Windows trusts that", _TO_TEST)
    elif setting.test_mode:
        yield admits("test-mode", f"{what}; {setting.target.title} loads it in test-signing mode")
    elif switches.testsigning:
        yield rejects(
            "test-signing-secure-boot",
            f"{what}, and Secure Boot keeps {setting.target.title} out of test-signing mode",
            "Turn Secure Boot off in the firmware of the test machine; then judge with --no-secure-boot.",
        )
    else:
        yield rejects(
            "test-signing-off",
            f"{what}, and test-signing mode is off on {setting.target.title}",
            "On the test machine: bcdedit -set TESTSIGNING ON, and restart; then judge with --testsigning.",
        )


@rule(
    "root",
    "The path ends in a root that the release's kernel takes: Microsoft's of 1997, 2001 and 2010, and for "
    "cross-signed drivers the Code Verification Root.",
    source=f'{_POLICY}, "Signing requirements by version"',
)
def root(candidate: Candidate, setting: Setting) -> Iterator[Remark]:
    """Which roots count, from `kernel_root_sets.tsv`; test-signing mode takes any certificate."""
    if candidate.signed.test_signed:
        return
    anchor, target = candidate.anchor, setting.target
    row = table("kernel_root_sets.tsv", "root_id").get(str(anchor.root_id)) if anchor is not None else None
    answer = "no" if row is None else row["whql_enforced" if setting.whql_enforced else "standard"]
    if answer in ("yes", "exceptions"):
        yield admits("root", f"{candidate.signed.who} reaches {candidate.root_name}, a root for kernel-mode code")
    elif setting.test_mode:
        yield admits("any-certificate", f"{candidate.signed.who} is taken in test-signing mode, which asks for no root")
    elif answer == "unknown":
        yield undecided(
            "root-not-settled",
            f"{candidate.signed.who} reaches {candidate.root_name}, and whether {target.title} counts that among its "
            "standard roots is not published",
        )
    else:
        yield rejects(
            "root",
            f"{candidate.signed.who} reaches {candidate.root_name}, which {target.title} does not take for "
            "kernel-mode code",
            "Have the driver signed through Microsoft's Hardware Dev Center; for a test, see --roots test-signing.",
        )


RULES: tuple[Rule[Candidate], ...] = (digest, test_signing, root)
