"""The HTML page of an audit: its head, charts, plain table and embedded data, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from signer.audit.rows import MachineAnswer, Reason, Row
from signer.reports.audit_page import embedded
from signer.reports.audit_page import page as page_module
from signer.reports.audit_page.facets import FACETS, values
from signer.reports.audit_page.markup import link_to
from tests.support.audits import CHANGES, HVCI, POLICY, SAMPLE, UNLESS, hostile_rows, many, page, row
from tests.support.reports import HOSTILE

LOADS = row("fine", Reason("loads"))


def data_of(text: str) -> dict[str, Any]:
    """Return the embedded JSON, as a browser finds it: up to the first end of a script element."""
    found: dict[str, Any] = json.loads(
        text.partition('<script type="application/json" id="data">')[2].partition("</script")[0]
    )
    return found


def test_the_policy_allows_one_script_and_one_style_by_their_hashes() -> None:
    text = page()
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    style_hash, script_hash = (
        f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in (style, script)
    )
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy == (
        f"default-src 'none'; style-src {style_hash}; script-src {script_hash}; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", style + script)


TITLES = {
    "both": (SAMPLE[:4], "3 of 4 drivers stop loading, 1 more unless allowed"),
    "stops": (SAMPLE[:1], "1 of 1 driver stops loading"),
    "unless": ([row("x", UNLESS), LOADS], "1 of 2 drivers stops loading unless the allow list names it"),
    "none": ([LOADS], "The driver does not stop loading"),
    "one that did not load": (
        [row("x", Reason("already-refused")), row("y", Reason("not-a-driver"))],
        "No driver stops loading: the driver did not load before",
    ),
    "two that did not load": (
        [row(name, Reason("already-refused")) for name in "xy"],
        "No driver stops loading: 2 drivers did not load before",
    ),
    "some without an answer": (
        [LOADS, row("x", Reason("unknown")), row("y", Reason("needs-file"))],
        "None of 3 drivers stops loading, 2 without an answer",
    ),
    "one that can't be read": ([row("x", Reason("needs-file"))], "No answer: 1 driver needs a readable file"),
    "all can't be read": (
        [row(name, Reason("needs-file")) for name in "xy"],
        "No answer: 2 drivers need a readable file",
    ),
    "a library": ([row("x", Reason("not-a-driver"))], "No driver was found"),
    "nothing": ([], "No driver was found"),
}


@pytest.mark.parametrize("name", TITLES)
def test_the_title_says_how_many_stop(name: str) -> None:
    rows, words = TITLES[name]
    text = page(rows)
    assert f"<title>drvsign audit: {words}</title>" in text
    assert re.sub(r"</?strong[^>]*>", "", re.findall(r"<h1>(.*?)</h1>", text)[0]) == words


def test_the_head_says_when_whose_and_what_to_do() -> None:
    text = page(target="win11-25h2-x64")
    cards = re.sub(r"<[^>]+>", "|", re.findall(r'<div class="cards">.*?</div>', text, re.DOTALL)[0])
    cards = re.sub(r"\|[| ]*", "|", cards)
    assert "When|3|Since 14 April 2026: Windows Driver Policy|1|Memory integrity: when it is on|" in cards
    assert "Whose|2|Contoso|2|Fabrikam &amp; Söhne|" in cards
    assert "What to do|2|Submit the driver package to Microsoft&#x27;s Hardware Dev Center.|1|" in cards
    assert "win11-25h2-x64 · checked on 27 November 2026 · 65 packages · 3 machines" in text


def test_a_page_without_stopping_drivers_has_no_cards_and_counts_all_files() -> None:
    text = page([LOADS])
    assert 'class="cards"' not in text
    assert '<h2 id="scope">All files</h2>' in text


def test_charts_count_drivers_that_stop_by_each_facet() -> None:
    text = page()
    chart = re.findall(r'id="chart-publisher">.*?</section>', text, re.DOTALL)[0]
    assert re.findall(r"<bdi>(.*?)</bdi>.*?<b>(.*?)</b>", chart) == [("Contoso", "2"), ("Fabrikam &amp; Söhne", "2")]
    assert re.findall(r'<rect class="([a-z-]+)" x="(\d+)" y="0" width="(\d+)"', chart) == [
        ("stops", "0", "1000"),
        ("stops", "0", "500"),
        ("stops-unless-allowed", "500", "500"),
    ]
    years = re.findall(r'id="chart-year">.*?</section>', text, re.DOTALL)[0]
    assert re.findall(r"<b>(.*?)</b>.*?<bdi>(.*?)</bdi>", years) == [
        ("1", "2013"),
        ("2", "2014"),
        ("", "2015"),
        ("1", "2016"),
    ]
    assert '<section class="chart time" id="chart-month" hidden>' in text


def test_a_chart_has_eight_bars_and_says_how_many_more_there_are() -> None:
    text = page(many(6000))
    chart = re.findall(r'id="chart-publisher">.*?</section>', text, re.DOTALL)[0]
    assert chart.count("<li>") == 8
    assert "and 292 more" in chart


def test_the_plain_table_has_the_rows_that_stop() -> None:
    body = page().partition("<tbody>")[2].partition("</tbody>")[0]
    assert re.findall(r'class="name">(.*?)</bdi>', body) == ["alpha.sys", "beta.sys", "gamma.sys", "delta.sys"]


def test_the_embedded_data_has_every_row_with_what_it_refers_to() -> None:
    data = data_of(page(changes=CHANGES))
    assert data["fields"] == list(embedded.FIELDS)
    assert len(data["rows"]) == len(SAMPLE)
    found = dict(zip(data["fields"], data["rows"][0], strict=True))
    assert (found["file"], found["version"], found["issued"], found["was"]) == (
        "store\\alpha.inf_amd64\\alpha.sys",
        "1.2.3.4",
        "2013-05-01",
        "loads",
    )
    assert found["paths"] == ["copy\\alpha.sys"]
    assert data["texts"][found["publisher"]] == "Contoso"
    machines = data["machines"][found["machines"]]
    assert [(data["texts"][name], data["reasons"][reason]["answer"]) for name, reason in machines] == [
        ("pc-1", "stops"),
        ("pc-2", "stops"),
    ]
    assert [data["packages"][one] for one in found["packages"]] == [
        ["store\\alpha.inf_amd64\\alpha.inf", "Net", ["PCI\\VEN_ALPHA"], 0]
    ]
    assert data["reasons"][found["reason"]]["remedy"].startswith("Submit")
    assert data["reasons"][found["reason"]]["page"].startswith("https://learn.microsoft.com/")
    assert [data["texts"][one] for one in found["change"]] == ["stops now, and did not", "changed"]


def test_a_chart_by_machine_counts_the_answers_of_each_machine() -> None:
    loads = replace(POLICY, answer="loads")
    answers = (MachineAnswer("pc-1", POLICY), MachineAnswer("pc-2", loads))
    text = page([replace(SAMPLE[0], answers=answers)])
    chart = re.findall(r'id="chart-machine">.*?</section>', text, re.DOTALL)[0]
    assert re.findall(r"<bdi>(.*?)</bdi>.*?<b>(.*?)</b>", chart) == [("pc-1", "1")]
    data = data_of(text)
    assert [data["reasons"][reason]["answer"] for _, reason in data["machines"][0]] == ["stops", "loads"]


def test_repeated_values_are_written_once() -> None:
    text = page(many(500)).partition('id="data">')[2]
    assert text.count('"Vendor 7"') == 1
    assert text.count("Hardware Dev Center") == 1


def test_no_text_ends_the_script_element_or_is_markup() -> None:
    rows = hostile_rows()
    text = page(rows)
    data = data_of(text)
    assert len(data["rows"]) == len(rows)
    assert "<img" not in text
    assert text.count("</script>") == 2
    assert "<!--" not in text
    assert "\u202e" not in text and "\x1b" not in text
    assert not [one for one in json.dumps(data, ensure_ascii=False) if one in "\u202e\u2028\ufffe\x00\x1b"]
    assert HOSTILE.partition("<")[2][:6] in data["rows"][0][0]


def test_more_rows_than_the_page_holds_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "MAX_ROWS", 3)
    data = data_of(page())
    assert (len(data["rows"]), data["left"]) == (3, len(SAMPLE) - 3)


def test_many_paths_and_hardware_ids_are_cut_and_counted() -> None:
    one = SAMPLE[0]
    paths = tuple(f"{number}.sys" for number in range(30))
    package = one.packages[0].__class__("a.inf", "Net", tuple(f"ID{number}" for number in range(50)))
    data = data_of(page([Row("0.sys", paths, one.authentihash, one.reason, one.identity, (package,))]))
    found = dict(zip(data["fields"], data["rows"][0], strict=True))
    assert (len(found["paths"]), found["morePaths"]) == (10, 19)
    assert [len(data["packages"][0][2]), data["packages"][0][3]] == [20, 30]


def test_the_plain_table_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "_PLAIN_ROWS", 2)
    text = page()
    assert text.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>") == 2
    assert "only drivers that stop. The first 2 are shown." in text


def test_what_changed_since_the_earlier_audit_is_said() -> None:
    text = page(changes=CHANGES)
    section = re.findall(r'<section id="changes">.*?</section>', text, re.DOTALL)[0]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", section))
    assert (
        "Since the earlier audit 2 stop now and did not 1 changed its answer 1 new 1 gone store\\old.sys was: Loads"
        in words
    )
    assert "No driver changed." in page(changes=())
    assert 'id="changes"' not in page()


EMPTY = dict.fromkeys(FACETS, ())
VALUES: dict[str, tuple[Row, dict[str, Sequence[str]]]] = {
    "stops": (
        SAMPLE[0],
        {
            "when": ("Windows Driver Policy, from 2026-04-14",),
            "publisher": ("Contoso",),
            "device": ("Net",),
            "machine": ("pc-1", "pc-2"),
            "signature": ("cross-signed",),
            "year": ("2013",),
            "month": ("2013-05",),
            "remedy": (SAMPLE[0].reason.remedy,),
        },
    ),
    "memory integrity": (row("x", HVCI), {"when": ("Memory integrity",), "remedy": (HVCI.remedy,)}),
    "unsigned": (
        row("x", Reason("already-refused")),
        {"publisher": ("(not signed)",), "signature": ("(not signed)",)},
    ),
    "unreadable": (row("x", Reason("needs-file")), {}),
}


@pytest.mark.parametrize("name", VALUES)
def test_each_row_has_values_of_facets(name: str) -> None:
    one, expected = VALUES[name]
    unsigned = {"publisher": ("(not signed)",), "signature": ("(not signed)",)} if name == "memory integrity" else {}
    assert values(one) == {**EMPTY, "answer": (one.reason.answer,), **unsigned, **expected}


def test_a_link_is_encoded_as_the_script_encodes_it() -> None:
    assert link_to("publisher", "A & B*~ü/é") == "#publisher=A+%26+B*%7E%C3%BC%2F%C3%A9"
