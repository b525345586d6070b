"""docs/api.md: every example runs, in order, on the package of examples/."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.files import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PRINTED = re.search(r"It prints:\n\n```\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an unsigned copy of the example package, which is the working folder."""
    shutil.copytree(ROOT / "examples" / "hello", tmp_path / "driver")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_example_is_a_complete_program_of_at_most_12_lines():
    assert len(EXAMPLES[0].strip().splitlines()) <= 12


def test_every_example_runs_in_the_order_of_the_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    printed = []
    for example in EXAMPLES:
        exec(compile(example, "docs/api.md", "exec"), names)  # our own page
        printed.append(capsys.readouterr().out)
    assert PRINTED is not None
    assert printed[0] == PRINTED.group(1)
    signing, removed = next(text for text in printed if "nested" in text).rsplit("\n", 2)[:2]
    assert signing == "0 embedded sha1 True\n1 nested sha256 True"
    assert removed == "1"
    assert any("rejected test-signing\n['test-signing-off']\n0xC0000428 [3004, 3089, 5038]" in text for text in printed)


def test_the_page_shows_every_exported_function() -> None:
    import catalogs
    import signer
    import testcerts

    functions = [name for package in (signer, catalogs, testcerts) for name in package.__all__ if name[0].islower()]
    assert [
        name for name in functions if f"`{name}`" not in PAGE and f"import {name}" not in PAGE and name not in PAGE
    ] == []
