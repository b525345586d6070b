"""Event logs in Windows' binary form (.evtx): one chunk, without the zeros at its end."""

from __future__ import annotations

from collections.abc import Iterator

from signer.explain.readers import event_xml
from signer.explain.readers import evtx as reader
from tests.fuzz.harness import Harness
from tests.fuzz.harnesses.event_log import FILE, XML
from tests.fuzz.logs import read_log
from tests.support.evtx_files import evtx

INSTRUMENTED = ("signer.explain.readers.evtx", "signer.explain.readers.event_xml", "signer.explain.readers.events")
HEADER_SIZE = 4096
HEADER = evtx([])[:HEADER_SIZE]


def seeds() -> Iterator[bytes]:
    for events in (
        [XML.format(id=3077, field="File Name", file=FILE)],
        [XML.format(id=3004, field="FileNameBuffer", file=FILE), XML.format(id=3089, field="Hash", file="")],
    ):
        yield evtx(events)[HEADER_SIZE:].rstrip(b"\0")


def run(data: bytes) -> bool:
    return read_log(HEADER + data)


HARNESS = Harness("evtx", run, seeds, (reader.evtx_records, event_xml.read_event), max_size=4096)
