"""List the events that a target's Code Integrity writes to its logs for a verdict.

`_number` decides which event a load causes. An event appears only on releases that have it, with the fields and the
text of their build (see `event_tables`); with rows in those tables alone, drvsign reads an event but never predicts it.
Fields that depend on the machine (cache state, USN, policy bits) are None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from signer.codeintegrity.app_control import AppControlPolicy, app_control_policy
from signer.codeintegrity.event_tables import message_of, newest_schema
from signer.codeintegrity.field_values import FieldValue, field_data
from signer.codeintegrity.file_fields import EventSubject
from signer.codeintegrity.message_text import write_message
from signer.codeintegrity.signature_information import signature_information
from signer.codeintegrity.status import status_of
from signer.policy.findings import Verdict
from signer.policy.targets import Releases, Target
from signer.records import dataclass

_EVENT_OF_RULE = {"page-hashes": 3002, "driver-policy": 3077, "block-list": 3077, "s-mode": 3077, "lifetime": 3033}
_POLICY_OF_RULE = {"driver-policy": "enforced", "block-list": "block-list", "s-mode": "s-mode"}
_LAYOUT = {
    "hvci-unaligned": 3072,
    "hvci-section-unaligned": 3072,
    "hvci-writable-code": 3073,
    "hvci-shared-writable-code": 3073,
}
"""Events about a layout that memory integrity refuses, by the code of the finding; 3111 follows and blocks."""
_FAILURE_BITS = {
    "hvci-not-native": 0x1,
    "hvci-unaligned": 0x2,
    "hvci-section-unaligned": 0x4,
    "hvci-writable-code": 0x8,
    "hvci-shared-writable-code": 0x10,
    "hvci-imports-in-code": 0x20,
    "hvci-import-addresses": 0x40,
    "hvci-no-import-addresses": 0x80,
    "hvci-not-contiguous": 0x100,
    "hvci-section-order": 0x200,
    "hvci-section-size": 0x400,
}
"""Bits of the map HvciAuditFailures in `event_values.tsv` by the code of the finding."""
_SILENT = frozenset({"architecture", "boot-start-embedded", "hvci"})
"""Rules whose rejection logs no event about a signature: another component refuses, or nothing runs that could log."""
_WITH_SIGNATURES = frozenset({3002, 3004, 3033, 3076, 3077})
_WITH_FACTS = frozenset({3076, 3077})
_PAGE_AUDIT = Releases(since="win7")
_AUTHENTICODE, _UNSIGNED = 4, 1
"""Signing levels: drivers are loaded at level Authenticode, and a rejected file has level Unsigned (in records)."""
_AUDITED_STATUS = "0xC0E90002"
"""Status in records of 3076, written on machines whose policy only audits: that of the policy, although it loads."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a Windows event log."""

    id: int
    channel: str
    level: str
    message: str
    data: dict[str, FieldValue] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the event as the command line's JSON has it."""
        return {
            "id": self.id,
            "channel": self.channel,
            "level": self.level,
            "message": self.message,
            "data": self.data,
        }


def events_of(
    policy_name: str,
    verdict: Verdict,
    subject: EventSubject,
    target: Target,
    *,
    verbose: bool = False,
) -> tuple[Event, ...]:
    """Return the events of one load in the order in which Windows writes them.

    There are none for an unknown or inapplicable verdict, for user mode (authenticode) and for an installation (pnp),
    which other components log. `verbose` adds those of the Verbose channel, which Windows does not enable by default.
    """
    if policy_name not in ("kernel", "protected-media") or verdict.outcome in ("unknown", "not-applicable"):
        return ()
    evidence = subject.evidence
    known = {**subject.fields, "Status": status_of(policy_name, verdict, evidence.architecture).code}
    if evidence.traits.lists_files:
        return tuple(_event(3010, target, known)) if verdict.outcome == "rejected" else ()
    found = _found(verdict, subject, target, known) if verbose else ()
    return (*_load(verdict, subject, target, known), *found)


