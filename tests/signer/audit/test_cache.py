"""`signer.audit.cache`: an unchanged folder is not read again, and any change to it is seen."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalogs.verification.query import VerifyQuery
from signer.audit import cache as module
from signer.audit import examine
from signer.audit.cache import Cache, KeptQuestion
from signer.audit.examine import Question
from signer.audit.fingerprint import fingerprint
from signer.audit.ledger import Ledger
from signer.audit.packing import packed
from signer.audit.rows import LoggedEvent, Reason, Row, Sighting
from signer.audit.run import audit
from signer.audit.units import Place, units
from signer.errors import FileError
from signer.policy.machine_state import MachineState
from signer.policy.targets import parse_targets
from signer.policy.trust import Trust
from tests.support.hierarchy import NOW
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.signed_samples import LEAF, TRUST, UNSIGNED, signed

QUESTION = Question(VerifyQuery("kernel", Trust.release(), MachineState(at=datetime(2026, 11, 1, tzinfo=UTC))))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    (folder / "hello" / "x64").mkdir(parents=True)
    (folder / "hello" / "hello.inf").write_text(HELLO)
    (folder / "hello" / "hello.sys").write_bytes(PeSpec().build())
    (folder / "hello" / "x64" / "other.sys").write_bytes(PeSpec(fill=2).build())
    (folder / "loose.sys").write_bytes(PeSpec(fill=3).build())
    return folder


def run(
    store: Path, fingerprint: bytes = b"question", day: int = 7, question: Question = QUESTION
) -> tuple[list[str], list[Row]]:
    """Audit with the cache beside the store; return the folders that were examined, and the rows."""
    kept = {"": KeptQuestion(fingerprint, question.query.machine.at)}
    examined: list[str] = []

    def each(work: Callable[[Any], Any], units: Iterable[Any]) -> Iterator[Any]:
        for one in units:
            examined.append(one.folder.name)
            yield work(one)

    with Ledger() as ledger, Cache(store.parent / "cache" / "audit.sqlite", kept, day) as cache:
        audit([Place(store)], question, ledger, each, cache)
        return examined, list(ledger.rows())


def test_a_second_audit_examines_nothing_and_answers_the_same(store: Path) -> None:
    first, rows = run(store)
    assert sorted(first) == ["hello", "store", "x64"]
    assert run(store) == ([], rows)


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a driver was replaced": (lambda one: (one / "loose.sys").write_bytes(PeSpec(fill=4).build()), ["store"]),
    "a driver was added": (lambda one: (one / "new.sys").write_bytes(PeSpec(fill=4).build()), ["store"]),
    "a driver is gone": (lambda one: (one / "loose.sys").unlink(), []),
    "a file below the INF": (
        lambda one: (one / "hello" / "x64" / "other.sys").write_bytes(PeSpec(fill=9).build()),
        ["hello", "x64"],
    ),
    "a file that the INF names was added below": (
        lambda one: (one / "hello" / "x64" / "hello.sys").write_bytes(PeSpec(fill=9).build()),
        ["hello", "x64"],
    ),
    "the INF": (lambda one: (one / "hello" / "hello.inf").write_text(HELLO + "; x"), ["hello"]),
    "a catalog beside a loose file": (lambda one: (one / "a.cat").write_bytes(b"x"), ["store"]),
    "only the time": (lambda one: os.utime(one / "loose.sys", ns=(1, 1)), ["store"]),
}


@pytest.mark.parametrize(("change", "again"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_folder_is_examined_again(store: Path, change: Callable[[Path], object], again: list[str]) -> None:
    run(store)
    change(store)
    examined, rows = run(store)
    assert sorted(examined) == again
    with Ledger() as ledger:
        audit([Place(store)], QUESTION, ledger)
        assert rows == list(ledger.rows())


@pytest.mark.parametrize("error", [FileError("locked"), RuntimeError("a defect")], ids=["the system", "a defect"])
def test_a_file_that_could_not_be_read_is_tried_again(
    error: Exception, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as failing:
        failing.setattr(examine, "gather", fail)
        assert "needs-file" in {row.reason.answer for row in run(store)[1]}
    examined, rows = run(store)
    assert examined == ["store", "x64"]
    assert "needs-file" not in {row.reason.answer for row in rows}


def test_damaged_and_missing_files_are_not_read_again(store: Path) -> None:
    (store / "broken.sys").write_bytes(b"MZ" + bytes(200))
    (store / "hello" / "hello.sys").unlink()
    (store / "hello" / "garbage.inf").write_bytes(b"\0 garbage")
    rows = run(store)[1]
    assert sorted(Path(row.file).name for row in rows if row.reason.answer == "needs-file") == [
        *("broken.sys", "garbage.inf", "hello.inf"),
    ]
    assert run(store) == ([], rows)
    (store / "hello" / "hello.sys").write_bytes(PeSpec().build())
    assert run(store)[0] == ["hello"]


def test_another_question_has_its_own_answers(store: Path) -> None:
    run(store)
    assert len(run(store, b"another")[0]) == 3


@pytest.mark.parametrize("data", [b"not a database", b"SQLite format 3\0" + bytes(500)], ids=["text", "header"])
def test_a_damaged_database_is_made_anew(store: Path, data: bytes) -> None:
    path = store.parent / "cache" / "audit.sqlite"
    path.parent.mkdir()
    path.write_bytes(data)
    assert len(run(store)[0]) == 3
    assert run(store)[0] == []


def test_a_database_whose_errors_are_no_text_is_made_anew(store: Path) -> None:
    """SQLite quotes the damaged word in its message."""
    run(store)
    path = store.parent / "cache" / "audit.sqlite"
    data = path.read_bytes()
    assert b"CREATE INDEX" in data
    path.write_bytes(data.replace(b"CREATE INDEX", b"CREATE \x95\xcfDEX"))
    assert len(run(store)[0]) == 3
    assert run(store)[0] == []


def _hostile(**changes: object) -> str:
    """Return the text of a sighting with other values at some places."""
    values = json.loads(packed(Sighting("a.sys", "aa", Reason("loads"), events=(LoggedEvent(1, "", "", "", "", ""),))))
    names = ("path", "authentihash", "machine", "links", "packages", "events", "devices", "reason", "identity")
    return json.dumps([json.dumps([changes.get(name, value) for name, value in zip(names, values, strict=True)])])


HOSTILE: dict[str, str | bytes | int | None] = {
    "no JSON": "[",
    "nested too deep": "[" * 100_000,
    "another type": 7,
    "bytes": b"\xff",
    "nothing": None,
    "an unknown answer": _hostile(reason=["fine", "", "", "", "", "", "file"]),
    "a number as a path": _hostile(path=1),
    "an object as links": _hostile(links=[{}]),
    "a number as a publisher": _hostile(identity=["", 1, "", "", ""]),
    "a package of numbers": _hostile(packages=[[1, 2, 3, 4, 5, [6]]]),
    "a hardware ID that is null": _hostile(packages=[["a.inf", "", "", "", "", [None]]]),
    "an event with a text as its number": _hostile(events=[["1", "", "", "", "", ""]]),
    "an event without a time": _hostile(events=[[1, None, "", "", "", ""]]),
    "too few values": json.dumps(["[]"]),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_entry_that_drvsign_did_not_write_is_ignored(store: Path, body: str | bytes | int | None) -> None:
    expected = run(store)
    with closing(sqlite3.connect(store.parent / "cache" / "audit.sqlite")) as database, database:
        database.execute("UPDATE answer SET body = ?", (body,))
    assert run(store) == expected


def test_a_folder_where_no_database_can_be_made_is_no_error(store: Path) -> None:
    (store.parent / "cache").write_bytes(b"a file")
    assert len(run(store)[0]) == 3


def at(time: datetime) -> Question:
    """Return a question that refuses a driver whose signer's certificate has expired."""
    machine = MachineState(at=time, roots="test-signing", testsigning=True, secure_boot=False, expired_leaf="blocked")
    return Question(VerifyQuery("kernel", TRUST, machine))


