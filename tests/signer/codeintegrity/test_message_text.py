"""Messages of events: written from fields and read back, for every row of the tables and every release."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from signer.codeintegrity.event_tables import (
    Builds,
    EventMessage,
    EventSchema,
    message_of,
    messages,
    newest_schema,
    schemas,
    words_of,
)
from signer.codeintegrity.field_values import FieldValue
from signer.codeintegrity.message_text import MAX_MESSAGE, read_message, write_message
from signer.policy.tables import rows

IDS = sorted({message.id for message in messages()})
BUILDS = sorted({int(row["build"]) for row in rows("releases.tsv")} | {one.builds.first for one in messages()})

_NAMES = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=20).filter(
    lambda text: text == text.strip()
)
_VALUES: dict[str, st.SearchStrategy[FieldValue]] = {
    "UInt8": st.integers(0, 2**8 - 1),
    "UInt16": st.integers(0, 2**16 - 1),
    "UInt32": st.integers(0, 2**32 - 1),
    "UInt64": st.integers(0, 2**64 - 1),
    "Int32": st.integers(-(2**31), 2**31 - 1),
    "HexInt32": st.integers(0, 2**32 - 1).map(hex),
    "HexInt64": st.integers(0, 2**64 - 1).map(hex),
    "Boolean": st.booleans(),
    "GUID": st.uuids().map(lambda guid: f"{{{guid}}}"),
    "Binary": st.binary(max_size=8).map(lambda data: data.hex().upper()),
    "FILETIME": st.datetimes().map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")),
    "UnicodeString": _NAMES,
    "AnsiString": _NAMES,
    "Word": st.integers(0, 15),
}
VALUES = st.fixed_dictionaries(_VALUES)


@cache
def printed(event_id: int) -> tuple[tuple[EventMessage, EventSchema, tuple[int, ...]], ...]:
    """Every text of an event with each of its templates, and the builds that print it from that template."""
    versions = [one for one in schemas() if one.id == event_id]
    return tuple(
        (message, schema, builds)
        for message in messages()
        if message.id == event_id
        for schema in versions
        if schema.version == message.version
        and (builds := tuple(build for build in BUILDS if build in message.builds and build in schema.builds))
    )


def filled(schema: EventSchema, values: dict[str, FieldValue]) -> dict[str, FieldValue]:
    """A value for each field; names differ from field to field."""
    data = {field.name: values["Word" if field.words else field.type] for field in schema.fields}
    names = [field.name for field in schema.fields if field.type == "UnicodeString"]
    return {**data, **{name: f"{data[name]}{number}" for number, name in enumerate(names)}}


@pytest.mark.parametrize("event_id", IDS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=VALUES)
def test_every_text_is_read_back(event_id: int, values: dict[str, FieldValue]) -> None:
    for message, schema, builds in printed(event_id):
        literals = [part for part in re.split(r"%\d+", message.text) if len(part) > 1]
        assume(not any(part in str(values["UnicodeString"]) for part in literals))
        data = filled(schema, values)
        shown = {schema.fields[int(place) - 1].name for place in re.findall(r"%(\d+)", message.text)}
        texts = {build: write_message(message, schema, data, build) for build in builds}
        read = {text: read_message(text) for text in texts.values()}
        for build, text in texts.items():
            found = [one for one in read[text] if one.id == event_id and message.version in one.versions]
            assert {name: data[name] for name in shown} in [one.fields for one in found], (build, text)
            assert any(one.printed_by(build) for one in found)


@pytest.mark.parametrize("event_id", IDS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=VALUES, data=st.data())
def test_a_reading_writes_the_text_that_was_read(
    event_id: int, values: dict[str, FieldValue], data: st.DataObject
) -> None:
    """A name that holds parts of the message is cut elsewhere, but nothing of the text is lost.

    Except for %2 in the place of a number: it stands for a field that was not filled in.
    """
    message, schema, builds = data.draw(st.sampled_from(printed(event_id)))
    build = data.draw(st.sampled_from(builds))
    literals = [part for part in re.split(r"%\d+", message.text) if part] or ["x"]
    hostile = (
        "".join(data.draw(st.lists(st.sampled_from([*literals, "a", "%2", ")"]), max_size=6)))
        .replace("\n", " ")
        .strip()
    )
    text = write_message(message, schema, filled(schema, {**values, "UnicodeString": hostile}), build).strip()
    again = [
        write_message(message, schema, one.fields, build).strip() for one in read_message(text) if one.id == event_id
    ]
    assert text.replace("%2", "") in [one.replace("%2", "") for one in again]


@pytest.mark.parametrize("event_id", IDS)
def test_a_wrapped_text_is_read(event_id: int) -> None:
    """Get-WinEvent | Format-List breaks lines and indents them."""
    for message, schema, builds in printed(event_id):
        text = write_message(message, schema, filled(schema, _EXAMPLE), builds[-1])
        wrapped = text.replace(" ", "\r\n                 ")
        found = [one for one in read_message(wrapped) if one.id == event_id]
        assert found and found[0].fields == next(one for one in read_message(text) if one.id == event_id).fields


_EXAMPLE: dict[str, FieldValue] = {
    "UInt8": 3,
    "UInt16": 7,
    "UInt32": 70,
    "UInt64": 700,
    "Int32": -1,
    "HexInt32": "0xc0000428",
    "Boolean": True,
    "GUID": "{8f9cb695-5d48-48d6-a329-7202b44607e3}",
    "Binary": "00FF",
    "FILETIME": "2024-09-02T18:23:41.0000000Z",
    "UnicodeString": "\\Device\\HarddiskVolume3\\x.sys",
    "AnsiString": "1.2.3.4",
    "Word": 1,
}

_DRIVER = r"\Device\HarddiskVolume3\Windows\System32\drivers\x.sys"
_LOADED = "However, due to code integrity auditing policy, the image was allowed to load."


@pytest.mark.parametrize(
    ("text", "ids", "fields"),
    [
        pytest.param(
            f"Code Integrity determined that a process (System) attempted to load {_DRIVER}\n    that did not meet the "
            "Authenticode signing level requirements or violated code integrity policy\n"
            "    (Policy ID:{8F9CB695-5D48-48D6-A329-7202B44607E3}).",
            {3077},
            {
                "Process Name": "System",
                "File Name": _DRIVER,
                "Requested Signing Level": 4,
                "PolicyGUID": "{8f9cb695-5d48-48d6-a329-7202b44607e3}",
            },
            id="driver-policy-enforced",  # maharmstone/btrfs issue 823
        ),
        pytest.param(
            f"Code Integrity determined that a process (System) attempted to load {_DRIVER} that did not meet the "
            "Authenticode signing level requirements or violated code integrity policy "
            f"(Policy ID:{{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}}). {_LOADED}",
            {3076},
            {
                "Process Name": "System",
                "File Name": _DRIVER,
                "Requested Signing Level": 4,
                "PolicyGUID": "{784c4414-79f4-4c32-a6a5-f0fb42a51d0d}",
            },
            id="driver-policy-evaluation",  # maharmstone/btrfs issue 823
        ),
        pytest.param(
            "Code Integrity will disable WHQL driver enforcement for this boot session. Settings 0x80000000.",
            {3085},
            {"Settings": "0x80000000"},
            id="one-space-where-the-table-has-two",  # nefarius/ScpToolkit issue 266
        ),
        pytest.param(
            "Code Integrity will enable WHQL driver enforcement for this boot session. Settings %1. Exemption %2.",
            {3084},
            {"Settings": None, "Exemption": None},
            id="fields-not-filled-in",  # MicrosoftDocs/IntuneDocs issue 3145
        ),
        pytest.param(
            "Refreshed and activated Code Integrity policy {0f78c0e5-cb41-47b7-96f7-fedf43fafcb3} AaronLocker \n"
            "    AppLocker enhancement. id AaronLocker WDAC policy. Status \n    0x0",
            {3099},
            {
                "PolicyGUID": "{0f78c0e5-cb41-47b7-96f7-fedf43fafcb3}",
                "PolicyNameBuffer": "AaronLocker AppLocker enhancement",
                "PolicyIdBuffer": "AaronLocker WDAC policy",
                "Status": "0x0",
            },
            id="policy-activated",  # AaronMargosis/AaronLockerV2
        ),
        pytest.param(
            f"Code Integrity determined that a process (System) attempted to load {_DRIVER} with signing level "
            "Unsigned while the system requires signing level Microsoft (Protected Process) or better to load.",
            {3033},
            {
                "ProcessNameBuffer": "System",
                "FileNameBuffer": _DRIVER,
                "ValidatedPolicy": 1,
                "RequestedPolicy": "Microsoft (Protected Process)",
            },
            id="windows-8-level-without-a-known-number",
        ),
    ],
)
def test_reports_from_the_field(text: str, ids: set[int], fields: dict[str, FieldValue]) -> None:
    found = read_message(text)
    assert {one.id for one in found} == ids
    assert [dict(one.fields) for one in found] == [fields]


@pytest.mark.parametrize(
    ("text", "ids", "fields"),
    [
        (
            f"Windows is unable to verify the image integrity of the file {_DRIVER} because file hash ...",
            {3004},
            {"FileNameBuffer": _DRIVER},
        ),
        ("Windows is unable to verify the image integ\N{HORIZONTAL ELLIPSIS}", {3004}, {}),
        ("Windows is unable to verify the integrity of the file \\Device\\Hard...", {3023, 3036}, {}),
        (
            "Code Integrity determined kernel module x.sys that did not meet the WHQL requirements is loaded into the "
            "system. Check with...",
            {3083},
            {"FileNameBuffer": "x.sys"},
        ),
        ("Code Integrity completed validating file hash. Status 0xc00...", {3016}, {}),
        ("Windows is...", set(), {}),
        ("Windows is unable to do anything at all with this...", set(), {}),
    ],
    ids=["in-a-literal", "in-the-first-literal", "in-a-field", "in-the-last-literal", "last-field", "short", "other"],
)
def test_a_text_that_was_cut_off_is_read(text: str, ids: set[int], fields: dict[str, FieldValue]) -> None:
    """Format-Table ends long messages with an ellipsis (maharmstone/btrfs issue 823)."""
    found = read_message(text)
    assert {one.id for one in found} == ids
    assert all(dict(one.fields) == fields for one in found)


def test_one_text_of_several_events_gives_them_all() -> None:
    text = f"Code Integrity determined that a process (a) attempted to load b that did not meet the Store signing level requirements or violated code integrity policy. {_LOADED}"  # noqa: E501
    assert {one.id for one in read_message(text)} == {3034, 3066, 3067, 3076, 3078, 3080, 3112}


def test_the_policy_type_is_read_as_a_whole() -> None:
    text = "No change in active Code Integrity policy Driver update revoke Code Integrity policy My policy after refresh. id 7. Status 0x0"  # noqa: E501
    (found,) = read_message(text)
    assert (found.fields["TypeOfPolicy"], found.fields["PolicyNameBuffer"]) == (12, "My policy")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Code Integrity",
        "x" * (MAX_MESSAGE + 1),
        "Code Integrity determined that a process (" + ") attempted to load " * 3000,
        "Code Integrity determined that a process (a) attempted to load " + " that did not meet the" * 2500,
        "Refreshed and activated Code Integrity policy " + " . id" * 12000,
    ],
    ids=lambda text: f"{len(text)}-{text[-12:].strip()}",
)
def test_other_text_is_not_read(text: str) -> None:
    assert read_message(text) == ()


def test_the_texts_of_each_message_table() -> None:
    """Sentences that older tables of ours lacked; the builds are those of ci.dll's message tables."""
    assert _text(3076, 26100).endswith(f"(Policy ID:%33). {_LOADED}")
    assert _text(3082, 17134).endswith(_LOADED)
    assert _text(3010, 10240) == "Code Integrity was unable to load the %2 catalog."
    assert _text(3010, 14393) == "Code Integrity was unable to load the %2 catalog. Status %3."
    assert _text(3089, 17763) == "Signature information for another event. Match using the Correlation Id."
    assert _text(3111, 19041).endswith("hypervisor enforcement. Failure bitmap %4. Status %3.")
    whql = "Check with the publisher to see if a WHQL compliant kernel module is available."
    assert all(_text(3083, build).endswith(whql) for build in (14393, 15063, 16299, 26100))
    assert "the kernel module %2 is" in _text(3072, 18362) and "the kernel module %2 is" in _text(3073, 18362)
    assert "the module %2 is" in _text(3072, 19041) and "the module %2 is" in _text(3073, 19041)


