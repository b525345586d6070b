"""The layout of an App Control policy's binary form: a header with counts, and what they count.

Source: no page of Microsoft's describes it. Two public readers agree on it, WDACTools' CIPolicyParser (up to version 7)
and AppControl Manager's BinaryOpsReverse; versions 8 to 11 are the latter's alone. docs/policy.md says what was checked
with files that Microsoft's tools made. What the two read differently, and what neither knows, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from signer.policy.file_facts import Version
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

NEWEST = 11
"""The newest version of the form that anything public describes."""

_HEADER = 64
_ALWAYS_SET = 0x80000000
_MOST_SCENARIO = 255
_TBS, _WELL_KNOWN = range(2)
_FALSE_OR_TRUE, _NUMBER, _OCTETS, _TEXT = range(4)

EvaluationContext = tuple[tuple[str | None, ...], str | None]
"""Provider, key and name of a setting, and its value where that is text."""


@dataclass(frozen=True, slots=True)
class RawRule:
    """A file rule as every version of the form has it."""

    kind: int
    file_name: str | None
    lowest: Version
    hash: bytes | None
    offset: int


@dataclass(frozen=True, slots=True)
class RawSigner:
    """A signer as every version of the form has it, with its references."""

    tbs: bytes | None
    root_id: int | None
    usages: tuple[int, ...]
    issuer: str | None
    publisher: str | None
    oem: str | None
    attributes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RawScenario:
    """A scenario's value, and what its product signers refer to; test signers are of no account."""

    value: int
    signers: References
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole policy, with places where XML has names."""

    type_id: str
    version: Version
    usages: tuple[bytes, ...]
    rules: tuple[RawRule, ...]
    signers: tuple[RawSigner, ...]
    scenarios: tuple[RawScenario, ...]
    settings: tuple[EvaluationContext, ...]
    blocks: Blocks


def read_layout(cursor: Cursor) -> Layout:
    """The layout of a policy with nothing behind it. Raises ConfigError."""
    format_version = _format(cursor)
    type_id = cursor.guid("the policy's type")
    cursor.guid("the platform")
    if not cursor.number("the options") & _ALWAYS_SET:
        cursor.refuse("the options lack the bit that every policy has", before=4)
    counts = [cursor.number(f"the number of {what}") for what in ("usages", "file rules", "signers", "scenarios")]
    version = cursor.version("the policy's version")
    if cursor.number("the length of the header") != _HEADER:
        cursor.refuse(f"the header does not say that it has {_HEADER} bytes", before=4)
    usages = [cursor.octets("a usage") for _ in range(cursor.room_for(counts[0], "usages", 4))]
    rules = [_rule(cursor) for _ in range(cursor.room_for(counts[1], "file rules", 24))]
    cursor.room_for(counts[3], "scenarios", 48)
    shape = Shape(len(usages), tuple(rule.kind for rule in rules), counts[2], counts[3])
    signers = [_signer(cursor, shape) for _ in range(cursor.room_for(counts[2], "signers", 40))]
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
    version = cursor.number("the version of the form")
    if not 1 <= version <= NEWEST:
        cursor.refuse(
            f"an App Control policy of version {version}, where {NEWEST} is the newest that is publicly known", before=4
        )
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
    value = cursor.number("a scenario's value", _MOST_SCENARIO)
    if cursor.indexes("a scenario to inherit from", shape.scenarios) and value == KERNEL:
        cursor.refuse("the kernel-mode scenario inherits from another, whose effect is not published", before=4)
    cursor.number("a scenario's least hash algorithm")
    (signers, rules), *_ = [_product_or_test(cursor, shape) for _ in range(3)]
    return RawScenario(value, signers, rules)


def _product_or_test(cursor: Cursor, shape: Shape) -> tuple[References, tuple[int, ...]]:
    signers = read_references(cursor, shape)
    return signers, tuple(cursor.many("file rules", 4, lambda at: rule_reference(at, shape, DENY, ALLOW)))


def _setting(cursor: Cursor) -> EvaluationContext:
    name = tuple(cursor.text(f"a setting's {what}") for what in ("provider", "key", "name"))
    kind = cursor.number("a setting's kind", _TEXT)
    if kind in (_FALSE_OR_TRUE, _NUMBER):
        cursor.number("a setting's value")
    elif kind == _OCTETS:
        cursor.octets("a setting's value")
    else:
        return name, cursor.text("a setting's value")
    return name, None
