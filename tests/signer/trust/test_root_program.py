"""Microsoft's root program for user mode: the permitted usages and dates of a root."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from signer.asn1.oids import EKU_CODE_SIGNING, EKU_TIME_STAMPING
from signer.trust import root_program
from signer.trust.path import Anchor, AnchorKind
from signer.trust.root_program import RootProgramEntry, program_objection, root_program_entry
from signer.trust.roots import kernel_roots
from tests.support.hierarchy import NOW, issue
from tests.support.published import published_by_key

DAY = timedelta(days=1)
SERVER = "1.3.6.1.5.5.7.3.1"
OPEN = RootProgramEntry(None, frozenset(), None, None, None)
LEAF = issue("Leaf", issue("Root", ca=True), start=NOW - 30 * DAY).certificate


@pytest.mark.parametrize(
    ("entry", "timestamp", "objection"),
    [
        pytest.param(OPEN, None, None, id="no-terms"),
        pytest.param(replace(OPEN, usages=frozenset({EKU_CODE_SIGNING, SERVER})), None, None, id="usage-allowed"),
        pytest.param(
            replace(OPEN, usages=frozenset({SERVER})), None, "not in Microsoft's root program", id="not-allowed"
        ),
        pytest.param(
            replace(OPEN, refused_usages=frozenset({EKU_CODE_SIGNING})),
            NOW - 9 * DAY,
            "not in Microsoft's",
            id="refused",
        ),
        pytest.param(replace(OPEN, refused_usages=frozenset({SERVER})), None, None, id="another-usage-refused"),
        pytest.param(replace(OPEN, disabled_on=NOW + DAY), None, None, id="disabled-tomorrow"),
        pytest.param(replace(OPEN, disabled_on=NOW - DAY), None, "no timestamp", id="disabled-and-no-timestamp"),
        pytest.param(replace(OPEN, disabled_on=NOW), None, "no timestamp", id="disabled-this-moment"),
        pytest.param(replace(OPEN, disabled_on=NOW), NOW, "before the timestamp", id="timestamped-that-moment"),
        pytest.param(replace(OPEN, disabled_on=NOW - DAY), NOW - 2 * DAY, None, id="disabled-after-the-timestamp"),
        pytest.param(replace(OPEN, disabled_on=NOW - 2 * DAY), NOW - DAY, "before the timestamp", id="disabled-before"),
        pytest.param(replace(OPEN, last_issued=NOW - 29 * DAY), None, None, id="issued-in-time"),
        pytest.param(replace(OPEN, last_issued=NOW - 30 * DAY), None, None, id="issued-at-the-last-moment"),
        pytest.param(replace(OPEN, last_issued=NOW - 31 * DAY), NOW - 9 * DAY, "issued after", id="issued-too-late"),
        pytest.param(
            replace(OPEN, last_issued=NOW - 31 * DAY, last_issued_usages=frozenset({SERVER})),
            None,
            None,
            id="issued-too-late-for-another-usage",
        ),
        pytest.param(
            replace(OPEN, last_issued=NOW - 31 * DAY, last_issued_usages=frozenset({SERVER, EKU_CODE_SIGNING})),
            None,
            "issued after",
            id="issued-too-late-for-this-usage",
        ),
    ],
)
def test_terms(entry: RootProgramEntry, timestamp: datetime | None, objection: str | None) -> None:
    found = entry.objection(EKU_CODE_SIGNING, LEAF, at=NOW, timestamp=timestamp)
    assert (found is None) if objection is None else (found is not None and objection in found)


def entry_of(root_id: int) -> RootProgramEntry:
    key = next(root.spki_sha256 for root in kernel_roots() if root.root_id == root_id)
    entry = root_program_entry(published_by_key()[key].load())
    assert entry is not None
    return entry


def test_microsofts_root_of_2001_is_disabled_for_user_mode() -> None:
    entry = entry_of(5)
    assert entry.disabled_on == datetime(2021, 8, 1, tzinfo=UTC)
    assert entry.objection(EKU_CODE_SIGNING, LEAF, at=NOW) is not None


def test_microsofts_root_of_2010_is_not() -> None:
    assert entry_of(6).objection(EKU_CODE_SIGNING, LEAF, at=NOW) is None


def test_identity_verification_root_is_for_signing_and_stamping_only() -> None:
    assert entry_of(0x16).usages == {EKU_CODE_SIGNING, EKU_TIME_STAMPING}


def test_every_published_root_has_an_entry_that_can_be_read() -> None:
    entries = [root_program_entry(root.load()) for root in published_by_key().values()]
    assert None not in entries
    for_code = [entry for entry in entries if entry and (entry.usages is None or EKU_CODE_SIGNING in entry.usages)]
    assert 100 < len(for_code) < len(entries)


def test_unpublished_key_has_no_entry() -> None:
    assert root_program_entry(issue("Root", ca=True).certificate) is None


@pytest.mark.parametrize(("kind", "objects"), [("microsoft", False), ("commercial", True)])
def test_windows_ignores_the_last_issue_date_of_microsofts_own_roots(
    kind: AnchorKind, objects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = replace(OPEN, last_issued=NOW - 31 * DAY)
    monkeypatch.setattr(root_program, "root_program_entry", lambda certificate: entry)
    found = program_objection(anchor(kind), EKU_CODE_SIGNING, LEAF, at=NOW, timestamp=None)
    assert (found is not None) == objects


def test_a_root_without_a_certificate_or_an_entry_has_no_terms() -> None:
    for one in (anchor("commercial"), replace(anchor("commercial"), certificate=None)):
        assert program_objection(one, EKU_CODE_SIGNING, LEAF, at=NOW, timestamp=None) is None


def anchor(kind: AnchorKind) -> Anchor:
    """Return an anchor whose certificate is in no list."""
    return Anchor("Root", kind, "00", certificate=LEAF)
