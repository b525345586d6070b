"""The reports of `drvsign audit`: the page, and the formats of the report layer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import drvsign


@pytest.fixture
def store(work: Path) -> Path:
    """A folder with an unsigned driver in a package, and a damaged file."""
    folder = work / "store"
    (folder / "hello").mkdir(parents=True)
    (folder / "hello" / "hello.inf").write_text(HELLO)
    (folder / "hello" / "hello.sys").write_bytes(PeSpec().build())
    (folder / "broken.sys").write_bytes(b"MZ" + bytes(200))
    return folder


def test_the_html_report_is_the_page_with_the_table(store: Path, work: Path) -> None:
    assert drvsign("audit", "store", "--report", "html=audit.html", "--report", "sarif=audit.sarif").code == 0
    page = (work / "audit.html").read_text("utf-8")
    assert "<title>drvsign audit: None of 2 drivers stops loading, 1 without an answer</title>" in page
    assert page.count("hello.inf") == 1
    assert json.loads((work / "audit.sarif").read_text())["runs"]
    assert drvsign("audit", "store", "--format", "html").stdout.startswith("<!DOCTYPE html>")
