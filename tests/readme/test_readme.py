"""The README is true: its session runs as it stands there, and what it names exists."""

from __future__ import annotations

import re

import pytest

from signer.cli.app import COMMANDS
from tests.support.files import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


PAGE_LINES = 70
"""Two screens of a terminal or browser."""


def test_it_fits_two_screens():
    assert len(README.splitlines()) <= PAGE_LINES


def test_it_links_every_page():
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert pages <= set(re.findall(r"\]\(([^)#]+)\)", README))


def test_what_replaces_a_tool_are_commands():
    rows = re.findall(r"^\|[^|]+\| (`drvsign[^|]*) \|$", README, re.MULTILINE)
    assert len(rows) >= 7
    named = [name.removeprefix("drvsign ").split()[0] for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert set(named) <= set(COMMANDS)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_link_leads_somewhere(link):
    assert (ROOT / link).exists()


def test_every_target_of_make_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z]+)\b", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_first_commands_are_those_of_a_new_checkout():
    blocks = re.findall(r"```\n(.*?)```", README, re.DOTALL)
    assert [line.split("#")[0].strip() for line in blocks[0].splitlines()] == ["make demo", "make test"]
    activate, *calls = blocks[1].splitlines()
    assert activate == ". .venv/bin/activate"
    assert [line.split()[:2] for line in calls] == [["drvsign", "package"], ["drvsign", "verify"]]
