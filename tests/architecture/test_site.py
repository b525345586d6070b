"""The site: every page is in its navigation, and it builds with every link leading somewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import catalogs
import signer
import testcerts
from tests.support.api_signatures import data_classes, has_signature
from tests.support.files import ROOT

CONFIGURATION: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader=yaml.BaseLoader)
MADE = {"index.md", "api-reference.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
"""Pages that are not in docs/: tests/support/site.py adds them."""


def pages(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    else:
        for one in part.values() if isinstance(part, dict) else part:
            yield from pages(one)


def test_the_navigation_has_every_page_once() -> None:
    listed = list(pages(CONFIGURATION["nav"]))
    assert sorted(listed) == sorted([*MADE, *(path.name for path in (ROOT / "docs").glob("*.md"))])
    parts = [name for one in CONFIGURATION["nav"] if isinstance(one, dict) for name in one]
    assert parts == ["Tutorial", "How-to", "Reference", "Explanation"]


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Links between pages, to headings and to files are checked; the reference has every public name."""
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    reference = (tmp_path / "api-reference.html").read_text("utf-8")
    names = [f"{package.__name__}.{name}" for package in (signer, catalogs, testcerts) for name in package.__all__]
    assert [name for name in names if f'id="{name}"' not in reference] == []


def test_a_signature_has_each_parameter_below_the_heading() -> None:
    heading = '<h3 id="signer.Stamp">Stamp</h3>'
    shown = "<pre><span>Stamp</span>(\n    date: date,\n    section: str = X,\n)</pre>"
    assert has_signature(heading + shown, "signer.Stamp", ["date", "section"])
    assert has_signature(heading + "<pre>Stamp(date: date, section: str)</pre>", "signer.Stamp", ["date", "section"])
    assert not has_signature(heading + shown, "signer.Stamp", ["date", "version"])
    assert not has_signature(heading + "<pre>other(date: date)</pre>", "signer.Stamp", ["date"])
    assert not has_signature(shown, "signer.Other", ["date"])


def test_the_data_classes_of_the_api_are_known() -> None:
    """An empty list would let the site lose every signature."""
    assert dict(data_classes())["signer.Target"] == ["release", "architecture", "s_mode"]