def test_what_was_found_counts_until_a_certificate_expires(store: Path) -> None:
    signer, instant = LEAF.certificate, timedelta(microseconds=1)
    begin, end = signer.not_valid_before_utc, signer.not_valid_after_utc
    (store / "loose.sys").write_bytes(signed(UNSIGNED))
    times = {
        "first": (end - timedelta(days=9), True, "loads"),
        "a week later": (end - timedelta(days=2), False, "loads"),
        "just before the end": (end - instant, False, "loads"),
        "the end": (end, True, "loads"),
        "just behind the end": (end + instant, True, "already-refused"),
        "months later": (end + timedelta(days=300), False, "already-refused"),
        "just before the beginning": (begin - instant, True, "already-refused"),
        "just behind the beginning": (begin + instant, False, "loads"),
        "the first once more": (end - timedelta(days=9), False, "loads"),
    }
    for name, (time, is_examined, answer) in times.items():
        examined, rows = run(store, question=at(time))
        assert ("store" in examined) is is_examined, name
        assert next(row.reason.answer for row in rows if row.file.endswith("loose.sys")) == answer, name
        with Ledger() as ledger:
            audit([Place(store)], at(time), ledger)
            assert rows == list(ledger.rows()), name


def test_the_days_of_use_are_written_together(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(store, day=1)
    for day, together in ((2, 1000), (3, 1)):
        monkeypatch.setattr(module, "_USES", together)
        assert run(store, day=day)[0] == []
        with closing(sqlite3.connect(store.parent / "cache" / "audit.sqlite")) as database:
            assert database.execute("SELECT DISTINCT used FROM answer").fetchall() == [(day,)]


def test_the_oldest_folders_are_dropped(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNITS", 1)
    run(store, day=1)
    (store / "hello" / "x64" / "other.sys").unlink()
    assert run(store, day=2)[0] == ["hello"]
    with closing(sqlite3.connect(store.parent / "cache" / "audit.sqlite")) as database:
        assert database.execute("SELECT DISTINCT used FROM answer").fetchall() == [(2,)]


def test_the_question_includes_state_target_and_lists_and_not_the_time(tmp_path: Path) -> None:
    query, lists = QUESTION.query, tmp_path / "list.xml"
    lists.write_bytes(b"a")
    time = query.machine.at
    same = replace(query, machine=replace(query.machine, at=time + timedelta(days=1)))
    others = [
        replace(query, machine=replace(query.machine, hvci=True)),
        replace(query, targets=parse_targets(["win10-22h2-x64"])),
    ]
    first = fingerprint(QUESTION, [])
    assert fingerprint(Question(same), []) == first
    found = {fingerprint(Question(one), []) for one in others} | {first, fingerprint(QUESTION, [lists])}
    lists.write_bytes(b"b")
    assert len(found | {fingerprint(QUESTION, [lists])}) == 5


def test_one_inf_of_a_folder_has_another_key_than_the_folder(store: Path) -> None:
    folder = store / "hello"
    (folder / "hello.sys").rename(folder / "x64" / "hello.sys")
    (folder / "second.inf").write_text(HELLO)
    with Cache(store.parent / "audit.sqlite", {"": KeptQuestion(b"question", NOW)}, 7) as cache:
        named = [folder / "hello.inf", folder / "second.inf", folder]
        keys = [cache.find(next(units([Place(path)])))[0] for path in named]
    assert None not in keys and len(set(keys)) == 3


def test_a_cabinet_that_is_put_beside_an_msi_makes_another_key(tmp_path: Path) -> None:
    (unit,) = units([Place(write(tmp_path / "x.msi"))])
    with Cache(tmp_path / "cache" / "audit.sqlite", {"": KeptQuestion(b"q", NOW)}, 7) as cache:
        first, _ = cache.find(unit)
        write(tmp_path / "Data1.CAB")
        second, _ = cache.find(unit)
        (tmp_path / "Data1.CAB").write_bytes(b"longer")
        third, _ = cache.find(unit)
    assert None not in (first, second, third)
    assert len({first, second, third}) == 3


def write(path: Path) -> Path:
    path.write_bytes(b"x")
    return path
