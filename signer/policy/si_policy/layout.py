"""Read the layout of an App Control policy's binary form: a header with counts, and the objects that they count.

Source: Microsoft does not document the layout. Two public readers agree on it, WDACTools' CIPolicyParser (up to version
7) and AppControl Manager's BinaryOpsReverse, the only source for versions 8 to 11. docs/policy.md lists the checks with
files from Microsoft's tools. Data that the two read differently, or that neither supports, is refused.
"""

from __future__ import annotations

from signer.pe.file_facts import Version
from signer.policy.si_policy.blocks import (
    ALLOW,
    ATTRIBUTE,
    DENY,
    Blocks,
    References,
    Shape,
    read_blocks,
    read_references,
    rule_reference,
)
from signer.policy.si_policy.cursor import Cursor
from signer.policy.si_policy.policy import KERNEL
from signer.records import dataclass

MAX_VERSION = 11
"""The newest version of the binary form with a public source."""

_HEADER = 64
_ALWAYS_SET = 0x80000000
_MAX_SCENARIO = 255
_TBS, _WELL_KNOWN = range(2)
_FALSE_OR_TRUE, _NUMBER, _OCTETS, _TEXT = range(4)

Setting = tuple[tuple[str | None, ...], str | None]
"""Provider, key and name of a setting, and its value if that is text."""


@dataclass(frozen=True, slots=True)
class RawRule:
    """The part of a file rule that is common to all versions."""

    kind: int
    file_name: str | None
    lowest: Version
    hash: bytes | None
    offset: int


@dataclass(frozen=True, slots=True)
class RawSigner:
    """The part of a signer that is common to all versions, with its references."""

    tbs: bytes | None
    root_id: int | None
    usages: tuple[int, ...]
    issuer: str | None
    publisher: str | None
    oem: str | None
    attributes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RawScenario:
    """A scenario's value, and the references of its product signers; test signers are ignored."""

    value: int
    signers: References
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole policy, with indexes instead of the names in XML."""

    type_id: str
    version: Version
    usages: tuple[bytes, ...]
    rules: tuple[RawRule, ...]
    signers: tuple[RawSigner, ...]
    scenarios: tuple[RawScenario, ...]
    settings: tuple[Setting, ...]
    blocks: Blocks


def read_layout(cursor: Cursor) -> Layout:
    """Read a policy up to the end of the data. Raises ConfigError."""
    format_version = _format(cursor)
    type_id = cursor.guid("the policy's type")
    cursor.guid("the platform")
    if not cursor.number("the options") & _ALWAYS_SET:
        cursor.refuse("the options lack bit 31, which every policy sets", before=4)
    counts = [cursor.number(f"the number of {what}") for what in ("usages", "file rules", "signers", "scenarios")]
    version = cursor.version("the policy's version")
    if cursor.number("the length of the header") != _HEADER:
        cursor.refuse(f"the length of the header is not {_HEADER}", before=4)
    usages = [cursor.octets("a usage") for _ in range(cursor.check_count(counts[0], "usages", 4))]
    rules = [_rule(cursor) for _ in range(cursor.check_count(counts[1], "file rules", 24))]
    cursor.check_count(counts[3], "scenarios", 48)
    shape = Shape(len(usages), tuple(rule.kind for rule in rules), counts[2], counts[3])
    signers = [_signer(cursor, shape) for _ in range(cursor.check_count(counts[2], "signers", 40))]
    for what in ("a signer of updates", "a signer of Code Integrity"):
        cursor.indexes(what, shape.signers)
    scenarios = [_scenario(cursor, shape) for _ in range(shape.scenarios)]
    cursor.number("the options of memory integrity")
    settings = cursor.many("settings", 32, _setting)
    blocks = read_blocks(cursor, format_version, shape)
    cursor.tag(format_version + 1)
    cursor.end()
    return Layout(
        type_id, version, tuple(usages), tuple(rules), tuple(signers), tuple(scenarios), tuple(settings), blocks
    )


def _format(cursor: Cursor) -> int:
    version = cursor.number("the version of the binary form")
    if not 1 <= version <= MAX_VERSION:
        cursor.refuse(f"version {version} of the binary form is not supported; the newest is {MAX_VERSION}", before=4)
    return version


def _rule(cursor: Cursor) -> RawRule:
    offset = cursor.offset
    kind = cursor.number("a file rule's kind", ATTRIBUTE)
    name, lowest = cursor.text("a file name"), cursor.version("a minimum version")
    return RawRule(kind, name, lowest, cursor.octets("a hash") or None, offset)


def _signer(cursor: Cursor, shape: Shape) -> RawSigner:
    tbs, root_id = None, None
    if cursor.number("the kind of a signer's root", _WELL_KNOWN) == _TBS:
        tbs = cursor.octets("a certificate's hash")
    else:
        root_id = cursor.number("a well-known root", 255)
    return RawSigner(
        tbs,
        root_id,
        cursor.indexes("a usage", shape.usages),
        cursor.text("an issuer"),
        cursor.text("a publisher"),
        cursor.text("an OEM"),
        tuple(cursor.many("file attributes", 4, lambda at: rule_reference(at, shape, ATTRIBUTE))),
    )


def _scenario(cursor: Cursor, shape: Shape) -> RawScenario:
    value = cursor.number("a scenario's value", _MAX_SCENARIO)
    if cursor.indexes("a scenario to inherit from", shape.scenarios) and value == KERNEL:
        cursor.refuse("the kernel-mode scenario inherits from another one, which is not supported", before=4)
    cursor.number("a scenario's minimum hash algorithm")
    (signers, rules), *_ = [_product_or_test(cursor, shape) for _ in range(3)]
    return RawScenario(value, signers, rules)


def _product_or_test(cursor: Cursor, shape: Shape) -> tuple[References, tuple[int, ...]]:
    signers = read_references(cursor, shape)
    return signers, tuple(cursor.many("file rules", 4, lambda at: rule_reference(at, shape, DENY, ALLOW)))


def _setting(cursor: Cursor) -> Setting:
    name = tuple(cursor.text(f"a setting's {part}") for part in ("provider", "key", "name"))
    kind = cursor.number("a setting's kind", _TEXT)
    if kind in (_FALSE_OR_TRUE, _NUMBER):
        cursor.number("a setting's value")
    elif kind == _OCTETS:
        cursor.octets("a setting's value")
    else:
        return name, cursor.text("a setting's value")
    return name, None
