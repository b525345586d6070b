"""Events and codes of a verdict, for each way in which a driver loads or is refused."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_LIFETIME_SIGNING, EKU_WHQL
from signer.codeintegrity.app_control import app_control_policies, app_control_policy, policy_with_guid
from signer.codeintegrity.consequences import Consequences
from signer.codeintegrity.event_tables import newest_schema
from signer.codeintegrity.file_fields import EventSubject
from signer.codeintegrity.message_text import read_message
from signer.codeintegrity.status import status_of
from signer.pe.file_facts import FileFacts
from signer.pe.protection import Fault
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target, all_targets
from tests.support.loads import NOW, Everything, NoList, follow
from tests.support.policy_builder import (
    Sample,
    by_microsoft,
    commercial,
    cross_signed,
    driver,
    self_signed,
    unknown_issuer,
)

OPERATIONAL = "Microsoft-Windows-CodeIntegrity/Operational"
VERBOSE = "Microsoft-Windows-CodeIntegrity/Verbose"
SECURITY = "Security"
EVALUATION = "{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}"
ENFORCED = "{8f9cb695-5d48-48d6-a329-7202b44607e3}"

TWICE = driver(cross_signed("2016-05-02"), by_microsoft(EKU_WHQL))
"""Cross-signed and signed by Microsoft; the second signature needs no exemption."""


FACTS = FileFacts(
    {"OriginalFilename": "toaster.sys", "ProductName": "Toaster"},
    (1, 2, 3, 4),
    digests={DigestAlgorithm.SHA1: b"\x01" * 20, DigestAlgorithm.SHA256: b"\x02" * 32},
    flat_digests={DigestAlgorithm.SHA1: b"\x03" * 20, DigestAlgorithm.SHA256: b"\x04" * 32},
)


GOOD = driver(by_microsoft(EKU_WHQL))
GOOD_CATALOG = by_microsoft(EKU_WHQL).in_catalog()
UNSIGNED = driver()
OLD = driver(by_microsoft(EKU_WHQL, EKU_LIFETIME_SIGNING, ends="2016-01-01"))
PAGES = driver(by_microsoft(EKU_WHQL).having(page_hashes_intact=False))
X86 = driver(architecture="x86")


@pytest.mark.parametrize(
    ("sample", "target", "machine", "ids", "status", "win32", "device_manager"),
    [
        (GOOD, "win11-24h2-x64", {}, [], None, None, None),
        (UNSIGNED, "vista-x64", {}, [3004, 5038], "0xC0000428", 577, 52),
        (UNSIGNED, "win7-x64", {}, [3004, 5038], "0xC0000428", 577, 52),
        (UNSIGNED, "win10-1511-x64", {}, [3004, 5038], "0xC0000428", 577, 52),
        (UNSIGNED, "win10-1803-x64", {}, [3004, 3089, 5038], "0xC0000428", 577, 52),
        (UNSIGNED, "win11-24h2-x64", {}, [3004, 3089, 5038], "0xC0000428", 577, 52),
        (driver(commercial()), "win10-22h2-x64", {}, [3004, 3089, 5038], "0xC0000428", 577, 52),
        (PAGES, "win10-22h2-x64", {}, [3002, 3089, 6281], "0xC0000428", 577, 52),
        (PAGES, "win7-x64", {}, [3002, 6281], "0xC0000428", 577, 52),
        (UNSIGNED, "win10-22h2-x64", {"debugger": True}, [3005], None, None, None),
        (PAGES, "win10-22h2-x64", {"debugger": True}, [3003], None, None, None),
        (X86, "win7-x86", {}, [3001], None, None, None),
        (X86, "win10-22h2-x64", {}, [], "0xC000036B", 1275, 39),  # JKornev/hidden issues 22 and 36
        (driver(cross_signed()), "win11-24h2-x64", {}, [], None, None, None),
        (driver(cross_signed()), "win11-24h2-x64", {"driver_policy": "evaluation"}, [3076, 3089], None, None, None),
        (driver(cross_signed()), "win11-24h2-x64", {"allow_list": NoList()}, [3077, 3089], "0xC0E90002", 4551, 39),
        (driver(cross_signed()), "win11-23h2-x64-smode", {}, [3077, 3089], "0xC0E90002", 4551, 39),
        (driver(cross_signed("2016-05-02")), "win10-1803-x64", {"upgraded": True}, [3083], None, None, None),
        (driver(cross_signed("2016-05-02")), "win10-1607-x64", {"upgraded": True}, [3083], None, None, None),
        (driver(cross_signed("2016-05-02")), "win10-1709-x64", {"upgraded": True}, [3083], None, None, None),
        (driver(cross_signed("2016-05-02")), "win10-1803-x64", {"boot_start": True}, [3083], None, None, None),
        (TWICE, "win10-1803-x64", {"upgraded": True}, [], None, None, None),
        (TWICE, "win11-24h2-x64", {"driver_policy": "evaluation", "upgraded": True}, [], None, None, None),
        (TWICE, "win11-24h2-x64", {"allow_list": NoList()}, [], None, None, None),
        (driver(cross_signed("2016-05-02")), "win10-1803-x64", {}, [3004, 3089, 5038], "0xC0000428", 577, 52),
        (GOOD, "win11-24h2-x64", {"block_list": Everything()}, [3077, 3089], "0xC0000603", 1275, 48),
        (OLD, "win10-22h2-x64", {}, [3033, 3089], "0xC0000605", None, 52),
        (
            driver(GOOD_CATALOG),
            "win7-x64",
            {"boot_start": True},
            [],
            "0xC0000428",
            None,
            None,
        ),
        (driver(unknown_issuer(), kind="catalog"), "win10-22h2-x64", {}, [3010], "0xC0000428", 577, 52),
    ],
)
def test_events_and_codes(
    sample: Sample,
    target: str,
    machine: dict[str, Any],
    ids: list[int],
    status: str | None,
    win32: int | None,
    device_manager: int | None,
) -> None:
    result = follow(sample, target, **machine)
    assert result.row["events"] == ids, result.verdict
    assert (result.status.code, result.status.win32, result.status.device_manager) == (status, win32, device_manager)
    assert (result.next_step is not None) == (result.verdict.outcome != "accepted")


def test_a_blocked_driver_is_logged_in_two_logs() -> None:
    error, information, audit = follow(driver(name="toaster.sys"), "win10-22h2-x64").events
    assert error.as_json() == {
        "id": 3004,
        "channel": OPERATIONAL,
        "level": "Error",
        "message": "Windows is unable to verify the image integrity of the file toaster.sys because file hash could "
        "not be found on the system. A recent hardware or software change might have installed a file that is signed "
        "incorrectly or damaged, or that might be malicious software from an unknown source.",
        "data": {
            "FileNameLength": 11,
            "FileNameBuffer": "toaster.sys",
            "SecureRequired": None,
            "RequestedSigningLevel": 4,
            "ProcessNameLength": 6,
            "ProcessNameBuffer": "System",
        },
    }
    assert information.data["TotalSignatureCount"] == 0
    assert information.data["VerificationError"] == 3
    assert (audit.channel, audit.level, audit.data) == (SECURITY, "Audit Failure", {"param1": "toaster.sys"})
    assert audit.message.endswith("File Name:\ttoaster.sys")


@pytest.mark.parametrize(("target", "fields"), [("win7-x64", 2), ("win10-1809-x64", 2), ("win11-22h2-x64", 6)])
def test_an_event_has_the_fields_of_its_release(target: str, fields: int) -> None:
    assert len(follow(UNSIGNED, target).events[0].data) == fields


def test_signature_information_of_each_signature() -> None:
    sample = driver(commercial(), commercial().broken().in_catalog(), cross_signed("2016-05-02").nested())
    first, second, third = (event.data for event in follow(sample, "win11-23h2-x64").events if event.id == 3089)
    assert [one["Signature"] for one in (first, second, third)] == [0, 1, 2]
    assert {one["TotalSignatureCount"] for one in (first, second, third)} == {3}
    assert [one["VerificationError"] for one in (first, second, third)] == [7, 1, 15]
    assert [one["SignatureType"] for one in (first, second, third)] == [1, 4, 1]
    leaf, issuer = sample.paths[0].signer[0].certificates
    assert first["PublisherName"] == "Contoso Ltd."
    assert first["IssuerName"] == "Some CA 2020"
    assert first["PublisherTBSHash"] == hashlib.sha256(leaf.tbs_certificate_bytes).hexdigest().upper()
    assert first["IssuerTBSHash"] == hashlib.sha256(issuer.tbs_certificate_bytes).hexdigest().upper()
    assert len(str(third["PublisherTBSHash"])) == 40
    assert first["Hash"] == sample.evidence.signatures[0].digest.hex().upper()
    assert first["NotValidBefore"] == "2022-01-01T12:00:00.0000000Z"


def test_older_manifests_have_no_tbs_hashes() -> None:
    information = follow(driver(commercial()), "win10-1809-x64").events[1]
    assert information.id == 3089
    assert "PublisherName" in information.data
    assert "PublisherTBSHash" not in information.data


def test_the_driver_policy_has_one_guid_for_each_phase() -> None:
    evaluated = follow(driver(cross_signed()), "win11-24h2-x64", driver_policy="evaluation").events
    blocked = follow(driver(cross_signed()), "win11-24h2-x64", allow_list=NoList()).events
    assert (evaluated[0].level, evaluated[0].data["PolicyGUID"]) == ("Informational", EVALUATION)
    assert (blocked[0].level, blocked[0].data["PolicyGUID"]) == ("Error", ENFORCED)
    assert blocked[0].message.endswith(f"(Policy ID:{ENFORCED}).")
    assert "(System) attempted to load sample.sys" in blocked[0].message
    assert evaluated[1].data["VerificationError"] == blocked[1].data["VerificationError"] == 21


def test_a_blocked_driver_has_its_hashes_and_status() -> None:
    result = follow(driver(cross_signed()), "win11-24h2-x64", allow_list=NoList())
    blocked, information = result.events
    content = b"the bytes of the driver"
    assert (blocked.id, blocked.data["Status"]) == (3077, "0xc0e90002")
    assert blocked.data["SHA1 Hash"] == hashlib.sha1(content).hexdigest().upper()
    assert blocked.data["SHA256 Hash"] == hashlib.sha256(content).hexdigest().upper()
    assert blocked.data["PolicyName"] == "Microsoft Windows Cross Certificates for Code Integrity Exceptions Policy"
    assert blocked.data["SI Signing Scenario"] == 0
    assert (blocked.data["Requested Signing Level"], blocked.data["Validated Signing Level"]) == (4, 1)
    assert information.data["Hash Size"] == 32
    loaded = follow(driver(cross_signed()), "win11-24h2-x64", driver_policy="evaluation").events[0]
    assert str(loaded.data["PolicyName"]).endswith("Exceptions Audit Policy")
    assert (loaded.data["Status"], loaded.data["Validated Signing Level"]) == ("0xc0e90002", None)


@pytest.mark.parametrize(
    ("code", "target", "ids"),
    [
        ("hvci-unaligned", "win11-24h2-x64", [3072, 3111]),
        ("hvci-section-unaligned", "win11-24h2-x64", [3072, 3111]),
        ("hvci-writable-code", "win11-24h2-x64", [3073, 3111]),
        ("hvci-writable-code", "win10-1809-x64", [3073]),
    ],
)
def test_memory_integrity_logs_each_fault(code: str, target: str, ids: list[int]) -> None:
    sample = driver(by_microsoft(EKU_WHQL), name="toaster.sys", protection=(Fault(code, "a fault"),))
    result = follow(sample, target, hvci=True)
    assert result.row["events"] == ids
    assert (result.status.code, result.status.device_manager) == (None, 39)
    assert "toaster.sys is not compatible with" in result.events[0].message
    assert "%" not in result.events[-1].message


@pytest.mark.parametrize(
    ("codes", "bitmap"),
    [
        (["hvci-writable-code"], "0x8"),
        (["hvci-writable-code", "hvci-imports-in-code"], "0x28"),
        (["hvci-unaligned"], "0x2"),
        (["hvci-unaligned", "hvci-section-unaligned", "hvci-writable-code"], "0xe"),
        (["hvci-not-native", "hvci-section-order"], "0x201"),
        (["hvci-section-size", "hvci-no-import-addresses"], "0x480"),
    ],
)
def test_the_failure_bitmap_is_the_sum_of_the_faults(codes: list[str], bitmap: str | None) -> None:
    sample = driver(by_microsoft(EKU_WHQL), protection=tuple(Fault(code, "a fault") for code in codes))
    blocked = follow(sample, "win11-24h2-x64", hvci=True).events[-1]
    assert (blocked.id, blocked.data["HVCI Audit Failures"]) == (3111, bitmap)
    assert f"Failure bitmap {bitmap or ''}." in blocked.message


def test_hashes_and_version_strings_come_from_the_file() -> None:
    data = follow(driver(cross_signed()), "win11-24h2-x64", facts=FACTS, allow_list=NoList()).events[0].data
    assert (data["SHA1 Hash Size"], data["SHA1 Hash"]) == (20, "01" * 20)
    assert (data["SHA256 Hash Size"], data["SHA256 Hash"]) == (32, "02" * 32)
    assert (data["SHA1 Flat Hash"], data["SHA256 Flat Hash"]) == ("03" * 20, "04" * 32)
    assert (data["OriginalFileNameLength"], data["OriginalFileName"]) == (11, "toaster.sys")
    assert (data["InternalNameLength"], data["InternalName"], data["FileVersion"]) == (0, "", "1.2.3.4")
    assert (data["USN"], data["PolicyHashSize"], data["PolicyHash"]) == (None, None, None)


def test_ambiguous_version_resources_stay_unknown() -> None:
    facts = FileFacts(None, None, digests=FACTS.digests)
    data = follow(driver(cross_signed()), "win11-24h2-x64", facts=facts, allow_list=NoList()).events[0].data
    assert (data["OriginalFileNameLength"], data["OriginalFileName"]) == (None, None)
    assert (data["SHA256 Hash"], data["SHA256 Flat Hash Size"]) == ("02" * 32, None)


def test_the_file_is_not_read_for_other_events() -> None:
    def unread() -> FileFacts:
        raise AssertionError("read without need")

    where = Target.parse("win10-22h2-x64")
    sample = driver(commercial())
    verdict = judge("kernel", sample.evidence, sample.paths, where, MachineState(at=NOW))
    what = Consequences("kernel", verdict, where, EventSubject(sample.evidence, unread))
    assert what.row["events"] == [3004, 3089, 5038]


@pytest.mark.parametrize(
    ("sample", "target", "machine", "key"),
    [
        (driver(cross_signed()), "win11-24h2-x64", {"driver_policy": "evaluation"}, "evaluation"),
        (driver(cross_signed()), "win11-24h2-x64", {"allow_list": NoList()}, "enforced"),
        (GOOD, "win11-24h2-x64", {"block_list": Everything()}, "block-list"),
        (driver(cross_signed()), "win11-23h2-x64-smode", {}, "s-mode"),
    ],
)
def test_the_policy_of_an_event(sample: Sample, target: str, machine: dict[str, Any], key: str) -> None:
    event = follow(sample, target, **machine).events[0]
    policy = app_control_policy(key)
    assert (event.data["PolicyGUID"], event.data["PolicyName"]) == (policy.guid, policy.name)
    assert event.data["PolicyNameLength"] == len(policy.name)
    assert f"(Policy ID:{policy.guid})" in event.message


def test_policies_are_found_by_guid() -> None:
    for policy in app_control_policies():
        assert policy.guid == policy.guid.lower()
        assert policy_with_guid(policy.guid.upper()) == policy_with_guid(policy.guid.strip("{}")) == policy
    assert policy_with_guid("{00000000-0000-0000-0000-000000000000}") is None


def test_an_old_version_has_its_status_as_a_number() -> None:
    """3077 of 1703 has version 0, whose Status is a decimal number; 3033 has no other version."""
    blocked = follow(driver(cross_signed()), "win10-1703-x64-smode").events[0]
    assert (blocked.id, blocked.data["Status"]) == (3077, 0xC0E90002)
    assert blocked.message.endswith("violated code integrity policy.")
    expired = follow(OLD, "win10-22h2-x64").events[0]
    assert (expired.id, expired.data["Status"]) == (3033, 0xC0000605)
    assert (expired.data["RequestedPolicy"], expired.data["ValidatedPolicy"]) == (4, 1)
    assert "did not meet the Authenticode signing level requirements" in expired.message


@pytest.mark.parametrize("target", [target.name for target in all_targets() if target.architecture == "x64"])
def test_every_message_is_read_back(target: str) -> None:
    """What a release logs is read as the same event with the same fields."""
    samples = [driver(commercial()), driver(cross_signed()), OLD, PAGES, driver(unknown_issuer(), kind="catalog")]
    for sample in samples:
        for machine in ({}, {"allow_list": NoList()}, {"upgraded": True}, {"debugger": True}):
            for event in follow(sample, target, secure_boot=False, **machine).events:
                found = [one for one in read_message(event.message) if one.id == event.id]
                assert any(one.printed_by(Target.parse(target).build) for one in found), event
                assert any(one.fields.items() <= event.data.items() for one in found), event


@pytest.mark.parametrize(
    ("target", "architecture", "code"),
    [
        ("win10-22h2-x64", "x86", "0xC000036B"),
        ("win11-24h2-x64", "arm64", "0xC000007B"),
        ("win10-22h2-x86", "x64", "0xC000007B"),
    ],
)
def test_the_status_of_a_driver_for_another_architecture(target: str, architecture: str, code: str) -> None:
    """Reports exist only for 32-bit drivers on x64; the others have the loader's documented status."""
    result = follow(driver(architecture=architecture), target)
    assert (result.verdict.rule, result.status.code, result.events) == ("architecture", code, ())
    assert result.status == status_of("kernel", result.verdict, architecture)
    assert result.status.name


