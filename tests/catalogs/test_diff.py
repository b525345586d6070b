"""The members of one tag are paired in one pass: a hostile catalog can give thousands of members the same tag."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from catalogs import diff
from catalogs.build import CatalogOptions, assemble
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, hash_file, subjects
from catalogs.catalog.trust_list import NameValue, TrustedSubject
from catalogs.diff import Difference, differences
from signer.asn1 import oids
from signer.errors import CatalogError

COUNT = 1000


def member(number: int) -> TrustedSubject:
    return TrustedSubject(b"tag", ((oids.CAT_NAMEVALUE, NameValue("File", MEMBER_FLAGS, f"f{number}.sys").to_der()),))


def of_tag(left: list[TrustedSubject], right: list[TrustedSubject]) -> list[Difference]:
    either = catalog("a.sys")
    return list(diff._entries_of_tag(left, right, either, either))


def test_members_of_one_tag_are_compared_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    equal = TrustedSubject.__eq__

    def counted(one: TrustedSubject, other: object) -> bool:
        nonlocal compared
        compared += 1
        return equal(one, other)

    monkeypatch.setattr(TrustedSubject, "__eq__", counted)
    left, right = [member(one) for one in range(COUNT)], [member(one) for one in range(COUNT // 2, 2 * COUNT)]
    assert len(of_tag(left, right)) == COUNT
    assert compared < 10 * COUNT


def test_a_member_that_is_there_twice_is_missing_once() -> None:
    tag = f"tag {b'tag'.hex()}"
    assert of_tag([member(1), member(1)], [member(1)]) == [("member", "f1.sys", tag, None)]
    assert of_tag([member(1)], [member(2), member(1)]) == [("member", "f2.sys", None, tag)]
    assert of_tag([], [member(1), member(1)]) == [("member", "f1.sys", None, tag)] * 2
    assert of_tag([member(1)], [member(2)]) == [("member-attribute", "f1.sys File", "f1.sys", "f2.sys")]


def catalog(*names: str, wrong: bool = False, day: int = 1) -> Catalog:
    """Return a catalog of files with these names; with `wrong`, the last one has a malformed attribute."""
    entries = []
    for name in names:
        entries += subjects(hash_file(memoryview(name.encode())), [NameValue("File", MEMBER_FLAGS, name)], 2)
    if wrong:
        entries[-1] = TrustedSubject(entries[-1].identifier, ((oids.CAT_NAMEVALUE, b"\x05\0"),))
    made = assemble(entries, [], CatalogOptions(datetime(2026, 1, day, tzinfo=UTC), list_identifier=bytes(16)), "a.cat")
    return replace(made, name=f"{names[-1]}.cat")


def test_only_members_that_differ_are_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two catalogs of ten megabytes are compared within two seconds."""
    seen: list[bytes] = []
    interpret = diff.interpret
    monkeypatch.setattr(
        diff, "interpret", lambda entry, version: seen.append(entry.identifier) or interpret(entry, version)
    )
    found = differences(catalog("a.sys", "b.sys"), catalog("a.sys", "c.sys"))
    assert {one.subject for one in found} == {"b.sys", "c.sys"}
    assert len(seen) == 4


def test_a_malformed_member_that_differs_is_an_error_of_its_catalog() -> None:
    same = catalog("a.sys", wrong=True)
    assert differences(same, same) == []
    with pytest.raises(CatalogError, match="malformed") as caught:
        differences(catalog("a.sys"), catalog("a.sys", "b.sys", wrong=True))
    assert str(caught.value.path) == "b.sys.cat"


def test_dates_have_the_form_of_all_other_json() -> None:
    (found,) = (one for one in differences(catalog("a.sys"), catalog("a.sys", day=2)) if one.what == "date")
    assert (found.first, found.second) == ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
