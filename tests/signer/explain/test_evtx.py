"""Binary event logs are read chunk by chunk, damaged and truncated ones as far as they go."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable

import pytest

from bench import _worst_logs as logs
from signer.errors import FileError
from signer.explain.context import Context
from signer.explain.explain import Explanation, Input, explain
from signer.explain.readers import evtx as reader
from signer.explain.readers.evtx_size import ChunkSizes
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


def chunk_of(body: Callable[[int], bytes]) -> bytes:
    """Return a chunk with one event."""
    return logs.evtx(body)(1 << 16)[4096:]


EXPANDING = {
    "nested": logs.nested_templates(10, 6),
    "deep": logs.nested_templates(1, 9),
    "wide": logs.nested_templates(3000, 2),
    "lists": logs.lists(4),
    "many-lists": logs.lists(40),
    "one-name": logs.shared_name,
}


@pytest.mark.parametrize("name", EXPANDING)
def test_an_event_that_expands_without_limit_does_not_reach_the_library(name: str) -> None:
    """An event of 1 KB took hours and terabytes."""
    context, chunk = Context(), chunk_of(EXPANDING[name])
    kept = reader._without_large_events(chunk, context)
    assert kept[512 + 24 :].startswith(b"\x0f\x01\x01\0\0")
    assert kept[512 + 24 + 5 :] == chunk[512 + 24 + 5 :]
    assert context.damages == {f"an event of the log is {'damaged' if name == 'deep' else 'too large'}": 1}
    assert run(logs.evtx(EXPANDING[name])(1 << 16)).answers == ()


@pytest.mark.parametrize(
    "body",
    [
        logs.nested_templates(1, 1),
        logs.nested_templates(3, 3),
        logs.nested_templates(50, 1),
        logs.lists(1),
    ],
    ids=["nested", "nested-3", "wide", "list"],
)
def test_the_estimate_is_at_least_the_length_of_the_event(body: Callable[[int], bytes]) -> None:
    chunk, context = chunk_of(body), Context()
    assert reader._without_large_events(chunk, context) == chunk
    ((start, end),) = ChunkSizes(chunk).records()
    header = logs.evtx(body)(1 << 16)[:4096]
    (text,) = reader._events(reader._parser(), header + chunk, context)
    assert 70 < len(text) <= ChunkSizes(chunk).size(start, end)
    assert context.damages == {}


@pytest.mark.parametrize("count", [0x10000, 0xFFFFFFFF])
def test_an_instance_with_more_values_than_bytes_does_not_reach_the_library(count: int) -> None:
    """The library reserves memory for them, and ends the process if there is not enough."""
    chunk = bytearray(chunk_of(logs.nested_templates(1, 1)))
    at = chunk.rindex(struct.pack("<IHBB", 1, 2, 1, 0))
    chunk[at : at + 4] = struct.pack("<I", count)
    context = Context()
    assert reader._without_large_events(bytes(chunk), context) != bytes(chunk)
    assert context.damages == {"an event of the log is damaged": 1}


def test_a_template_that_contains_itself_is_damaged() -> None:
    chunk = bytearray(chunk_of(logs.nested_templates(3, 1)))
    definition = 512 + 24 + 4 + 10
    at = chunk.index(b"\x0d\0\0\x21", definition)
    chunk[at : at + 14] = struct.pack("<BBIII", 0x0C, 1, 1, definition, 0)
    context = Context()
    reader._without_large_events(bytes(chunk), context)
    assert context.damages == {"an event of the log is damaged": 1}
