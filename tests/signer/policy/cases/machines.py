"""Machine states that waive or add requirements: x86, boot start, debugger, memory integrity."""

from __future__ import annotations

from dataclasses import dataclass

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_CODE_SIGNING, EKU_ELAM, EKU_WHQL
from signer.pe.protection import Fault
from signer.policy.sources import (
    BLOCK_RULES,
    DEBUGGING,
    ELAM,
    EMBEDDED,
    HVCI,
    HVCI_EVENTS,
    HVCI_REASONS,
    LOG_MESSAGES,
    POLICY,
    REQUIREMENTS,
    S_MODE,
    STARTUP_SETTINGS,
)
from signer.policy.subjects import FileSubject, SignatureSubject
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import DECISION, EXCEPTIONS, unsettled
from tests.support.policy_builder import Sample, by_microsoft, commercial, cross_signed, driver, of_test_root


@dataclass(frozen=True)
class Listing:
    """A block list with a fixed answer."""

    label: str
    answer: bool | None

    def denies(self, case: FileSubject) -> bool | None:
        return self.answer

    def denying_rule(self, case: FileSubject) -> str | None:
        return self.label if self.answer else None


@dataclass(frozen=True)
class NoList:
    """An allow list without entries."""

    label: str

    def allows(self, signed: SignatureSubject) -> bool | None:
        return False


LISTED, NOT_LISTED, UNSURE = Listing("listed", True), Listing("not-listed", False), Listing("unsure", None)


@expect("accepted", "x86-not-enforced", "vista-x86", "win7-x86", "server2008-x86")
@expect("rejected", "unsigned", "win8-x86", "win8.1-x86", "win10-22h2-x86")
@expect("accepted", "x86-not-enforced", "win8-x86", "win10-22h2-x86", secure_boot=False)
@expect("rejected", "unsigned", "win7-x86", "vista-x86", boot_start=True)
@expect("rejected", "unsigned", "win7-x86", protected_media=True)
@stated(f"{POLICY}; {REQUIREMENTS}")
def unsigned_on_x86() -> Sample:
    """A 32-bit kernel requires signatures only with Secure Boot, at boot and for protected media."""
    return driver(architecture="x86")


@expect("rejected", "root", "win7-x86", "win10-22h2-x64")
@expect("rejected", "root", "win10-22h2-x86", secure_boot=False)
@expect("rejected", "root", "win10-22h2-x64", debugger=True)
@stated(DECISION)
def refused_catalog_on_a_lenient_machine() -> Sample:
    """No machine state makes a rejected catalog accepted, because catalogs are not loaded."""
    return driver(commercial().having(algorithm=DigestAlgorithm.SHA1), kind="catalog", name="sample.cat")


@expect("accepted", "x86-not-enforced", "win7-x86", code="digest-mismatch")
@expect("rejected", "digest", "win8.1-x86")
@stated(f"{POLICY}; {REQUIREMENTS}")
def changed_on_x86() -> Sample:
    """A broken signature does not matter if signatures are not enforced."""
    return driver(by_microsoft(EKU_WHQL).broken(), architecture="x86")


@expect("accepted", "root", "win7-x86", "win10-22h2-x86")
@stated(f"{POLICY}; {REQUIREMENTS}")
def signed_on_x86() -> Sample:
    """A validly signed 32-bit driver is accepted for its signature, not because of a waiver."""
    return driver(by_microsoft(EKU_WHQL), architecture="x86")


@expect("rejected", "cross-signed", "win10-22h2-x86")
@expect("accepted", "root", "win8.1-x86")
@stated(EXCEPTIONS)
def late_cross_signed_on_x86() -> Sample:
    """With Secure Boot, the rule of 1607 applies to 32-bit clients as well."""
    return driver(cross_signed(begins="2016-05-02"), architecture="x86")


@expect("rejected", "boot-start-embedded", "win7-x64", "win8.1-x64", "server2012r2-x64", boot_start=True)
@expect("accepted", "root", "win10-1507-x64", "win11-24h2-x64", boot_start=True, code="boot-start-catalog-only")
@expect("accepted", "root", "win7-x64", "win8.1-x64")
@stated(f"{REQUIREMENTS}; {EMBEDDED}; virtio-win reports of 0xC0000428 on Server 2012 R2")
def catalog_only() -> Sample:
    """A boot-start driver with only a catalog signature fails before Windows 10; later there is a warning."""
    return driver(by_microsoft(EKU_WHQL).in_catalog())


