"""What rules may ask about a target and a machine.

Most neighbouring releases differ in nothing that a rule asks for. Their contexts are equal, so that one evaluation
gives the verdicts of all of them. Only their titles differ: messages of rules contain `TITLE`, which `naming` replaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Self

from signer.policy import features
from signer.policy.machine_state import DRIVER_POLICY_FROM, DriverPolicy, MachineState
from signer.policy.targets import Releases, Target
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.policy.findings import Finding

TITLE = "\0title of the target\0"
"""The place of the target's title in messages of rules. Names from files are quoted, and so contain no NUL."""
_MAX_CONTEXTS = 512
"""Contexts to keep: every target with a few machine states."""


@dataclass(frozen=True)
class EvaluationContext:
    """A machine state, and all that rules can ask about a target; the settings are those in effect on both."""

    machine: MachineState
    architecture: str
    """The architecture of the target."""
    kernel: tuple[int, int]
    """The version of the release's kernel, such as (10, 0)."""
    supports_secure_boot: bool
    """Whether the release supports Secure Boot."""
    secure_boot: bool
    """Whether Secure Boot is on."""
    test_mode: bool
    """Whether test-signed code loads: test-signing mode is on, and Secure Boot is off."""
    hvci: bool
    """Whether memory integrity is on, which 64-bit kernels support since Windows 10."""
    enforced: bool
    """Whether kernel-mode code must be signed: on x86 only with Secure Boot, at boot and for protected media."""
    whql_enforced: bool
    """Whether the rule of Windows 10 1607 applies: Secure Boot is on, and the machine was not upgraded."""
    driver_policy: DriverPolicy
    """The phase of the Windows Driver Policy."""
    block_list_on: bool
    """Whether the machine enforces the driver block list."""
    supports_sha2: bool
    """Whether Code Integrity supports SHA-2."""
    features: frozenset[Releases]
    """The features that the release has, of those that rules ask for."""

    @classmethod
    @lru_cache(maxsize=_MAX_CONTEXTS)
    def of(cls, target: Target, machine: MachineState) -> Self:
        """Return the context of a target with a machine state."""
        secure_boot = _secure_boot(target, machine)
        hvci = machine.hvci and target in features.MEMORY_INTEGRITY
        asked = (*features.OF_RULES, *(features.OF_MEMORY_INTEGRITY if hvci else ()))
        return cls(
            machine,
            target.architecture,
            target.kernel,
            target.release.secure_boot,
            secure_boot,
            test_mode=machine.testsigning and not secure_boot and machine.roots == "test-signing",
            hvci=hvci,
            enforced=target.architecture != "x86" or secure_boot or machine.boot_start or machine.protected_media,
            whql_enforced=target in features.WHQL_ENFORCED and secure_boot and not machine.upgraded,
            driver_policy=_driver_policy(target, machine),
            block_list_on=_block_list_on(target, machine, hvci=hvci),
            supports_sha2=_supports_sha2(target, machine),
            features=frozenset(one for one in asked if target in one),
        )

    @property
    def title(self) -> str:
        """The place of the target's title in a message."""
        return TITLE

    def has(self, feature: Releases) -> bool:
        """Return whether the release has a feature of `features.OF_RULES` or, with it on, of memory integrity."""
        assert feature in features.OF_RULES or (self.hvci and feature in features.OF_MEMORY_INTEGRITY), feature
        return feature in self.features


def naming(target: Target, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with the target's title in their messages."""
    title = target.title
    return tuple(
        [one._replace(message=one.message.replace(TITLE, title)) if TITLE in one.message else one for one in findings]
    )


def _secure_boot(target: Target, machine: MachineState) -> bool:
    if not target.release.secure_boot:
        return False
    if machine.secure_boot is not None:
        return machine.secure_boot
    return not (machine.testsigning or machine.debugger)


def _driver_policy(target: Target, machine: MachineState) -> DriverPolicy:
    if target not in features.DRIVER_POLICY:
        return "off"
    if machine.driver_policy is not None:
        return machine.driver_policy
    return "enforced" if machine.at >= DRIVER_POLICY_FROM else "off"


def _block_list_on(target: Target, machine: MachineState, *, hvci: bool) -> bool:
    if target not in features.BLOCK_LIST:
        return False
    if machine.block_list_on is not None:
        return machine.block_list_on
    return target in features.BLOCK_LIST_DEFAULT or target.s_mode or (hvci and target.release.name != "server2016")


def _supports_sha2(target: Target, machine: MachineState) -> bool:
    if target in features.SHA2:
        return True
    if target.release.name == "vista":
        return False
    if machine.sha2_update is not None:
        return machine.sha2_update
    return target in features.SHA2_UPDATE
