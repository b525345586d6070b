"""Verify one file: gather its evidence, build the certificate paths, and apply the policy for each target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalogs.verification.assessment import Assessment
from catalogs.verification.query import VerifyQuery
from signer.codeintegrity.consequences import Consequences
from signer.codeintegrity.file_fields import EventSubject
from signer.errors import SigningError
from signer.formats.detect import expected, titles
from signer.policy.judge import judge_all
from signer.policy.machine_state import MachineState
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target
from signer.storage.files import mapped
from signer.verify.evidence import CatalogLookup, Evidence
from signer.verify.gather import gather, read_facts

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts


def verify_file(path: Path, query: VerifyQuery, catalogs: Sequence[CatalogLookup] = ()) -> Assessment:
    """Verify one file; look it up in `catalogs` and in those of the query. Raises SignerError."""
    row = expected(path)
    lookups = (*query.catalogs, *catalogs)
    if row is None and not lookups:
        raise SigningError(
            f"not {titles()}: the file can't have an embedded signature",
            path=path,
            hint="Give the catalog that lists it with --catalog, or verify the folder of its driver package.",
        )
    with mapped(path) as data:
        if row is not None and row.traits.lists_files:
            _require_catalog(data, path.name)
        evidence = gather(data, row.name if row is not None else "file", path.name, lookups)
    return assess(path, evidence, query.paths_of(evidence), query, query.targets_for(evidence.architecture), lookups)


def _require_catalog(data: memoryview, name: str) -> None:
    """Refuse a catalog alone for the same reasons as in a lookup. Raises CatalogError and SignatureFormatError."""
    from catalogs.catalog.file import Catalog

    Catalog.parse(bytes(data), name)


def assess(
    path: Path,
    evidence: Evidence,
    paths: tuple[CertificatePaths, ...],
    query: VerifyQuery,
    targets: Sequence[Target],
    catalogs: Sequence[CatalogLookup],
) -> Assessment:
    """Apply the policy to gathered evidence. `catalogs` are those with which the evidence was gathered."""
    policy, machine = query.policy_for(evidence), query.machine
    attributes = _catalog_attributes(evidence, catalogs) if policy == "protected-media" else None
    read_facts = cache(partial(_read_facts, path, evidence.kind)) if evidence.traits.loaded_as_code else None
    evidence, facts = _with_list_facts(evidence, machine, read_facts)
    verdicts = judge_all(policy, evidence, paths, targets, machine, attributes=attributes, facts=facts)
    subject = EventSubject(evidence, read_facts)
    found = tuple(
        Consequences(policy, verdict, target, subject, query.verbose_events)
        for verdict, target in zip(verdicts, targets, strict=True)
    )
    return Assessment(path, evidence.kind, evidence, paths, found, policy=policy)


def _read_facts(path: Path, kind: str) -> FileFacts:
    with mapped(path) as data:
        return read_facts(data, kind)


def _with_list_facts(
    evidence: Evidence, machine: MachineState, read_facts: Callable[[], FileFacts] | None
) -> tuple[Evidence, FileFacts | None]:
    """Add the digests and file facts that driver lists match, if a list was given."""
    if read_facts is None or (machine.allow_list is None and machine.block_list is None):
        return evidence, None
    facts = read_facts()
    return replace(evidence, digests={**evidence.digests, **facts.digests}), facts


def _catalog_attributes(evidence: Evidence, catalogs: Sequence[CatalogLookup]) -> dict[str, str] | None:
    """Return the file's member attributes in all catalogs; None if no catalog lists it."""
    from catalogs.catalog.file import Catalog

    members = [
        catalog.find(digest)
        for catalog in catalogs
        if isinstance(catalog, Catalog)
        for digest in evidence.digests.values()
    ]
    known = [dict(member.attributes) for member in members if member is not None]
    return {name: value for attributes in known for name, value in attributes.items()} if known else None
