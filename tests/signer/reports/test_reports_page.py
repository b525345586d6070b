"""docs/reports.md: its commands do what it shows, and it has every format."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from signer.cli.options.reports import FORMATS
from tests.support.files import ROOT
from tests.support.program import drvsign
from tests.support.sessions import matches, session

PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="the page shows paths of POSIX")
def test_the_examples_print_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples" / "hello", tmp_path / "driver")
    inf = tmp_path / "driver" / "hello.inf"
    inf.write_bytes(re.sub(rb"PnpLockdown.*\r?\n", b"", inf.read_bytes()))
    monkeypatch.chdir(tmp_path)
    steps = session(PAGE)
    assert len(steps) >= 6
    for command, shown in steps:
        program, *arguments = shlex.split(command)
        ran = drvsign(*arguments)
        assert program == "drvsign"
        assert matches(shown, ran.stdout), f"$ {command}\n{ran.stdout}"


def test_every_format_is_on_the_page() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(FORMATS)
