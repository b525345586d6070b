"""docs/commands.md names every command, and every document that any of them prints."""

from __future__ import annotations

import re

import typer

from signer.cli.app import COMMANDS, app
from signer.cli.exit_codes import ExitCode
from signer.cli.options.verify import DEBUG_PANEL, DISPUTED_PANEL, MACHINE_PANEL
from tests.signer.cli.test_bad_input import subcommands
from tests.support.files import ROOT

PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_every_command_is_on_the_page():
    table = PAGE.partition("## Inputs and outputs")[0]
    for path in subcommands():
        assert re.search(rf"`{path[0]}\b", table), path
        assert path[-1] in table, path
    assert len(COMMANDS) == len(re.findall(r"^\| `", table, re.MULTILINE)) + 2  # three share a row


def test_every_document_is_on_the_page_and_none_besides():
    folders = (ROOT / "signer" / "cli", ROOT / "signer" / "reports")
    sources = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    printed = set(re.findall(r'"(drvsign\.[a-z-]+/\d)"', sources))
    assert printed == set(re.findall(r"`(drvsign\.[a-z-]+/\d)`", PAGE))


def test_every_exit_code_is_on_the_page():
    assert set(ExitCode) == {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}


def test_every_option_about_the_machine_is_on_the_page_and_none_besides():
    parameters = typer.main.get_command(app).get_command(None, "verify").params
    panels = (MACHINE_PANEL, DEBUG_PANEL, DISPUTED_PANEL)
    options = {
        name
        for one in parameters
        if getattr(one, "rich_help_panel", None) in panels
        for name in (*one.opts, *one.secondary_opts)
    }
    section = PAGE.partition("## The machine of a verdict")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(--[a-z0-9-]+)`", row)} == {*options, "--test-machine"}
