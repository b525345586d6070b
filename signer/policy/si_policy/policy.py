"""App Control policies (SiPolicy): the drivers that a list allows or denies.

The Windows Driver Policy's allow list and Microsoft's driver block list have this form. Only the kernel-mode rules are
kept (signing scenario 131), and Deny rules take precedence over Allow rules. If a rule depends on an unknown property,
the result is None.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from signer.asn1 import der
from signer.errors import SignatureFormatError
from signer.policy.si_policy.rules import FileRule, FileRules, SignerRule, any_of
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.policy.subjects import FileSubject, SignatureSubject

KERNEL = 131
"""The signing scenario of drivers; user mode is 12."""
HINT = "Give an App Control policy: an XML file, or a .cip or .p7b file from a Windows machine."


@dataclass(frozen=True)
class SiPolicy:
    """A policy's kernel-mode rules."""

    version: str
    file_rules: tuple[FileRule, ...] = field(repr=False)
    allowed: tuple[SignerRule, ...] = field(repr=False)
    denied: tuple[SignerRule, ...] = field(repr=False)
    id: str | None = None
    """The policy's GUID in braces and upper case, as in its file name; None without one."""
    title: str | None = None
    """The policy's name."""
    signed: bool = field(default=False, compare=False)
    """Whether the file has a PKCS #7 signature, which is not verified."""

    @property
    def label(self) -> str:
        """The policy's name, version and GUID for messages."""
        name = f"{self.title!r}" if self.title else "an App Control policy without a name"
        return f"{name}, version {self.version}" + (f", {self.id}" if self.id else "")

    def denies(self, subject: FileSubject) -> bool | None:
        """Return whether the policy denies the file, by its hash, its names or any of its signatures."""
        files = self._denying.matches(subject)
        signers = (rule.matches(signed, subject) for rule in self.denied for signed in subject.signatures)
        return True if files else any_of((files, *signers))

    def denying_rule(self, subject: FileSubject) -> str | None:
        """Return the description of the rule that denies the file, or None if none is known to."""
        rule = self._denying.matching(subject)
        if rule is not None:
            return rule.described
        signers = (rule for rule in self.denied for signed in subject.signatures if rule.matches(signed, subject))
        return next((rule.described(subject) for rule in signers), None)

    def allows(self, signed: SignatureSubject) -> bool | None:
        """Return whether the policy allows the file of this signature, by its hash, its names or this signature."""
        subject = signed.subject
        denied = self.denies(subject)
        if denied:
            return False
        allowed = any_of((self._allowing.matches(subject), *(rule.matches(signed, subject) for rule in self.allowed)))
        return None if allowed and denied is None else allowed

    @cached_property
    def _denying(self) -> FileRules:
        return FileRules([rule for rule in self.file_rules if rule.denies])

    @cached_property
    def _allowing(self) -> FileRules:
        return FileRules([rule for rule in self.file_rules if not rule.denies])


def with_exceptions(signer: SignerRule, exceptions: Iterable[FileRule], *, denies: bool) -> SignerRule:
    """Return the signer with the exceptions of a scenario's reference to it."""
    rule = replace(signer, exceptions=tuple(exceptions))
    return rule.denying() if denies else rule


def braced(guid: str | None) -> str | None:
    """Return a GUID in braces and upper case, as in file names, or None."""
    return "{" + guid.strip("{} \n").upper() + "}" if guid else None


def oid_of(value: bytes) -> str:
    """Return the OID in an EKU's value: DER with 01 as its tag. An unreadable value yields text that matches no OID."""
    if len(value) > 2 and value[1] == len(value) - 2:
        with contextlib.suppress(SignatureFormatError):
            return der.read_oid(value[2:])
    return f"unreadable {value.hex()}"


def lower_case(names: Mapping[str, str | None]) -> dict[str, str]:
    """Return the names that are set, in lower case for comparison."""
    return {name: value.lower() for name, value in names.items() if value}
