"""Event logs as text: XML, JSON, lists of labels and messages."""

from __future__ import annotations

import json
from collections.abc import Iterator

from signer.explain.readers import event_json, event_lists, event_xml, messages
from tests.fuzz.harness import Harness
from tests.fuzz.logs import read_log
from tests.fuzz.mutation import text_mutator

INSTRUMENTED = ("signer.explain.readers", "signer.explain.text")

FILE = r"\Device\HarddiskVolume3\Windows\System32\drivers\X.sys"
MESSAGE = (
    f"Code Integrity determined that a process (System) attempted to load {FILE} that did not meet the Authenticode "
    "signing level requirements or violated code integrity policy (Policy ID:{8f9cb695-5d48-48d6-a329-7202b44607e3})."
)
XML = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    "<Provider Name='Microsoft-Windows-CodeIntegrity'/><EventID>{id}</EventID><Version>5</Version>"
    "<TimeCreated SystemTime='2026-09-02T18:23:41.0Z'/><Correlation ActivityID='{{1}}'/></System><EventData>"
    "<Data Name='{field}'>{file}</Data><Data Name='Status'>0xc0e90002</Data>"
    "<Data Name='PolicyGUID'>{{8F9CB695-5D48-48D6-A329-7202B44607E3}}</Data></EventData></Event>"
)
LIST = f"""
TimeCreated  : 9/2/2026 6:23:41 PM
ProviderName : Microsoft-Windows-CodeIntegrity
Id           : 3077
Message      : {MESSAGE[:80]}
               {MESSAGE[80:160]}
               {MESSAGE[160:]}

"""
VIEWER = f"""Log Name:      Microsoft-Windows-CodeIntegrity/Operational
Source:        Microsoft-Windows-CodeIntegrity
Event ID:      3004
Description:
Windows is unable to verify the image integrity of the file {FILE} because the file hash could not be found on the \
system.
"""
EVENT = {
    "Id": 3077,
    "Version": 5,
    "ProviderName": "Microsoft-Windows-CodeIntegrity",
    "TimeCreated": "/Date(1790000000000)/",
    "ActivityId": "1",
    "Message": MESSAGE,
    "Properties": [{"Value": FILE}, {"Value": [1, 255]}, {"Value": None}],
}
PIECES = ("<Event ", "</Event>", "<Data Name=", "<![CDATA[", "&#x0;", "&#2;", "&amp;", "<!DOCTYPE", "EventID", "{", "}",
          "[", "]", '"', "\\", "\\u0000", "\\ud800", ":", "Id", "Message", "Description:", "Event[0]:", "3077", "3089",
          "1e999", "-1", "null", "true", FILE, "\u202e", "\0", "\r\n", "/Date(99999999999999)/", "\uff1a")  # fmt: skip


def seeds() -> Iterator[bytes]:
    blocked = XML.format(id=3077, field="File Name", file=FILE)
    yield blocked.encode()
    yield (XML.format(id=3004, field="FileNameBuffer", file=FILE) + XML.format(id=3089, field="X", file="")).encode()
    yield f"<Events>\r\n{blocked}</Events>".encode("utf-16")
    yield json.dumps([EVENT]).encode()
    yield json.dumps({"Event": {"System": {"EventID": {"#text": "3077"}}}, "EventData": {"File Name": FILE}}).encode()
    for text in (LIST, VIEWER, MESSAGE, f'I see: "{MESSAGE}" and nothing else.'):
        yield text.encode()


HARNESS = Harness(
    "event_log",
    read_log,
    seeds,
    (event_xml.read_event, event_json.json_records, event_lists.event_lists, messages.message_texts),
    mutate=text_mutator(PIECES, ("utf-8", "utf-16-le")),
    max_size=1024,
)