@expect("accepted", "root", "win7-x64", "win10-22h2-x64", boot_start=True)
@stated(REQUIREMENTS)
def embedded_and_boot_start() -> Sample:
    """A boot-start driver with an embedded signature is accepted."""
    return driver(by_microsoft(EKU_WHQL))


@expect("rejected", "boot-start-embedded", "win8.1-x64", boot_start=True)
@expect("accepted", "root", "win8.1-x64")
@stated(REQUIREMENTS)
def refused_embedded_signature_and_boot_start() -> Sample:
    """A rejected embedded signature does not satisfy the rule for boot-start drivers."""
    return driver(commercial(), by_microsoft(EKU_WHQL).in_catalog())


@expect("rejected", "root", "win8.1-x64", boot_start=True)
@stated(REQUIREMENTS)
def refused_and_boot_start() -> Sample:
    """A boot-start driver with a rejected signature is rejected for that signature."""
    return driver(commercial())


@expect("accepted", "debugger", "win7-x64", "win10-22h2-x64", debugger=True)
@expect("rejected", "unsigned", "win10-22h2-x64", debugger=True, secure_boot=True, code="debugger-secure-boot")
@expect("rejected", "unsigned", "win10-22h2-x64", debugger=True, hvci=True, code="debugger-hvci")
@expect("accepted", "debugger", "win8.1-x64", debugger=True, hvci=True)
@stated(LOG_MESSAGES)
def unsigned_under_a_debugger() -> Sample:
    """With a kernel debugger attached an unsigned driver loads, unless Secure Boot or memory integrity is on."""
    return driver()


@expect("accepted", "debugger", "win10-22h2-x64", debugger=True, code="digest-mismatch")
@stated(LOG_MESSAGES)
def changed_under_a_debugger() -> Sample:
    """A changed driver loads under a debugger, and the finding remains."""
    return driver(by_microsoft(EKU_WHQL).broken())


@expect("rejected", "unsigned", "win7-x64", "win10-22h2-x64", debugger=True, debug_enforcement=True)
@expect("accepted", "debugger", "win10-22h2-x64", debugger=True, debug_enforcement=False)
@stated(DEBUGGING)
def unsigned_under_an_enforcing_debugger() -> Sample:
    """CI\\DebugFlags 0x10 blocks unsigned drivers under a debugger too."""
    return driver()


OFF = {"signature_enforcement": False}


@expect("accepted", "signatures-not-enforced", "vista-x64", "win7-x64", "win11-24h2-x64", "win11-24h2-arm64", **OFF)
@expect("rejected", "unsigned", "win7-x64", "win11-24h2-x64")
@expect("rejected", "unsigned", "win11-24h2-x64", hvci=True, code="not-enforced-hvci", **OFF)
@stated(STARTUP_SETTINGS)
def unsigned_in_a_boot_without_enforcement() -> Sample:
    """F8 or Startup Settings 7 disables the enforcement for one boot; memory integrity still checks."""
    return driver(architecture=None)


@expect("accepted", "signatures-not-enforced", "win11-24h2-x64", allow_list=NoList("no-list"), **OFF)
@expect("rejected", "driver-policy", "win11-24h2-x64", allow_list=NoList("no-list"))
@expect("accepted", "signatures-not-enforced", "win11-24h2-x64", **OFF)
@stated(STARTUP_SETTINGS)
def cross_signed_in_a_boot_without_enforcement() -> Sample:
    """Startup Settings 7 lifts the Windows Driver Policy too (reports from the field)."""
    return driver(cross_signed())


@expect("rejected", "cross-signed", "win11-24h2-x64-smode", **OFF)
@expect("rejected", "block-list", "win11-24h2-x64", block_list=LISTED, **OFF)
@expect("accepted", "signatures-not-enforced", "win11-24h2-x64", block_list=NOT_LISTED, **OFF)
@stated(f"{S_MODE}; {BLOCK_RULES}: neither is a check of the signature")
def refused_in_a_boot_without_enforcement() -> Sample:
    """S mode and the block list stay in effect without enforcement of signatures."""
    return driver(cross_signed(begins="2016-05-02"))


