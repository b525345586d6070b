"""What a machine lets pass, or wants on top: x86, boot start, debugger, memory integrity."""

from __future__ import annotations

from dataclasses import dataclass

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_WHQL
from signer.pe.protection import Fault
from signer.policy.subjects import FileSubject
from tests.signer.policy.cases.registry import expect
from tests.support.policy_builder import Sample, by_microsoft, commercial, cross_signed, driver


@dataclass(frozen=True)
class Listing:
    """A block list with one answer."""

    label: str
    answer: bool | None

    def denies(self, case: FileSubject) -> bool | None:
        return self.answer

    def denial(self, case: FileSubject) -> str | None:
        return self.label if self.answer else None


LISTED, NOT_LISTED, UNSURE = Listing("listed", True), Listing("not-listed", False), Listing("unsure", None)


@expect("accepted", "x86-not-enforced", "vista-x86", "win7-x86", "server2008-x86")
@expect("rejected", "unsigned", "win8-x86", "win8.1-x86", "win10-22h2-x86")
@expect("accepted", "x86-not-enforced", "win8-x86", "win10-22h2-x86", secure_boot=False)
@expect("rejected", "unsigned", "win7-x86", "vista-x86", boot_start=True)
@expect("rejected", "unsigned", "win7-x86", protected_media=True)
def unsigned_on_x86() -> Sample:
    """A 32-bit kernel wants signatures with Secure Boot on, at boot and for protected media only."""
    return driver(architecture="x86")


@expect("rejected", "root", "win7-x86", "win10-22h2-x64")
@expect("rejected", "root", "win10-22h2-x86", secure_boot=False)
@expect("rejected", "root", "win10-22h2-x64", debugger=True)
def refused_catalog_on_a_lenient_machine() -> Sample:
    """A catalog is not loaded, so nothing that a machine lets pass makes it vouch for a driver."""
    return driver(commercial().having(algorithm=DigestAlgorithm.SHA1), kind="catalog", name="sample.cat")


@expect("accepted", "x86-not-enforced", "win7-x86", code="digest-mismatch")
@expect("rejected", "digest", "win8.1-x86")
def changed_on_x86() -> Sample:
    """Where signatures are not enforced, a broken one does no harm."""
    return driver(by_microsoft(EKU_WHQL).broken(), architecture="x86")


@expect("accepted", "root", "win7-x86", "win10-22h2-x86")
def signed_on_x86() -> Sample:
    """A well-signed 32-bit driver is accepted for its signature, not for leniency."""
    return driver(by_microsoft(EKU_WHQL), architecture="x86")


@expect("rejected", "cross-signed", "win10-22h2-x86")
@expect("accepted", "root", "win8.1-x86")
def late_cross_signed_on_x86() -> Sample:
    """With Secure Boot on, the rule of 1607 holds for 32-bit clients as well."""
    return driver(cross_signed(begins="2016-05-02"), architecture="x86")


@expect("rejected", "boot-start-embedded", "win7-x64", "win8.1-x64", "server2012r2-x64", boot_start=True)
@expect("accepted", "root", "win10-1507-x64", "win11-24h2-x64", boot_start=True, code="boot-start-catalog-only")
@expect("accepted", "root", "win7-x64", "win8.1-x64")
def catalog_only() -> Sample:
    """A boot-start driver that is signed in a catalog only fails before Windows 10, and is warned about later."""
    return driver(by_microsoft(EKU_WHQL).in_catalog())


@expect("accepted", "root", "win7-x64", "win10-22h2-x64", boot_start=True)
def embedded_and_boot_start() -> Sample:
    """An embedded signature is what a boot-start driver needs."""
    return driver(by_microsoft(EKU_WHQL))


@expect("rejected", "boot-start-embedded", "win8.1-x64", boot_start=True)
@expect("accepted", "root", "win8.1-x64")
def refused_embedded_signature_and_boot_start() -> Sample:
    """An embedded signature that does not count does not help at boot."""
    return driver(commercial(), by_microsoft(EKU_WHQL).in_catalog())


@expect("rejected", "root", "win8.1-x64", boot_start=True)
def refused_and_boot_start() -> Sample:
    """A boot-start driver with a signature that is refused is rejected for the signature."""
    return driver(commercial())


