"""What differs between two catalogs, and between a catalog and a folder."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalogs.build import hash_path
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import CatalogMember, HashedFile
from catalogs.package.compressed import packed_name
from signer.errors import MalformedInput, SignerError

What = Literal["version", "identifier", "date", "attribute", "order", "member", "member-attribute", "signature"]
State = Literal["listed", "changed", "stale", "missing", "extra", "unreadable"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two catalogs say differently; None on a side that does not say it at all."""

    what: What
    subject: str
    """The member or attribute that it is about."""
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True)
class FileState:
    """How a file of a folder stands to a catalog."""

    name: str
    state: State
    path: Path | None = None
    reason: str | None = None


def differences(first: Catalog, second: Catalog) -> list[Difference]:
    """Everything that differs between two catalogs; nothing for two that are the same byte for byte."""
    return [
        *_fields(first, second),
        *_attributes("attribute", "", first.attributes, second.attributes),
        *_members(first, second),
        *_signature(first, second),
    ]


def check_folder(catalog: Catalog, files: Sequence[Path]) -> Iterator[FileState]:
    """How each of `files`, and each member of the catalog, stands: listed, changed, stale, missing or extra.

    A file is changed when the catalog has another digest for a file of its name, stale when it was changed after the
    catalog was made, and extra when the catalog knows neither name nor digest.
    """
    found: set[str] = set()
    names = {member.file.lower() for member in catalog.members if member.file}
    packed = {packed_name(name): name for name in names}
    for path in files:
        try:
            member = find(catalog, hash_path(path))
            if member is None and path.name.lower() in packed:
                member = find(catalog, hash_path(path, packed=True))
        except MalformedInput as error:
            yield FileState(path.name, "unreadable", path, error.message)
            continue
        except SignerError as error:
            yield FileState(path.name, "unreadable", path, str(error))
            continue
        if member is not None:
            found.add((member.file or path.name).lower())
            yield FileState(path.name, "listed", path)
        elif path.name.lower() in names or path.name.lower() in packed:
            yield _changed(catalog, path)
        else:
            yield FileState(path.name, "extra", path)
    present = {name for path in files for name in (path.name.lower(), packed.get(path.name.lower(), ""))}
    for name in sorted(names - found - present):
        yield FileState(name, "missing")


def _changed(catalog: Catalog, path: Path) -> FileState:
    if path.stat().st_mtime > catalog.this_update.timestamp():
        reason = "it was changed after the catalog was made: build and sign the catalog again"
        return FileState(path.name, "stale", path, reason)
    return FileState(path.name, "changed", path, "the catalog holds another digest for this name")


def find(catalog: Catalog, hashed: HashedFile) -> CatalogMember | None:
    """The member that a file is, or None."""
    members = (catalog.find(digest) for digest in hashed.digests.values())
    return next((member for member in members if member is not None), None)


def _fields(first: Catalog, second: Catalog) -> Iterator[Difference]:
    rows: list[tuple[What, str, str]] = [
        ("version", str(first.version), str(second.version)),
        ("identifier", first.list_identifier.hex(), second.list_identifier.hex()),
        ("date", first.this_update.isoformat(), second.this_update.isoformat()),
    ]
    yield from (Difference(what, "", one, other) for what, one, other in rows if one != other)


def _attributes(
    what: What, subject: str, first: Sequence[tuple[str, str]], second: Sequence[tuple[str, str]]
) -> Iterator[Difference]:
    """Attributes that only one side has or that have another value, and their order where they are the same."""
    ours, theirs = dict(first), dict(second)
    for name in dict.fromkeys((*ours, *theirs)):
        if ours.get(name) != theirs.get(name):
            yield Difference(what, f"{subject} {name}".strip(), ours.get(name), theirs.get(name))
    if first != second and Counter(first) == Counter(second):
        yield Difference("order", subject, ", ".join(name for name, _ in first), ", ".join(name for name, _ in second))


def _members(first: Catalog, second: Catalog) -> Iterator[Difference]:
    ours, theirs = _by_tag(first.members), _by_tag(second.members)
    for tag in dict.fromkeys((*ours, *theirs)):
        for one, other in _pairs(ours.get(tag, []), theirs.get(tag, [])):
            yield from _member(one, other)
    if list(ours) != list(theirs) and ours.keys() == theirs.keys():
        yield Difference("order", "members", "in another order", "in another order")


def _by_tag(members: Iterable[CatalogMember]) -> dict[bytes, list[CatalogMember]]:
    """The members of each tag: several where files have the same bytes."""
    found: dict[bytes, list[CatalogMember]] = {}
    for member in members:
        found.setdefault(member.tag, []).append(member)
    return found


def _pairs(
    ours: list[CatalogMember], theirs: list[CatalogMember]
) -> Iterator[tuple[CatalogMember | None, CatalogMember | None]]:
    """Members of one tag that are not on both sides, each with one of the other side, as far as there are."""
    left, rest = [], list(theirs)
    for member in ours:
        if member in rest:
            rest.remove(member)
        else:
            left.append(member)
    return itertools.zip_longest(left, rest)


def _member(one: CatalogMember | None, other: CatalogMember | None) -> Iterator[Difference]:
    name = next((member.file or member.tag.hex() for member in (one, other) if member is not None), "")
    if one is None or other is None:
        yield Difference("member", name, _say(one), _say(other))
        return
    yield from _attributes("member-attribute", name, one.attributes, other.attributes)
    pairs = {"kind": (one.kind, other.kind), "page hashes": (bool(one.page_hashes), bool(other.page_hashes))}
    for what, (mine, its) in pairs.items():
        if mine != its:
            yield Difference("member-attribute", f"{name} {what}", str(mine), str(its))


def _signature(first: Catalog, second: Catalog) -> Iterator[Difference]:
    if (first.head, first.tail) != (second.head, second.tail):
        one, other = signer_of(first), signer_of(second)
        yield Difference("signature", "", one, other if one != other else f"another signature by {other}")


def _say(member: CatalogMember | None) -> str | None:
    if member is None:
        return None
    return f"{member.digest_algorithm or 'tag'} {(member.digest or member.tag).hex()}"


def signer_of(catalog: Catalog) -> str:
    """Who signed a catalog, for a person."""
    if not catalog.is_signed:
        return "unsigned"
    from signer.certificates import common_name
    from signer.pkcs7.parse import parse

    parsed = parse(catalog.signed_data)
    certificates = [parsed.certificate_of(signer) for signer in parsed.signers]
    return ", ".join(common_name(certificate) for certificate in certificates if certificate) or "an unknown signer"
