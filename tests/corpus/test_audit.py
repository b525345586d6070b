"""`drvsign audit` on real drivers: answers agree with the verdicts of `verify`, and policies stop what they name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from catalogs.verification.query import VerifyQuery
from catalogs.verification.verify import verify
from signer.audit import examine as module
from signer.audit.cache import Cache, KeptQuestion
from signer.audit.examine import Question
from signer.audit.ledger import Ledger
from signer.audit.rows import STOPPING, Row, Sighting
from signer.audit.run import audit
from signer.audit.units import Place
from signer.policy.machine_state import DRIVER_POLICY_FROM, DriverPolicy, MachineState
from signer.policy.moments import kernel_moments
from signer.policy.trust import Trust
from signer.verify.evidence import Evidence
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


class Watched(datetime):
    """A time that notes with what it is compared."""

    compared: ClassVar[set[datetime]] = set()

    def __lt__(self, other: datetime) -> bool:
        self.compared.add(other)
        return super().__lt__(other)

    def __le__(self, other: datetime) -> bool:
        self.compared.add(other)
        return super().__le__(other)

    def __gt__(self, other: datetime) -> bool:
        self.compared.add(other)
        return super().__gt__(other)

    def __ge__(self, other: datetime) -> bool:
        self.compared.add(other)
        return super().__ge__(other)


@pytest.mark.parametrize(("folder", "hour"), [("drivers", 1), ("packages", 2)])
def test_the_time_is_compared_only_with_the_moments_that_limit_an_answer(
    folder: str, hour: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hour differs from that of all other tests, whose judgements are kept for an equal machine."""
    judged = module._judged
    compared = set()

    def watched(path: Path, evidence: Evidence, *others: Any) -> Sighting:
        Watched.compared.clear()
        found = judged(path, evidence, *others)
        assert Watched.compared <= set(kernel_moments(evidence)), path
        compared.update(Watched.compared)
        return found

    monkeypatch.setattr(module, "_judged", watched)
    machine = replace(QUERY.machine, at=Watched(2026, 11, 1, hour, tzinfo=UTC))
    with Ledger() as ledger:
        audit([Place(corpus_root() / folder)], Question(replace(QUERY, machine=machine)), ledger)
    assert DRIVER_POLICY_FROM in compared and len(compared) > 2


def test_an_answer_is_kept_until_the_day_of_the_policy(tmp_path: Path) -> None:
    stopping = []
    for at in (DRIVER_POLICY_FROM - timedelta(microseconds=1), DRIVER_POLICY_FROM, datetime(2026, 11, 1, tzinfo=UTC)):
        question = Question(replace(QUERY, machine=replace(QUERY.machine, at=at)))
        with Ledger() as ledger, Cache(tmp_path / "audit.sqlite", {"": KeptQuestion(b"", at)}, 1) as cache:
            audit([Place(corpus_root() / "drivers")], question, ledger, cache=cache)
            found = list(ledger.rows())
        with Ledger() as ledger:
            audit([Place(corpus_root() / "drivers")], question, ledger)
            assert found == list(ledger.rows())
        stopping.append(sum(row.reason.answer in STOPPING for row in found))
    assert stopping[0] == 0 < stopping[1] == stopping[2]


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