def test_a_file_name_that_looks_like_a_place_is_kept() -> None:
    sample = driver(cross_signed(), name="%4%33.sys")
    assert "attempted to load %4%33.sys that" in follow(sample, "win11-24h2-x64", allow_list=NoList()).events[0].message


@pytest.mark.parametrize(
    ("sample", "number", "text"),
    [
        (GOOD, 3009, "a file hash for the file sample.sys in the image embedded certificate"),
        (driver(GOOD_CATALOG), 3008, "a file hash for the file sample.sys in a catalog driver.cat"),
        (
            driver(GOOD_CATALOG.having(page_hashes_intact=True)),
            3006,
            "per-page image hashes for the file sample.sys in a",
        ),
        (
            driver(by_microsoft(EKU_WHQL).having(page_hashes_intact=True)),
            3007,
            "per-page image hashes for the file sample.sys",
        ),
    ],
)
def test_the_verbose_channel_shows_where_the_hash_was_found(sample: Sample, number: int, text: str) -> None:
    (event,) = follow(sample, "win10-22h2-x64", verbose=True).events
    assert (event.id, event.channel) == (number, VERBOSE)
    assert text in event.message
    assert follow(sample, "win10-22h2-x64").events == ()


@pytest.mark.parametrize(
    ("sample", "policy", "status"),
    [
        (UNSIGNED, "authenticode", "0x800B0100"),
        (driver(commercial().broken()), "authenticode", "0x80096010"),
        (driver(unknown_issuer()), "authenticode", "0x800B010A"),
        (driver(self_signed()), "authenticode", "0x800B0109"),
        (driver(commercial(ends="2025-01-01")), "authenticode", "0x800B0101"),
        (UNSIGNED, "pnp", "0xE000024B"),
        (driver(unknown_issuer().in_catalog()), "pnp", "0x800B010A"),
        (driver(self_signed().in_catalog()), "pnp", "0x800B0109"),
        (driver(by_microsoft(EKU_WHQL), attributes={"PETrusted": "1"}), "protected-media", None),
        (UNSIGNED, "protected-media", "0xC0000428"),
    ],
)
def test_the_status_of_a_rejection_by_policy(sample: Sample, policy: str, status: str | None) -> None:
    result = follow(sample, "win11-23h2-x64", policy)
    assert result.verdict.outcome == "rejected"
    assert result.status.code == status
    assert status is None or result.status.name
    assert bool(result.events) == (policy == "protected-media" and status is not None)


def test_no_target_logs_an_event_that_its_build_lacks() -> None:
    for target in all_targets():
        sample = driver(commercial(), architecture=target.architecture)
        for event in follow(sample, target.name, secure_boot=False).events:
            schema = newest_schema(event.id, target.build)
            assert schema is not None, (target.name, event.id)
            assert list(event.data) == [field.name for field in schema.fields]
