"""What the machine answers when a verdict is no: status codes, the Device Manager's code, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signer.policy.findings import Verdict

_DEFAULT = ("0xC0000428", "577", 52)
"""STATUS_INVALID_IMAGE_HASH, ERROR_INVALID_IMAGE_HASH, CM_PROB_UNSIGNED_DRIVER: the answer to every bad signature."""

_KERNEL: dict[str, tuple[str | None, str | None, int | None]] = {
    "architecture": ("0xC000007B", "193", 39),
    "driver-policy": ("0xC0E90002", "4551", 39),
    "s-mode": ("0xC0E90002", "4551", 39),
    "block-list": ("0xC0000603", "1275", 48),
    "lifetime": ("0xC0000605", None, 52),
    # Which status a driver that does not fit gets is not published; it shows as one that failed to load.
    "hvci": (None, None, 39),
    # The boot manager stops with this status, so that there is no Device Manager to look at.
    "boot-start-embedded": ("0xC0000428", None, None),
}
"""NTSTATUS, Win32 error and problem code by the rule that rejected, where they are not the usual ones."""

_USER: dict[str, str] = {
    "unsigned": "0x800B0100",
    "primary": "0x800B0100",
    "digest": "0x80096010",
    "digest-algorithm": "0x80096010",
    "padding": "0x80096011",
    "usage": "0x800B0110",
    "path": "0x800B010A",
    "trusted-root": "0x800B0109",
    "validity": "0x800B0101",
}
"""The HRESULT of WinVerifyTrust by the rule that rejected."""

_INSTALL: dict[str, str] = {
    "catalogued": "0xE000024B",
    "catalog-file": "0xE000022F",
    "os-attribute": "0xE0000244",
    "publisher": "0xE0000243",
    "catalog-unsigned": "0x800B0100",
}
"""SetupAPI's own errors; the others are those of WinVerifyTrust."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a caller is told. None where the answer is not public, or where nobody is told."""

    code: str | None
    """NTSTATUS of the load, HRESULT of WinVerifyTrust or error of SetupAPI, as hex."""
    win32: int | None = None
    """What StartService returns."""
    device_manager: int | None = None
    """The problem code that Device Manager shows."""

    @property
    def name(self) -> str | None:
        """The code's name in the Windows headers."""
        from signer.policy.tables import rows

        found = (
            row["name"] for row in rows("status_codes.tsv", "signer.codeintegrity.data") if row["code"] == self.code
        )
        return next(found, None)

    def as_json(self) -> dict[str, Any]:
        """The status with its names."""
        return {"code": self.code, "name": self.name, "win32": self.win32, "device_manager": self.device_manager}


NONE = Status(None)


def status_of(policy_name: str, verdict: Verdict) -> Status:
    """The status for a verdict of a policy; none for one that is accepted or unknown."""
    if verdict.outcome != "rejected":
        return NONE
    if policy_name == "authenticode":
        return Status(_user_status(verdict))
    if policy_name == "pnp":
        return Status(_INSTALL.get(verdict.rule) or _user_status(verdict))
    if verdict.rule.startswith("media-"):
        # The driver loads; a player is told by other means that it has no part in protected media.
        return NONE
    code, win32, problem = _KERNEL.get(verdict.rule, _DEFAULT)
    return Status(code, int(win32) if win32 is not None else None, problem)


def _user_status(verdict: Verdict) -> str | None:
    codes = verdict.codes
    if verdict.rule == "path" and "revoked" in codes:
        return "0x800B010C"
    if verdict.rule == "trusted-root" and "chain-incomplete" in codes:
        return "0x800B010A"
    return _USER.get(verdict.rule)


def next_step(verdict: Verdict) -> str | None:
    """What the user can do: what the reason suggests, else the gravest finding that suggests anything.

    None where all is well.
    """
    if verdict.outcome == "accepted":
        return None
    if verdict.reason is not None and verdict.reason.hint:
        return verdict.reason.hint
    for severity in ("error", "warning"):
        for finding in verdict.findings:
            if finding.severity == severity and finding.hint:
                return finding.hint
    return None
