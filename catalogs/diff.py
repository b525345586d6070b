"""Compare two catalogs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from catalogs.catalog.file import Catalog
from catalogs.catalog.members import CatalogMember, interpret
from catalogs.catalog.trust_list import TrustedSubject
from signer.errors import CatalogError

DifferenceKind = Literal[
    "version", "identifier", "date", "attribute", "order", "member", "member-attribute", "signature"
]


class Difference(NamedTuple):
    """A difference between two catalogs; a value is None if that catalog lacks the item."""

    what: DifferenceKind
    subject: str
    """The member or attribute that differs."""
    first: str | None
    second: str | None


def differences(first: Catalog, second: Catalog) -> list[Difference]:
    """Return all differences; empty for catalogs that are identical byte for byte.

    Raises CatalogError for a malformed member that only one of them has.
    """
    return [
        *_fields(first, second),
        *_attributes("attribute", "", first.attributes, second.attributes),
        *_members(first, second),
        *_signature(first, second),
    ]


def _fields(first: Catalog, second: Catalog) -> Iterator[Difference]:
    rows: list[tuple[DifferenceKind, str, str]] = [
        ("version", str(first.version), str(second.version)),
        ("identifier", first.list_identifier.hex(), second.list_identifier.hex()),
        ("date", _iso(first.this_update), _iso(second.this_update)),
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
    if first != second and set(first) == set(second) and Counter(first) == Counter(second):
        yield Difference("order", subject, ", ".join(name for name, _ in first), ", ".join(name for name, _ in second))


def _members(first: Catalog, second: Catalog) -> Iterator[Difference]:
    left, right = _by_tag(first.trust_list.subjects), _by_tag(second.trust_list.subjects)
    for tag in dict.fromkeys((*left, *right)):
        yield from _entries_of_tag(left.get(tag, ()), right.get(tag, ()), first, second)
    if list(left) != list(right) and left.keys() == right.keys():
        yield Difference("order", "members", "different order", "different order")


def _entries_of_tag(
    left: Sequence[TrustedSubject], right: Sequence[TrustedSubject], first: Catalog, second: Catalog
) -> Iterator[Difference]:
    """Compare the entries of one tag. Equal ones, which are nearly all of similar catalogs, are not interpreted."""
    if left == right:
        return
    if len(left) + len(right) > 2:
        left, right = _without(left, right), _without(right, left)
    for one, other in zip(left, right, strict=False):
        yield from _member(_interpreted(one, first), _interpreted(other, second))
    for one in left[len(right) :]:
        member = _interpreted(one, first)
        yield Difference("member", _name(member), _describe(member), None)
    for other in right[len(left) :]:
        member = _interpreted(other, second)
        yield Difference("member", _name(member), None, _describe(member))


def _interpreted(entry: TrustedSubject, catalog: Catalog) -> CatalogMember:
    """Interpret an entry of a catalog. Raises CatalogError with the name of the catalog."""
    try:
        return interpret(entry, catalog.version)
    except CatalogError as error:
        raise error.at(Path(catalog.name)) from error


def _by_tag(entries: Iterable[TrustedSubject]) -> dict[bytes, list[TrustedSubject]]:
    """Group entries by tag; files with the same content share a tag."""
    found: dict[bytes, list[TrustedSubject]] = {}
    for entry in entries:
        found.setdefault(entry.identifier, []).append(entry)
    return found


def _without(entries: Sequence[TrustedSubject], others: Sequence[TrustedSubject]) -> list[TrustedSubject]:
    """Return the entries that are not among the others, as often as they are missing there."""
    same = Counter(others)
    found = []
    for entry in entries:
        if same[entry]:
            same[entry] -= 1
        else:
            found.append(entry)
    return found


def _member(one: CatalogMember, other: CatalogMember) -> Iterator[Difference]:
    name = _name(one)
    yield from _attributes("member-attribute", name, one.attributes, other.attributes)
    pairs = {"kind": (one.kind, other.kind), "page hashes": (bool(one.page_hashes), bool(other.page_hashes))}
    for what, (one_value, other_value) in pairs.items():
        if one_value != other_value:
            yield Difference("member-attribute", f"{name} {what}", str(one_value), str(other_value))


def _signature(first: Catalog, second: Catalog) -> Iterator[Difference]:
    if (first.head, first.tail) != (second.head, second.tail):
        one, other = signer_of(first), signer_of(second)
        yield Difference("signature", "", one, other if one != other else f"a different signature by {other}")


def _name(member: CatalogMember) -> str:
    return member.file or member.tag.hex()


def _describe(member: CatalogMember) -> str:
    label = member.digest_algorithm.label if member.digest_algorithm else "tag"
    return f"{label} {(member.digest or member.tag).hex()}"


def signer_of(catalog: Catalog) -> str:
    """Return the signer's common name for display, or `unsigned`."""
    if not catalog.is_signed:
        return "unsigned"
    from signer.certificates import common_name
    from signer.pkcs7.parse import parse

    parsed = parse(catalog.signed_data)
    certificates = [parsed.certificate_of(signer) for signer in parsed.signers]
    return ", ".join(common_name(certificate) for certificate in certificates if certificate) or "an unknown signer"


def _iso(time: datetime) -> str:
    """Format a UTC time in ISO 8601 with Z, as elsewhere in the JSON output."""
    return time.isoformat().replace("+00:00", "Z")