@expect("accepted", "debugger", "win7-x64", "win10-22h2-x64", debugger=True)
@expect("rejected", "unsigned", "win10-22h2-x64", debugger=True, secure_boot=True, code="debugger-secure-boot")
@expect("rejected", "unsigned", "win10-22h2-x64", debugger=True, hvci=True, code="debugger-hvci")
@expect("accepted", "debugger", "win8.1-x64", debugger=True, hvci=True)
def unsigned_under_a_debugger() -> Sample:
    """With a kernel debugger attached an unsigned driver loads, unless Secure Boot or memory integrity is on."""
    return driver()


@expect("accepted", "debugger", "win10-22h2-x64", debugger=True, code="digest-mismatch")
def changed_under_a_debugger() -> Sample:
    """A changed driver loads under a debugger, and the finding stays."""
    return driver(by_microsoft(EKU_WHQL).broken())


@expect("accepted", "root", "win10-22h2-x64", debugger=True)
def signed_under_a_debugger() -> Sample:
    """A well-signed driver does not owe it to the debugger."""
    return driver(by_microsoft(EKU_WHQL))


@expect("accepted", "root", "win10-22h2-x64", "win11-24h2-x64", "server2022-x64", hvci=True)
def signed_under_memory_integrity() -> Sample:
    """Memory integrity takes a well-signed driver whose sections are as it wants them."""
    return driver(by_microsoft(EKU_WHQL))


@expect("rejected", "hvci", "win10-1507-x64", "win11-24h2-x64", "server2025-x64", hvci=True, code="hvci-writable-code")
@expect("accepted", "root", "win8.1-x64", hvci=True, code="no-hvci")
@expect("accepted", "root", "win10-1507-x64", "win11-24h2-x64")
@expect("rejected", "hvci", "win10-22h2-x64", hvci=True, debugger=True)
def writable_code() -> Sample:
    """A section that is writable and executable does not load with memory integrity on, whoever signed it."""
    return driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-writable-code", "its section 'x' is both"),))


@expect("rejected", "hvci", "win10-22h2-x64", hvci=True, code="hvci-unaligned")
@expect("accepted", "root", "win10-22h2-x64")
def unaligned_sections() -> Sample:
    """Sections have to begin on pages; without memory integrity nobody minds."""
    return driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-unaligned", "its sections are aligned to 0x20"),))


@expect("unknown", "hvci", "win10-22h2-x64", hvci=True, code="hvci-imports-in-code")
@expect("accepted", "root", "win10-22h2-x64")
def imports_in_code() -> Sample:
    """Driver Verifier minds import addresses in code; whether the load fails is not published."""
    return driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-imports-in-code", "they lie in '.text'"),))


@expect("accepted", "root", "win10-22h2-x86", hvci=True, code="no-hvci")
def writable_code_on_x86() -> Sample:
    """Memory integrity is for 64-bit kernels."""
    fault = Fault("hvci-writable-code", "its section 'x' is both")
    return driver(by_microsoft(EKU_WHQL), architecture="x86", protection=(fault,))


@expect("rejected", "block-list", "win11-22h2-x64", "win10-22h2-x64-smode", block_list=LISTED, code="block-listed")
@expect("accepted", "root", "win11-22h2-x64", block_list=NOT_LISTED)
@expect("unknown", "block-list", "win11-22h2-x64", block_list=UNSURE)
@expect("accepted", "root", "win11-22h2-x64", code="block-list-not-given")
@expect("accepted", "root", "win11-21h2-x64", "win10-22h2-x64", "server2022-x64", block_list=LISTED)
@expect("rejected", "block-list", "win10-22h2-x64", "server2022-x64", block_list=LISTED, hvci=True)
@expect("accepted", "root", "server2016-x64", block_list=LISTED, hvci=True)
@expect("rejected", "block-list", "win10-22h2-x64", block_list=LISTED, block_list_on=True)
@expect("accepted", "root", "win11-24h2-x64", block_list=LISTED, block_list_on=False)
@expect("accepted", "root", "win8.1-x64", block_list=LISTED, block_list_on=True)
@expect("rejected", "block-list", "win11-24h2-x64", block_list=LISTED, debugger=True)
def on_the_block_list() -> Sample:
    """A vulnerable driver is blocked where the list is in force, however well it is signed."""
    return driver(by_microsoft(EKU_WHQL))


@expect("rejected", "root", "win11-24h2-x64", block_list=UNSURE)
def refused_and_perhaps_blocked() -> Sample:
    """A driver that is refused anyway is rejected, whatever the list may say."""
    return driver(commercial())
