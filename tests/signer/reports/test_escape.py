"""Text from files forges no lines and sends no control sequences: on a terminal, in a pipe, and in a report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from signer.reports.escape import cell_text, cell_texts, printable
from signer.reports.sink import PlainSink
from tests.support.images import PeSpec
from tests.support.program import drvsign

HOSTILE = [
    pytest.param("a\nb", "a\\nb", id="line-feed"),
    pytest.param("a\rb", "a\\rb", id="carriage-return"),
    pytest.param("a\x85b", "a\\x85b", id="next-line"),
    pytest.param("a\u2028b\u2029c", "a\\u2028b\\u2029c", id="line-and-paragraph-separators"),
    pytest.param("a\x1b[2Jb", "a\\x1b[2Jb", id="escape-sequence"),
    pytest.param("a\x9b2Jb", "a\\x9b2Jb", id="c1-control"),
    pytest.param("abc\u202ecod.sys", "abc\\u202ecod.sys", id="bidi-override"),
    pytest.param("a\u2066b\u200f", "a\\u2066b\\u200f", id="bidi-isolate-and-mark"),
    pytest.param("bad\udcff", "bad\\udcff", id="surrogate"),
    pytest.param("::error::a.sys", "\\x3a:error::a.sys", id="workflow-command"),
    pytest.param("\xa0 ::stop-commands::a", "\xa0 \\x3a:stop-commands::a", id="workflow-command-behind-spaces"),
    pytest.param("a ##[error]b", "a \\x23#[error]b", id="old-workflow-command"),
    pytest.param("###[error]b", "#\\x23#[error]b", id="old-workflow-command-behind-a-sign"),
    pytest.param("##VSO[task.complete]", "\\x23#VSO[task.complete]", id="azure-pipelines-command"),
    pytest.param("##teamcity[x]", "\\x23#teamcity[x]", id="teamcity-message"),
    pytest.param("C::D ## [x] fe80::1", "C::D ## [x] fe80::1", id="colons-and-number-signs"),
    pytest.param("Contoso Ltd.", "Contoso Ltd.", id="ascii"),
    pytest.param("Ünïcode 株式会社", "Ünïcode 株式会社", id="letters"),
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_text_is_shown_in_one_line(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert cell_text(text) == shown


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_the_cells_of_a_column_are_shown_as_each_cell(text: str, shown: str) -> None:
    """The cell above ends in a letter: joined to it, a command is no longer at the start of a word."""
    assert cell_texts(["a.sys", text, None, 5]) == ["a.sys", shown, "", "5"]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_escaping_twice_changes_nothing(text: str, shown: str) -> None:
    assert printable(shown) == shown


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids these characters in file names")
def test_a_file_name_gives_no_command_to_a_ci_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("::stop-commands::x.sys", "###[add-path]x.sys", "##vso[task.complete]x.sys", "##teamcity[x]x.sys")
    for name in names:
        Path(name).write_bytes(PeSpec().build())
    for options in ((), ("-v",), ("--json",), ("--report", "github=-"), ("--report", "sarif=-")):
        ran = drvsign("verify", "--target", "win11-24h2-x64", *options, "--", *names)
        assert ran.code == 1, ran.stderr
        text = ran.stdout + ran.stderr
        assert "x.sys" in text
        assert not any(one in text for one in ("##[", "##vso[", "##teamcity["))
        assert "\n::stop-commands" not in f"\n{text}"
    document = json.loads(drvsign("verify", "--json", "--target", "win11-24h2-x64", "--", *names).stdout)
    assert [Path(one["path"]).name for one in document["files"]] == list(names)


def test_a_cell_has_the_lines_of_a_tuple_and_no_others() -> None:
    assert cell_text(("a\nb", "c")) == "a\\nb\nc"
    assert cell_text(None) == ""


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_a_report_is_escaped(text: str, shown: str) -> None:
    written: list[str] = []
    sink = PlainSink(written.append)
    sink.print(text)
    sink.line("accepted", text)
    sink.paragraph("  1  ", text)
    sink.table(["File"], [(text,)], title=text)
    assert "".join(written) == f"{shown}\naccepted {shown}\n  1  {shown}\n{shown}\nFile\n{shown}\n\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids these characters in file names")
@pytest.mark.parametrize("command", [("verify", "--target", "win11-24h2-x64"), ("inspect",), ("digest",)])
def test_a_file_name_forges_no_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "a.sys\naccepted b.sys\u202e\x1b[2J"
    path.write_bytes(PeSpec().build())
    ran = drvsign(*command, path)
    shown = "a.sys\\naccepted b.sys\\u202e\\x1b[2J"
    assert shown in ran.stdout
    assert not any(line.startswith("accepted") for line in ran.stdout.splitlines())
    missing = drvsign(*command, tmp_path / "gone\naccepted b.sys")
    assert "gone\\naccepted b.sys" in missing.stderr
