"""Compare the lines of setupapi.dev.log with the sample on Microsoft's page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.codeintegrity.status import status_of
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


def _lines(*signs: Sign, name: str = "toaster.inf", **machine: Any) -> tuple[str, ...]:
    sample = driver(*signs, kind="file", name=name)
    target = Target.parse("win10-22h2-x64")
    given = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC), **machine)
    verdict = judge("pnp", sample.evidence, sample.paths, target, given)
    return log_lines(name, "toaster.cat", verdict)


def test_an_unknown_publisher_is_logged_as_on_the_page() -> None:
    lines = _lines(commercial().in_catalog())
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