def _load(verdict: Verdict, subject: EventSubject, target: Target, known: Mapping[str, FieldValue]) -> Iterator[Event]:
    if verdict.outcome == "rejected" and verdict.rule == "hvci":
        yield from _layout(verdict, target, known)
    number = _number(verdict)
    if number is None:
        return
    about_file = subject.fact_fields if number in _WITH_FACTS else {}
    logged = list(_event(number, target, {**known, **about_file, **_decided(number, verdict)}))
    yield from logged
    if logged and number in _WITH_SIGNATURES:
        for fields in signature_information(verdict, subject):
            yield from _event(3089, target, fields)
    if number in (3002, 3004):
        yield from _event(6281 if number == 3002 and target in _PAGE_AUDIT else 5038, target, known)


def _layout(verdict: Verdict, target: Target, known: Mapping[str, FieldValue]) -> Iterator[Event]:
    """Yield each fault that memory integrity finds in the layout, then the event that says it blocks the driver."""
    faults = [code for code in verdict.codes if code.startswith("hvci-")]
    failures = hex(sum({_FAILURE_BITS.get(code, 0) for code in faults}))
    about_sections = dict.fromkeys(_LAYOUT[code] for code in faults if code in _LAYOUT)
    for number in (*about_sections, 3111):
        yield from _event(number, target, {**known, "HVCIAuditFailures": failures})


def _number(verdict: Verdict) -> int | None:
    """Return the event that the load itself causes; None for a load without one."""
    rule = verdict.rule
    if verdict.outcome == "rejected":
        return None if rule in _SILENT or rule.startswith("media-") else _EVENT_OF_RULE.get(rule, 3004)
    if rule == "debugger":
        return 3003 if any(one.rule == "page-hashes" for one in verdict.signatures) else 3005
    if rule == "x86-not-enforced":
        return 3001
    if _needed(verdict, "driver-policy-evaluation"):
        return 3076
    if _needed(verdict, "cross-signed-boot-start", "cross-signed-upgraded"):
        return 3083
    return None


def _needed(verdict: Verdict, *codes: str) -> bool:
    """Return whether every accepted signature depends on one of these exemptions."""
    accepted = [set(one.codes) for one in verdict.signatures if one.outcome == "accepted"]
    return bool(accepted) and all(not found.isdisjoint(codes) for found in accepted)


def _decided(number: int, verdict: Verdict) -> dict[str, FieldValue]:
    """Return the fields that the verdict decides: signing levels, and the policy that refuses or audits."""
    validated = _UNSIGNED if verdict.outcome == "rejected" else None
    levels: dict[str, FieldValue] = {
        **dict.fromkeys(("RequestedSigningLevel", "RequestedPolicy"), _AUTHENTICODE),
        **dict.fromkeys(("ValidatedSigningLevel", "ValidatedPolicy"), validated),
    }
    if number == 3076:
        return {**levels, **_policy_fields(app_control_policy("evaluation")), "Status": _AUDITED_STATUS}
    if number == 3077:
        return {**levels, **_policy_fields(app_control_policy(_POLICY_OF_RULE[verdict.rule]))}
    return levels


def _policy_fields(policy: AppControlPolicy) -> dict[str, FieldValue]:
    return {"PolicyGUID": policy.guid, "PolicyName": policy.name}


def _event(number: int, target: Target, known: Mapping[str, FieldValue]) -> Iterator[Event]:
    """Yield the event in the newest version that the target's build has; nothing if the build lacks it."""
    schema = newest_schema(number, target.build)
    message = message_of(number, schema.version, target.build) if schema is not None else None
    if schema is None or message is None:
        return
    data = field_data(schema, known)
    yield Event(number, schema.channel, schema.level, write_message(message, schema, data, target.build), data)


def _found(verdict: Verdict, subject: EventSubject, target: Target, known: Mapping[str, FieldValue]) -> Iterator[Event]:
    """Yield where the hash was found, for the first signature that was accepted."""
    accepted = next((one for one in verdict.signatures if one.outcome == "accepted"), None)
    if accepted is None:
        return
    signature = subject.evidence.signatures[accepted.index]
    pages = signature.page_hashes != "none"
    number = (3006 if pages else 3008) if signature.source == "catalog" else (3007 if pages else 3009)
    yield from _event(number, target, {**known, "CatalogName": signature.catalog})
