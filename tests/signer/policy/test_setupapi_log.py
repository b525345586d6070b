"""Compare the lines of setupapi.dev.log with the sample on Microsoft's page and with logs from reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.codeintegrity.status import status_of
from signer.policy.findings import Verdict
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.setupapi import log_lines
from signer.policy.targets import Target
from tests.support.policy_builder import Sign, by_microsoft, commercial, driver, self_signed, unknown_issuer

FROM_THE_PAGE = """\
!    sig:                Verifying file against specific (valid) catalog failed! (0x800b0109)
!    sig:                Error 0x800b0109: A certificate chain processed, but terminated in a root certificate which is not trusted by the trust provider.
     sig:                Success: File is signed in Authenticode(tm) catalog.
     sig:                Error 0xe0000242: The publisher of an Authenticode(tm) signed catalog has not yet been established as trusted."""  # noqa: E501


UNSIGNED_CATALOG = """\
     sig:                {_VERIFY_FILE_SIGNATURE}
     sig:                Key      = toaster.inf
     sig:                FilePath = C:\\Windows\\System32\\DriverStore\\Temp\\{guid}\\toaster.inf
     sig:                Catalog  = C:\\Windows\\System32\\DriverStore\\Temp\\{guid}\\toaster.cat
!    sig:                Verifying file against specific (valid) catalog failed.
!    sig:                Error 0x800b0100: No signature was present in the subject.
     sig:                {_VERIFY_FILE_SIGNATURE exit(0x800b0100)}
     sig:                {_VERIFY_FILE_SIGNATURE}
     sig:                Key      = toaster.inf
     sig:                FilePath = C:\\Windows\\System32\\DriverStore\\Temp\\{guid}\\toaster.inf
     sig:                Catalog  = C:\\Windows\\System32\\DriverStore\\Temp\\{guid}\\toaster.cat
!    sig:                Verifying file against specific Authenticode(tm) catalog failed.
!    sig:                Error 0x800b0100: No signature was present in the subject.
     sig:                {_VERIFY_FILE_SIGNATURE exit(0x800b0100)}
!!!  sig:                Driver package catalog file does not contain a signature, and Code Integrity is enforced.
!!!  sig:                Driver package failed signature validation. Error = 0xE0000247
!!!  sto:           Failed to import driver package into Driver Store. Error = 0xE0000247"""
"""Windows 10 x64, pbatard/libwdi issues 225 and 226; time stamps and the folder's GUID depend on the machine."""


def _lines(
    *signs: Sign, name: str = "toaster.inf", target_name: str = "win10-22h2-x64", **machine: Any
) -> tuple[str, ...]:
    sample = driver(*signs, kind="file", name=name)
    target = Target.parse(target_name)
    given = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC), **machine)
    verdict = judge("pnp", sample.evidence, sample.paths, target, given)
    return log_lines(name, "toaster.cat", verdict)


def test_a_package_that_an_administrator_can_install_is_logged_as_unsigned() -> None:
    lines = _lines(name="toaster.inf", target_name="win7-x64")
    assert any("0xe000024b" in line for line in lines)
    assert "Not digitally signed (80000000)" in lines[-1]


def test_an_unknown_publisher_is_logged_as_on_the_page() -> None:
    lines = _lines(commercial().in_catalog(), target_name="win7-x64")
    assert [line for line in lines if line in FROM_THE_PAGE.splitlines()] == FROM_THE_PAGE.splitlines()
    assert "!    sto:           Driver package signer is unknown but user trusts the signer." in lines
    assert lines[-1] == "     utl:           Signer Score   - Authenticode (0F000000)"


