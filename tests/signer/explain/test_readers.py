"""Each form of input is read, whatever is around it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from signer.explain.context import Context
from signer.explain.explain import Explanation, Input, explain
from signer.explain.readers.table import read_records
from signer.explain.text import Lines, decoded, encoding_of
from tests.support.images import PeSpec

PATH = r"\Device\HarddiskVolume3\Windows\System32\drivers\X.sys"
PROVIDER = "Microsoft-Windows-CodeIntegrity"
POLICY = "{8f9cb695-5d48-48d6-a329-7202b44607e3}"
MESSAGE = (
    f"Code Integrity determined that a process (System) attempted to load {PATH} that did not meet the Authenticode "
    f"signing level requirements or violated code integrity policy (Policy ID:{POLICY})."
)
ACTIVITY = "{11111111-2222-3333-4444-555555555555}"


def run(text: str, encoding: str = "utf-8") -> Explanation:
    return explain([Input("log", [text.encode(encoding)])])


def xml(event_id: int, time: str = "2026-09-02T18:23:41.0000000Z", activity: str = ACTIVITY, **data: object) -> str:
    fields = "".join(f"<Data Name='{name.replace('_', ' ')}'>{value}</Data>" for name, value in data.items())
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name='Microsoft-Windows-CodeIntegrity'/><EventID>{event_id}</EventID><Version>5</Version>"
        f"<TimeCreated SystemTime='{time}'/><Correlation ActivityID='{activity}'/></System>"
        f"<EventData>{fields}</EventData></Event>"
    )


BLOCKED = {"File_Name": PATH, "Process_Name": "System", "Status": "0xc0e90002", "PolicyGUID": POLICY.upper()}
GET_WIN_EVENT = {
    "Id": 3077,
    "Version": 5,
    "ProviderName": "Microsoft-Windows-CodeIntegrity",
    "LogName": "Microsoft-Windows-CodeIntegrity/Operational",
    "TimeCreated": "/Date(1790000000000)/",
    "ActivityId": ACTIVITY.strip("{}"),
    "Message": MESSAGE,
}
FORMAT_LIST = f"""

TimeCreated  : 9/2/2026 6:23:41 PM
ProviderName : Microsoft-Windows-CodeIntegrity
Id           : 3077
Message      : {MESSAGE[:80]}
               {MESSAGE[80:160]}
               {MESSAGE[160:]}

"""
EVENT_VIEWER = f"""Log Name:      Microsoft-Windows-CodeIntegrity/Operational
Source:        Microsoft-Windows-CodeIntegrity
Date:          9/2/2026 6:23:41 PM
Event ID:      3077
Task Category: (18)
Level:         Error
Keywords:
User:          SYSTEM
Computer:      machine
Description:
{MESSAGE}
Event Xml:
{xml(3077, **BLOCKED)}
"""
WEVTUTIL = f"""Event[0]:
  Log Name: Microsoft-Windows-CodeIntegrity/Operational
  Source: Microsoft-Windows-CodeIntegrity
  Date: 2026-09-02T18:23:41.000
  Event ID: 3077
  Task: N/A
  Level: Error
  Description:
{MESSAGE}

"""
FRIENDLY_VIEW = f"""+ System

  - Provider

   [ Name]  Microsoft-Windows-CodeIntegrity
   [ Guid]  {{4ee76bd8-3cf4-44a0-a0ac-3937643e37a3}}

   EventID 3077

   Version 5

  - TimeCreated

   [ SystemTime]  2026-09-02T18:23:41.1234567Z

   Channel Microsoft-Windows-CodeIntegrity/Operational

- EventData

  FileNameLength 54
  File Name {PATH}
  ProcessNameLength 6
  Process Name System
  Requested Signing Level 2
  PolicyGUID {POLICY}
