"""Collect what records say about each file, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from signer.codeintegrity.app_control import policy_with_guid
from signer.codeintegrity.field_values import FieldValue
from signer.explain.codes import parse_code
from signer.explain.records import Record
from signer.limits import LIMITS

_MAX_ACTIVITIES = 4096
_MAX_SIGNATURES = 64
SIGNATURE_EVENT = 3089
_STATE_EVENTS = frozenset({3084, 3085, 3095, 3096, 3097, 3098, 3099, 3100, 3101, 3102, 3103, 3105, 3108, 3109, 3110})
"""Events about the machine, not about a file."""
OTHER_POLICY = "other"
"""Key of an App Control policy that Windows does not bring along."""


class Symptoms:
    """Everything that an input says about one file."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.events: dict[int, int] = {}
        """How often each event was logged."""
        self.codes: dict[str, int] = {}
        self.signs: set[str] = set()
        self.policies: set[str] = set()
        """Keys of `app_control.AppControlPolicy`, or `OTHER_POLICY`."""
        self.policy_names: set[str] = set()
        """Names or GUIDs of policies that Windows does not bring along."""
        self.signatures: list[Mapping[str, FieldValue]] = []
        """The fields of each 3089 of its events."""
        self.fields: Mapping[str, FieldValue] = {}
        """The fields of the newest event."""
        self.user_mode = False
        """Every event is about an image that a process loads, not the kernel."""
        self.time = ""

    @property
    def name(self) -> str | None:
        """The file's name without its folder."""
        return self.file.replace("/", "\\").rpartition("\\")[2] if self.file is not None else None

    def add(self, record: Record) -> None:
        """Add what a record says."""
        first = not self.events
        for event in record.events[:1]:
            self.events[event] = self.events.get(event, 0) + 1
        for code in (*record.codes, *_status(record.fields)):
            self.codes[code] = self.codes.get(code, 0) + 1
        self.signs.update(record.signs)
        self._add_policy(record.fields)
        if record.events:
            user = _is_user_mode(record)
            self.user_mode = user if first else self.user_mode and user
        if record.fields and record.time >= self.time:
            self.fields = record.fields
        self.time = max(self.time, record.time)

    def add_signature(self, fields: Mapping[str, FieldValue]) -> None:
        """Add a 3089 about one of its signatures."""
        if len(self.signatures) < _MAX_SIGNATURES:
            self.signatures.append(fields)

    def merge(self, other: Symptoms) -> None:
        """Add everything that is known about the same file by another name."""
        for event, count in other.events.items():
            self.events[event] = self.events.get(event, 0) + count
        for code, count in other.codes.items():
            self.codes[code] = self.codes.get(code, 0) + count
        self.signs |= other.signs
        self.policies |= other.policies
        self.policy_names |= other.policy_names
        self.signatures += other.signatures

    def _add_policy(self, fields: Mapping[str, FieldValue]) -> None:
        guid = fields.get("PolicyGUID")
        if not isinstance(guid, str) or not guid:
            return
        known = policy_with_guid(guid)
        self.policies.add(known.key if known is not None else OTHER_POLICY)
        if known is None:
            self.policy_names.add(str(fields.get("PolicyName") or guid))


class Collector:
    """Sorts records by file, and joins 3089 events to the events that they belong to."""

    def __init__(self) -> None:
        self._files: dict[str, Symptoms] = {}
        self._loose = Symptoms(None)
        self._of_activity: OrderedDict[str, Symptoms] = OrderedDict()
        self._waiting: OrderedDict[str, list[Mapping[str, FieldValue]]] = OrderedDict()
        self._last: Symptoms | None = None
        self.left_out = 0
        """Records about files beyond the limit `log-files`."""

    def add(self, record: Record) -> None:
        """Add one record."""
        if record.events and record.events[0] in _STATE_EVENTS:
            return
        if record.events == (SIGNATURE_EVENT,):
            self._add_signature(record)
        elif record.events or record.codes or record.signs or record.fields:
            symptoms = self._symptoms(record.file)
            if symptoms is not None:
                symptoms.add(record)
                self._join(record, symptoms)
                self._last = symptoms if record.events else self._last

    def files(self) -> list[Symptoms]:
        """Return the symptoms of each file, the newest first where the log has times."""
        found = list(self._files.values())
        found = _with_services(found)
        loose = self._loose
        if loose.events or loose.codes or loose.signs or loose.policies:
            if len(found) == 1:
                found[0].merge(loose)
            else:
                found.append(loose)
        return sorted(found, key=lambda one: one.time, reverse=True)

    def _symptoms(self, file: str | None) -> Symptoms | None:
        if file is None:
            return self._loose
        key = _key(file)
        if key not in self._files:
            if len(self._files) >= LIMITS["log-files"]:  # a log of Windows has a few hundred
                self.left_out += 1
                return None
            self._files[key] = Symptoms(file)
        return self._files[key]

    def _add_signature(self, record: Record) -> None:
        """Join a 3089 by its activity; without one, to the event before it."""
        if record.activity is None:
            if self._last is not None:
                self._last.add_signature(record.fields)
            return
        symptoms = self._of_activity.get(record.activity)
        if symptoms is not None:
            symptoms.add_signature(record.fields)
            return
        self._waiting.setdefault(record.activity, []).append(record.fields)
        _limit(self._waiting)

    def _join(self, record: Record, symptoms: Symptoms) -> None:
        """Join the 3089 events that were read before this one: exports begin with the newest event."""
        if record.activity is None or not record.events:
            return
        self._of_activity[record.activity] = symptoms
        _limit(self._of_activity)
        for fields in self._waiting.pop(record.activity, ()):
            symptoms.add_signature(fields)


def _limit(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > _MAX_ACTIVITIES:
        kept.popitem(last=False)


def _key(file: str) -> str:
    return file.replace("/", "\\").rpartition("\\")[2].casefold()


def _with_services(found: Iterable[Symptoms]) -> list[Symptoms]:
    """Merge what is known about a service `x` with what is known about the one file `x.sys`."""
    every = list(found)
    files = {_key(one.file): one for one in every if one.file is not None}
    kept = []
    for one in every:
        driver = files.get(f"{_key(one.file or '')}.sys")
        if driver is not None and driver is not one:
            driver.merge(one)
        else:
            kept.append(one)
    return kept


def _status(fields: Mapping[str, FieldValue]) -> list[str]:
    """Return the status of an event; some versions have it as a decimal number."""
    value = fields.get("Status")
    code = parse_code(str(value)) if value is not None and not isinstance(value, bool) else None
    return [code.text] if code is not None and code.kind == "NTSTATUS" else []


def _is_user_mode(record: Record) -> bool:
    """Return whether a process loads the image: scenario 1, or another process than the kernel's."""
    scenario = str(record.fields.get("SISigningScenario", ""))
    if scenario in ("0", "1"):
        return scenario == "1"
    process = str(record.fields.get("ProcessName") or "System")
    driver = (record.file or "").lower().endswith(".sys")
    return process.lower() != "system" and not driver
