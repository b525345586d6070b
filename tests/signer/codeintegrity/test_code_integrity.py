"""From a verdict to events and codes, for each way in which a driver loads or doesn't."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from signer.asn1.oids import EKU_LIFETIME_SIGNING, EKU_WHQL
from signer.codeintegrity.consequences import Consequences, consequences
from signer.codeintegrity.events import ENFORCED_POLICY, EVALUATION_POLICY, OPERATIONAL, SECURITY, VERBOSE
from signer.pe.protection import Fault
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.tables import rows
from signer.policy.targets import Target, all_targets
from tests.support.policy_builder import (
    Sample,
    by_microsoft,
    commercial,
    cross_signed,
    driver,
    self_signed,
    unknown_issuer,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)

TWICE = driver(cross_signed("2016-05-02"), by_microsoft(EKU_WHQL))
"""Cross-signed, and signed by Microsoft: the second signature needs no exemption."""


class Everything:
    """A block list that names every driver."""

    def denies(self, case: object) -> bool:
        return True

    def denying_rule(self, case: object) -> str:
        return "its only rule"


class NoList:
    """An allow list that names nobody."""

    def allows(self, signed: object) -> bool:
        return False


def follow(
    sample: Sample, target: str, policy: str = "kernel", *, verbose: bool = False, **machine: Any
) -> Consequences:
    where = Target.parse(target)
    given = MachineState(**{"at": NOW, **machine})
    verdict = judge(policy, sample.evidence, sample.paths, where, given, attributes=sample.attributes)
    return consequences(policy, verdict, sample.evidence, where, verbose=verbose)


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
        (X86, "win10-22h2-x64", {}, [], "0xC000007B", 193, 39),
        (driver(cross_signed()), "win11-24h2-x64", {}, [], None, None, None),
        (driver(cross_signed()), "win11-24h2-x64", {"driver_policy": "evaluation"}, [3076, 3089], None, None, None),
        (driver(cross_signed()), "win11-24h2-x64", {"allow_list": NoList()}, [3077, 3089], "0xC0E90002", 4551, 39),
        (driver(cross_signed()), "win11-23h2-x64-smode", {}, [3077, 3089], "0xC0E90002", 4551, 39),
        (driver(cross_signed("2016-05-02")), "win10-1803-x64", {"upgraded": True}, [3083], None, None, None),
        (driver(cross_signed("2016-05-02")), "win10-1607-x64", {"upgraded": True}, [], None, None, None),
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
    what = follow(sample, target, **machine)
    assert what.row["events"] == ids, what.verdict
    assert (what.status.code, what.status.win32, what.status.device_manager) == (status, win32, device_manager)
    assert (what.next_step is not None) == (what.verdict.outcome != "accepted")


def test_a_blocked_driver_in_the_logs() -> None:
    error, information, audit = follow(driver(name="toaster.sys"), "win10-22h2-x64").events
    assert error.as_json() == {
        "id": 3004,
        "channel": OPERATIONAL,
        "level": "Error",
        "message": "Windows is unable to verify the image integrity of the file toaster.sys because file hash could "
        "not be found on the system. A recent hardware or software change might have installed a file that is signed "
        "incorrectly or damaged, or that might be malicious software from an unknown source.",
        "data": {
            "FileNameBuffer": "toaster.sys",
            "SecureRequired": None,
            "RequestedSigningLevel": None,
            "ProcessNameBuffer": "System",
        },
    }
    assert information.data["TotalSignatureCount"] == 0
    assert information.data["VerificationError"] == 3
    assert (audit.channel, audit.level, audit.data) == (SECURITY, "Audit Failure", {"param1": "toaster.sys"})
    assert audit.message.endswith("File Name:\ttoaster.sys")


@pytest.mark.parametrize(("target", "fields"), [("win7-x64", 1), ("win10-1809-x64", 1), ("win11-22h2-x64", 4)])
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
    assert third["PublisherTBSHash"] is not None and len(third["PublisherTBSHash"]) == 40
    assert first["Hash"] == sample.evidence.signatures[0].digest.hex().upper()
    assert first["NotValidBefore"] == "2022-01-01T12:00:00+00:00"


def test_older_manifests_have_no_tbs_hashes() -> None:
    information = follow(driver(commercial()), "win10-1809-x64").events[1]
    assert information.id == 3089
    assert "PublisherName" in information.data
    assert "PublisherTBSHash" not in information.data


def test_the_driver_policy_is_named_by_phase() -> None:
    evaluated = follow(driver(cross_signed()), "win11-24h2-x64", driver_policy="evaluation").events
    blocked = follow(driver(cross_signed()), "win11-24h2-x64", allow_list=NoList()).events
    assert (evaluated[0].level, evaluated[0].data["PolicyGUID"]) == ("Informational", EVALUATION_POLICY)
    assert (blocked[0].level, blocked[0].data["PolicyGUID"]) == ("Error", ENFORCED_POLICY)
    assert blocked[0].message.endswith(f"(Policy ID:{ENFORCED_POLICY}).")
    assert "(System) attempted to load sample.sys" in blocked[0].message
    assert evaluated[1].data["VerificationError"] == blocked[1].data["VerificationError"] == 21


def test_a_blocked_driver_is_named_by_its_digests_and_the_answer() -> None:
    what = follow(driver(cross_signed()), "win11-24h2-x64", allow_list=NoList())
    blocked, information = what.events
    content = b"the bytes of the driver"
    assert (blocked.id, blocked.data["Status"]) == (3077, "0xC0E90002")
    assert blocked.data["SHA1Hash"] == hashlib.sha1(content).hexdigest().upper()
    assert blocked.data["SHA256Hash"] == hashlib.sha256(content).hexdigest().upper()
    assert blocked.data["PolicyName"] == "Microsoft Windows Cross Certificates for Code Integrity Exceptions Policy"
    assert blocked.data["SISigningScenario"] == 0
    assert information.data["HashSize"] == 32
    loaded = follow(driver(cross_signed()), "win11-24h2-x64", driver_policy="evaluation").events[0]
    assert loaded.data["PolicyName"].endswith("Exceptions Audit Policy")
    assert loaded.data["Status"] is None


@pytest.mark.parametrize(
    ("code", "target", "ids"),
    [
        ("hvci-unaligned", "win11-24h2-x64", [3072, 3111]),
        ("hvci-writable-code", "win11-24h2-x64", [3073, 3111]),
        ("hvci-writable-code", "win10-1809-x64", [3073]),
    ],
)
def test_what_memory_integrity_logs(code: str, target: str, ids: list[int]) -> None:
    sample = driver(by_microsoft(EKU_WHQL), name="toaster.sys", protection=(Fault(code, "it is so"),))
    what = follow(sample, target, hvci=True)
    assert what.row["events"] == ids
    assert (what.status.code, what.status.device_manager) == (None, 39)
    assert "toaster.sys is not compatible with" in what.events[0].message
    assert "%" not in what.events[-1].message


def test_a_policy_that_is_not_known_by_its_id_is_not_named() -> None:
    message = follow(driver(cross_signed()), "win11-23h2-x64-smode").events[0].message
    assert message.endswith("violated code integrity policy.")


def test_a_file_name_that_looks_like_a_place_to_fill_in() -> None:
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
def test_the_verbose_channel_says_where_the_hash_was_found(sample: Sample, number: int, text: str) -> None:
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
def test_the_status_is_that_of_who_says_no(sample: Sample, policy: str, status: str | None) -> None:
    what = follow(sample, "win11-23h2-x64", policy)
    assert what.verdict.outcome == "rejected"
    assert what.status.code == status
    assert status is None or what.status.name
    assert bool(what.events) == (policy == "protected-media" and status is not None)


def test_no_target_logs_an_event_that_its_manifest_lacks() -> None:
    have = {
        row["event_id"] for row in rows("events.tsv", "signer.codeintegrity.data") if "Win7-7600" in row["manifests"]
    }
    for target in all_targets():
        sample = driver(commercial(), architecture=target.architecture)
        for event in follow(sample, target.name, secure_boot=False).events:
            if target.build < 10240:
                assert event.channel == SECURITY or str(event.id) in have, (target.name, event.id)
