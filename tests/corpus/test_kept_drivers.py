"""App Control policies for real drivers: with one as the allow list, just its drivers load."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from signer.audit.examine import Question
from signer.audit.keep import keep
from signer.audit.ledger import Ledger
from signer.audit.rows import STOPPING, Row
from signer.audit.run import audit
from signer.audit.units import Place
from signer.policy.si_policy.derivation import Level
from signer.policy.si_policy.draft import PolicyHead, write_policy
from signer.policy.si_policy.policy import SiPolicy
from signer.policy.si_policy.read import read_policy
from tests.corpus.test_audit import QUERY
from tests.support.files import corpus_root
from tests.support.si_policy_schema import require_policy, require_schema

pytestmark = pytest.mark.usefixtures("corpus")
LEVELS: tuple[Level, ...] = ("hash", "file-publisher")


def audited(allow_list: SiPolicy | None = None) -> tuple[Row, ...]:
    query = replace(QUERY, machine=replace(QUERY.machine, allow_list=allow_list))
    with Ledger() as ledger:
        audit([Place(corpus_root() / "drivers")], Question(query), ledger)
        return tuple(ledger.rows())


@cache
def stopping() -> tuple[Row, ...]:
    return tuple(row for row in audited() if row.reason.answer in STOPPING)


def written(rows: tuple[Row, ...], level: Level) -> str:
    found = keep(rows, Question(QUERY), level)
    assert (found.levels.total(), found.left_out) == (len(rows), [])
    return "".join(write_policy(found.draft, PolicyHead("test", "1.0.0.0")))


@pytest.mark.parametrize("level", LEVELS)
def test_drivers_of_the_policy_load_and_no_others(level: Level) -> None:
    kept, others = stopping()[::2], stopping()[1::2]
    text = written(kept, level)
    require_policy(text)
    answers = {row.authentihash: row.reason.answer for row in audited(read_policy(text.encode()))}
    assert len(kept) > 15
    assert {answers[row.authentihash] for row in kept} == {"loads"}
    names = {(row.identity.publisher, row.identity.version) for row in kept}
    unlike = [row for row in others if level == "hash" or (row.identity.publisher, row.identity.version) not in names]
    loading = [row for row in unlike if answers[row.authentihash] == "loads"]
    assert len(unlike) > 5
    if level == "hash":
        assert loading == []
    else:  # a later version of the same file by the same publisher
        assert {row.identity.publisher for row in loading} <= {row.identity.publisher for row in kept}
    before = {row.authentihash: row.reason.answer for row in audited()}
    changed = {digest for digest, answer in answers.items() if answer != before[digest]}
    assert changed <= {row.authentihash for row in stopping()}


@pytest.mark.parametrize("level", LEVELS)
def test_the_policy_fits_the_schema_of_microsoft(level: Level) -> None:
    require_schema(written(stopping(), level))
