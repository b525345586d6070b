"""`signer.audit.ledger`: rows of distinct drivers, whatever the order in which files are found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.audit.ledger import Elsewhere, Ledger
from signer.audit.packing import packed, packed_row, unpacked, unpacked_row
from signer.audit.rows import ANSWERS, Answer, Identity, LoggedEvent, Origin, PackageUse, Reason, Row, Sighting

TEXT = st.text(max_size=8)
SIGHTINGS = st.builds(
    Sighting,
    path=TEXT,
    authentihash=st.sampled_from(["", "aa", "bb", "cc"]),
    reason=st.builds(
        Reason, st.sampled_from(ANSWERS), TEXT, TEXT, TEXT, TEXT, TEXT, st.sampled_from(["file", "log", "inventory"])
    ),
    identity=st.builds(Identity, TEXT, TEXT, TEXT, TEXT, TEXT),
    packages=st.tuples(st.builds(PackageUse, TEXT, TEXT, st.tuples(TEXT), TEXT, TEXT, TEXT)),
    machine=st.sampled_from(["", "pc-1", "pc-2"]),
    links=st.lists(st.sampled_from(["aa", "bb", "11", "22"]), max_size=2).map(tuple),
    events=st.tuples(st.builds(LoggedEvent, st.integers(), TEXT, TEXT, TEXT, TEXT, TEXT)),
    devices=st.tuples(TEXT),
)


def sighting(path: str, answer: Answer, digest: str = "aa", machine: str = "", *links: str) -> Sighting:
    return Sighting(path, digest, Reason(answer), machine=machine, links=links)


def said(origin: Origin, answer: Answer, digest: str, machine: str = "", *links: str) -> Sighting:
    """What a log or an inventory says about a driver."""
    return Sighting(f"C:\\{origin}.sys", digest, Reason(answer, origin=origin), machine=machine, links=links)


def rows(*found: Sighting) -> list[Row]:
    with Ledger() as ledger:
        ledger.add(found)
        return list(ledger.rows())


@given(st.from_type(Row))
def test_a_row_survives_packing(one: Row) -> None:
    assert unpacked_row(packed_row(one)) == one


def test_the_hardware_ids_of_many_packages_are_kept_once() -> None:
    def found(machine: str) -> Sighting:
        ids = tuple(f"USB\\VID_{number:04X}" for number in range(50))
        return replace(sighting("a.sys", "loads", machine=machine), packages=(PackageUse(machine, "Net", ids),))

    (row,) = rows(*map(found, map(str, range(300))))
    assert len(row.packages) == len(row.answers) == 300
    assert packed_row(row).count("USB") == 50
    for read in (row, unpacked_row(packed_row(row))):
        assert len({id(one.hardware_ids) for one in read.packages}) == 1


@given(SIGHTINGS)
def test_a_sighting_survives_packing(one: Sighting) -> None:
    assert unpacked(packed(one)) == one


@given(
    st.lists(SIGHTINGS, max_size=6, unique_by=lambda one: (one.key, one.path, one.machine, one.reason)), st.randoms()
)
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


def test_drivers_that_stop_are_in_the_order_of_cause_then_machines() -> None:
    def stopping(path: str, digest: str, policy: str, machine: str) -> Sighting:
        return Sighting(path, digest, Reason("stops", policy), machine=machine)

    found = rows(
        stopping("a.sys", "01", "memory integrity", "pc-1"),
        stopping("b.sys", "02", "block list", "pc-1"),
        stopping("c.sys", "03", "block list", "pc-1"),
        stopping("c.sys", "03", "block list", "pc-2"),
    )
    assert [row.file for row in found] == ["c.sys", "b.sys", "a.sys"]


def test_only_rows_with_the_wanted_answers_are_read() -> None:
    with Ledger() as ledger:
        ledger.add([sighting("a.sys", "loads", "01"), sighting("b.sys", "stops", "02")])
        assert [row.file for row in ledger.rows(["stops"])] == ["b.sys"]
        ledger.add([sighting("c.sys", "stops", "03")])
        assert [row.file for row in ledger.rows(["stops"])] == ["b.sys", "c.sys"]


def test_files_that_cannot_be_read_stay_apart() -> None:
    found = rows(sighting("a.sys", "needs-file", ""), sighting("b.sys", "needs-file", ""))
    assert [row.file for row in found] == ["a.sys", "b.sys"]


def test_of_several_machines_the_worst_answer_counts_and_each_has_its_own() -> None:
    (row,) = rows(
        sighting("a.sys", "loads", "aa", "pc-1"),
        sighting("b.sys", "already-refused", "aa", "pc-1"),
        sighting("c.sys", "stops", "aa", "pc-2"),
    )
    assert [(one.machine, one.reason.answer) for one in row.answers] == [("pc-2", "stops"), ("pc-1", "loads")]
    assert (row.reason.answer, row.file, row.machines) == ("stops", "c.sys", ("pc-1", "pc-2"))


HERE = sighting("x.sys", "unknown", "aa", "pc-1", "11", "f1")
JOINED: dict[str, tuple[Sighting, Sighting, Answer]] = {
    "an event settles what is unknown": (HERE, said("log", "stops", "aa", "pc-1"), "stops"),
    "by SHA-1 alone": (HERE, said("log", "stops", "", "pc-1", "11"), "stops"),
    "by the hash of the whole file": (HERE, said("log", "stops", "", "pc-1", "zz", "f1"), "stops"),
    "an event says that it was loaded": (HERE, said("log", "loads", "aa", "pc-1"), "loads"),
    "an event blocks what the file says loads": (
        sighting("x.sys", "loads", "aa", "pc-1"),
        said("log", "stops", "aa", "pc-1"),
        "stops",
    ),
    "what was loaded still stops by another policy": (
        sighting("x.sys", "stops-unless-allowed", "aa", "pc-1"),
        said("log", "loads", "aa", "pc-1"),
        "stops-unless-allowed",
    ),
    "an event of another machine leaves this one unknown": (HERE, said("log", "loads", "aa", "pc-2"), "unknown"),
    "a file of no machine takes the events of any": (
        sighting("x.sys", "unknown", "aa"),
        said("log", "loads", "aa", "pc-2"),
        "loads",
    ),
    "a machine that only lists the driver has the answer of its file": (
        sighting("x.sys", "loads", "aa", "pc-1"),
        said("inventory", "needs-file", "aa", "pc-2"),
        "loads",
    ),
    "an inventory that decides itself": (HERE, said("inventory", "stops", "aa", "pc-2"), "stops"),
    "an unreadable file that an event names": (
        sighting("x.sys", "needs-file", ""),
        said("log", "stops", "aa", "pc-1"),
        "stops",
    ),
}


@pytest.mark.parametrize(("here", "other", "answer"), JOINED.values(), ids=JOINED.keys())
def test_logs_and_inventories_are_joined_by_hash(here: Sighting, other: Sighting, answer: Answer) -> None:
    found = rows(other, here)
    assert found[0].reason.answer == answer
    assert len(found) == (1 if here.authentihash else 2)


def test_of_two_events_the_block_counts_more_than_its_warning() -> None:
    warned = replace(said("log", "stops", "aa", "pc-1"), reason=Reason("stops", rule="event-3076", origin="log"))
    blocked = replace(warned, reason=Reason("stops", date="2026-05-03", rule="event-3077", origin="log"))
    older = replace(warned, reason=Reason("stops", date="2026-04-30", rule="event-3077", origin="log"))
    assert [row.reason for row in rows(HERE, warned, blocked, older)] == [blocked.reason]


def test_what_an_inf_is_said_to_install_is_said_of_each_of_its_drivers() -> None:
    files = [sighting(f"{name}.sys", "loads", name, "pc-1", "inf:x.inf|1.2.3.4") for name in ("aa", "bb")]
    found = rows(*files, said("inventory", "needs-file", "", "pc-2", "inf:x.inf|1.2.3.4"))
    assert [(row.file, row.machines) for row in found] == [(f"{one}.sys", ("pc-1", "pc-2")) for one in ("aa", "bb")]


def test_an_event_without_a_file_is_a_row_and_events_join_each_other() -> None:
    (row,) = rows(said("log", "stops", "cc", "pc-1", "33"), said("log", "loads", "", "pc-2", "33"))
    assert (row.authentihash, row.present, row.file, row.machines) == ("cc", False, "C:\\log.sys", ("pc-1", "pc-2"))


def test_what_is_added_after_rows_were_read_counts() -> None:
    with Ledger() as ledger:
        ledger.add([HERE])
        assert [row.reason.answer for row in ledger.rows()] == ["unknown"]
        ledger.add([said("log", "stops", "", "pc-1", "11")])
        assert [row.reason.answer for row in ledger.rows()] == ["stops"]
        assert dict(ledger.counts()) == {"stops": 1}


def test_counts_are_of_distinct_drivers() -> None:
    with Ledger() as ledger:
        ledger.add([sighting("a", "stops"), sighting("b", "loads"), sighting("c", "stops", "bb")])
        assert dict(ledger.counts()) == {"loads": 1, "stops": 1}


STATES = {"": "off", "pc-1": "on", "pc-2": "off", "pc-3": "on"}


def test_an_inventory_takes_the_answer_that_files_have_in_the_state_of_its_machine() -> None:
    with Ledger(STATES) as ledger:
        ledger.add([sighting("x.sys", "stops", "aa", "pc-1"), said("inventory", "needs-file", "aa", "pc-2")])
        ledger.add([said("inventory", "needs-file", "aa", "pc-3"), said("inventory", "needs-file", "aa", "pc-4")])
        Elsewhere(ledger).add([sighting("x.sys", "loads", "aa", "pc-2"), sighting("broken.sys", "needs-file", "")])
        (row,) = ledger.rows()
    assert [(one.machine, one.reason.answer, one.reason.origin) for one in row.answers] == [
        ("pc-1", "stops", "file"),
        ("pc-3", "stops", "file"),
        ("pc-2", "loads", "file"),
        ("pc-4", "loads", "file"),
    ]
    assert (row.paths, row.machines) == (("x.sys",), ("pc-1", "pc-2", "pc-3", "pc-4"))


def test_answers_elsewhere_alone_are_no_row() -> None:
    with Ledger(STATES) as ledger:
        Elsewhere(ledger).add([sighting("x.sys", "loads", "aa", "pc-2")])
        assert list(ledger.rows()) == []


def test_machines_with_inventories_answer_beside_files_of_no_machine() -> None:
    with Ledger(STATES) as ledger:
        ledger.add([sighting("x.sys", "loads", "aa"), said("inventory", "needs-file", "aa", "pc-1")])
        Elsewhere(ledger).add([sighting("x.sys", "stops", "aa", "pc-1")])
        (row,) = ledger.rows()
    assert [(one.machine, one.reason.answer) for one in row.answers] == [("pc-1", "stops"), ("", "loads")]