@expect("accepted", "root", "win11-24h2-x64", **OFF)
@stated(DECISION)
def signed_in_a_boot_without_enforcement() -> Sample:
    """A validly signed driver is accepted for its signature."""
    return driver(by_microsoft(EKU_WHQL))


EARLY = {"early_launch": True, "boot_start": True}
TEST = {"roots": "test-signing", "testsigning": True}


@expect("accepted", "root", "win8-x64", "win11-24h2-x64", **EARLY)
@stated(ELAM)
def early_launch_driver() -> Sample:
    """An early-launch driver with Microsoft's ELAM certificate loads (elam-driver-submission.md)."""
    return driver(by_microsoft(EKU_ELAM))


@expect("rejected", "elam", "win8-x64", "win11-24h2-x64", code="elam-certificate", **EARLY)
@expect("accepted", "root", "win7-x64", "win11-24h2-x64", boot_start=True)
@expect("accepted", "root", "win7-x64", **EARLY)
@stated(ELAM)
def early_launch_driver_with_a_whql_signature() -> Sample:
    """A WHQL signature is not enough for an early-launch driver; Windows 7 has no early launch."""
    return driver(by_microsoft(EKU_WHQL))


@expect("accepted", "test-signing", "win11-24h2-x64", **EARLY, **TEST)
@stated(ELAM)
def early_launch_test_driver() -> Sample:
    """A test certificate for early-launch drivers has the ELAM EKU (elam-driver-requirements.md)."""
    return driver(of_test_root(named=True, usages=(EKU_CODE_SIGNING, EKU_ELAM)))


@expect("rejected", "elam", "win11-24h2-x64", **EARLY, **TEST)
@stated(ELAM)
def early_launch_test_driver_without_the_usage() -> Sample:
    """A test certificate without the ELAM EKU does not start an early-launch driver."""
    return driver(of_test_root(named=True))


@expect("accepted", "root", "win10-22h2-x64", debugger=True)
@stated(DECISION)
def signed_under_a_debugger() -> Sample:
    """A validly signed driver is not accepted because of the debugger."""
    return driver(by_microsoft(EKU_WHQL))


@expect("accepted", "root", "win10-22h2-x64", "win11-24h2-x64", "server2022-x64", hvci=True)
@stated(HVCI)
def signed_under_memory_integrity() -> Sample:
    """Memory integrity accepts a validly signed driver with compatible sections."""
    return driver(by_microsoft(EKU_WHQL))


@expect("rejected", "hvci", "win10-1507-x64", "win11-24h2-x64", "server2025-x64", hvci=True, code="hvci-writable-code")
@expect("accepted", "root", "win8.1-x64", hvci=True, code="no-hvci")
@expect("accepted", "root", "win10-1507-x64", "win11-24h2-x64")
@expect("rejected", "hvci", "win10-22h2-x64", hvci=True, debugger=True)
@stated(f"{HVCI}; {HVCI_EVENTS}")
def writable_code() -> Sample:
    """With memory integrity, a driver with a writable and executable section does not load, whatever its signer."""
    return driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-writable-code", "its section 'x' is both"),))


@expect("rejected", "hvci", "win10-22h2-x64", hvci=True, code="hvci-unaligned")
@expect("accepted", "root", "win10-22h2-x64")
@stated(f"{HVCI}; {HVCI_EVENTS}")
def unaligned_sections() -> Sample:
    """Memory integrity requires page-aligned sections."""
    return driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-unaligned", "its sections are aligned to 0x20"),))


