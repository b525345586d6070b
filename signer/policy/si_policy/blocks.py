"""Read the blocks that later versions of the binary form append to an App Control policy, one per version.

Source: see `signer.policy.si_policy.layout`. Data without meaning for driver files is skipped by its length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from signer.pe.file_facts import Version
from signer.policy.si_policy.cursor import Cursor
from signer.policy.si_policy.rules import FILE_PATH, LOWEST_VERSION
from signer.records import dataclass

DENY, ALLOW, ATTRIBUTE = range(3)
"""The kinds of file rules, as numbered in the binary form."""

Reference = tuple[int, tuple[int, ...]]
"""The index of a signer, and the indexes of the file rules that are its exceptions."""

_BOOLEAN, _STRING, _STRINGS = 0, 3, 4


@dataclass(frozen=True, slots=True)
class Shape:
    """The counts of the objects that blocks refer to."""

    usages: int
    kinds: tuple[int, ...]
    """The kind of each file rule."""
    signers: int
    scenarios: int


@dataclass(frozen=True, slots=True)
class References:
    """The references of a scenario to allowed and denied signers."""

    allowed: tuple[Reference, ...]
    denied: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The contents of the blocks, by the index of the rule or signer."""

    highest: Mapping[int, Version] = field(default_factory=dict)
    names: Mapping[int, tuple[str | None, str | None, str | None]] = field(default_factory=dict)
    """Internal name, description and product name."""
    rule_conditions: Mapping[int, frozenset[str]] = field(default_factory=dict)
    signer_conditions: Mapping[int, frozenset[str]] = field(default_factory=dict)
    excluded: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """The EKUs that a signer must not have."""
    policy_id: str | None = None


def rule_reference(cursor: Cursor, shape: Shape, *kinds: int) -> int:
    """Read a reference to a file rule of one of these kinds."""
    place = cursor.index("a file rule", len(shape.kinds))
    if shape.kinds[place] not in kinds:
        cursor.refuse(f"file rule {place} has the wrong kind for this reference", before=4)
    return place


def read_references(cursor: Cursor, shape: Shape) -> References:
    """Read the allowed signers with their exceptions (Deny rules), and the denied signers with theirs (Allow rules)."""

    def reference(exception: int) -> Reference:
        signer = cursor.index("a signer", shape.signers)
        return signer, tuple(cursor.many("exceptions", 4, lambda at: rule_reference(at, shape, exception)))

    return References(
        tuple(cursor.many("allowed signers", 8, lambda _: reference(DENY))),
        tuple(cursor.many("denied signers", 8, lambda _: reference(ALLOW))),
    )


def read_blocks(cursor: Cursor, version: int, shape: Shape) -> Blocks:
    """Read the blocks up to a version of the format. Raises ConfigError."""
    rules: dict[int, set[str]] = {}
    signers: dict[int, set[str]] = {}
    every = range(len(shape.kinds))
    highest: dict[int, Version] = {}
    names: dict[int, tuple[str | None, str | None, str | None]] = {}
    excluded: dict[int, tuple[int, ...]] = {}
    policy_id = None
    for block in range(3, version + 1):
        cursor.tag(block)
        if block == 3:
            highest = {place: _maximum(cursor, rules.setdefault(place, set())) for place in every}
            _sign_times(cursor, shape, signers)
        elif block == 4:
            names = {place: _names(cursor) for place in every}
        elif block == 5:
            _packages(cursor, every, rules)
        elif block == 6:
            policy_id = _ids(cursor, shape)
        elif block == 7:
            _paths(cursor, every, rules)
        elif block == 8:
            cursor.many("apps with settings", 12, _app)
        elif block == 9:
            _patches(cursor, shape, rules)
        elif block == 10:
            _artifacts(cursor, shape, signers)
        else:
            excluded = dict(cursor.many("signers with excluded usages", 8, lambda at: _excluded(at, shape)))
    return Blocks(highest, names, _frozen(rules), _frozen(signers), excluded, policy_id)


