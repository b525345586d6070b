"""What Plug and Play says when a driver package is installed: it counts as signed through its catalog only.

`judge("pnp", …)` is about one file of a package; `judge_package` about all of it. Whether the driver then loads is for
the kernel policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy import authenticode, kernel_trust, sources
from signer.policy.decide import Policy
from signer.policy.findings import Classification
from signer.policy.machine_state import EvaluationContext, Publisher
from signer.policy.rules import Releases, Rule, RuleResult, allows, rejects, rule, warns
from signer.policy.subjects import FileSubject, SignaturePath
from signer.policy.tables import table

_PACKAGE = "Build and sign the catalog again: drvsign package."

_SCORES: dict[Classification, str] = {
    "windows": "SIGNERSCORE_INBOX",
    "whql": "SIGNERSCORE_WHQL",
    "attested": "SIGNERSCORE_UNCLASSIFIED",
    "preproduction": "SIGNERSCORE_UNCLASSIFIED",
    "cross-signed": "SIGNERSCORE_AUTHENTICODE",
    "commercial": "SIGNERSCORE_AUTHENTICODE",
    "test": "SIGNERSCORE_AUTHENTICODE",
    "self-signed": "SIGNERSCORE_AUTHENTICODE",
    "unknown": "SIGNERSCORE_UNKNOWN",
}


@rule(
    "catalogued",
    "Every file of a package, the INF among them, is listed in the package's signed catalog.",
    source=f"{sources.CATALOGS}; {sources.PNP}",
)
def catalogued(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Embedded signatures do not count for the installation."""
    if subject.evidence.kind == "catalog" or any(one.source == "catalog" for one in subject.evidence.signatures):
        return
    yield rejects(
        "not-catalogued",
        f"{subject.name!r} is not in a signed catalog that was given: it was changed after the catalog was built, or "
        "never was in it",
        _PACKAGE,
    )


@rule(
    "catalog-only",
    "Embedded signatures do not make a package signed.",
    source=f"{sources.REQUIREMENTS}; {sources.PNP}",
)
def catalog_only(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """A signature in the image helps the kernel, not the installation."""
    if candidate.signature.source != "catalog" and candidate.signed.subject.evidence.kind != "catalog":
        yield rejects(
            "embedded-does-not-count", f"{candidate.signed.label} does not count for the installation", _PACKAGE
        )


@rule(
    "publisher",
    "Microsoft and trusted publishers install silently; unknown ones ask an administrator; untrusted ones are refused.",
    source=sources.CATEGORIES,
    default="unknown; trusted for a named test root, as the test machine's script makes it so",
)
def publisher(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Silent, a question, or a silent refusal."""
    if candidate.anchor is None or candidate.anchor.kind == "code-verification":
        return
    label, trust = candidate.signed.label, trust_of(candidate, context)
    if trust == "microsoft":
        yield allows("publisher-microsoft", f"{label} is signed by Microsoft, so it installs without a question")
    elif trust == "trusted":
        message = f"{label} installs without a question, its publisher being in the machine's TrustedPublisher store"
        yield allows("publisher-trusted", message)
    elif trust == "untrusted":
        message = f"{label} is not installed, as the machine distrusts its publisher"
        yield rejects("publisher-untrusted", message, "Remove the certificate from the Untrusted Certificates store.")
    else:
        yield allows("publisher-unknown", f"{label} is from a publisher that the machine does not know yet")
        message = "an administrator is asked before it installs, and standard users can't install it"
        yield warns("publisher-prompt", message, "Put the signer into the machine's TrustedPublisher store.")


def trust_of(candidate: SignaturePath, context: EvaluationContext) -> Publisher | str:
    """How the machine sees the publisher: microsoft, trusted, untrusted or unknown."""
    anchor = candidate.anchor
    if context.machine.publisher == "untrusted":
        return "untrusted"
    if anchor is not None and anchor.kind == "microsoft" and candidate.signed.classification != "commercial":
        return "microsoft"
    if context.machine.publisher is not None:
        return context.machine.publisher
    return "trusted" if anchor is not None and anchor.kind == "test" else "unknown"


@rule(
    "test-signed-load",
    "A test-signed package installs where its root is trusted; its drivers load in test-signing mode only.",
    source=f"{sources.TEST_MODE}; {sources.TEST_CERTIFICATES}",
)
def test_signed_load(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Installation and loading are two questions."""
    if candidate.signed.test_signed and not context.test_mode and context.machine.roots == "test-signing":
        message = f"{candidate.signed.label} is test-signed: the package installs, but its kernel drivers do not load"
        yield warns("test-signing-off", message, "On the test machine: bcdedit -set TESTSIGNING ON, and restart.")


@rule(
    "whql-architecture",
    "For architectures other than x86 and x64 the catalog must be signed by Microsoft.",
    source=sources.PNP,
    releases=Releases(architectures=("arm64",)),
)
def whql_architecture(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Release certificates of other publishers are not accepted there."""
    kind = candidate.anchor.kind if candidate.anchor is not None else None
    if kind in ("commercial", "code-verification"):
        message = f"{candidate.signed.label} is not Microsoft's signature, and {context.target.title} wants that"
        yield rejects("arm64-not-microsoft", message, "Submit the package to Microsoft's Hardware Dev Center.")


SIGNATURE_RULES: tuple[Rule[SignaturePath], ...] = (
    catalog_only,
    *authenticode.SIGNATURE_RULES,
    kernel_trust.attested,
    kernel_trust.server_hlk,
    whql_architecture,
    kernel_trust.s_mode,
    test_signed_load,
    publisher,
)

POLICY = Policy("pnp", file_rules=(catalogued,), signature_rules=SIGNATURE_RULES, outcome_rules=())


def signer_score(classification: Classification | None) -> tuple[int, str]:
    """The signer score that SetupAPI logs, and its words; None stands for a package that is not signed.

    Of Microsoft's portal signatures the logo levels can't be told apart from outside: WHQL stands for all that passed
    HLK, "WHQL Unclassified" for the others.
    """
    name = "SIGNERSCORE_UNSIGNED" if classification is None else _SCORES[classification]
    row = table("signer_score.tsv", "name")[name]
    return int(row["value"], 16), row["setupapi_log_text"]
