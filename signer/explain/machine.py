"""Derive the machine's state from a log: release, architecture, Secure Boot, test signing, Windows Driver Policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from signer.codeintegrity.app_control import policy_with_guid
from signer.explain.records import Record
from signer.policy.machine_state import DriverPolicy
from signer.policy.targets import Release, release, release_names
from signer.records import dataclass

_ACTIVATED, _UNCHANGED = 3099, 3096
_WHQL_ON, _WHQL_OFF = 3084, 3085
_HVCI_BLOCKED = 3111
_NOT_ACTIVE = frozenset({3097, 3098, 3100, 3103})
"""Events about a policy that was not activated."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known about the machine. None means that nothing says it."""

    build: int | None = None
    architecture: str | None = None
    server: bool | None = None
    secure_boot: bool | None = None
    testsigning: bool | None = None
    hvci: bool | None = None
    s_mode: bool | None = None
    driver_policy: DriverPolicy | None = None
    whql_enforced: bool | None = None
    """Whether cross-signed drivers are refused: event 3084 or 3085."""
    release_name: str | None = None
    """The release that the user named."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """What each setting was derived from."""

    @property
    def release(self) -> Release | None:
        """The release of the build; of a build between two releases, the older one."""
        if self.release_name is not None:
            return release(self.release_name)
        if self.build is None:
            return None
        wanted = "server" if self.server else "client"
        known = [one for one in map(release, release_names()) if one.edition == wanted and one.build <= self.build]
        newest = max((one.build for one in known), default=None)
        return next((one for one in known if one.build == newest), None)

    def as_json(self) -> dict[str, Any]:
        """Return the machine as the command line's JSON has it."""
        here = self.release
        return {
            "release": here.name if here is not None else None,
            "architecture": self.architecture,
            "secure_boot": self.secure_boot,
            "testsigning": self.testsigning,
            "hvci": self.hvci,
            "driver_policy": self.driver_policy,
            "build": self.build,
            "whql_enforced": self.whql_enforced,
            "s_mode": self.s_mode,
        }


class MachineReader:
    """Derives the machine's state from records, one after the other."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._reasons: dict[str, str] = {}
        self._times: dict[str, str] = {}

    def machine(self) -> Machine:
        """Return what the records said."""
        return Machine(**self._values, reasons=self._reasons)

    def add(self, record: Record) -> None:
        """Take over what a record says about the machine."""
        for name, value in record.machine.items():
            self._set(name, value, "the log", record.time)
        event = record.events[0] if record.events else None
        if event in (_WHQL_ON, _WHQL_OFF):
            self._set("whql_enforced", event == _WHQL_ON, f"event {event}", record.time)
            # 3085 can mean that Secure Boot is off or that the machine was upgraded.
            boot = True if event == _WHQL_ON else None
            self._set("secure_boot", boot, f"event {event}: WHQL enforcement requires Secure Boot", record.time)
        elif event == _HVCI_BLOCKED:
            self._set("hvci", True, f"event {event}")
        self._add_policy(event, record)

    def _add_policy(self, event: int | None, record: Record) -> None:
        """Take the phase of the Windows Driver Policy from the GUID of its policy. Enforcement follows evaluation."""
        known = policy_with_guid(str(record.fields.get("PolicyGUID") or ""))
        if known is None:
            return
        where = f"event {event}" if event is not None else "the text"
        if known.key == "enforced" and event not in _NOT_ACTIVE:
            self._set("driver_policy", "enforced", f"{where} with policy {known.guid}")
        elif known.key == "evaluation" and self._values.get("driver_policy") != "enforced":
            self._set("driver_policy", "evaluation", f"{where} with policy {known.guid}")
        elif known.key == "s-mode" and event in (3077, _ACTIVATED, _UNCHANGED):
            self._set("s_mode", True, f"{where} with policy {known.guid}")

    def override(self, settings: Mapping[str, object]) -> None:
        """Replace what was derived by what the user says; None leaves a setting as it is."""
        for name, value in settings.items():
            if value is not None:
                self._set(name, value, "the command line", "\uffff")

    def _set(self, name: str, value: object, reason: str, time: str = "") -> None:
        """Set a value, unless a record with a later time set it."""
        if time >= self._times.get(name, ""):
            self._values[name], self._reasons[name], self._times[name] = value, reason, time
