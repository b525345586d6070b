"""`drvsign audit` on real drivers: answers agree with the verdicts of `verify`, and policies stop what they name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from catalogs.verification.query import VerifyQuery
from catalogs.verification.verify import verify
from signer.audit.examine import Question
from signer.audit.ledger import Ledger
from signer.audit.rows import Row
from signer.audit.run import audit
from signer.audit.units import Place
from signer.policy.machine_state import DriverPolicy, MachineState
from signer.policy.trust import Trust
from tests.support.files import corpus_root

QUERY = VerifyQuery("kernel", Trust.release(), MachineState(at=datetime(2026, 11, 1, tzinfo=UTC)))

pytestmark = pytest.mark.usefixtures("corpus")


@cache
def rows(folder: str, policy: DriverPolicy | None = None) -> tuple[Row, ...]:
    query = replace(QUERY, machine=replace(QUERY.machine, driver_policy=policy))
    with Ledger() as ledger:
        audit([Place(corpus_root() / folder)], Question(query), ledger)
        return tuple(ledger.rows())


def test_the_answer_of_each_driver_follows_from_its_verdict() -> None:
    verdicts = {
        str(one.path): one.verdicts[0].outcome for one in verify(corpus_root() / "drivers", QUERY) if one.verdicts
    }
    expected = {
        "loads": "accepted",
        "stops-unless-allowed": "unknown",
        "already-refused": "rejected",
    }
    checked = [(expected[row.reason.answer], verdicts[row.file]) for row in rows("drivers") if row.file in verdicts]
    assert len(checked) > 70
    assert all(wanted == found for wanted, found in checked)


def test_only_cross_signed_drivers_stop_without_an_allow_list() -> None:
    stopping = [row for row in rows("drivers") if row.reason.answer == "stops-unless-allowed"]
    assert len(stopping) > 40
    assert {row.identity.signature_class for row in stopping} == {"cross-signed"}
    assert {(row.reason.policy, row.reason.date) for row in stopping} == {("Windows Driver Policy", "2026-04-14")}


def test_the_same_drivers_load_while_the_policy_is_off() -> None:
    stopping = {row.authentihash for row in rows("drivers") if row.reason.answer == "stops-unless-allowed"}
    off = {row.authentihash: row.reason.answer for row in rows("drivers", "off")}
    assert {off[one] for one in stopping} == {"loads"}


def test_drivers_of_packages_have_their_inf_and_its_catalog_counts() -> None:
    found = rows("packages")
    assert Counter(row.reason.answer for row in found)["loads"] > 10
    assert all(row.packages for row in found if row.reason.answer == "loads")