def _text(event_id: int, build: int) -> str:
    schema = newest_schema(event_id, build)
    assert schema is not None
    message = message_of(event_id, schema.version, build)
    assert message is not None
    return message.text


@pytest.mark.parametrize(
    ("event_id", "first"), [(3001, 6000), (3021, 7600), (3033, 9200), (3076, 10240), (3083, 14393), (3112, 26100)]
)
def test_an_event_begins_with_its_release(event_id: int, first: int) -> None:
    assert newest_schema(event_id, first) is not None
    assert newest_schema(event_id, first - 1) is None


def test_fields_are_named_as_in_the_manifest() -> None:
    schema = newest_schema(3077, 26100)
    assert schema is not None
    names = [field.name for field in schema.fields]
    assert names[:7] == [
        "FileNameLength",
        "File Name",
        "ProcessNameLength",
        "Process Name",
        "Requested Signing Level",
        "Validated Signing Level",
        "Status",
    ]
    assert {"SHA256 Hash", "SHA256 Flat Hash Size", "SI Signing Scenario", "PolicyNameLength"} < set(names)
    assert names[32] == "PolicyGUID"  # %33 of its message


def test_versions_with_one_number_differ_between_builds() -> None:
    """Version 4 of 3077 has the flat hashes on 1809 and the policy's GUID since 1903."""
    old, new = (
        [one for one in schemas() if (one.id, one.version) == (3077, 4) and build in one.builds]
        for build in (17763, 18362)
    )
    assert "SHA256 Flat Hash" in {field.name for field in old[0].fields}
    assert "SHA256 Flat Hash" not in {field.name for field in new[0].fields}
    assert newest_schema(3077, 18362) == next(one for one in schemas() if (one.id, one.version) == (3077, 5))