"""
FORMS = {
    "xml": xml(3077, **BLOCKED),
    "xml-list": f"<?xml version='1.0'?><Events>{xml(3077, **BLOCKED)}{xml(3077, **BLOCKED)}</Events>",
    "xml-pretty": xml(3077, **BLOCKED).replace("><", ">\r\n  <"),
    "json": json.dumps([GET_WIN_EVENT], indent=4),
    "json-compressed": json.dumps(GET_WIN_EVENT),
    "json-lines": f"{json.dumps(GET_WIN_EVENT)}\n{json.dumps(GET_WIN_EVENT)}\n",
    "json-escaped": json.dumps([GET_WIN_EVENT]).replace("'", "\\u0027"),
    "drvsign-events": json.dumps({"path": "X.sys", "id": 3077, "channel": "Microsoft-Windows-CodeIntegrity/Operational",
                                  "message": MESSAGE, "data": {"File Name": PATH, "PolicyGUID": POLICY}}),
    "format-list": FORMAT_LIST,
    "event-viewer": EVENT_VIEWER,
    "wevtutil-text": WEVTUTIL,
    "message": MESSAGE,
    "message-quoted": f'> "{MESSAGE}"\n',
    "message-wrapped": MESSAGE.replace(" that did", "\nthat did").replace(" or viol", "\n  or viol"),
    "message-in-prose": f"I see this in the log: {MESSAGE} Nothing else. What is wrong?",
    "message-in-html": f"<p>{MESSAGE}</p>",
    "message-quoted-and-wrapped": "> " + MESSAGE.replace(" that did", "\n> that did").replace(" or vi", "\n> or vi"),
    "message-behind-a-time": f"2026-09-02T18:23:41Z host CodeIntegrity[4]: {MESSAGE}",
    "csv-event-viewer": "Level,Date and Time,Source,Event ID,Task Category\r\n"
                        f'Error,9/2/2026 6:23:41 PM,{PROVIDER},3077,(18),"{MESSAGE}"\r\n',
    "csv-powershell": '#TYPE Selected.EventLogRecord\n"TimeCreated","Id","LevelDisplayName","Message"\n'
                      f'"9/2/2026 6:23:41 PM","3077","Error","{MESSAGE}"\n',
    "csv-two-lines": f'"Id","Message"\n"3077","{MESSAGE[:150]}\n{MESSAGE[151:]}"\n',
    "tsv": f"Time\tId\tMessage\n18:23\t3077\t{MESSAGE}\n",
    "markdown-table": f"| Id | Message |\n|---|---|\n| 3077 | {MESSAGE} |\n",
    "markdown-fields": f"| Event ID | 3077 |\n|---|---|\n| File Name | {PATH} |\n| PolicyGUID | {POLICY} |\n",
    "friendly-view": FRIENDLY_VIEW,
    "yaml": f"event_id: 3077\nevent_data:\n  FileName: {PATH}\n  PolicyGUID: '{POLICY}'\n",
    "values-alone": f"The description for Event ID 3077 from source {PROVIDER} cannot be found.\n\n"
                    f"The following information was included with the event: \n\n54\n{PATH}\n6\nSystem\n{POLICY}\n",
    "xml-view": re.sub("(?=<System>|<EventData>)", "\n- ", xml(3077, **BLOCKED)),
    "json-evtxecmd": json.dumps({"EventId": 3077, "Provider": PROVIDER, "Payload": json.dumps({"EventData": {"Data": [
        {"@Name": "File Name", "#text": PATH}, {"@Name": "PolicyGUID", "#text": POLICY}]}})}),
    "json-winlogbeat": json.dumps({"winlog": {"event_id": 3077, "provider_name": PROVIDER,
                                              "event_data": {"File Name": PATH, "PolicyGUID": POLICY}}}),
    "json-evtx-dump": json.dumps({"Event": {
        "System": {"EventID": {"#text": 3077}, "Provider": {"#attributes": {"Name": PROVIDER}}},
        "EventData": {"File Name": PATH, "PolicyGUID": POLICY}}}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_form(form: str, encoding: str) -> None:
    (answer,) = run(FORMS[form], encoding).answers
    assert (answer.file, answer.key, answer.confidence) == ("X.sys", "driver-policy-enforced", "certain")
    assert answer.events == (3077,)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 7, 64])
def test_pieces_of_any_size_read_the_same(form: str, size: int) -> None:
    data = FORMS[form].encode("utf-16")
    first, *others = data[:256], *(data[at : at + size] for at in range(256, len(data), size))
    pieces = explain([Input("log", [first, *others])])
    assert [(one.file, one.key, one.events) for one in pieces.answers] == [
        (one.file, one.key, one.events) for one in run(FORMS[form]).answers
    ]


def test_forms_can_be_mixed_in_one_text() -> None:
    mixed = "\n".join(
        [
            "This is my problem:",
            xml(3004, FileNameBuffer=PATH.replace("X.sys", "one.sys")),
            FORMAT_LIST,
            "SERVICE_NAME: two",
            "        WIN32_EXIT_CODE    : 577  (0x241)",
            "C:\\>sc start three",
            "[SC] StartService FAILED 1275:",
        ]
    )
    explanation = run(mixed)
    found = {answer.file: answer.key for answer in explanation.answers}
    assert found == {
        "one.sys": "signature-invalid",
        "X.sys": "driver-policy-enforced",
        "two": "signature-invalid",
        "three": "architecture",
    }


def test_a_service_and_its_file_are_one_subject() -> None:
    text = f"[SC] StartService FAILED 577:\nSERVICE_NAME: X\n{xml(3004, FileNameBuffer=PATH)}\nsc start X\nerror 577"
    (answer,) = run(text).answers
    assert (answer.file, answer.events, answer.codes) == ("X.sys", (3004,), ("577",))


@pytest.mark.parametrize("newest_first", [True, False])
def test_3089_is_joined_by_activity_in_either_order(newest_first: bool) -> None:
    other = ACTIVITY.replace("1", "9")
    events = [
        xml(3004, FileNameBuffer=PATH),
        xml(3004, activity=other, FileNameBuffer=PATH.replace("X", "Y")),
        xml(3089, activity=other, TotalSignatureCount=0, Signature=0, VerificationError=3),
        xml(3089, TotalSignatureCount=2, Signature=0, VerificationError=7),
        xml(3089, TotalSignatureCount=2, Signature=1, VerificationError=0),
    ]
    text = "".join(reversed(events) if newest_first else events)
    found = {answer.file: (answer.key, len(answer.symptoms.signatures)) for answer in run(text).answers}
    assert found == {"X.sys": ("root", 2), "Y.sys": ("unsigned", 1)}


def test_a_status_is_read_as_a_decimal_and_as_a_hexadecimal_number() -> None:
    for status in ("3221226536", "0xc0000428", "-1073740760"):
        (answer,) = run(xml(3033, FileNameBuffer=PATH, ProcessNameBuffer="System", Status=status)).answers
        assert answer.codes == ("0xC0000428",)


def test_json_properties_without_names_get_the_names_of_the_template() -> None:
    values: list[Any] = [54, PATH, 0, 4, 6, "System"]
    event = {**GET_WIN_EVENT, "Id": 3004, "Version": 1, "Message": "", "Properties": [{"Value": v} for v in values]}
    (answer,) = run(json.dumps(event)).answers
    assert (answer.file, answer.events) == ("X.sys", (3004,))


def test_a_german_event_is_named_as_localised_and_its_fields_are_read() -> None:
    text = f"""Protokollname: Microsoft-Windows-CodeIntegrity/Operational
