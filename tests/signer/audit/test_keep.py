"""Drivers to keep: which rows get rules, and why others have none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalogs.verification.query import VerifyQuery
from signer.audit.examine import Question
from signer.audit.keep import ANSWERS_OF, keep
from signer.audit.ledger import Ledger
from signer.audit.rows import Reason, Row
from signer.audit.run import audit
from signer.audit.units import Place
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust
from tests.support.images import PeSpec

QUESTION = Question(VerifyQuery("kernel", Trust.release(), MachineState(at=datetime(2026, 11, 1, tzinfo=UTC))))


@pytest.fixture
def row(tmp_path: Path) -> Row:
    """The row of a driver that is here."""
    (tmp_path / "a.sys").write_bytes(PeSpec().build())
    with Ledger() as ledger:
        audit([Place(tmp_path)], QUESTION, ledger)
        (found,) = ledger.rows()
    return replace(found, reason=Reason("stops", "Windows Driver Policy", "2026-04-14"))


def test_a_driver_of_the_windows_driver_policy_gets_rules(row: Row) -> None:
    found = keep([row], QUESTION, "file-publisher")
    assert (dict(found.levels), found.left_out, len(found.draft.hashes)) == ({"hash": 1}, [], 4)
    assert bytes.fromhex(row.authentihash) in found.draft.hashes


LEFT_OUT: dict[str, tuple[dict[str, Any], str]] = {
    "memory integrity": ({"reason": Reason("stops", "memory integrity")}, "no policy can allow it"),
    "the block list": ({"reason": Reason("stops", "Microsoft's driver block list")}, "no policy can allow it"),
    "a driver of a log": ({"present": False}, "the file is not here"),
    "a file that is gone": ({"file": "gone.sys"}, "no such file"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_driver_that_can_not_be_kept_is_named_and_the_others_are_kept(row: Row, name: str) -> None:
    changed, words = LEFT_OUT[name]
    found = keep([replace(row, **changed), row], QUESTION, "hash")
    (error,) = found.left_out
    assert words in str(error)
    assert (str(error.path), found.levels.total()) == (changed.get("file", row.file), 1)


def test_a_file_of_an_archive_is_named_with_a_hint(row: Row, tmp_path: Path) -> None:
    (tmp_path / "drivers.cab").write_bytes(b"MSCF")
    (error,) = keep([replace(row, file=str(tmp_path / "drivers.cab" / "x64" / "a.sys"))], QUESTION, "hash").left_out
    assert ("inside an archive" in str(error), error.hint) == (True, "Unpack the archive, and audit the folder.")


def test_a_file_that_is_no_image_any_more_is_named(row: Row) -> None:
    Path(row.file).write_text("text")
    (error,) = keep([row], QUESTION, "hash").left_out
    assert "a.sys" in str(error)


def test_what_each_choice_keeps() -> None:
    assert ANSWERS_OF == {
        "stopping": ("stops", "stops-unless-allowed"),
        "loading": ("stops", "stops-unless-allowed", "loads"),
    }