def _frozen(conditions: dict[int, set[str]]) -> dict[int, frozenset[str]]:
    return {place: frozenset(found) for place, found in conditions.items() if found}


def _maximum(cursor: Cursor, conditions: set[str]) -> Version:
    found = cursor.version("a maximum version")
    if cursor.many("application identifiers", 8, lambda at: at.text("an application identifier")):
        conditions.add("AppIDs")
    return found


def _sign_times(cursor: Cursor, shape: Shape, signers: dict[int, set[str]]) -> None:
    for place in range(shape.signers):
        if any(cursor.take(8, "a signer's time")):
            signers.setdefault(place, set()).add("SignTimeAfter")


def _names(cursor: Cursor) -> tuple[str | None, str | None, str | None]:
    return cursor.text("an internal name"), cursor.text("a file description"), cursor.text("a product name")


def _packages(cursor: Cursor, every: range, rules: dict[int, set[str]]) -> None:
    for place in every:
        family, version = cursor.text("a package family name"), cursor.version("a package version")
        if family is not None:
            rules.setdefault(place, set()).add("PackageFamilyName")
        elif version != LOWEST_VERSION:
            cursor.refuse("a package version without a package", before=8)


def _ids(cursor: Cursor, shape: Shape) -> str:
    """Read the policy's GUID, its base policy's GUID, and the signers of supplemental policies; return the first."""
    policy_id = cursor.guid("the policy's GUID")
    cursor.guid("the GUID of the base policy")
    cursor.indexes("signers of supplements", shape.signers)
    return policy_id


def _paths(cursor: Cursor, every: range, rules: dict[int, set[str]]) -> None:
    for place in every:
        if cursor.text("a file path") is not None:
            rules.setdefault(place, set()).add(FILE_PATH)


def _app(cursor: Cursor) -> None:
    """Skip the settings of one application, which don't apply to drivers."""
    cursor.text("an application's manifest")
    cursor.many("settings of an application", 14, _app_setting)


def _app_setting(cursor: Cursor) -> None:
    cursor.text("a setting's name")
    kind = cursor.take(1, "a setting's kind")[0]
    if kind == _BOOLEAN:
        cursor.take(1, "a setting's value")
    elif kind == _STRING:
        cursor.text("a setting's value")
    elif kind == _STRINGS:
        cursor.many("values of a setting", 8, lambda at: at.text("a setting's value"))
    else:
        cursor.refuse(f"unknown kind {kind} of an application setting", before=1)
    cursor.number("a setting's flags")


def _patches(cursor: Cursor, shape: Shape, rules: dict[int, set[str]]) -> None:
    """Read the hot patches: a base rule, a patch rule and two limits each. Both rules get a condition."""
    for _ in range(cursor.count("hot patches", 16)):
        for place in (rule_reference(cursor, shape, ALLOW), rule_reference(cursor, shape, ALLOW)):
            rules.setdefault(place, set()).add("RequireHotpatchID")
        cursor.take(8, "the limits of a hot patch")


def _artifacts(cursor: Cursor, shape: Shape, signers: dict[int, set[str]]) -> None:
    """Skip the rules for catalogs and container images; signers that are restricted to them get a condition."""
    count = cursor.count("artifact rules", 44)
    for _ in range(count):
        cursor.take(8, "an artifact's kind")
        cursor.text("an artifact's name")
        cursor.text("an artifact's description")
        cursor.take(16, "an artifact's versions")
        cursor.octets("an artifact's hash")
    for _ in range(cursor.count("signers of artifacts", 8)):
        place = cursor.index("a signer", shape.signers)
        if cursor.indexes("an artifact rule", count):
            signers.setdefault(place, set()).add("ArtifactRuleRef")
    for _ in range(shape.scenarios):
        read_references(cursor, shape)
        cursor.indexes("an artifact rule", count)


def _excluded(cursor: Cursor, shape: Shape) -> tuple[int, tuple[int, ...]]:
    return cursor.index("a signer", shape.signers), cursor.indexes("a usage", shape.usages)
