"""Binary event logs are read chunk by chunk, damaged and truncated ones as far as they go."""

from __future__ import annotations

import struct
import sys

import pytest

from signer.errors import FileError
from signer.explain.explain import Explanation, Input, explain
from tests.signer.explain.test_readers import BLOCKED, PATH, xml
from tests.support.evtx_files import evtx

pytest.importorskip("evtx", reason="the extra evtx is not installed")

EVENTS = [
    xml(3077, **BLOCKED),
    xml(3004, activity="{a}", FileNameBuffer=PATH.replace("X", "Y")),
    xml(3089, activity="{a}", TotalSignatureCount=0, VerificationError=3),
]


def run(data: bytes, size: int = 1 << 16) -> Explanation:
    return explain([Input("ci.evtx", (data[at : at + size] for at in range(0, len(data), size)))])


@pytest.mark.parametrize("size", [1000, 4096, 1 << 16, 1 << 20])
def test_every_event_is_read_in_pieces_of_any_size(size: int) -> None:
    found = {answer.file: (answer.key, answer.events) for answer in run(evtx(EVENTS), size).answers}
    assert found == {"X.sys": ("driver-policy-enforced", (3077,)), "Y.sys": ("unsigned", (3004,))}


def test_every_chunk_is_read() -> None:
    log = evtx(EVENTS[:1]) + evtx(EVENTS[1:])[4096:]
    assert {answer.file for answer in run(log).answers} == {"X.sys", "Y.sys"}


def test_a_truncated_log_is_read_up_to_its_end_and_named() -> None:
    explanation = run(evtx(EVENTS)[: 4096 + 512 + 1500])
    assert [answer.file for answer in explanation.answers] == ["X.sys"]
    assert "the event log is truncated" in explanation.damages


def test_a_damaged_event_does_not_stop_the_others() -> None:
    log = bytearray(evtx(EVENTS))
    at = log.index(b"\x0f\x01\x01\x00") + 4
    log[at : at + 40] = b"\xff" * 40
    explanation = run(bytes(log))
    assert [answer.file for answer in explanation.answers] == ["Y.sys"]
    assert explanation.damages == {"an event of the log is damaged": 1}


@pytest.mark.parametrize(
    "data", [b"ElfFile\0", b"ElfFile\0" + b"\xff" * 5000, b"ElfFile\0" + bytes(80000)], ids=range(3)
)
def test_a_log_without_events_has_no_answers(data: bytes) -> None:
    assert run(data).answers == ()


@pytest.mark.parametrize("at", [4096 + 128, 4096 + 384], ids=["names", "templates"])
@pytest.mark.parametrize("entry", ["itself", "a-list-that-returns", "outside"])
def test_a_table_whose_entries_form_a_cycle_is_left_out(at: int, entry: str) -> None:
    """The library followed it forever (found by fuzzing). The events are read without the table."""
    log, free = bytearray(evtx(EVENTS)), 0xF000
    first, second = struct.pack("<I", free), struct.pack("<I", free + 64)
    log[at : at + 4] = b"\xff\xff\xff\0" if entry == "outside" else first
    if entry != "outside":
        log[4096 + free : 4096 + free + 4] = first if entry == "itself" else second
        log[4096 + free + 64 : 4096 + free + 68] = first
    explanation = run(bytes(log))
    assert {answer.file for answer in explanation.answers} == {"X.sys", "Y.sys"}
    assert explanation.damages == {"a chunk of the event log is damaged": 1}


def test_without_the_library_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evtx", None)
    (failure,) = run(evtx(EVENTS)).failures
    assert isinstance(failure, FileError) and "requires the library evtx" in str(failure)
    assert "pip install 'drvsign[evtx]'" in (failure.hint or "")
