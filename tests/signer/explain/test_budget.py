"""The work that a log may take: its lines and statements are counted, and real logs never reach the limit."""

from __future__ import annotations

import json

import pytest

from signer.codeintegrity.message_matching import matchers, unspaced_matchers, unwrapped_matchers
from signer.explain import budget
from signer.explain.budget import CHARACTERS_PER_UNIT, LEFT_OUT, STATEMENT, Budget
from signer.explain.causes import causes, matches
from signer.explain.explain import Explanation, Input, explain
from signer.explain.machine import Machine
from signer.explain.readers import event_xml
from signer.explain.readers import evtx as evtx_reader
from signer.explain.symptoms import Symptoms
from signer.limits import LIMITS
from tests.signer.explain.test_cases import CASES
from tests.signer.explain.test_readers import MESSAGE, PATH, xml
from tests.support.evtx_files import evtx

EVENT = xml(3004, FileNameBuffer=PATH)
JSON_EVENT = json.dumps({"Id": 3004, "ProviderName": "Microsoft-Windows-CodeIntegrity", "Message": MESSAGE})


def run(text: str) -> Explanation:
    return explain([Input("a log", [text.encode()])])


def test_a_small_log_has_the_fixed_budget_and_a_large_one_its_share() -> None:
    one = Budget()
    one.add(LIMITS["log-work"] * CHARACTERS_PER_UNIT)
    assert one.left == LIMITS["log-work"]
    one.add(CHARACTERS_PER_UNIT)
    assert one.left == LIMITS["log-work"] + 1
    one.spend(LIMITS["log-work"])
    one.spend()
    assert one.left == 1 - STATEMENT


@pytest.mark.parametrize(("lines", "files"), [(9, 1), (10, 0)])
def test_lines_within_the_budget_are_read_and_others_counted(
    lines: int, files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "log-work", 10)
    monkeypatch.setattr(budget, "CHARACTERS_PER_UNIT", 1 << 20)
    explanation = run("\n" * lines + EVENT.replace("\n", "") + "\n")
    assert len(explanation.answers) == files
    assert (LEFT_OUT in explanation.damages) is (files == 0)


@pytest.mark.parametrize("work", [STATEMENT * 3, STATEMENT * 3 + 1])
def test_statements_within_the_budget_are_read_and_others_counted(work: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "log-work", work)
    monkeypatch.setattr(budget, "CHARACTERS_PER_UNIT", 1 << 20)
    explanation = run(f"[{','.join([JSON_EVENT] * 4)}]")
    assert explanation.forms == {"events as JSON": 3 if work == STATEMENT * 3 else 4}
    assert explanation.damages == ({LEFT_OUT: 1} if work == STATEMENT * 3 else {})


def test_each_log_has_a_budget_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "log-work", STATEMENT)
    logs = [Input(name, [f"[{JSON_EVENT}]".encode()]) for name in "ab"]
    assert explain(logs).forms == {"events as JSON": 2}


@pytest.mark.parametrize(
    "text", [EVENT, MESSAGE, *(case["text"] for case in CASES)], ids=lambda text: text.strip()[:30]
)
def test_a_log_that_was_collected_is_read_completely(text: str) -> None:
    assert LEFT_OUT not in run(text).damages


def test_an_event_in_xml_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_xml, "MAX_EVENT", EVENT.index("</Event>") + 1)
    assert len(run(EVENT).answers) == 1
    monkeypatch.setattr(event_xml, "MAX_EVENT", EVENT.index("</Event>"))
    assert run(EVENT).damages == {"an event in XML is too large": 1}


def test_the_lines_of_an_event_in_xml_are_taken_only_up_to_its_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_xml, "MAX_EVENT", 1000)
    explanation = run("<Event >\n" + "x" * 90 + "\n" + ("y" * 90 + "\n") * 20 + EVENT.replace("\n", "") + "\n")
    assert explanation.damages == {"an event in XML has no end": 1}
    assert len(explanation.answers) == 1


@pytest.mark.parametrize(
    "table", [matchers(), unwrapped_matchers(), unspaced_matchers()], ids=["whole", "joined", "close"]
)
def test_the_matchers_that_begin_a_text_are_found_by_search(table: object) -> None:
    assert hasattr(table, "all") and hasattr(table, "beginning")
    for matcher in table.all:
        for text in (matcher.literals[0], matcher.literals[0] + "\uffff", matcher.literals[0][:-1]):
            expected = [one for one in table.all if text.startswith(one.literals[0])]
            assert list(table.beginning(text)) == expected


def test_the_signs_that_symptoms_can_show_are_found_by_an_index() -> None:
    """A file with one symptom of each kind has the causes that a search through all signs finds."""
    for cause in causes():
        for sign in cause.signs:
            symptoms = Symptoms("x.sys")
            symptoms.events = dict.fromkeys(sign.conditions.get("events", [])[:1], 1)
            codes = [sign.conditions.get(name, [])[:1] for name in ("codes", "with_codes")]
            symptoms.codes = {code: 1 for one in codes for code in one}
            symptoms.signs, symptoms.policies = (set(sign.conditions.get(one, [])[:1]) for one in ("signs", "policies"))
            symptoms.user_mode = bool(sign.conditions.get("user_mode"))
            if not sign.conditions.keys() & {"errors", "unsigned", "releases", "phase", "whql_enforced", "s_mode"}:
                assert cause.key in [match.cause.key for match in matches(symptoms, Machine())]


@pytest.mark.parametrize(
    "line",
    [
        "\t" * 1_000_000,
        "     OS Version = " + "0" * 1_000_000,
        "!!!  sig: (code" + " " * 1_000_000 + "x",
        "!!!  sig: FilePath: a" + " " * 1_000_000 + "x",
        "INF:" + "/" * 1_000_000,
        "Instance ID: a" + " " * 1_000_000 + "x",
        "memory integrity" + " " * 1_000_000 + "x",
        "EventID: 3004\n+" + " " * 1_000_000 + "!",
        "[SC] a b 11" + " " * 1_000_000 + "x",
    ],
    ids=lambda line: line.strip()[:20] or "tabs",
)
def test_a_line_is_read_in_linear_time(line: str) -> None:
    """Each of them took hours: a pattern tried every way to divide a run of spaces, digits or slashes."""
    assert run(f"{line}\n{EVENT}").answers


def test_an_event_in_evtx_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elements that share one long name make 80 MB of XML from a chunk of 64 KB."""
    pytest.importorskip("evtx")
    log = evtx([EVENT])
    assert len(explain([Input("a log", [log])]).answers) == 1
    monkeypatch.setattr(evtx_reader, "MAX_EVENT", 100)
    explanation = explain([Input("a log", [log])])
    assert (explanation.answers, explanation.damages) == ((), {"an event of the log is too large": 1})


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_the_chunks_of_a_log_in_evtx_that_the_budget_allows_are_read(
    chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("evtx")
    log = evtx([EVENT])
    monkeypatch.setitem(LIMITS, "log-work", 2 * STATEMENT)
    monkeypatch.setattr(budget, "CHARACTERS_PER_UNIT", 1 << 30)
    explanation = explain([Input("a log", [log[:4096], log[4096:] * chunks])])
    assert explanation.forms["events in .evtx"] == min(chunks, 2)
    assert explanation.damages == ({LEFT_OUT: 1} if chunks == 3 else {})
