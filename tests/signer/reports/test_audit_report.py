"""An audit in the formats of the report layer: each is valid, also with hostile names, and has what matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

import pytest

from signer.audit.rows import Row
from signer.reports.audit_report import audit_report
from signer.reports.model import Report
from signer.reports.renderers import render_report
from tests.support.audits import SAMPLE, hostile_rows
from tests.support.reports import rendered, require_code_quality, require_commands, require_junit, require_sarif

ROWS: dict[str, Sequence[Row]] = {"sample": SAMPLE, "hostile": hostile_rows(), "empty": ()}
PROBLEMS = 6
"""The drivers of SAMPLE that stop, are undecided or can't be read."""


def report(name: str) -> Report:
    return audit_report(ROWS[name], 1)


@pytest.mark.parametrize("name", ROWS)
def test_sarif_fits_its_schema_and_has_each_problem_with_its_rule(name: str) -> None:
    run = require_sarif(rendered("sarif", report(name)))
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    if name == "sample":
        assert [one["level"] for one in run["results"]] == ["error"] * 4 + ["warning"] * 2
        texts = [one["message"]["text"] for one in run["results"]]
        assert texts[0] == (
            "alpha.sys stops loading: Windows Driver Policy, from 2026-04-14 on (2 machines)\n"
            "Submit the driver package to Microsoft's Hardware Dev Center."
        )
        assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        (rule,) = [one for one in run["tool"]["driver"]["rules"] if one["id"] == "driver-policy"]
        assert rule["shortDescription"]["text"].startswith("The Windows Driver Policy of 2026 blocks")
        assert rule["helpUri"].startswith("https://learn.microsoft.com/")


@pytest.mark.parametrize("name", ROWS)
def test_junit_is_valid_and_counts_what_stops_as_failures(name: str) -> None:
    root = require_junit(rendered("junit", report(name)))
    if name == "sample":
        assert int(root.get("tests", "")) == len(SAMPLE)
        assert int(root.get("failures", "")) + int(root.get("errors", "")) >= 4


@pytest.mark.parametrize("name", ROWS)
def test_github_has_an_annotation_for_each_problem(name: str) -> None:
    found = require_commands(rendered("github", report(name)))
    if name == "sample":
        assert [level for level, _, _ in found] == ["error"] * 4 + ["warning"] * 2


@pytest.mark.parametrize("name", ROWS)
def test_gitlab_has_an_entry_for_each_problem(name: str) -> None:
    found = require_code_quality(rendered("gitlab", report(name)))
    assert len(found) == {"sample": PROBLEMS, "hostile": 2, "empty": 0}[name]


FORMATS = ("sarif", "junit", "github", "gitlab", "markdown")


class Remedy(str):
    """A text whose end is noticed."""


class Repeated:
    """Rows that are made anew each time: a third stops, a third did not load before, each at another path."""

    def __init__(self, count: int) -> None:
        self.count, self.most = count, 0
        """The largest number of rows or findings that were kept at a time."""

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Row]:
        kept: WeakValueDictionary[int, Remedy] = WeakValueDictionary()
        for number in range(self.count):
            row = SAMPLE[number % 3 * 4]
            remedy = kept[number] = Remedy(f"Remedy {number}")
            yield replace(row, file=f"store/{number}/alpha.sys", reason=replace(row.reason, remedy=remedy))
            del row, remedy
            self.most = max(self.most, len(kept))


@pytest.mark.parametrize("name", FORMATS)
def test_no_more_rows_are_kept_in_memory_than_are_written(name: str) -> None:
    rows = Repeated(300)
    text = "".join(render_report(name, audit_report(rows, 1)))
    assert "Remedy 297" in text
    assert rows.most < 10


@pytest.mark.parametrize("name", ROWS)
def test_markdown_has_each_driver_that_stops(name: str) -> None:
    text = rendered("markdown", report(name))
    assert "<img" not in text and "<script" not in text
    if name == "sample":
        assert all(f"{one}.sys" in text for one in ("alpha", "beta", "gamma", "delta"))