@pytest.mark.parametrize(
    ("sign", "machine", "last_code", "score"),
    [
        (by_microsoft(EKU_WHQL), {}, "0x00000000", "WHQL (0D000005)"),
        (commercial(), {"publisher": "trusted"}, "0xe0000241", "Authenticode (0F000000)"),
        (commercial(), {"publisher": "untrusted"}, "0xe0000243", "Not digitally signed (80000000)"),
        (commercial(ends="2025-01-01"), {}, "0x800b0101", "Not digitally signed (80000000)"),
        (unknown_issuer(), {}, "0x800b010a", "Not digitally signed (80000000)"),
        (self_signed(), {}, "0x800b0109", "Not digitally signed (80000000)"),
        (commercial().broken(), {}, "0x80096010", "Not digitally signed (80000000)"),
    ],
)
def test_the_result_of_the_check(sign: Sign, machine: dict[str, Any], last_code: str, score: str) -> None:
    lines = _lines(sign.in_catalog(), **machine)
    ends = [line for line in lines if "exit(" in line]
    assert ends[-1].endswith(f"exit({last_code})}}")
    assert lines[-1].endswith(score)


def test_a_file_that_is_not_in_the_catalog() -> None:
    lines = _lines()
    assert (
        "!    sig:                Error 0xe000024b: The hash for the file is not present in the specified catalog file."
        in lines
    )


def test_a_line_break_in_a_name_is_replaced() -> None:
    assert not any("\n" in line for line in _lines(name="a\n!!!  sig: all is well.inf"))


@pytest.mark.parametrize(
    "sign", [unknown_issuer(), self_signed(), commercial().broken(), commercial(ends="2025-01-01")]
)
def test_the_log_ends_with_the_status_of_the_verdict(sign: Sign) -> None:
    sample = driver(sign.in_catalog(), kind="file", name="toaster.inf")
    given = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))
    verdict = judge("pnp", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), given)
    status = status_of("pnp", verdict).code
    assert status is not None
    assert f"exit({status.lower()})" in "\n".join(log_lines("toaster.inf", "toaster.cat", verdict))


def _unsigned_catalog(target: str) -> Verdict:
    return Verdict(target, "rejected", "catalog-unsigned", ())


def test_a_catalog_without_a_signature_is_logged_as_in_the_reports() -> None:
    verdict = _unsigned_catalog("win10-22h2-x64")
    assert "\n".join(log_lines("toaster.inf", "toaster.cat", verdict)) == UNSIGNED_CATALOG
    status = status_of("pnp", verdict)
    assert (status.code, status.name) == ("0xE0000247", "ERROR_DRIVER_STORE_ADD_FAILED")


def test_32_bit_windows_does_not_enforce_code_integrity() -> None:
    verdict = _unsigned_catalog("win10-22h2-x86")
    lines = log_lines("toaster.inf", "toaster.cat", verdict)
    assert "Error 0x800b0100" in "\n".join(lines) and not any(line.startswith("!!!") for line in lines)
    assert status_of("pnp", verdict).code == "0x800B0100"


@pytest.mark.parametrize("target", ["win10-1507-x64", "win8.1-x64"])
def test_windows_10_words_a_failed_check_differently(target: str) -> None:
    lines = _lines(unknown_issuer().in_catalog(), target_name=target)
    ending = "failed." if target.startswith("win10") else "failed! (0x800b010a)"
    failed = [line for line in lines if "Verifying file" in line]
    assert [line.removeprefix("!    sig:                Verifying file against specific ") for line in failed] == [
        f"(valid) catalog {ending}",
        f"Authenticode(tm) catalog {ending}",
    ]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("path", "0x800b010a"),
        ("trusted-root", "0x800b0109"),
        ("validity", "0x800b0101"),
        ("catalogued", "0xe000024b"),
        ("catalog-file", "0xe000022f"),
        ("os-attribute", "0xe0000244"),
        ("digest", "0x80096010"),
        ("usage", "0x800b0110"),
    ],
)
def test_each_failing_rule_has_its_error(rule: str, code: str) -> None:
    lines = log_lines("toaster.inf", "toaster.cat", Verdict("win10-22h2-x86", "rejected", rule, ()))
    assert f"exit({code})" in "\n".join(lines)


def test_the_score_is_that_of_the_first_signature_that_is_accepted() -> None:
    lines = _lines(self_signed().in_catalog(), by_microsoft(EKU_WHQL).in_catalog(), commercial().in_catalog())
    assert lines[-1].endswith("WHQL (0D000005)")
