"""`signer.audit.ledger`: rows of distinct drivers, whatever the order in which files are found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signer.audit.ledger import Ledger, packed, unpacked
from signer.audit.rows import ANSWERS, Answer, Identity, PackageUse, Reason, Row, Sighting

TEXT = st.text(max_size=8)
SIGHTINGS = st.builds(
    Sighting,
    path=TEXT,
    authentihash=st.sampled_from(["", "aa", "bb", "cc"]),
    reason=st.builds(Reason, st.sampled_from(ANSWERS), TEXT, TEXT, TEXT, TEXT, TEXT),
    identity=st.builds(Identity, TEXT, TEXT, TEXT, TEXT, TEXT),
    packages=st.tuples(st.builds(PackageUse, TEXT, TEXT, st.tuples(TEXT))),
    machine=st.sampled_from(["", "pc-1", "pc-2"]),
)


def sighting(path: str, answer: Answer, digest: str = "aa", machine: str = "") -> Sighting:
    return Sighting(path, digest, Reason(answer), machine=machine)


def rows(*found: Sighting) -> list[Row]:
    with Ledger() as ledger:
        ledger.add(found)
        return list(ledger.rows())


@given(SIGHTINGS)
def test_a_sighting_survives_packing(one: Sighting) -> None:
    assert unpacked(packed(one)) == one


@given(st.lists(SIGHTINGS, max_size=6, unique_by=lambda one: (one.key, one.path, one.machine)), st.randoms())
def test_the_order_of_finding_changes_nothing(found: list[Sighting], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rows(*found) == rows(*shuffled)


def test_files_with_one_digest_are_one_row_with_all_paths_and_machines() -> None:
    (row,) = rows(
        sighting("b/x.sys", "loads", machine="pc-2"),
        sighting("a/x.sys", "loads", machine="pc-1"),
        sighting("a/x.sys", "loads", machine="pc-2"),
    )
    assert (row.file, row.paths, row.machines) == ("a/x.sys", ("a/x.sys", "b/x.sys"), ("pc-1", "pc-2"))


def test_the_best_answer_of_equal_files_counts_because_their_catalog_serves_all() -> None:
    (row,) = rows(sighting("a.sys", "already-refused"), sighting("b.sys", "stops"), sighting("c.sys", "loads"))
    assert (row.reason.answer, row.file, len(row.paths)) == ("loads", "c.sys", 3)


def test_what_stops_comes_first_then_by_name() -> None:
    found = rows(
        sighting("z/a.sys", "loads", "01"),
        sighting("y/d.sys", "stops-unless-allowed", "02"),
        sighting("x/c.sys", "stops", "03"),
        sighting("w/b.sys", "stops", "04"),
    )
    assert [row.file for row in found] == ["w/b.sys", "x/c.sys", "y/d.sys", "z/a.sys"]


def test_files_that_cannot_be_read_stay_apart() -> None:
    found = rows(sighting("a.sys", "needs-file", ""), sighting("b.sys", "needs-file", ""))
    assert [row.file for row in found] == ["a.sys", "b.sys"]


def test_counts_are_of_distinct_drivers() -> None:
    with Ledger() as ledger:
        ledger.add([sighting("a", "stops"), sighting("b", "loads"), sighting("c", "stops", "bb")])
        assert dict(ledger.counts()) == {"loads": 1, "stops": 1}
