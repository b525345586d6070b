"""Statements about events and codes, each with the public source that settles it.

A case names the driver, the machine and what Windows logs or answers there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from signer.asn1.oids import EKU_LIFETIME_SIGNING, EKU_WHQL
from signer.codeintegrity.field_values import FieldValue
from signer.pe.protection import Fault
from tests.support.loads import Everything, NoList, follow
from tests.support.policy_builder import Sample, by_microsoft, commercial, cross_signed, driver, unknown_issuer

_TABLES = "libyal/winevt-kb 5e51c65 docs/sources/message-files/MessageFile-ci.dll.md"
_BTRFS = "maharmstone/btrfs issue 823"
_LOCKER = "AaronMargosis/AaronLockerV2 b302acf, records and templates of 3033, 3077 and 3089"
_EXEMPT = driver(cross_signed("2016-05-02"))
_LOADED = "However, due to code integrity auditing policy, the image was allowed to load."


@dataclass(frozen=True)
class Statement:
    """One statement, the load that shows it, and the source."""

    id: str
    sentence: str
    source: str
    sample: Sample
    target: str
    machine: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[int, ...] | None = None
    codes: tuple[str | None, int | None] | None = None
    """NTSTATUS and Win32 error."""
    ending: str | None = None
    """How the message of the first event ends."""
    data: Mapping[str, FieldValue] = field(default_factory=dict)
    """Fields of the first event."""


STATEMENTS = [
    Statement(
        "x86-driver-on-x64",
        "A 32-bit driver on x64 is blocked from loading (0xC000036B, 1275), and Code Integrity logs nothing.",
        "JKornev/hidden issues 22 (StartService FAILED 1275, x64 1909) and 36 (ZwLoadDriver C000036B)",
        driver(architecture="x86"),
        "win10-1903-x64",
        events=(),
        codes=("0xC000036B", 1275),
    ),
    Statement(
        "policy-guid-in-lower-case",
        "The policy's GUID is printed in lower case with braces.",
        _BTRFS,
        driver(cross_signed()),
        "win11-25h2-x64",
        {"allow_list": NoList()},
        events=(3077, 3089),
        ending="(Policy ID:{8f9cb695-5d48-48d6-a329-7202b44607e3}).",
        data={"PolicyGUID": "{8f9cb695-5d48-48d6-a329-7202b44607e3}"},
    ),
    Statement(
        "audit-sentence-of-3076",
        "3076 ends with the sentence that the image was allowed to load.",
        _BTRFS,
        driver(cross_signed()),
        "win11-25h2-x64",
        {"driver_policy": "evaluation"},
        events=(3076, 3089),
        ending=f"(Policy ID:{{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}}). {_LOADED}",
        data={"Status": "0xc0e90002", "Requested Signing Level": 4},
    ),
    Statement(
        "block-list-policy-name",
        "The driver block list is the policy named Microsoft Windows Driver Policy.",
        "windows-itpro-docs app-control-for-business/operations/inbox-appcontrol-policies.md; hfiref0x/KDU issue 33 "
        "(0xC0000603 on build 22621)",
        driver(by_microsoft(EKU_WHQL)),
        "win11-22h2-x64",
        {"block_list": Everything()},
        events=(3077, 3089),
        codes=("0xC0000603", 1275),
        data={"PolicyName": "Microsoft Windows Driver Policy"},
    ),
    *(
        Statement(
            f"exempt-driver-on-{release}",
            "3083 exists since Windows 10 1607, and its last sentence asks for a WHQL compliant module.",
            f"{_TABLES}, 10.0.14393.0 to 10.0.22000.100",
            _EXEMPT,
            f"win10-{release}-x64",
            {"upgraded": True},
            events=(3083,),
            ending="Check with the publisher to see if a WHQL compliant kernel module is available.",
        )
        for release in ("1607", "1703", "1709", "1809")
    ),
    Statement(
        "catalog-without-status",
        "Before Windows 10 1607, 3010 has no status.",
        f"{_TABLES}, 6.0.6000.16386 to 10.0.10586.0",
        driver(unknown_issuer(), kind="catalog", name="x.cat"),
        "win10-1511-x64",
        events=(3010,),
        ending="was unable to load the x.cat catalog.",
    ),
    Statement(
        "catalog-with-status",
        "Since Windows 10 1607, 3010 ends with the status.",
        f"{_TABLES}, 10.0.14393.0 to 10.0.22000.100",
        driver(unknown_issuer(), kind="catalog", name="x.cat"),
        "win10-1607-x64",
        events=(3010,),
        ending="was unable to load the x.cat catalog. Status 0xc0000428.",
    ),
    Statement(
        "status-of-3033-is-decimal",
        "3033 has its status as a decimal number, and the levels as RequestedPolicy and ValidatedPolicy.",
        _LOCKER,
        driver(by_microsoft(EKU_WHQL, EKU_LIFETIME_SIGNING, ends="2016-01-01")),
        "win11-24h2-x64",
        events=(3033, 3089),
        data={"Status": 0xC0000605, "RequestedPolicy": 4, "ValidatedPolicy": 1},
    ),
    Statement(
        "sizes-stand-beside-values",
        "Each string and each hash follows its size: characters for strings, bytes for hashes.",
        _LOCKER,
        driver(cross_signed(), name="x.sys"),
        "win11-24h2-x64",
        {"allow_list": NoList()},
        data={"FileNameLength": 5, "File Name": "x.sys", "SHA256 Hash Size": 32, "PackageFamilyNameLength": 0},
    ),
    Statement(
        "no-signature-information-before-1709",
        "3089 exists since Windows 10 1709.",
        "abrignoni/DLEAPP codeIntegrityEvents on the manifests of builds 16299 and 17763",
        driver(commercial()),
        "win10-1703-x64",
        events=(3004, 5038),
    ),
    Statement(
        "signature-information-on-1709",
        "3089 exists since Windows 10 1709.",
        "abrignoni/DLEAPP codeIntegrityEvents on the manifests of builds 16299 and 17763",
        driver(commercial()),
        "win10-1709-x64",
        events=(3004, 3089, 5038),
    ),
]


@pytest.mark.parametrize("case", STATEMENTS, ids=lambda case: case.id)
def test_statement(case: Statement) -> None:
    result = follow(case.sample, case.target, **case.machine)
    if case.events is not None:
        assert tuple(result.row["events"]) == case.events, case.sentence
    if case.codes is not None:
        assert (result.status.code, result.status.win32) == case.codes, case.sentence
    if case.ending is not None:
        assert result.events[0].message.endswith(case.ending), case.sentence
    for name, value in case.data.items():
        assert result.events[0].data[name] == value, f"{case.sentence} ({name})"


def test_statements_have_a_source_and_one_id() -> None:
    assert all(case.source and case.sentence.endswith(".") for case in STATEMENTS)
    assert len({case.id for case in STATEMENTS}) == len(STATEMENTS)


@pytest.mark.parametrize(
    ("code", "number"), [("hvci-unaligned", 3072), ("hvci-writable-code", 3073)], ids=["3072", "3073"]
)
@pytest.mark.parametrize(("release", "subject"), [("1903", "the kernel module"), ("2004", "the module")])
def test_memory_integrity_names_a_kernel_module_before_2004(code: str, number: int, release: str, subject: str) -> None:
    """Source: the message tables of 10.0.18362.1 and 10.0.19041.1."""
    sample = driver(by_microsoft(EKU_WHQL), protection=(Fault(code, "a fault"),), name="x.sys")
    event = follow(sample, f"win10-{release}-x64", hvci=True).events[0]
    assert event.id == number and f"determined that {subject} x.sys is" in event.message