def layout_fault(code: str) -> None:
    """Register the cases of a reason of Code Integrity's list: refused since 2004, unknown before."""

    def make() -> Sample:
        """Memory integrity refuses the reasons of Code Integrity's own list."""
        return driver(by_microsoft(EKU_WHQL), architecture=None, protection=(Fault(code, "a fault"),))

    make.__name__ = code.replace("-", "_")
    stated(f"{HVCI}; {HVCI_REASONS}" if code == "hvci-imports-in-code" else HVCI_REASONS)(make)
    first, before = ("win10-1709", "win10-1703") if code == "hvci-imports-in-code" else ("win10-2004", "win10-1909")
    expect("rejected", "hvci", f"{first}-x64", "win11-24h2-arm64", hvci=True, code=code)(make)
    expect("unknown", "hvci", f"{before}-x64", hvci=True, code=code)(make)
    expect("accepted", "root", "win11-24h2-x64")(make)


for _code in (
    "hvci-not-native",
    "hvci-imports-in-code",
    "hvci-import-addresses",
    "hvci-not-contiguous",
    "hvci-section-order",
    "hvci-section-size",
):
    layout_fault(_code)


@expect("rejected", "hvci", "win10-1507-x64", "win11-24h2-x64", hvci=True, code="hvci-shared-writable-code")
@expect("accepted", "root", "win11-24h2-x64")
@stated(f"{HVCI}; {HVCI_EVENTS}")
def shared_writable_code() -> Sample:
    """Code that is writable is refused since Windows 10 1507, shared code as well (event 3073)."""
    return driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-shared-writable-code", "a fault"),))


@expect("rejected", "hvci", "win10-1507-x64", "win10-1607-x64", "server2016-x64", hvci=True, code="hvci-relocation")
@expect("accepted", "root", "win10-1703-x64", "win11-24h2-x64", hvci=True)
@expect("accepted", "root", "win10-1607-x64")
@stated(HVCI)
def relocation_across_a_page_boundary() -> Sample:
    """Memory integrity supports relocations across a page boundary since Windows 10 1703."""
    return driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-relocation", "a fault"),))


@expect("unknown", "hvci", "win10-1507-x64", "win11-24h2-x64", hvci=True, code="hvci-no-import-addresses")
@expect("accepted", "root", "win11-24h2-x64")
@stated(unsettled(HVCI_REASONS))
def imports_without_an_address_table() -> Sample:
    """The list has a missing import address table, and no source says which images must have one."""
    return driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-no-import-addresses", "a fault"),))


@expect("accepted", "root", "win10-22h2-x86", hvci=True, code="no-hvci")
@stated(HVCI)
def writable_code_on_x86() -> Sample:
    """Only 64-bit kernels support memory integrity."""
    fault = Fault("hvci-writable-code", "its section 'x' is both")
    return driver(by_microsoft(EKU_WHQL), architecture="x86", protection=(fault,))


@expect(
    "rejected",
    "block-list",
    "win11-22h2-x64",
    "win11-iot-x64",
    "win10-22h2-x64-smode",
    block_list=LISTED,
    code="block-listed",
)
@expect("accepted", "root", "win11-22h2-x64", block_list=NOT_LISTED)
@expect("unknown", "block-list", "win11-22h2-x64", block_list=UNSURE)
@expect("accepted", "root", "win11-22h2-x64", code="block-list-not-given")
@expect("accepted", "root", "win11-21h2-x64", "win10-iot-x64", "win10-22h2-x64", "server23h2-x64", block_list=LISTED)
@expect("rejected", "block-list", "win10-22h2-x64", "server2022-x64", block_list=LISTED, hvci=True)
@expect("accepted", "root", "server2016-x64", block_list=LISTED, hvci=True)
@expect("rejected", "block-list", "win10-22h2-x64", block_list=LISTED, block_list_on=True)
@expect("accepted", "root", "win11-24h2-x64", block_list=LISTED, block_list_on=False)
@expect("accepted", "root", "win8.1-x64", block_list=LISTED, block_list_on=True)
@expect("rejected", "block-list", "win11-24h2-x64", block_list=LISTED, debugger=True)
@stated(BLOCK_RULES)
def on_the_block_list() -> Sample:
    """A driver on the block list is rejected if the list is enforced, even with a valid signature."""
    return driver(by_microsoft(EKU_WHQL))


@expect("rejected", "root", "win11-24h2-x64", block_list=UNSURE)
@stated(DECISION)
def refused_and_perhaps_blocked() -> Sample:
    """A driver with a rejected signature stays rejected if the list's answer is unknown."""
    return driver(commercial())
