"""Lines of all cases in any order: no check and no fix fails, and every finding has its whole message."""

from __future__ import annotations

import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.inf.driver import DriverInf
from catalogs.inf.fix import fix
from catalogs.inf.rules import Mode, RuleSet, check
from signer.errors import InfError
from tests.catalogs.inf.rules.test_rules import CASES
from tests.support.inf_files import with_change

LINES = sorted({line for case in CASES for line in with_change(*case.fires).split("\n") if len(line) < 300})
HEADERS = [line for line in LINES if line.startswith("[")]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.one_of(st.sampled_from(LINES), st.sampled_from(HEADERS)), max_size=120),
    st.sampled_from(Mode),
)
def test_lines_of_any_rule_are_checked_and_fixed(lines: list[str], mode: Mode) -> None:
    data = "\r\n".join(["[Version]", *lines]).encode("cp1252")
    path = Path("sample.inf")
    try:
        driver = DriverInf.parse(data, path)
    except InfError:
        return
    for problem in check(driver, RuleSet(mode, latest=True, provider="Contoso")):
        assert problem.hint
        assert "<value>" not in problem.message
    fixed = fix(path, data, datetime.date(2026, 3, 4)).after.to_bytes()
    assert not fix(path, fixed, datetime.date(2026, 3, 4)).changed
