"""The state of the machine that a verdict is for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from signer.records import dataclass

if TYPE_CHECKING:
    from signer.policy.subjects import FileSubject, SignatureSubject

DriverPolicy = Literal["off", "evaluation", "enforced"]
Publisher = Literal["trusted", "untrusted", "unknown"]
Roots = Literal["release", "test-signing"]
DisputedOutcome = Literal["loads", "blocked", "unknown"]

DRIVER_POLICY_FROM = datetime(2026, 4, 14, tzinfo=UTC)
"""The April 2026 update: the second Tuesday of that month."""


class AllowList(Protocol):
    """The cross-signed drivers that the Windows Driver Policy still allows. `signer.policy.si_policy` implements it."""

    def allows(self, signed: SignatureSubject) -> bool | None:
        """Return whether the list contains this signature's file, signer or publisher; None if it is unknown."""
        ...


class BlockList(Protocol):
    """The drivers that Microsoft blocks as vulnerable or malicious. `signer.policy.si_policy` implements it."""

    def denies(self, subject: FileSubject) -> bool | None:
        """Return whether the list contains this file or one of its signers; None if it is unknown."""
        ...

    def denying_rule(self, subject: FileSubject) -> str | None:
        """Return the description of the rule that denies the file, or None if none is known to."""
        ...


@dataclass(frozen=True, slots=True)
class MachineState:
    """The state of a machine. None selects the target's default (see `EvaluationContext`)."""

    at: datetime
    """The time that the verdict is for, aware. Required: the library does not read the clock."""
    roots: Roots = "release"
    """The trust store of the paths. Default: release."""
    secure_boot: bool | None = None
    """Secure Boot. Default: on if the release supports it, but off with test-signing mode or a debugger, which require
    that."""
    testsigning: bool = False
    """`bcdedit -set TESTSIGNING ON`. Default: off."""
    debugger: bool = False
    """A kernel debugger is attached. Default: no."""
    debug_enforcement: bool = False
    """`CI\\DebugFlags` has 0x10: signatures are enforced under a kernel debugger too. Default: no."""
    signature_enforcement: bool = True
    """Driver signature enforcement. Default: on; off for one boot with F8 or Startup Settings 7."""
    hvci: bool = False
    """Memory integrity. Default: off."""
    boot_start: bool = False
    """The driver starts at boot (StartType 0). Default: no."""
    early_launch: bool = False
    """The driver is in the load order group Early-Launch, which is for antimalware (ELAM). Default: no."""
    upgraded: bool = False
    """The machine was upgraded from a release before Windows 10 1607. Default: no, a clean installation."""
    driver_policy: DriverPolicy | None = None
    """The phase of the Windows Driver Policy of 2026. Default: enforced if the release is in scope and `at` is after
    the April 2026 update (the final phase of every machine), otherwise off."""
    allow_list: AllowList | None = None
    """The policy's allow list. Default: none; results that depend on it are unknown."""
    block_list: BlockList | None = None
    """Microsoft's recommended driver block rules. Default: none; a note reports that the rule was not checked."""
    block_list_on: bool | None = None
    """The machine enforces its block list. Default: on clients since Windows 11 22H2, in S mode, and with memory
    integrity except on Server 2016."""
    cross_signed_1809_cutoff: bool = False
    """Windows 10 1809 and later refuse cross-signed drivers with certificates issued before 2015-07-29, as the
    dashboard's table says. Default: no, as the policy's own page says; a note reports the contradiction."""
    sha2_update: bool | None = None
    """SHA-2 support is installed: KB3033929 on Windows 7 and Server 2008 R2, the 2019 update on Server 2008 SP2.
    Default: yes on Windows 7 and Server 2008 R2, no on Server 2008. Vista has no such update."""
    expired_leaf: DisputedOutcome = "loads"
    """The result for an expired signer without a timestamp. Default: it loads, as observed since 2022; the
    documentation says that it does not."""
    expired_cross: DisputedOutcome = "loads"
    """The result for a signature that was timestamped after its cross-certificate expired. Default: it loads, as
    observed until 2026 for drivers with expired CA certificates; the documentation says that new ones do not load."""
    attested_on_server: DisputedOutcome = "loads"
    """The result for an attestation-signed driver on Server 2016 and later. Default: it loads, as observed; Microsoft
    does not support it, and the dashboard's page says that it does not load."""
    uefi_sb_test: bool = False
    """The machine is provisioned with EnableUefiSbTest for preproduction drivers. Default: no."""
    publisher: Publisher | None = None
    """The machine's trust in the catalog's publisher. Default: unknown; trusted with test-signing roots, because the
    generated installation script adds the signer to the TrustedPublisher store."""
    cert_padding_check: bool = False
    """EnableCertPaddingCheck (MS13-098), for the authenticode policy. Default: off, the Windows default."""
    protected_media: bool = False
    """The driver is part of a protected media path, so x86 enforces signatures as well. Default: no."""

    def __hash__(self) -> int:
        """Hash few fields: lists of drivers can be large, or have no hash."""
        return hash((self.at, self.roots, self.secure_boot, self.testsigning))
