"""Each attack with a name leads to the verdict in docs/security.md."""

from __future__ import annotations

import pytest

from tests.attacks.attack import Attack, Attempt, attempted, every_attack, page_with_table
from tests.support.files import ROOT
from tests.support.signed_samples import CABINET, UNSIGNED, signed

ATTACKS = every_attack()


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.id)
def test_an_attack_leads_to_its_verdict(case: Attack) -> None:
    found = attempted(case.build)
    assert (found.authenticode, found.kernel) == (case.authenticode, case.kernel), sorted(found.codes)
    assert case.code in found.codes, sorted(found.codes)


def test_the_files_without_an_attack_are_accepted() -> None:
    image = attempted(lambda: Attempt(signed(UNSIGNED)))
    assert (image.authenticode, image.kernel) == ("accepted", "accepted")
    assert attempted(lambda: Attempt(signed(CABINET), "cabinet")).authenticode == "accepted"


def test_the_page_has_the_table_of_the_attacks() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert page_with_table(page) == page
    assert all(case.row in page for case in ATTACKS)


def test_each_attack_has_a_name_of_its_own() -> None:
    assert len(ATTACKS) > 50
    assert len({case.build.__doc__ for case in ATTACKS} - {None}) == len(ATTACKS)
