"""Gather evidence: read every signature of a file and recompute its digest. Trust is evaluated elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from signer.algorithms import DigestAlgorithm, in_order
from signer.formats import table
from signer.formats.detect import named
from signer.formats.format import Subject
from signer.formats.table import FormatRow
from signer.hashing import cached_by_digest
from signer.verify.catalogs import catalog_signatures, content_signature, member_algorithms
from signer.verify.evidence import CatalogLookup, Evidence, Signature, SignatureProblem
from signer.verify.signatures import ReadSignature, read_signatures

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts

_CACHED = 256
"""Number of cached signatures: several packages may have the same file."""


def gather(
    data: memoryview | bytes,
    kind: str,
    name: str,
    catalogs: Iterable[CatalogLookup] = (),
    *,
    with_facts: bool = False,
) -> Evidence:
    """Gather the evidence of a file. Raises MalformedInput; ImageError for an image whose digest would be ambiguous.

    `kind` names the file's format; `file` is one that carries no signatures. `name` labels the evidence; `catalogs` are
    searched for the file's digests. `with_facts` adds what App Control compares, from the same pass.
    """
    row = named(kind)
    if row is None:
        return gather_file(data, name, catalogs)
    if row.load_subject is None:
        return gather_content(data, row.name, name)
    subject = row.load_subject()(data)
    if not with_facts:
        return _gather_subject(subject, row, name, tuple(catalogs))
    from signer.pe.file_facts import FACT_ALGORITHMS

    found = _gather_subject(subject, row, name, tuple(catalogs), FACT_ALGORITHMS)
    return replace(found, facts=subject.facts(found.digests))


def gather_content(data: memoryview | bytes, kind: str, name: str) -> Evidence:
    """Read the signature of a file that is itself the signed content. Raises SignatureFormatError."""
    signature = content_signature(bytes(data))
    if signature is None:
        return Evidence(name, kind, {})
    digests = {signature.digest_algorithm: signature.digest} if signature.digest_algorithm else {}
    return Evidence(name, kind, digests, signatures=(signature,))


def gather_file(data: memoryview | bytes, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """Read the signatures of the catalogs that list a file by the digest of all its bytes."""
    lookups = tuple(catalogs)
    digests = {algorithm: algorithm.hash(data) for algorithm in in_order(member_algorithms(lookups))}
    listed = tuple(one.signature for one in catalog_signatures(lookups, digests, 0))
    return Evidence(name, "file", digests, signatures=listed)


def read_facts(data: memoryview | bytes, kind: str) -> FileFacts:
    """Read the facts that App Control compares of a file of this format. Raises MalformedInput."""
    from signer.pe.file_facts import FileFacts

    row = named(kind)
    return row.load_subject()(data).facts() if row is not None and row.load_subject is not None else FileFacts()


def _gather_subject(
    subject: Subject,
    row: FormatRow,
    name: str,
    lookups: tuple[CatalogLookup, ...],
    further: Iterable[DigestAlgorithm] = (),
) -> Evidence:
    """Read the embedded and nested signatures of a file, then those of the catalogs that list it.

    `further` are the algorithms of digests that are computed although no signature needs them.
    """
    found = subject.embedded()
    read = [one for signature in found.signatures for one in _read_signatures(signature)]
    claims = [one.indirect for one in read if one.indirect is not None]
    wanted = member_algorithms(lookups) | {claim.algorithm for claim in claims if claim.algorithm is not None}
    # Those of catalogs too, which may not list the file: hashing a large one twice takes half as long again.
    paged = {claim.page_hashes.algorithm for claim in claims if claim.page_hashes is not None}
    paged.update(algorithm for catalog in lookups for algorithm in catalog.page_hash_algorithms())
    digests = subject.hash(
        in_order(wanted.union(further)), paged=in_order(paged) if subject.has_page_hashes else ()
    ).digests
    embedded = [_compared(subject, _compare_digest(one, digests, row), one) for one in read]
    listed = catalog_signatures(lookups, digests, len(embedded))
    return Evidence(
        name,
        row.name,
        digests,
        architecture=subject.architecture,
        subsystem=subject.subsystem,
        signatures=(*embedded, *(_compared(subject, one.signature, one) for one in listed)),
        problems=found.problems,
        protection=subject.protection,
    )


@cached_by_digest(_CACHED)
def _read_signatures(signature: bytes) -> tuple[ReadSignature, ...]:
    return tuple(read_signatures(signature))


def _compare_digest(read: ReadSignature, digests: dict[DigestAlgorithm, bytes], row: FormatRow) -> Signature:
    """Compare the signed digest with the file's; return the signature with the problems found."""
    signature, indirect = read.signature, read.indirect
    if indirect is None:
        return signature
    problems = list(_type_problems(indirect.type_oid, row))
    if indirect.algorithm is not None and digests[indirect.algorithm] != indirect.digest:
        problems.append(
            SignatureProblem("digest-mismatch", f"the {row.name}'s digest differs from the one that was signed")
        )
    return replace(signature, problems=(*problems, *signature.problems))


def _type_problems(type_oid: str, row: FormatRow) -> Iterator[SignatureProblem]:
    """Compare the format that a signature declares with the file's."""
    if type_oid in row.subject_types:
        return
    declared = next((one for one in table.TABLE if type_oid in one.subject_types), None)
    if declared is None:
        known = " nor ".join(one.title for one in table.TABLE if one.subject_types)
        yield SignatureProblem("indirect-data-type", f"the signature declares its digest to be of neither {known}")
    else:
        message = f"the signature declares its digest to be of {declared.title}, but this is {row.title}"
        yield SignatureProblem("indirect-data-kind", message)


def _compared(subject: Subject, signature: Signature, read: ReadSignature) -> Signature:
    """Compare the file with what the signature says of it besides the digest."""
    if read.indirect is None:
        return signature
    found = subject.compare(read.indirect)
    return replace(
        signature,
        problems=(*found.problems, *signature.problems),
        notes=(*signature.notes, *found.notes),
        page_hashes_intact=found.page_hashes_intact,
    )
