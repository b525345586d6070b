"""What a target's Code Integrity would write to its event logs about a verdict.

Only events that the release's manifest has. Manifests are public for Windows 7 and for Windows 10 builds 10240, 17134
and 18990, so a release between two of them has the events of the older one. Fields that depend on the machine (process,
cache, policy bits) are None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from signer.algorithms import DigestAlgorithm
from signer.codeintegrity.signature_information import signature_information
from signer.codeintegrity.status import status_of
from signer.policy.findings import Verdict
from signer.policy.tables import Row, rows
from signer.policy.targets import Releases, Target
from signer.verify.evidence import Evidence

OPERATIONAL = "Microsoft-Windows-CodeIntegrity/Operational"
VERBOSE = "Microsoft-Windows-CodeIntegrity/Verbose"
SECURITY = "Security"

EVALUATION_POLICY = "{784C4414-79F4-4C32-A6A5-F0FB42A51D0D}"
ENFORCED_POLICY = "{8F9CB695-5D48-48D6-A329-7202B44607E3}"

_MANIFESTS = (
    (18990, "Win10-18990"),
    (17134, "Win10-17134"),
    (10240, "Win10-10240"),
    (0, "Win7-7600"),
)
_VERBOSE_IDS = frozenset(range(3006, 3010))
BLOCK_POLICY = "{D2BDA982-CCF6-4344-AC5B-0B44427B6816}"

_BY_RULE = {"page-hashes": 3002, "driver-policy": 3077, "block-list": 3077, "s-mode": 3077, "lifetime": 3033}
_POLICIES = {"driver-policy": ENFORCED_POLICY, "block-list": BLOCK_POLICY}
_POLICY_NAMES = {
    EVALUATION_POLICY: "Microsoft Windows Cross Certificates for Code Integrity Exceptions Audit Policy",
    ENFORCED_POLICY: "Microsoft Windows Cross Certificates for Code Integrity Exceptions Policy",
}
_KERNEL_SCENARIO = 0
"""SISigningScenario of a driver; user mode is 1."""
_LAYOUT = {"hvci-unaligned": 3072, "hvci-writable-code": 3073}
"""What memory integrity logs about an image's layout by the code of the finding, before 3111 says that it blocks."""
_SILENT = frozenset({"architecture", "boot-start-embedded", "hvci"})
"""Rejections that no event of a bad signature goes with: another part says no, or nothing runs yet that could log."""
_WITH_SIGNATURES = frozenset({3002, 3004, 3033, 3076, 3077})
_AUDIT = {
    5038: "Code integrity determined that the image hash of a file is not valid. The file could be corrupt due to "
    "unauthorized modification or the invalid hash could indicate a potential disk device error.\n\nFile Name:\t{file}",
    6281: "Code Integrity determined that the page hashes of an image file are not valid. The file could be improperly "
    "signed without page hashes or corrupt due to unauthorized modification. The invalid hashes could indicate a "
    "potential disk device error.\n\nFile Name:\t{file}",
}
_PAGE_AUDIT = Releases(since="win7")
_PLACE = re.compile(r"%\d+")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a Windows event log."""

    id: int
    channel: str
    level: str
    message: str
    data: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The event as the command line's JSON has it."""
        return {
            "id": self.id,
            "channel": self.channel,
            "level": self.level,
            "message": self.message,
            "data": self.data,
        }


def events_of(
    policy_name: str, verdict: Verdict, evidence: Evidence, target: Target, *, verbose: bool = False
) -> tuple[Event, ...]:
    """The events of one load, in the order in which they are written.

    Nothing is logged for an unknown verdict, for user mode (authenticode) and for an installation (pnp): those are not
    Code Integrity's. `verbose` adds the events of the Verbose channel, which Windows does not enable by itself.
    """
    if policy_name not in ("kernel", "protected-media") or verdict.outcome == "unknown":
        return ()
    if evidence.kind == "catalog":
        return tuple(_catalog(verdict, evidence, target))
    return (*_load(policy_name, verdict, evidence, target), *(_found(verdict, evidence, target) if verbose else ()))


def _catalog(verdict: Verdict, evidence: Evidence, target: Target) -> Iterator[Event]:
    if verdict.outcome == "rejected":
        yield from _event(3010, evidence.name, target)


def _load(policy_name: str, verdict: Verdict, evidence: Evidence, target: Target) -> Iterator[Event]:
    number, extra = _number(verdict)
    if number is None:
        if verdict.outcome == "rejected" and verdict.rule == "hvci":
            yield from _not_fit(verdict, evidence, target)
        return
    logged = list(_event(number, evidence.name, target, {**_about_file(policy_name, verdict, evidence), **extra}))
    yield from logged
    if logged and number in _WITH_SIGNATURES:
        for fields in signature_information(verdict, evidence):
            yield from _event(3089, evidence.name, target, fields)
    if number in (3002, 3004):
        yield from _audit(number, evidence.name, target)


