"""Map a rejection to the status codes that Windows returns, Device Manager's code and the next step."""

from __future__ import annotations

from typing import Any

from signer.policy.findings import Verdict
from signer.policy.tables import rows
from signer.policy.targets import Target
from signer.records import dataclass

_DEFAULT = ("0xC0000428", "577", 52)
"""STATUS_INVALID_IMAGE_HASH, ERROR_INVALID_IMAGE_HASH, CM_PROB_UNSIGNED_DRIVER: the default for a bad signature."""

_KERNEL: dict[str, tuple[str | None, str | None, int | None]] = {
    "architecture": ("0xC000007B", "193", 39),
    "driver-policy": ("0xC0E90002", "4551", 39),
    "s-mode": ("0xC0E90002", "4551", 39),
    "block-list": ("0xC0000603", "1275", 48),
    "lifetime": ("0xC0000605", None, 52),
    # The status of a driver that is not compatible with memory integrity is not published.
    "hvci": (None, None, 39),
    # The boot manager stops with this status: Windows does not start, so Device Manager shows nothing.
    "boot-start-embedded": ("0xC0000428", None, None),
}
"""NTSTATUS, Win32 error and problem code by the rejecting rule, where they differ from the default."""

_UNSIGNED_CATALOG = "0xE0000247"
"""Error of the import into the driver store on 64-bit Windows, after each check of a file has failed with 0x800B0100
(pbatard/libwdi issues 225 and 226); 32-bit Windows does not enforce Code Integrity."""
_X86_ON_X64 = ("0xC000036B", "1275", 39)
"""Answer to a 32-bit driver on 64-bit Windows: StartService fails with 1275, "This driver has been blocked from
loading", ZwLoadDriver with 0xC000036B, and Code Integrity logs nothing (JKornev/hidden issues 22 and 36)."""

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
"""HRESULT of WinVerifyTrust by the rejecting rule."""

_INSTALL: dict[str, str] = {
    "catalogued": "0xE000024B",
    "catalog-file": "0xE000022F",
    "os-attribute": "0xE0000244",
    "publisher": "0xE0000243",
    "inf-signature": "0xE0000100",
    "inf-install-section": "0xE0000101",
    "inf-service-section": "0xE0000217",
    "inf-services": "0xE0000219",
    "catalog-unsigned": "0x800B0100",
}
"""Error of SetupAPI by the rejecting rule; the other rules have the HRESULT of WinVerifyTrust."""


@dataclass(frozen=True, slots=True)
class Status:
    """The codes that Windows returns. None if they are not public, or if nothing is returned."""

    code: str | None
    """NTSTATUS of the load, HRESULT of WinVerifyTrust or error of SetupAPI, as hex."""
    win32: int | None = None
    """Error of StartService."""
    device_manager: int | None = None
    """Problem code in Device Manager."""

    @property
    def name(self) -> str | None:
        """Return the code's name in the Windows headers."""
        found = (
            row["name"] for row in rows("status_codes.tsv", "signer.codeintegrity.data") if row["code"] == self.code
        )
        return next(found, None)

    def as_json(self) -> dict[str, Any]:
        """Return the status with its names."""
        return {"code": self.code, "name": self.name, "win32": self.win32, "device_manager": self.device_manager}


NONE = Status(None)


def status_of(policy_name: str, verdict: Verdict, architecture: str | None = None) -> Status:
    """Return the status for a verdict of a policy on an image of this architecture.

    Every verdict other than a rejection has the status `NONE`.
    """
    if verdict.outcome != "rejected":
        return NONE
    if policy_name == "authenticode":
        return Status(_user_status(verdict))
    if policy_name == "pnp":
        return Status(_install_status(verdict))
    if verdict.rule.startswith("media-"):
        # The driver loads. Players ask by other means whether it may take part in protected media.
        return NONE
    code, win32, problem = _KERNEL.get(verdict.rule, _DEFAULT)
    if verdict.rule == "architecture" and architecture == "x86" and Target.parse(verdict.target).architecture == "x64":
        code, win32, problem = _X86_ON_X64
    return Status(code, int(win32) if win32 is not None else None, problem)


def _install_status(verdict: Verdict) -> str | None:
    if verdict.rule == "catalog-unsigned" and Target.parse(verdict.target).architecture != "x86":
        return _UNSIGNED_CATALOG
    return _INSTALL.get(verdict.rule) or _user_status(verdict)


def _user_status(verdict: Verdict) -> str | None:
    codes = verdict.codes
    if verdict.rule == "path" and "revoked" in codes:
        return "0x800B010C"
    if verdict.rule == "trusted-root" and "chain-incomplete" in codes:
        return "0x800B010A"
    return _USER.get(verdict.rule)


def next_step(verdict: Verdict) -> str | None:
    """Return the hint of the reason, else that of the gravest finding with a hint; None for an accepted verdict."""
    if verdict.accepted:
        return None
    if verdict.reason is not None and verdict.reason.hint:
        return verdict.reason.hint
    for severity in ("error", "warning"):
        for finding in verdict.findings:
            if finding.severity == severity and finding.hint:
                return finding.hint
    return None
