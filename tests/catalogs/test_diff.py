"""The members of one tag are paired in one pass: a hostile catalog can give thousands of members the same tag."""

from __future__ import annotations

import pytest

from catalogs.catalog.members import CatalogMember
from catalogs.diff import _pairs

COUNT = 1000


def member(number: int) -> CatalogMember:
    return CatalogMember(b"tag", None, "sha1", b"x", None, (("File", f"f{number}.sys"),))


def test_members_of_one_tag_are_compared_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    equal = CatalogMember.__eq__

    def counted(one: CatalogMember, other: object) -> bool:
        nonlocal compared
        compared += 1
        return equal(one, other)

    monkeypatch.setattr(CatalogMember, "__eq__", counted)
    left, right = [member(one) for one in range(COUNT)], [member(one) for one in range(COUNT // 2, 2 * COUNT)]
    assert len(list(_pairs(left, right))) == COUNT
    assert compared < 10 * COUNT


def test_a_member_that_is_there_twice_is_missing_once() -> None:
    assert list(_pairs([member(1), member(1)], [member(1)])) == [(member(1), None)]
    assert list(_pairs([member(1)], [member(2), member(1)])) == [(None, member(2))]