def _not_fit(verdict: Verdict, evidence: Evidence, target: Target) -> Iterator[Event]:
    """What memory integrity minds, and from the release on that has the event, that it blocks the driver."""
    for number in (*(_LAYOUT[code] for code in verdict.codes if code in _LAYOUT), 3111):
        yield from _event(number, evidence.name, target)


def _number(verdict: Verdict) -> tuple[int | None, dict[str, Any]]:
    """The event that the load itself gives, and the fields that the verdict decides."""
    rule = verdict.rule
    if verdict.outcome == "rejected":
        if rule in _SILENT or rule.startswith("media-"):
            return None, {}
        return _BY_RULE.get(rule, 3004), _policy_fields(_POLICIES[rule]) if rule in _POLICIES else {}
    if rule == "debugger":
        return (3003 if any(one.rule == "page-hashes" for one in verdict.signatures) else 3005), {}
    if rule == "x86-not-enforced":
        return 3001, {}
    if _needed(verdict, "driver-policy-evaluation"):
        return 3076, _policy_fields(EVALUATION_POLICY)
    if _needed(verdict, "cross-signed-boot-start", "cross-signed-upgraded"):
        return 3083, {}
    return None, {}


def _needed(verdict: Verdict, *codes: str) -> bool:
    """Whether the file loads with one of these only: no signature is accepted without."""
    accepted = [set(one.codes) for one in verdict.signatures if one.outcome == "accepted"]
    return bool(accepted) and all(not found.isdisjoint(codes) for found in accepted)


def _policy_fields(policy: str) -> dict[str, Any]:
    return {"PolicyGUID": policy, "PolicyName": _POLICY_NAMES.get(policy)}


def _about_file(policy_name: str, verdict: Verdict, evidence: Evidence) -> dict[str, Any]:
    """What is known of the file and of the answer: its Authenticode digests, and the status where there is one."""
    status = status_of(policy_name, verdict).code
    sha1, sha256 = (evidence.digests.get(one) for one in (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256))
    return {
        "Status": status,
        "SHA1Hash": sha1.hex().upper() if sha1 is not None else None,
        "SHA256Hash": sha256.hex().upper() if sha256 is not None else None,
        "SISigningScenario": _KERNEL_SCENARIO,
    }


def _event(number: int, file: str, target: Target, extra: dict[str, Any] | None = None) -> Iterator[Event]:
    """The event in the newest version that the release's manifest has; nothing where it has none."""
    row = _row(number, next(name for build, name in _MANIFESTS if target.build >= build))
    if row is None:
        return
    known = {"FileNameBuffer": file, "FileName": file, "CatalogNameBuffer": None, "ProcessName": "System"}
    known |= {"ProcessNameBuffer": "System", **(extra or {})}
    names = row["fields"].split()
    data = {name: known.get(name) for name in names}
    channel = VERBOSE if number in _VERBOSE_IDS else OPERATIONAL
    yield Event(number, channel, row["level"], _message(row["message"], file, known), data)


def _message(text: str, file: str, known: dict[str, Any]) -> str:
    """The manifest's text with the file filled in. Kernel drivers are loaded by System, at level Authenticode."""
    policy = known.get("PolicyGUID") or ""
    values = {
        "%2": file,
        "%4": known.get("CatalogName") or "System",
        "%5": "Authenticode",
        "%6": "System",
        "%29": policy,
        "%33": policy,
    }
    # In one pass: what is filled in may itself look like a place to fill in.
    filled = _PLACE.sub(lambda place: str(values.get(place[0], place[0])), text)
    return filled if policy else filled.replace(" (Policy ID:)", "")


@lru_cache(maxsize=256)
def _row(number: int, manifest: str) -> Row | None:
    found = [
        row
        for row in rows("events.tsv", "signer.codeintegrity.data")
        if row["event_id"] == str(number) and manifest in row["manifests"].split(",")
    ]
    return max(found, key=lambda row: int(row["version"]), default=None)


def _audit(number: int, file: str, target: Target) -> Iterator[Event]:
    """What the Security log holds, where System Integrity auditing is on."""
    audit = 6281 if number == 3002 and target in _PAGE_AUDIT else 5038
    yield Event(audit, SECURITY, "Audit Failure", _AUDIT[audit].format(file=file), {"param1": file})


def _found(verdict: Verdict, evidence: Evidence, target: Target) -> Iterator[Event]:
    """Where the hash was found, for the signature that let the driver in."""
    for one in verdict.signatures:
        if one.outcome != "accepted":
            continue
        signature = evidence.signatures[one.index]
        pages = signature.page_hashes != "none"
        number = (3006 if pages else 3008) if signature.source == "catalog" else (3007 if pages else 3009)
        extra = {"CatalogNameBuffer": signature.catalog, "CatalogName": signature.catalog}
        yield from _event(number, evidence.name, target, extra)
        return