Quelle:        Microsoft-Windows-CodeIntegrity
Datum:         02.09.2026 18:23:41
Ereignis-ID:   3077
Ebene:         Fehler
Beschreibung:
Die Codeintegrität hat ermittelt, dass ein Prozess (System) versucht hat, {PATH} zu laden (Richtlinien-ID:{POLICY}).
"""
    explanation = run(text)
    (answer,) = explanation.answers
    assert explanation.localised
    assert (answer.file, answer.key, answer.confidence) == ("X.sys", "driver-policy-enforced", "certain")


def test_the_service_control_manager_names_the_service_and_the_error() -> None:
    text = (
        "<Event><System><Provider Name='Service Control Manager'/><EventID Qualifiers='49152'>7000</EventID></System>"
        "<EventData><Data Name='param1'>Toaster</Data><Data Name='param2'>%%577</Data></EventData></Event>"
    )
    (answer,) = run(text).answers
    assert (answer.file, answer.codes, answer.gate) == ("Toaster", ("577",), "kernel-signing")


def test_sections_of_setupapi_are_separate_and_the_newest_is_first() -> None:
    def section(inf: str, time: str, error: str) -> str:
        return (
            f">>>  [Setup Import Driver Package - C:\\d\\{inf}]\n>>>  Section start {time}\n"
            f"!!!  sto: Failed to import driver package into Driver Store. Error = {error}\n"
            f"<<<  Section end {time}\n<<<  [Exit status: FAILURE({error})]\n"
        )

    text = section("a.inf", "2026/01/01 10:00:00.000", "0xE000022F") + section(
        "b.inf", "2026/03/01 10:00:00.000", "0xE000024B"
    )
    assert [(one.file, one.key) for one in run(text).answers] == [
        ("b.inf", "not-catalogued"),
        ("a.inf", "catalog-missing"),
    ]


def test_an_installation_that_succeeds_is_no_problem() -> None:
    text = """>>>  [Setup Import Driver Package - C:\\d\\good.inf]
