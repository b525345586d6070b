"""The Plug and Play policy for device installation, where only the catalog's signature counts.

`judge("pnp", …)` evaluates one file of a package, `judge_package` the whole package. The kernel policy decides whether
the installed driver loads.
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy import authenticode, features, kernel_trust, sources
from signer.policy.decide import Decision, Policy
from signer.policy.evaluation import EvaluationContext
from signer.policy.findings import Classification
from signer.policy.machine_state import Publisher
from signer.policy.rules import Rule, RuleResult, allows, rejects, rule, waives, warns
from signer.policy.subjects import FileSubject, SignaturePath
from signer.policy.tables import table
from signer.policy.targets import Releases

_PACKAGE = "Build and sign the catalog again: drvsign package FOLDER"

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
    "The package's signed catalog lists every file of the package, including the INF.",
    source=f"{sources.CATALOGS}; {sources.PNP}",
)
def catalogued(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject a file in no signed catalog, even if it has an embedded signature."""
    if subject.traits.lists_files or any(one.source == "catalog" for one in subject.evidence.signatures):
        return
    yield rejects(
        "not-catalogued",
        f"{subject.name!r} is in no signed catalog: it changed after the catalog was built, or was never listed",
        _PACKAGE,
    )


@rule(
    "catalog-only",
    "Only the catalog's signature counts for installation, not embedded signatures.",
    source=f"{sources.REQUIREMENTS}; {sources.PNP}",
)
def catalog_only(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject embedded signatures, which only the kernel checks."""
    if candidate.signature.source != "catalog" and not candidate.signed.subject.traits.lists_files:
        yield rejects("embedded-does-not-count", f"{candidate.signed.label} does not count for installation", _PACKAGE)


@rule(
    "publisher",
    "Packages of Microsoft and of trusted publishers install without a prompt, those of unknown publishers with an "
    "administrator's consent; Windows refuses those of untrusted publishers.",
    source=sources.CATEGORIES,
    default="unknown; trusted under a given test root, because the generated installation script trusts the publisher",
)
def publisher(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Allow silently, allow with a warning about the prompt, or reject."""
    if candidate.anchor is None or candidate.anchor.kind == "code-verification":
        return
    label, trust = candidate.signed.label, trust_of(candidate, context)
    if trust == "microsoft":
        yield allows("publisher-microsoft", f"{label} is Microsoft's signature: the package installs without a prompt")
    elif trust == "trusted":
        message = f"the publisher of {label} is in the TrustedPublisher store: the package installs without a prompt"
        yield allows("publisher-trusted", message)
    elif trust == "untrusted":
        message = (
            f"the publisher of {label} is in the Untrusted Certificates store: Windows does not install the package"
        )
        yield rejects("publisher-untrusted", message, "Remove the certificate from the Untrusted Certificates store.")
    else:
        yield allows("publisher-unknown", f"the publisher of {label} is not in the machine's TrustedPublisher store")
        message = "Windows prompts an administrator before it installs the package; standard users can't install it"
        yield warns(
            "publisher-prompt", message, "Add the signer's certificate to the machine's TrustedPublisher store."
        )


def trust_of(candidate: SignaturePath, context: EvaluationContext) -> Publisher | str:
    """Return the machine's trust in the publisher: microsoft, trusted, untrusted or unknown."""
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
    "A test-signed package installs if the machine trusts its root; its drivers load only in test-signing mode.",
    source=f"{sources.TEST_MODE}; {sources.TEST_CERTIFICATES}",
)
def test_signed_load(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Warn that an installed test-signed driver does not load."""
    if candidate.signed.test_signed and not context.test_mode and context.machine.roots == "test-signing":
        message = f"{candidate.signed.label} is test-signed: the package installs, but its kernel drivers do not load"
        yield warns("test-signing-off", message, "On the test machine run: bcdedit -set TESTSIGNING ON, and restart.")


@rule(
    "whql-architecture",
    "Architectures other than x86 and x64 require a catalog that is signed by Microsoft.",
    source=sources.PNP,
    releases=Releases(architectures=("arm64",)),
)
def whql_architecture(candidate: SignaturePath, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject release certificates of other publishers on ARM64."""
    kind = candidate.anchor.kind if candidate.anchor is not None else None
    if kind in ("commercial", "code-verification"):
        message = f"{candidate.signed.label} is not Microsoft's signature, which {context.title} requires"
        yield rejects("arm64-not-microsoft", message, "Submit the driver package to Microsoft's Hardware Dev Center.")


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

_REFUSED = frozenset({publisher.name})
"""Rejections that no administrator can override."""


@rule(
    "administrator-prompt",
    "Before Windows 8 an administrator can install a package that is unsigned or was altered.",
    source=sources.ADMINISTRATOR_PROMPT,
    releases=features.ADMINISTRATOR_PROMPT,
)
def administrator_prompt(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Waive the rejection, except of an untrusted publisher. The kernel policy decides whether the driver loads."""
    if decision.outcome == "rejected" and not decision.rejected_by(_REFUSED):
        message = (
            f"{context.title} can't verify the signature of the package: it prompts an administrator before "
            "it installs the package; standard users can't install it"
        )
        if context.architecture != "x86":
            message += ". Unsigned drivers do not load afterwards"
        yield waives("administrator-prompt", message, _PACKAGE)


POLICY = Policy(
    "pnp",
    file_rules=(catalogued,),
    signature_rules=SIGNATURE_RULES,
    outcome_rules=(administrator_prompt,),
)


def signer_score(classification: Classification | None) -> tuple[int, str]:
    """Return the signer score that SetupAPI logs, and its text. None means an unsigned package.

    A signature of Microsoft's portal does not reveal its logo level: the score is WHQL for all that passed HLK, and
    "WHQL Unclassified" for the others.
    """
    name = "SIGNERSCORE_UNSIGNED" if classification is None else _SCORES[classification]
    row = table("signer_score.tsv", "name")[name]
    return int(row["value"], 16), row["setupapi_log_text"]
