"""Read the members of real catalogs, independently of drvsign's catalog parser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import cms, parser

Node = tuple[int, bytes]


@dataclass(frozen=True)
class RealCatalog:
    """The contents of a real catalog, to compare with a package read from its INF."""

    members: Counter[tuple[str, str]]
    """File and OSAttr of each member; in a version 2 catalog, only of the SHA-256 entries."""
    attributes: dict[str, str]
    """The catalog attributes."""
    member_attributes: dict[str, dict[str, str]]
    """Member attributes by file name."""
    digests: frozenset[bytes]
    """The digests of all members."""

    @property
    def hardware_ids(self) -> list[str]:
        numbers = {int(name[4:]): value for name, value in self.attributes.items() if name.startswith("HWID")}
        return [numbers[number] for number in sorted(numbers)]


def read(path: Path) -> RealCatalog:
    content = cms.ContentInfo.load(path.read_bytes())["content"]["encap_content_info"]["content"]
    trust_list = content.parsed.dump() if hasattr(content, "parsed") else content.dump()
    fields = _inside(_inside(trust_list)[0][1])
    if fields[0][0] == 0x30 and len(fields) == 1:
        fields = _inside(fields[0][1])
    members: Counter[tuple[str, str]] = Counter()
    by_file: dict[str, dict[str, str]] = {}
    digests: set[bytes] = set()
    for entry in _inside(fields[4][1]):
        values = dict(_named(entry[1]))
        if "1.3.6.1.4.1.311.2.1.4" in values:
            members[values["File"], values.get("OSAttr", "")] += 1
            by_file[values["File"]] = values
            digests.add(bytes.fromhex(values["1.3.6.1.4.1.311.2.1.4"]))
    attributes = dict(_extensions(fields[5][1])) if len(fields) > 5 else {}
    return RealCatalog(members, attributes, by_file, frozenset(digests))


def _inside(data: bytes) -> list[Node]:
    """Return the consecutive elements in `data`: identifier octet and contents."""
    found = []
    while data:
        kind, method, tag, header, contents, trailer = parser.parse(data)
        found.append((kind << 6 | method << 5 | tag, contents))
        data = data[len(header) + len(contents) + len(trailer) :]
    return found


def _named(entry: bytes) -> Iterator[tuple[str, str]]:
    for _, attribute in _inside(_inside(entry)[1][1]):
        (_, oid), (_, values) = _inside(attribute)
        yield from _name_value(oid, values)


def _extensions(extensions: bytes) -> Iterator[tuple[str, str]]:
    for _, extension in _inside(_inside(extensions)[0][1]):
        parts = _inside(extension)
        yield from _name_value(parts[0][1], parts[-1][1])


def _name_value(oid: bytes, value: bytes) -> Iterator[tuple[str, str]]:
    if oid == bytes.fromhex("2b060104018237020104"):
        _, (_, digest_info) = _inside(_inside(value)[0][1])
        yield "1.3.6.1.4.1.311.2.1.4", _inside(digest_info)[1][1].hex()
    elif oid == bytes.fromhex("2b060104018237 0c0201"):
        (_, name), _, (_, text) = _inside(_inside(value)[0][1])
        yield name.decode("utf-16-be"), text.decode("utf-16-le").rstrip("\0")