>>>  Section start 2026/01/01 10:00:00.000
!    sig: Verifying file against specific (valid) catalog failed.
!    sig: Error 0x800b0109: A certificate chain processed, but terminated in a root certificate which is not trusted.
     sig: Success: File is signed in Authenticode(tm) catalog.
     sig: Error 0xe0000242: The publisher of an Authenticode(tm) signed catalog has not yet been established as trusted.
<<<  Section end 2026/01/01 10:00:00.100
<<<  [Exit status: SUCCESS]
"""
    assert run(text).answers == ()


def test_a_document_type_is_not_parsed() -> None:
    bomb = "<!DOCTYPE a [<!ENTITY b 'c'>]>" + xml(3004, FileNameBuffer="&b;")
    assert [answer.file for answer in run(bomb).answers] in ([], [None])


@pytest.mark.parametrize(
    "text",
    [
        "<Event><System>",
        '[{"Id": 3077, "Message": "',
        "{" * 5000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        "\x00\x01\x02" * 100,
        "",
        "<Event>" * 100,
        "Message : " * 100,
    ],
    ids=range(8),
)
def test_damaged_input_ends_without_an_answer(text: str) -> None:
    assert run(text).answers == ()


def test_a_line_without_end_takes_bounded_memory() -> None:
    pieces = ("a" * 65536 for _ in range(200))
    longest = max(len(line) for line in Lines(pieces, Context()))
    assert longest <= 1 << 20


def test_an_encoding_is_found_without_a_byte_order_mark() -> None:
    assert encoding_of("Code Integrity".encode("utf-16-le")) == "utf-16-le"
    assert encoding_of("Code Integrity".encode("utf-16-be")) == "utf-16-be"
    assert encoding_of(b"Code Integrity") == "utf-8"
    assert "".join(decoded([b"caf\xe9"])) == "caf\N{REPLACEMENT CHARACTER}"


def test_what_was_recognised_is_counted() -> None:
    context = Context()
    assert len(list(read_records([FORMS["xml-list"].encode()], context))) == 2
    assert context.forms == {"event XML": 2}


def test_the_faults_of_a_layout_are_named_by_the_bitmap() -> None:
    (answer,) = run(xml(3111, FileNameBuffer=PATH, HVCI_Audit_Failures="0x28")).answers
    assert answer.gate == "memory-integrity"
    assert "section is both writable and executable" in answer.cause
    assert "Import Address Table is within an executable section" in answer.cause


def test_the_problem_of_a_device_is_read_from_its_section() -> None:
    text = (
        ">>>  [Device Install (Hardware initiated) - USB\\VID_0000&PID_0000\\1]\n"
        ">>>  Section start 2026/01/01 10:00:00.000\n"
        "     dvi: Driver INF Path: C:\\Windows\\INF\\oem1.inf\n"
        "!    dvi: Device not started: Device has problem: 0x34 (CM_PROB_UNSIGNED_DRIVER), "
        "problem status: 0xc0000428.\n"
        "<<<  [Exit status: SUCCESS]\n"
    )
    (answer,) = run(text).answers
    assert (answer.gate, sorted(answer.codes)) == ("kernel-signing", ["0xC0000428", "Code 52"])
    assert answer.file == "oem1.inf"


def test_the_machine_is_derived_from_events_and_the_newest_counts() -> None:
    events = [
        xml(3085, time="2026-09-03T00:00:00.0000000Z", Settings="0x80000000"),
        xml(3084, time="2026-09-02T00:00:00.0000000Z", Settings="0x80000000"),
        xml(3099, PolicyGUID="{784C4414-79F4-4C32-A6A5-F0FB42A51D0D}"),
    ]
    machine = run("".join(events)).machine
    assert (machine.whql_enforced, machine.secure_boot, machine.driver_policy) == (False, None, "evaluation")


def test_a_text_without_id_path_and_code_is_named_by_its_language() -> None:
    explanation = run("代码完整性确定进程尝试加载的文件不符合签名级别要求或违反代码完整性策略。\n")
    assert (explanation.answers, explanation.languages) == ((), ("Chinese",))


def test_english_is_no_other_language() -> None:
    text = "SERVICE_NAME: x\nError 577: the service failed. The event log has error entries, 2 of them.\n"
    assert run(text).languages == ()


def test_a_list_of_times_in_any_format_puts_the_newest_first() -> None:
    blocks = [("A", "9/2/2026 6:23:41 PM"), ("B", "9/12/2026 6:23:41 AM"), ("C", "8/30/2026 11:00:00 PM")]
    text = "".join(FORMAT_LIST.replace("9/2/2026 6:23:41 PM", time).replace("X.sys", f"{name}.sys")
                   for name, time in blocks)  # fmt: skip
    assert [answer.file for answer in run(text).answers] == ["B.sys", "A.sys", "C.sys"]


def test_a_row_that_is_no_row_ends_a_table() -> None:
    text = f'Id,Message\n3077,"{MESSAGE}"\n\nnothing,of,the,kind\nsc start other\nerror 577\n'
    assert {answer.file for answer in run(text).answers} == {"X.sys", "other"}


def test_each_device_of_a_list_has_its_own_code() -> None:
    text = "".join(
        f"Instance ID:        ROOT\\{name}\\0000\nProblem Code:       {code} (0x0)\nDriver Name:        {name}.inf\n\n"
        for name, code in (("a", 52), ("b", 28))
    )
    found = {answer.file: answer.codes for answer in run(text).answers}
    assert found == {"a.inf": ("Code 52",), "b.inf": ("Code 28",)}


def test_the_process_in_brackets_is_not_the_file() -> None:
    text = (
        "Quelle: Microsoft-Windows-CodeIntegrity\nEreignis-ID: 3033\nBeschreibung:\n"
        "Ein Prozess (\\Device\\HarddiskVolume3\\x\\svchost.exe) hat versucht, "
        "\\Device\\HarddiskVolume3\\y\\z.dll zu laden.\n"
    )
    (answer,) = run(text).answers
    assert (answer.file, answer.key) == ("z.dll", "protected-process")


@pytest.mark.parametrize(
    ("start", "what"), [(b"\x1f\x8b\x08", "gzip"), (b"PK\x03\x04", "ZIP"), (PeSpec().build(), "image")]
)
def test_a_file_that_is_no_log_is_named_as_what_it_is(start: bytes, what: str) -> None:
    explanation = explain([Input("log", [start + b"error 577\n" * 20])])
    (error,) = explanation.failures
    assert explanation.answers == ()
    assert re.fullmatch(f"log: this is .*{what}.*, not a log", str(error))


def test_a_log_that_can_not_be_read_does_not_stop_the_others() -> None:
    logs = [Input("1", [b"error 577\n"]), Input("2", [PeSpec().build()]), Input("3", [b"Code 39\n"])]
    explanation = explain(logs)
    assert {code for answer in explanation.answers for code in answer.codes} == {"577", "Code 39"}
    assert [error.path for error in explanation.failures] == [Path("2")]


def test_an_event_log_that_is_cut_off_in_its_header_is_damaged() -> None:
    explanation = explain([Input("log", [b"ElfFile\0" + bytes(500)])])
    assert (explanation.answers, dict(explanation.damages)) == ((), {"the event log is truncated": 1})


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("> a", "a"),
        (">> > a", "a"),
        (">>>  [Setup Import Driver Package - x]", ">>>  [Setup Import Driver Package - x]"),
        ("> >>>  Section start 2026", ">>>  Section start 2026"),
        (">", ">"),
        ("a > b", "a > b"),
    ],
)
def test_the_marks_of_a_quotation_are_not_read(line: str, plain: str) -> None:
    assert list(Lines([line], Context())) == [plain]
