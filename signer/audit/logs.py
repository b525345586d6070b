"""Read what logs of Code Integrity say about drivers: events 3076 and 3077, which report a policy's decision.

Source: windows-itpro-docs app-control-for-business/operations/event-id-explanations.md. Event 3076: the file would have
been blocked if the policy were enforced; event 3077: the policy blocked it. Events 3089 with the same activity describe
the signatures of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from signer.audit.rows import Answer, Identity, LoggedEvent, Reason, Sighting
from signer.codeintegrity.app_control import policy_with_guid
from signer.explain.context import Context
from signer.explain.readers.table import read_records
from signer.explain.records import Record
from signer.policy import remedies

_AUDITED, _BLOCKED, _SIGNATURE = 3076, 3077, 3089
_HASHES = ("SHA256Hash", "SHA1Hash", "SHA256FlatHash", "SHA1FlatHash")
"""The first two are Authenticode digests, the others are hashes of the whole file."""
_USER_MODE = "1"
"""SI Signing Scenario of a user-mode image."""
_REMEDIES = {
    "evaluation": remedies.WINDOWS_DRIVER_POLICY,
    "enforced": remedies.WINDOWS_DRIVER_POLICY,
    "block-list": remedies.BLOCK_LIST,
    "s-mode": remedies.S_MODE,
}
_NAMES = {
    "evaluation": "Windows Driver Policy",
    "enforced": "Windows Driver Policy",
    "block-list": "Microsoft's driver block list",
    "s-mode": "S mode",
}
"""The names of Microsoft's policies in answers, as those of files have them."""
_OTHER_POLICY = "Allow the driver in that App Control policy, or replace it."

Key = tuple[str, str, int, str]
"""Machine, file, event and policy: of equal events the newest is kept."""


def log_sightings(path: Path, pieces: Iterable[bytes], machines: Iterable[str], context: Context) -> Iterator[Sighting]:
    """Yield what a log says about each driver, machine and policy. Raises FileError for a file that is not a log.

    `machines` are the names that the call gave: a computer of the log with such a name, or with it as the first label
    of its name in the network, is that machine. `context` collects what could not be read.
    """
    names = {name.casefold(): name for name in machines}
    found: dict[Key, Sighting] = {}
    activities: dict[str, Key] = {}
    publishers: dict[str, str] = {}
    context.open(str(path))
    for record in read_records(pieces, context):
        event = record.events[0] if record.events else 0
        activity = record.activity or ""
        if event == _SIGNATURE and activity:
            publishers.setdefault(activity, str(record.fields.get("PublisherName") or ""))
        if event not in (_AUDITED, _BLOCKED) or not _is_about_driver(record):
            continue
        one = _sighting(event, record, path, _machine(record.computer, names))
        key = (one.machine, one.key, event, one.events[0].policy)
        activities[activity] = key
        if key not in found or one.events[0].time >= found[key].events[0].time:
            found[key] = one
    signed = {activities[activity]: name for activity, name in publishers.items() if activity in activities}
    for key, one in found.items():
        yield _with_publisher(one, signed.get(key, ""))


def _is_about_driver(record: Record) -> bool:
    """Return whether an event is about a file that the kernel loads."""
    return bool(record.file) and str(record.fields.get("SISigningScenario", "")) != _USER_MODE


def _machine(computer: str, names: Mapping[str, str]) -> str:
    """Return the name of a machine: that of the call if it names the computer, else the computer's."""
    computer = computer.casefold()
    for name in (computer, computer.partition(".")[0]):
        if name in names:
            return names[name]
    return computer


def _sighting(event: int, record: Record, path: Path, machine: str) -> Sighting:
    """Return what an event says about its file."""
    fields = record.fields
    guid = str(fields.get("PolicyGUID") or "").strip("{}").lower()
    known = policy_with_guid(guid) if guid else None
    name = known.name if known is not None else str(fields.get("PolicyName") or "")
    time = record.time[:19]
    logged = LoggedEvent(event, time, f"{{{guid}}}" if guid else "", name, str(path), machine)
    digest, *others = (_hash(fields.get(name)) for name in _HASHES)
    return Sighting(
        record.file or "",
        digest,
        _reason(logged, known.key if known is not None else ""),
        Identity(str(fields.get("FileVersion") or "")),
        machine=machine,
        links=tuple(one for one in others if one),
        events=(logged,),
    )


def _reason(event: LoggedEvent, key: str) -> Reason:
    """Return the answer that an event gives.

    Event 3076 of a policy that Microsoft will enforce means that the driver stops once it is enforced; of another
    policy, it shows that the driver was loaded.
    """
    blocked = event.id == _BLOCKED
    answer: Answer = "stops" if blocked or key in ("evaluation", "enforced", "block-list") else "loads"
    policy = _NAMES.get(key) or event.policy_name or event.policy or "an App Control policy"
    return Reason(
        answer,
        policy if answer == "stops" else "",
        event.time[:10] if blocked else "",
        f"event-{event.id}",
        Path(event.log).name,
        _REMEDIES.get(key, _OTHER_POLICY) if answer == "stops" else "",
        "log",
    )


def _hash(value: object) -> str:
    """Return a hash in lower case; empty without one: a file that could not be hashed has zeros."""
    text = str(value or "").lower().removeprefix("0x").replace(" ", "")
    is_hash = len(text) in (40, 64) and set(text) <= set("0123456789abcdef") and text.strip("0")
    return text if is_hash else ""


def _with_publisher(one: Sighting, publisher: str) -> Sighting:
    return replace(one, identity=replace(one.identity, publisher=publisher)) if publisher else one
