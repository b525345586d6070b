"""The state of the machine that a verdict is for, and what of it counts on one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

from signer.policy.targets import Target

if TYPE_CHECKING:
    from signer.policy.subjects import FileSubject, SignatureSubject

DriverPolicy = Literal["off", "evaluation", "enforced"]
Publisher = Literal["trusted", "untrusted", "unknown"]
Roots = Literal["release", "test-signing"]
Settlement = Literal["loads", "blocked", "unknown"]

HVCI_SINCE = 10240
"""Windows 10 1507: memory integrity, then called hypervisor-protected code integrity."""
WHQL_ENFORCED_SINCE = 14393
"""Windows 10 1607: new kernel drivers must be signed by the portal."""
BLOCK_LIST_SINCE = 22621
"""Windows 11 22H2: the driver block list is on by default."""
DRIVER_POLICY_SINCE = 26100
"""Windows 11 24H2 and Server 2025 are the first in scope of the Windows Driver Policy."""
DRIVER_POLICY_FROM = datetime(2026, 4, 14, tzinfo=UTC)
"""The April 2026 update: the second Tuesday of that month."""


class AllowList(Protocol):
    """Which cross-signed drivers the Windows Driver Policy still allows. `signer.policy.si_policy.policy` reads one."""

    def allows(self, signed: SignatureSubject) -> bool | None:
        """Whether the list names this signature's file, signer or publisher; None where that can't be told."""
        ...


class BlockList(Protocol):
    """Which drivers Microsoft blocks as vulnerable or malicious. `signer.policy.si_policy.policy` reads one."""

    def denies(self, subject: FileSubject) -> bool | None:
        """Whether the list names this file or one of its signers; None where that can't be told."""
        ...

    def denial(self, subject: FileSubject) -> str | None:
        """By which rule it does, for a sentence; None where none surely does."""
        ...


@dataclass(frozen=True, slots=True)
class MachineState:
    """The state of a machine. Every default is stated; None means "as the target has it" (see `EvaluationContext`)."""

    at: datetime
    """The time that the verdict is for, aware. There is no default: the library has no clock."""
    roots: Roots = "release"
    """Which roots the paths were built with. Default: release."""
    secure_boot: bool | None = None
    """Default: on where the release knows it, except with test-signing mode or a debugger, which it rules out."""
    testsigning: bool = False
    """`bcdedit -set TESTSIGNING ON`. Default: off."""
    debugger: bool = False
    """A kernel debugger is attached. Default: none."""
    hvci: bool = False
    """Memory integrity. Default: off."""
    boot_start: bool = False
    """The driver starts at boot (StartType 0). Default: it doesn't."""
    upgraded: bool = False
    """The machine was upgraded from a release before Windows 10 1607. Default: a clean installation."""
    driver_policy: DriverPolicy | None = None
    """The Windows Driver Policy of 2026. Default: enforced where it is in scope and `at` is past the April 2026 update
    (the phase that every machine ends in), off elsewhere."""
    allow_list: AllowList | None = field(default=None, compare=False)
    """The policy's allow list. Default: none is known, so that what depends on it is unknown."""
    block_list: BlockList | None = field(default=None, compare=False)
    """Microsoft's recommended driver block rules. Default: none is given, and the verdict says so where one is on."""
    block_list_on: bool | None = None
    """Whether the machine uses its block list. Default: on clients since Windows 11 22H2, in S mode, and with memory
    integrity except on Server 2016."""
    cross_signed_1809_cutoff: bool = False
    """Whether Windows 10 1809 and later refuse cross-signed drivers of certificates issued before 2015-07-29, as the
    dashboard's table says. Default: they don't, as the policy's own page has it; the verdict names the disagreement."""
    sha2_update: bool | None = None
    """Whether SHA-2 support was installed: KB3033929 on Windows 7 and Server 2008 R2, the 2019 servicing on Server 2008
    SP2. Default: yes on Windows 7 and Server 2008 R2, no on Server 2008. Vista has none."""
    expired_leaf: Settlement = "loads"
    """What Code Integrity does with an expired signer that no timestamp vouches for. Default: it loads, as seen in the
    field in 2022 and later; the documentation says otherwise."""
    expired_cross: Settlement = "loads"
    """What Code Integrity does with a signature that was timestamped after its cross-certificate expired. Default: it
    loads, as drivers under expired CA certificates did until 2026; the documentation says that new ones do not load."""
    uefi_sb_test: bool = False
    """The machine was provisioned with EnableUefiSbTest for preproduction drivers. Default: it wasn't."""
    publisher: Publisher | None = None
    """What the machine says about the catalog's publisher. Default: unknown; with test-signing roots trusted, because
    the test machine's script puts the signer into TrustedPublisher."""
    cert_padding_check: bool = False
    """EnableCertPaddingCheck (MS13-098), for the authenticode policy. Default: off, as Windows ships."""
    protected_media: bool = False
    """The driver takes part in protected media, so that x86 enforces signatures as well. Default: it doesn't."""


class EvaluationContext:
    """One target with its switches: what is in force there."""

    def __init__(self, target: Target, machine: MachineState) -> None:
        self.target = target
        self.machine = machine

    @cached_property
    def secure_boot(self) -> bool:
        """Whether Secure Boot is on."""
        if not self.target.release.secure_boot:
            return False
        if self.machine.secure_boot is not None:
            return self.machine.secure_boot
        return not (self.machine.testsigning or self.machine.debugger)

    @cached_property
    def test_mode(self) -> bool:
        """Whether test-signed code is loaded: test-signing mode is on, and Secure Boot does not rule it out."""
        return self.machine.testsigning and not self.secure_boot and self.machine.roots == "test-signing"

    @cached_property
    def hvci(self) -> bool:
        """Whether memory integrity is on: Windows 10 was the first to have it, on 64-bit kernels."""
        return self.machine.hvci and self.target.build >= HVCI_SINCE and self.target.architecture in ("x64", "arm64")

    @cached_property
    def enforced(self) -> bool:
        """Whether kernel-mode code must be signed: on x86 with Secure Boot, at boot and for protected media only."""
        return (
            self.target.architecture != "x86"
            or self.secure_boot
            or self.machine.boot_start
            or self.machine.protected_media
        )

    @cached_property
    def whql_enforced(self) -> bool:
        """Whether the rule of Windows 10 1607 is in force: Secure Boot on, and not an upgraded machine."""
        return self.target.build >= WHQL_ENFORCED_SINCE and self.secure_boot and not self.machine.upgraded

    @cached_property
    def driver_policy(self) -> DriverPolicy:
        """The phase of the Windows Driver Policy."""
        if self.target.build < DRIVER_POLICY_SINCE:
            return "off"
        if self.machine.driver_policy is not None:
            return self.machine.driver_policy
        return "enforced" if self.machine.at >= DRIVER_POLICY_FROM else "off"

    @cached_property
    def block_list_on(self) -> bool:
        """Whether the driver block list is in force."""
        target = self.target
        if target.build < WHQL_ENFORCED_SINCE:
            return False
        if self.machine.block_list_on is not None:
            return self.machine.block_list_on
        on = target.build >= BLOCK_LIST_SINCE and not target.server
        return on or target.s_mode or (self.hvci and target.release.name != "server2016")

    @cached_property
    def knows_sha2(self) -> bool:
        """Whether Code Integrity understands SHA-2."""
        if self.target.build >= 9200:
            return True
        if self.target.release.name == "vista":
            return False
        if self.machine.sha2_update is not None:
            return self.machine.sha2_update
        return self.target.build >= 7601