def test_words_differ_between_builds() -> None:
    assert words_of("SigningLevels", 9600)[2] == "Custom 0"
    assert words_of("SigningLevels", 26100)[2] == "Enterprise"
    assert words_of("SigningLevels", 18362)[9] == "Custom 4"
    assert words_of("SigningLevels", 19041)[9] == "Store or Enterprise (Custom 4)"


def test_rows_of_one_version_do_not_overlap() -> None:
    for table in (messages(), schemas()):
        for one in table:
            same = [other for other in table if (other.id, other.version) == (one.id, one.version) and other != one]
            assert all(one.builds.shared_with(other.builds) is None for other in same), one


def test_every_row_names_a_known_source() -> None:
    package = "signer.codeintegrity.data"
    known = [row["source"] for row in rows("event_sources.tsv", package)]
    for table in ("event_fields.tsv", "event_messages.tsv", "event_values.tsv"):
        for row in rows(table, package):
            assert row["source"].startswith(tuple(known)), row


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (Builds(1, None), Builds(5, 9), Builds(5, 9)),
        (Builds(1, 5), Builds(5, None), Builds(5, 5)),
        (Builds(1, 4), Builds(5, None), None),
        (Builds(1, None), Builds(5, None), Builds(5, None)),
    ],
)
def test_builds_in_both_ranges(one: Builds, other: Builds, shared: Builds | None) -> None:
    assert one.shared_with(other) == other.shared_with(one) == shared
