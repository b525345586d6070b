"""Report verdicts as the JSON document `drvsign.verdict/1`, with one entry for each verified file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from catalogs.verification.query import KERNEL_POLICIES
from signer.records import dataclass
from signer.reports.certificates import certificate, iso, link
from signer.reports.documents import long_document
from signer.reports.event_lines import event
from signer.reports.json_pieces import json_text
from signer.reports.spool import Place, Spool

if TYPE_CHECKING:
    from catalogs.verification.assessment import Assessment, Outcome
    from signer.policy.subjects import CertificatePaths
    from signer.reports.sink import Sink
    from signer.trust.path import CertificatePath
    from signer.verify.evidence import Signature, Timestamp

SCHEMA = "drvsign.verdict/1"
UNKNOWN_SIGNER = dict.fromkeys(("subject", "common_name", "issuer", "serial", "sha1", "sha256"), "")
"""The signer of a signature that can't be read, or whose certificate is not included."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """A publisher of a file, as Windows Error Reporting identifies it."""

    name: str
    """The common name of the signer's certificate."""
    submitter: str | None
    """The company that submitted the file to Microsoft's portal."""


@dataclass(frozen=True, slots=True)
class Serialized:
    """One entry of `files`, and the publishers of the file."""

    path: str
    text: str | Place
    """The JSON text, or its place in the report's spool."""
    publishers: tuple[Publisher, ...]


@dataclass(frozen=True, slots=True)
class JsonReport:
    """Write the document."""

    indent: int | None = None
    """Spaces of indentation; None for one line, which is much faster to write."""
    _spool: Spool = field(default_factory=Spool, init=False, compare=False)

    def serialize(self, assessment: Assessment) -> Serialized:
        """Return one entry of `files` as JSON, with the file's publishers."""
        text = json_text(entry(assessment), self.indent)
        return Serialized(str(assessment.path), text, _publishers_of(assessment))

    def keep(self, content: Serialized) -> Serialized:
        """Move the text of an entry to the spool: a folder of 10,000 packages has 140 MB of it."""
        return replace(content, text=self._spool.keep(content.text)) if isinstance(content.text, str) else content

    def teller(self, sink: Sink) -> None:
        """Return None: the document begins with the outcome of all files."""

    def write(self, contents: Sequence[Serialized], outcome: Outcome, sink: Sink) -> None:
        """Write the document with these entries of `files`."""
        named = ((one.path, one.publishers) for one in contents)
        entries = self._spool.texts(one.text for one in contents)
        for part in long_document(_head(outcome, named), "files", entries, self.indent):
            sink.write(part)


def document(assessments: Sequence[Assessment]) -> dict[str, Any]:
    """Return the whole document, for a command that includes it in its own."""
    from catalogs.verification.assessment import Outcome

    named = ((str(one.path), _publishers_of(one)) for one in assessments)
    return {**_head(Outcome.of(assessments), named), "files": list(map(entry, assessments))}


def _head(outcome: Outcome, named: Iterable[tuple[str, tuple[Publisher, ...]]]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "accepted": outcome.accepted,
        "decided": outcome.decided,
        "publishers": publishers(named),
    }


def publishers(named: Iterable[tuple[str, tuple[Publisher, ...]]]) -> list[dict[str, Any]]:
    """Return each publisher once, with the paths of its files."""
    files: dict[Publisher, dict[str, None]] = {}
    for path, found in named:
        for one in found:
            files.setdefault(one, {})[path] = None
    return [{"name": one.name, "submitter": one.submitter, "files": list(paths)} for one, paths in files.items()]


def _publishers_of(assessment: Assessment) -> tuple[Publisher, ...]:
    """Return the publishers of a file: of every signature with a certificate."""
    from signer.certificates import common_name
    from signer.policy.classify import classify, submitter

    if assessment.evidence is None:
        return ()
    return tuple(
        Publisher(common_name(one.signer), submitter(one, classify(one, paths.classification_paths)))
        for one, paths in zip(assessment.evidence.signatures, assessment.paths, strict=True)
        if one.signer is not None
    )


def entry(assessment: Assessment) -> dict[str, Any]:
    """Return one entry of `files`."""
    return {
        "path": str(assessment.path),
        "kind": assessment.kind,
        "accepted": assessment.accepted,
        "decided": assessment.decided,
        "signatures": signatures(assessment),
        "targets": [one.row for one in assessment.consequences],
        "findings": findings(assessment),
        "events": [event(one, logged) for one in assessment.consequences for logged in one.events],
    }


def findings(assessment: Assessment) -> list[dict[str, Any]]:
    """Return all distinct findings, the most severe first; or the error that prevented verification."""
    from signer.policy.findings import merged

    if assessment.error is not None:
        error = assessment.error
        return [
            {"code": error.code, "severity": "error", "message": str(error), "source": "", "hint": error.hint},
        ]
    return [finding.as_json() for finding in merged([one.verdict for one in assessment.consequences])]


def signatures(assessment: Assessment) -> list[dict[str, Any]]:
    """Return each signature with its class and its best chain."""
    evidence = assessment.evidence
    if evidence is None:
        return []
    kernel = assessment.policy in KERNEL_POLICIES
    pairs = zip(evidence.signatures, assessment.paths, strict=True)
    return [signature(one, paths, kernel=kernel) for one, paths in pairs]


def signature(one: Signature, paths: CertificatePaths, *, kernel: bool = True) -> dict[str, Any]:
    """Return one signature, with its chain for the kernel or for user mode."""
    from signer.policy.classify import classify

    path = best(paths.classification_paths, kernel=kernel)
    return {
        "index": one.index,
        "source": one.source,
        "catalog": one.catalog,
        "digest_algorithm": str(one.digest_algorithm or "unknown"),
        "intact": one.intact,
        "signer": certificate(one.signer) if one.signer is not None else dict(UNKNOWN_SIGNER),
        "program_name": one.program_name,
        "url": one.url,
        "class": classify(one, paths.classification_paths),
        "page_hashes": one.page_hashes,
        "page_hashes_intact": one.page_hashes_intact,
        "timestamp": timestamp(one.timestamp) if one.timestamp is not None else None,
        "chain": [link(certificate) for certificate in path.certificates] if path is not None else [],
        "root": path.anchor.name if path is not None and path.anchor is not None else None,
    }


def timestamp(one: Timestamp) -> dict[str, Any]:
    """Return a timestamp."""
    from signer.certificates import common_name

    name = common_name(one.signer) if one.signer is not None else ""
    return {"kind": one.kind, "time": iso(one.time), "intact": one.intact, "signer": name}


def best(paths: Sequence[CertificatePath], *, kernel: bool) -> CertificatePath | None:
    """Return the path to show, preferably one to a root without problems; cross-certificates only for the kernel."""
    from signer.policy.subjects import broken

    def order(path: CertificatePath) -> tuple[bool, bool, bool]:
        crossed = path.anchor is not None and path.anchor.kind == "code-verification"
        return path.anchor is None, bool(broken(path)), crossed and not kernel

    return min(paths, key=order, default=None)
