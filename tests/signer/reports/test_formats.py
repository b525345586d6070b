"""The table of report formats, and what every renderer in it has to do."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from catalogs.verification.assessment import Assessment
from signer.codeintegrity.consequences import consequences
from signer.errors import FileError, UsageError
from signer.policy.judge import judge_all
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.reports.formats import FORMATS, ReportOptions, render, report_format, serialize
from signer.reports.sink import PlainSink
from tests.support.policy_builder import cross_signed, day, driver

TARGETS = [Target.parse(name) for name in ("win7-x64", "win11-25h2-x64")]


def assessed(path: str = "sample.sys") -> Assessment:
    sample = driver(cross_signed("2016-05-02"))
    verdicts = judge_all("kernel", sample.evidence, sample.paths, TARGETS, MachineState(at=day("2026-11-24")))
    pairs = zip(verdicts, TARGETS, strict=True)
    found = tuple(consequences("kernel", verdict, sample.evidence, target) for verdict, target in pairs)
    return Assessment(Path(path), "image", sample.evidence, sample.paths, found)


FAILED = Assessment(Path("gone.sys"), "image", error=FileError("file or folder not found", path="gone.sys"))


def rendered(name: str, *assessments: Assessment, options: ReportOptions | None = None) -> str:
    written: list[str] = []
    render(name, assessments, PlainSink(written.append), options)
    return "".join(written)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_each_file_and_nothing_for_none(name: str) -> None:
    text = rendered(name, assessed("one.sys"), assessed("two.sys"), FAILED)
    assert text.count("one.sys") >= 1
    assert text.count("two.sys") >= 1
    assert ".sys" not in rendered(name)


@pytest.mark.parametrize("name", FORMATS)
def test_what_another_process_serializes_is_written_the_same(name: str) -> None:
    renderer = report_format(name).create(ReportOptions())
    one = serialize([renderer], assessed())
    assert pickle.loads(pickle.dumps(one)) == one


def test_json_is_one_document_with_the_outcome_over_all_files() -> None:
    document = json.loads(rendered("json", assessed(), FAILED))
    assert document["schema"] == "drvsign.verdict/1"
    assert (document["accepted"], document["decided"]) == (False, False)
    assert [entry["path"] for entry in document["files"]] == ["sample.sys", "gone.sys"]
    assert [finding["code"] for finding in document["files"][1]["findings"]] == ["file"]


def test_indentation_changes_nothing_else() -> None:
    indented = rendered("json", assessed(), assessed(), options=ReportOptions(indent=2))
    assert indented == json.dumps(json.loads(rendered("json", assessed(), assessed())), indent=2) + "\n"


def test_event_lines_name_the_file_and_the_target() -> None:
    lines = [json.loads(line) for line in rendered("events", assessed(), FAILED).splitlines()]
    assert lines
    assert {line["path"] for line in lines} == {"sample.sys"}
    assert {line["data"]["target"] for line in lines} <= {target.name for target in TARGETS}


def test_text_explains_each_verdict_and_a_matrix_is_a_table() -> None:
    explained = rendered("text", assessed())
    assert "on win7-x64" in explained
    assert "Releases" not in explained
    table = rendered("text", assessed(), options=ReportOptions(matrix=True))
    header, *rows = table.splitlines()[1:4]
    assert header.split()[:3] == ["Releases", "Verdict", "Rule"]
    assert [row.split()[0] for row in rows] == ["win7-x64", "win11-25h2-x64"]


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="unknown report format 'yaml'"):
        report_format("yaml")
