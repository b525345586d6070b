"""Compare two catalogs, or a catalog and the files of a folder."""

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

DifferenceKind = Literal[
    "version", "identifier", "date", "attribute", "order", "member", "member-attribute", "signature"
]
State = Literal["listed", "changed", "stale", "missing", "extra", "unreadable"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between two catalogs; a value is None if that catalog lacks the item."""

    what: DifferenceKind
    subject: str
    """The member or attribute that differs."""
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True)
class FileState:
    """State of a file compared with a catalog."""

    name: str
    state: State
    path: Path | None = None
    reason: str | None = None


def differences(first: Catalog, second: Catalog) -> list[Difference]:
    """Return all differences; empty for catalogs that are identical byte for byte."""
    return [
        *_fields(first, second),
        *_attributes("attribute", "", first.attributes, second.attributes),
        *_members(first, second),
        *_signature(first, second),
    ]


def check_folder(catalog: Catalog, files: Sequence[Path]) -> Iterator[FileState]:
    """Compare files with a catalog, and yield the state of each file and of each missing member.

    `listed`: the catalog has the file's digest. `changed`: it has another digest for the file name. `stale`: changed,
    and the file is newer than the catalog. `extra`: it has neither name nor digest. `missing`: a member without a file.
    `unreadable`: the file can't be hashed.
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
        reason = "changed after the catalog was built: build and sign the catalog again"
        return FileState(path.name, "stale", path, reason)
    return FileState(path.name, "changed", path, "the catalog lists this file name with another digest")


def find(catalog: Catalog, hashed: HashedFile) -> CatalogMember | None:
    """Return the member with a digest of the file, or None."""
    members = (catalog.find(digest) for digest in hashed.digests.values())
    return next((member for member in members if member is not None), None)


def _fields(first: Catalog, second: Catalog) -> Iterator[Difference]:
    rows: list[tuple[DifferenceKind, str, str]] = [
        ("version", str(first.version), str(second.version)),
        ("identifier", first.list_identifier.hex(), second.list_identifier.hex()),
        ("date", first.this_update.isoformat(), second.this_update.isoformat()),
    ]
    yield from (Difference(what, "", one, other) for what, one, other in rows if one != other)


def _attributes(
    what: DifferenceKind, subject: str, first: Sequence[tuple[str, str]], second: Sequence[tuple[str, str]]
) -> Iterator[Difference]:
    """Compare attributes, and their order if the attributes are the same."""
    left, right = dict(first), dict(second)
    for name in dict.fromkeys((*left, *right)):
        if left.get(name) != right.get(name):
            yield Difference(what, f"{subject} {name}".strip(), left.get(name), right.get(name))
    if first != second and Counter(first) == Counter(second):
        yield Difference("order", subject, ", ".join(name for name, _ in first), ", ".join(name for name, _ in second))


def _members(first: Catalog, second: Catalog) -> Iterator[Difference]:
    left, right = _by_tag(first.members), _by_tag(second.members)
    for tag in dict.fromkeys((*left, *right)):
        for one, other in _pairs(left.get(tag, []), right.get(tag, [])):
            yield from _member(one, other)
    if list(left) != list(right) and left.keys() == right.keys():
        yield Difference("order", "members", "different order", "different order")


def _by_tag(members: Iterable[CatalogMember]) -> dict[bytes, list[CatalogMember]]:
    """Group members by tag; files with the same content share a tag."""
    found: dict[bytes, list[CatalogMember]] = {}
    for member in members:
        found.setdefault(member.tag, []).append(member)
    return found


def _pairs(
    left: list[CatalogMember], right: list[CatalogMember]
) -> Iterator[tuple[CatalogMember | None, CatalogMember | None]]:
    """Pair the members of one tag that only one catalog has; the shorter side is filled with None."""
    unmatched, rest = [], list(right)
    for member in left:
        if member in rest:
            rest.remove(member)
        else:
            unmatched.append(member)
    return itertools.zip_longest(unmatched, rest)


def _member(one: CatalogMember | None, other: CatalogMember | None) -> Iterator[Difference]:
    name = next((member.file or member.tag.hex() for member in (one, other) if member is not None), "")
    if one is None or other is None:
        yield Difference("member", name, _describe(one), _describe(other))
        return
    yield from _attributes("member-attribute", name, one.attributes, other.attributes)
    pairs = {"kind": (one.kind, other.kind), "page hashes": (bool(one.page_hashes), bool(other.page_hashes))}
    for what, (one_value, other_value) in pairs.items():
        if one_value != other_value:
            yield Difference("member-attribute", f"{name} {what}", str(one_value), str(other_value))


def _signature(first: Catalog, second: Catalog) -> Iterator[Difference]:
    if (first.head, first.tail) != (second.head, second.tail):
        one, other = signer_of(first), signer_of(second)
        yield Difference("signature", "", one, other if one != other else f"a different signature by {other}")


def _describe(member: CatalogMember | None) -> str | None:
    if member is None:
        return None
    return f"{member.digest_algorithm or 'tag'} {(member.digest or member.tag).hex()}"


def signer_of(catalog: Catalog) -> str:
    """Return the signer's common name for display, or `unsigned`."""
    if not catalog.is_signed:
        return "unsigned"
    from signer.certificates import common_name
    from signer.pkcs7.parse import parse

    parsed = parse(catalog.signed_data)
    certificates = [parsed.certificate_of(signer) for signer in parsed.signers]
    return ", ".join(common_name(certificate) for certificate in certificates if certificate) or "an unknown signer"
