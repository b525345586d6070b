"""`signer.audit.logs`: what events 3076 and 3077 say about drivers, in each form of export."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from signer.audit.logs import log_sightings
from signer.audit.rows import Answer, Sighting
from signer.explain.context import Context
from tests.support.evtx_files import evtx

ENFORCED = "{8f9cb695-5d48-48d6-a329-7202b44607e3}"
EVALUATION = "{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}"
BLOCK_LIST = "{d2bda982-ccf6-4344-ac5b-0b44427b6816}"
OWN = "{11111111-2222-3333-4444-555555555555}"
SHA256, SHA1 = "AB" * 32, "CD" * 20
FILE = "\\Device\\HarddiskVolume3\\Windows\\System32\\drivers\\oldnic.sys"
ACTIVITY = "{aaaaaaaa-0000-0000-0000-000000000001}"


def fields(policy: str = ENFORCED, **more: str) -> dict[str, str]:
    return {
        "File Name": FILE,
        "SHA1 Hash": SHA1,
        "SHA256 Hash": SHA256,
        "SI Signing Scenario": "0",
        "PolicyName": "Own policy",
        "FileVersion": "1.2.3.4",
        "PolicyGUID": policy,
        **more,
    }


def xml(
    event: int, data: dict[str, str], time: str = "2026-05-03T10:11:12.3456789Z", computer: str = "PC-17.corp.example"
) -> str:
    body = "".join(f'<Data Name="{name}">{value}</Data>' for name, value in data.items())
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        "<Provider Name='Microsoft-Windows-CodeIntegrity' Guid='{4ee76bd8-3cf4-44a0-a0ac-3937643e37a3}'/>"
        f"<EventID>{event}</EventID><Version>5</Version><TimeCreated SystemTime='{time}'/>"
        f"<Correlation ActivityID='{ACTIVITY}'/>"
        f"<Computer>{computer}</Computer></System><EventData>{body}</EventData></Event>"
    )


def read(data: bytes | str, *machines: str) -> list[Sighting]:
    raw = data.encode() if isinstance(data, str) else data
    return list(log_sightings(Path("logs/ci.evtx"), [raw], machines, Context()))


CASES: dict[str, tuple[int, str, Answer, str, str]] = {
    "blocked by the enforced policy": (3077, ENFORCED, "stops", "Windows Driver Policy", "2026-05-03"),
    "evaluation: it stops once the policy is enforced": (3076, EVALUATION, "stops", "Windows Driver Policy", ""),
    "blocked by the block list": (3077, BLOCK_LIST, "stops", "Microsoft's driver block list", "2026-05-03"),
    "blocked by a policy of the organization": (3077, OWN, "stops", "Own policy", "2026-05-03"),
    "audited by a policy of the organization: it was loaded": (3076, OWN, "loads", "", ""),
}


@pytest.mark.parametrize(("event", "policy", "answer", "name", "date"), CASES.values(), ids=CASES.keys())
def test_an_event_gives_an_answer_with_policy_and_day(
    event: int, policy: str, answer: Answer, name: str, date: str
) -> None:
    (one,) = read(xml(event, fields(policy)))
    reason = one.reason
    assert (reason.answer, reason.policy, reason.date, reason.rule) == (answer, name, date, f"event-{event}")
    assert (reason.origin, reason.source, bool(reason.remedy)) == ("log", "ci.evtx", answer == "stops")
    assert (one.authentihash, one.links, one.identity.version) == (SHA256.lower(), (SHA1.lower(),), "1.2.3.4")
    (logged,) = one.events
    assert (logged.id, logged.time, logged.policy) == (event, "2026-05-03T10:11:12", policy)


def as_json(event: int, data: dict[str, str]) -> str:
    found = {"Id": event, "ProviderName": "Microsoft-Windows-CodeIntegrity", "TimeCreated": "2026-05-03T10:11:12Z"}
    return json.dumps([{**found, "MachineName": "PC-17.corp.example", "EventData": data}])


def as_csv(event: int, data: dict[str, str]) -> str:
    columns = {"TimeCreated": "2026-05-03 10:11:12", "Id": event, "MachineName": "PC-17", "FileName": data["File Name"]}
    columns |= {"SHA256 Hash": SHA256, "SHA1 Hash": SHA1, "PolicyGUID": data["PolicyGUID"]}
    return "".join(",".join(f'"{one}"' for one in row) + "\r\n" for row in (columns, columns.values()))


FORMS: dict[str, Callable[[int, dict[str, str]], str | bytes]] = {
    "XML": xml,
    "JSON": as_json,
    "CSV": as_csv,
    ".evtx": lambda event, data: evtx([xml(event, data)]),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_each_form_of_export_gives_hash_machine_and_policy(form: Callable[[int, dict[str, str]], str | bytes]) -> None:
    data = form(3077, fields())
    if isinstance(data, bytes):
        pytest.importorskip("evtx", reason="the library evtx is not installed")
    (one,) = read(data, "pc-17")
    assert (one.authentihash, one.machine, one.events[0].policy) == (SHA256.lower(), "pc-17", ENFORCED)
    assert one.events[0].time.startswith("2026-05-03T10:11:12")


COMPUTERS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "the first label of its name in the network": ("PC-17.corp.example", ("Pc-17",), "Pc-17"),
    "its whole name": ("PC-17.corp.example", ("pc-17.corp.example", "pc-17"), "pc-17.corp.example"),
    "a machine that the call does not name": ("PC-18", ("pc-17",), "pc-18"),
    "a log without the name": ("", ("pc-17",), ""),
}


@pytest.mark.parametrize(("computer", "machines", "machine"), COMPUTERS.values(), ids=COMPUTERS.keys())
def test_a_computer_is_the_machine_with_its_name(computer: str, machines: tuple[str, ...], machine: str) -> None:
    (one,) = read(xml(3077, fields(), computer=computer), *machines)
    assert one.machine == machine


IGNORED = {
    "a user-mode image": xml(3077, fields(**{"SI Signing Scenario": "1"})),
    "another event": xml(3099, fields()),
    "another program's event": xml(3077, fields()).replace("Microsoft-Windows-CodeIntegrity", "Other"),
}


@pytest.mark.parametrize("text", IGNORED.values(), ids=IGNORED.keys())
def test_events_about_anything_else_are_ignored(text: str) -> None:
    assert read(text) == []


def test_of_equal_events_the_newest_is_kept() -> None:
    times = ("2026-05-03T00:00:00Z", "2026-07-01T00:00:00Z", "2026-06-01T00:00:00Z")
    (one,) = read("\n".join(xml(3077, fields(), time) for time in times))
    assert one.reason.date == "2026-07-01"


def test_the_publisher_is_that_of_the_event_about_the_signature() -> None:
    signature = xml(3089, {"TotalSignatureCount": "1", "Signature": "0", "PublisherName": "Old NIC Ltd."})
    for text in (f"{signature}\n{xml(3077, fields())}", f"{xml(3077, fields())}\n{signature}"):
        assert [one.identity.publisher for one in read(text)] == ["Old NIC Ltd."]


@pytest.mark.parametrize("value", ["", "00" * 32, "AB", "not a hash" * 8], ids=["empty", "zeros", "short", "text"])
def test_a_file_without_a_hash_keeps_its_name(value: str) -> None:
    data = fields(**{"SHA256 Hash": value, "SHA1 Hash": ""})
    (one,) = read(xml(3077, data))
    assert (one.authentihash, one.links, one.path) == ("", (), FILE)
