"""docs/trust.md lists every pin, every problem code and the limits of the code."""

from __future__ import annotations

import re

import pytest

from signer.trust import chain
from signer.trust.checks import BROKEN, WEAK
from signer.trust.constraints import MAX_COMPARISONS
from signer.trust.revocation import NOTES
from signer.trust.roots import kernel_roots
from tests.support.files import ROOT

PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("root", kernel_roots(), ids=lambda root: root.name)
def test_page_lists_the_root(root) -> None:
    (row,) = re.findall(rf"^\| {root.root_id:02X} \|.*$", PAGE, re.MULTILINE)
    assert root.common_name in row
    assert f"| {root.kind}" in row
    assert ("**nothing**" in row) == (not root.verified)


def test_page_lists_no_root_that_is_not_pinned() -> None:
    listed = {int(found, 16) for found in re.findall(r"^\| ([0-9A-F]{2}) \|", PAGE, re.MULTILINE)}
    assert listed == {root.root_id for root in kernel_roots()}


@pytest.mark.parametrize("code", sorted(BROKEN | WEAK | NOTES | {"revoked"}))
def test_page_explains_the_problem(code: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{code}`" in line]
    assert row.endswith("| weak |") == (code in WEAK)


def test_page_lists_no_problem_that_does_not_exist() -> None:
    listed = re.findall(r"^\| (`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*) \|", PAGE, re.MULTILINE)
    assert {code.strip("` ") for row in listed for code in row.split(",")} == BROKEN | WEAK | NOTES | {"revoked"}


def test_page_states_the_limits() -> None:
    limits = re.search(
        r"Limits: (\d+) certificates .* (\d+)\s+certificates .* (\d+)\s+signatures.*?(\d+)\s+paths", PAGE, re.DOTALL
    )
    assert limits is not None
    assert tuple(map(int, limits.groups())) == (chain.MAX_DEPTH, chain.MAX_STEPS, chain.MAX_CHECKS, chain.MAX_PATHS)
    assert f"at most {MAX_COMPARISONS:,} name" in PAGE
