"""Report everything in the signatures of files: as text, and as the document `drvsign.inspection/1`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.errors import SignerError
from signer.formats.detect import named
from signer.records import dataclass
from signer.reports.certificates import certificate as certificate_json
from signer.reports.certificates import iso
from signer.reports.sink import Sink
from signer.reports.styles import STYLES

if TYPE_CHECKING:
    from cryptography import x509

    from signer.pkcs7.problem import SignatureProblem
    from signer.verify.evidence import Evidence, Signature, Timestamp

SCHEMA = "drvsign.inspection/1"


@dataclass(frozen=True, slots=True)
class Inspection:
    """The evidence of one file, or the error that prevented reading it."""

    path: Path
    size: int = 0
    evidence: Evidence | None = None
    error: SignerError | None = None


def inspection_document(inspections: Sequence[Inspection], at: datetime) -> dict[str, Any]:
    """Return the JSON document, with the state of the certificates at this time."""
    return {"schema": SCHEMA, "files": [_file(one, at) for one in inspections]}


def _file(one: Inspection, at: datetime) -> dict[str, Any]:
    evidence = one.evidence
    return {
        "path": str(one.path),
        "kind": evidence.kind if evidence else None,
        "architecture": evidence.architecture if evidence else None,
        "size": one.size,
        "digests": {str(a): digest.hex() for a, digest in evidence.digests.items()} if evidence else {},
        "signatures": [_signature(signature, at) for signature in evidence.signatures] if evidence else [],
        "problems": _problems(evidence.problems) if evidence else [],
        "error": one.error.as_json() if one.error else None,
    }


def _signature(one: Signature, at: datetime) -> dict[str, Any]:
    return {
        "index": one.index,
        "source": one.source,
        "intact": one.intact,
        "digest_algorithm": str(one.digest_algorithm) if one.digest_algorithm else None,
        "digest": one.digest.hex(),
        "signer_digest_algorithm": str(one.signer_digest_algorithm) if one.signer_digest_algorithm else None,
        "signer": certificate_json(one.signer) if one.signer is not None else None,
        "program_name": one.program_name,
        "url": one.url,
        "statement": one.statement,
        "page_hashes": one.page_hashes,
        "page_hashes_intact": one.page_hashes_intact,
        "timestamp": _timestamp(one.timestamp, at) if one.timestamp else None,
        "certificates": [_facts(certificate, at) for certificate in one.certificates],
        "problems": _problems(one.problems),
        "notes": _problems(one.notes),
    }


def _timestamp(one: Timestamp, at: datetime) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "time": iso(one.time),
        "intact": one.intact,
        "digest_algorithm": str(one.digest_algorithm) if one.digest_algorithm else None,
        "signer": certificate_json(one.signer) if one.signer is not None else None,
        "certificates": [_facts(certificate, at) for certificate in one.certificates],
        "problems": _problems(one.problems),
        "notes": _problems(one.notes),
    }


def _facts(one: x509.Certificate, at: datetime) -> dict[str, Any]:
    from testcerts.inventory import facts

    known = facts(one, at)
    times = {"not_before": iso(one.not_valid_before_utc), "not_after": iso(one.not_valid_after_utc)}
    return {**certificate_json(one), "key": known["key"], "usages": known["usages"], **times, "state": known["state"]}


def _problems(problems: tuple[SignatureProblem, ...]) -> list[dict[str, str]]:
    return [{"code": problem.code, "message": problem.message} for problem in problems]


def write_inspection(one: Inspection, sink: Sink, at: datetime, *, verbose: bool = False) -> None:
    """Write one file as text; nothing for one that could not be read.

    The certificates' state is that at the time `at`; `verbose` adds the timestamps' certificates.
    """
    evidence = one.evidence
    if evidence is None:
        return
    what = f"{evidence.architecture} image" if evidence.architecture else evidence.kind
    count = len(evidence.signatures)
    sink.print(f"{one.path}: {what}, {count or 'no'} signature{'s' if count != 1 else ''}", style="bold")
    for problem in evidence.problems:
        sink.line("  problem", f"{problem.message} ({problem.code})", STYLES["warning"])
    for signature in evidence.signatures:
        where = f"signature {signature.index}, {_place(evidence, signature)}"
        sink.line("  " + signature.state, where, STYLES[signature.state])
        for label, value in _lines(signature):
            sink.print(f"    {label:<12} {value}")
        _certificates(sink, signature, at, verbose=verbose)
    sink.print()


def _place(evidence: Evidence, signature: Signature) -> str:
    row = named(evidence.kind)
    return f"over the {row.name}'s list" if row is not None and row.is_content else signature.source


def _lines(one: Signature) -> Iterator[tuple[str, str]]:
    from signer.asn1.oids import SPC_COMMERCIAL, SPC_INDIVIDUAL
    from signer.certificates import common_name, thumbprint

    statements = {SPC_COMMERCIAL: ", commercial", SPC_INDIVIDUAL: ", individual"}
    if one.signer is None:
        yield "signer", "the signer's certificate is not included"
    else:
        claim = statements.get(one.statement or "", "")
        yield "signer", f"{common_name(one.signer)}  (SHA-1 {thumbprint(one.signer)}{claim})"
    yield "digest", f"{one.digest_algorithm or 'unknown'} {one.digest.hex()}"
    if one.signer_digest_algorithm is not one.digest_algorithm:
        yield "signed with", str(one.signer_digest_algorithm or "an unknown digest")
    if one.page_hashes != "none":
        states = {True: "intact", False: "broken", None: "not checked"}
        yield "page hashes", f"{one.page_hashes}, {states[one.page_hashes_intact]}"
    if one.program_name or one.url:
        yield "program", "  ".join(text for text in (one.program_name, one.url) if text)
    if one.timestamp is not None:
        stamp = one.timestamp
        name = common_name(stamp.signer) if stamp.signer is not None else "an unknown authority"
        yield "timestamp", f"{iso(stamp.time)} by {name} ({stamp.kind}, {'intact' if stamp.intact else 'broken'})"
        yield from (("problem", f"{problem.message} ({problem.code})") for problem in stamp.problems)
        yield from (("note", f"{note.message} ({note.code})") for note in stamp.notes)
    else:
        yield "timestamp", "none"
    yield from (("problem", f"{problem.message} ({problem.code})") for problem in one.problems)
    yield from (("note", f"{note.message} ({note.code})") for note in one.notes)


def _certificates(sink: Sink, one: Signature, at: datetime, *, verbose: bool) -> None:
    """Write the certificates in a signature; if `verbose`, also those of the timestamp."""
    from signer.certificates import common_name

    carried = list(one.certificates)
    if verbose and one.timestamp is not None:
        carried += [certificate for certificate in one.timestamp.certificates if certificate not in carried]
    for certificate in carried:
        known = _facts(certificate, at)
        until = f"{known['not_before'][:10]} to {known['not_after'][:10]}"
        state = f", {known['state']}" if known["state"] not in ("valid", "expiring") else ""
        sink.print(f"    {'certificate':<12} {common_name(certificate)}  ({known['key']}, {until}{state})")
        if verbose:
            from signer.asn1.oids import EKU_NAMES

            usages = ", ".join(EKU_NAMES.get(usage, usage) for usage in known["usages"] or ()) or "any use"
            sink.print(f"    {'':<12}   issued by {known['issuer']}; {usages}; SHA-256 {known['sha256']}", style="dim")
