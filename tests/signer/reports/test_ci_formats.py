"""JUnit XML, GitHub's annotations, GitLab's Code Quality and Markdown: what each service reads."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

import pytest

from signer.reports.escape import printable
from signer.reports.markdown import MAX_ROWS
from signer.reports.model import Finding, Report, Subject
from signer.reports.renderers import RENDERERS
from tests.support.reports import (
    HOSTILE,
    hostile,
    huge,
    linted,
    rejected,
    rendered,
    report,
    require_code_quality,
    require_commands,
    require_junit,
)

SAMPLE = report(rejected(), linted())


def test_each_target_is_a_test_case_by_its_verdict() -> None:
    suite = next(iter(require_junit(rendered("junit", SAMPLE))))
    assert suite.attrib == {"name": "driver/hello.sys", "tests": "5", "failures": "1", "errors": "1", "skipped": "1"}
    found = [(case.get("name"), [child.tag for child in case]) for case in suite]
    assert found == [
        ("win7-x64", ["failure"]),
        ("win10-1507-x64", []),
        ("win10-1511-x64", []),
        ("win11-25h2-x64", ["error"]),
        ("server2025-x64", ["skipped"]),
    ]
    failure = suite[0][0]
    assert (failure.get("message"), failure.get("type")) == ("'hello.sys' is not signed", "unsigned")
    text = "driver/hello.sys: error: unsigned: 'hello.sys' is not signed\n  Sign it.\nWindows says: 0xC0000428"
    assert failure.text == text


def test_without_targets_each_problem_is_a_case_and_a_warning_passes() -> None:
    path = PurePosixPath("x.inf")
    errors = tuple(Finding("unsigned", "error", f"problem {n}", path, n) for n in (1, 2))
    root = require_junit(rendered("junit", report(linted(), Subject("x.inf", "inf", "rejected", errors))))
    warned, broken = root
    assert [[child.tag for child in case] for case in warned] == [["system-out"]]
    assert warned[0][0].text == "driver/hello.inf:7: warning: 1324: PnpLockdown is missing\n  Add PnpLockdown = 1."
    assert [case.get("name") for case in broken] == ["unsigned: problem 1", "unsigned: problem 2"]
    assert broken.get("failures") == "2"


@pytest.mark.parametrize(
    ("result", "tags"), [("accepted", []), ("rejected", ["failure"]), ("failed", ["error"]), ("unknown", ["error"])]
)
def test_a_subject_without_problems_is_one_case(result: str, tags: list[str]) -> None:
    ((case,),) = require_junit(rendered("junit", report(Subject("x", "inf", result))))
    assert [child.tag for child in case] == tags


def test_annotations_have_file_line_and_title_and_errors_come_first() -> None:
    first, second = require_commands(rendered("github", report(linted(), rejected())))
    assert first == (
        "error",
        {"title": "drvsign verify: unsigned", "file": "driver/hello.sys"},
        "'hello.sys' is not signed (win7-x64)\nSign it.",
    )
    assert second[0] == "warning"
    assert second[1] == {"title": "drvsign verify: 1324", "file": "driver/hello.inf", "line": "7"}


def test_a_hostile_name_begins_no_command_and_no_property() -> None:
    text = rendered("github", hostile())
    (one,) = require_commands(text)
    assert one[1]["title"] == f"drvsign verify: {printable('x' + HOSTILE)}"
    assert one[2] == f"{printable(HOSTILE)}\n{printable(HOSTILE)}"
    assert re.findall(r"^::", text, re.MULTILINE) == ["::"]


def test_code_quality_has_path_line_severity_and_fingerprint() -> None:
    unsigned, lockdown = require_code_quality(rendered("gitlab", SAMPLE))
    assert unsigned["location"] == {"path": "driver/hello.sys", "lines": {"begin": 1}}
    assert unsigned["severity"] == "major"
    assert lockdown == {
        "description": "PnpLockdown is missing. Add PnpLockdown = 1.",
        "check_name": "1324",
        "fingerprint": list(SAMPLE.identified())[1][1],
        "severity": "minor",
        "location": {"path": "driver/hello.inf", "lines": {"begin": 7}},
    }


def test_markdown_has_the_verdicts_the_targets_and_the_problems() -> None:
    text = rendered("markdown", SAMPLE)
    assert text.startswith("## drvsign verify\n\n1 accepted, 1 rejected; 1 error, 1 warning.\n")
    assert "| ❌ rejected | driver/hello.sys | 1 | 0 |\n| ✅ accepted | driver/hello.inf | 0 | 1 |\n" in text
    assert "| win10-1507 … win10-1511 x64 | ✅ accepted | root |  |\n" in text
    assert "- **warning** 1324 in driver/hello.inf:7: PnpLockdown is missing\n  Fix: Add PnpLockdown = 1.\n" in text
    assert "- **error** [unsigned](https://learn.microsoft.com/" in text


def test_markdown_of_hostile_text_has_no_html_and_no_structure_of_its_own() -> None:
    text = rendered("markdown", hostile())
    assert "<" not in text
    assert not [line for line in text.splitlines() if line.startswith("::")]
    rows = [line for line in text.splitlines() if line.startswith("| ❌")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)


def test_markdown_escapes_what_would_be_markup_or_a_formula() -> None:
    name = "$Windows NT$ [x](y) *b* _i_ `c` <a> & | ~"
    text = rendered("markdown", report(Subject(name, "inf", "accepted")))
    money = "<span>$</span>"
    assert f"{money}Windows NT{money} \\[x\\](y) \\*b\\* \\_i\\_ \\`c\\` &lt;a&gt; &amp; \\| \\~" in text


def test_markdown_of_many_problems_is_cut_and_says_so() -> None:
    text = rendered("markdown", huge())
    assert text.count("- **warning**") == MAX_ROWS
    assert text.endswith(f"\n{30_000 - MAX_ROWS} more problems.\n")
    assert len(text.encode()) < 1 << 20


@pytest.mark.parametrize("name", RENDERERS)
def test_every_format_renders_a_report_without_subjects(name: str) -> None:
    assert bool(rendered(name, report(exit_code=0))) is (name != "github")


@pytest.mark.parametrize("name", RENDERERS)
def test_every_format_escapes_hostile_text(name: str) -> None:
    text = rendered(name, hostile())
    text.encode("utf-8")  # no unpaired surrogate
    assert not set(text) & set("\x00\x1b\u202e\u2028\r")


def test_junit_of_hostile_text_is_well_formed_and_complete() -> None:
    suites = list(require_junit(rendered("junit", hostile())))
    assert suites[0].get("name") == printable(HOSTILE).replace("\ufffe", "\ufffd")


@pytest.mark.parametrize("name", ["junit", "github", "gitlab"])
def test_thirty_thousand_problems(name: str) -> None:
    text = rendered(name, huge())
    found = {"junit": "<testcase ", "github": "::warning ", "gitlab": '"fingerprint"'}
    assert text.count(found[name]) == 30_000


def test_the_fingerprints_of_code_quality_are_those_of_sarif() -> None:
    marks = [one["fingerprint"] for one in require_code_quality(rendered("gitlab", SAMPLE))]
    run = json.loads(rendered("sarif", SAMPLE))["runs"][0]
    assert marks == [one["partialFingerprints"]["drvsignFinding/v1"] for one in run["results"]]


def test_a_problem_without_a_file_is_reported_too() -> None:
    one = Report("explain", (Subject("x", "driver", "rejected", (Finding("1324", "error", "no"),)),), SAMPLE.rules, 0)
    assert require_code_quality(rendered("gitlab", one))[0]["location"]["path"] == "."
    assert require_commands(rendered("github", one))[0][1] == {"title": "drvsign explain: 1324"}
    assert require_junit(rendered("junit", one))[0].get("failures") == "1"
