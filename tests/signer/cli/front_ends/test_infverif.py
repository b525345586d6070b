"""`infverif`: the lines that build systems read, the switches and the exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.front_ends import tool
from tests.support.inf_files import BASE

BAD = BASE.replace("PnpLockdown = 1\n", "").replace("%Device% =", "%Missing% =")


@pytest.fixture
def inf(work: Path) -> Path:
    path = work / "sample.inf"
    path.write_text(BASE, newline="\r\n")
    return path


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the output without the time that the call took."""
    return re.sub(r"in \d+ m \d+ s \d+ ms", "in TIME", capsys.readouterr().out)


def test_a_valid_inf(inf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines of a report about InfVerif of WDK 10.0.22621 (Windows-rust-driver-samples, issue 2)."""
    assert tool("infverif", "/v", "/w", inf) == 0
    lines = ["Running in Verbose", "Running Windows Driver INF check", "", "Validating sample.inf", "INF is VALID", ""]
    assert printed(capsys).splitlines() == [*lines, "Checked 1 INF(s) in TIME"]


def test_a_problem_has_its_code_file_and_line(inf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The form of a report about InfVerif (windows-driver-docs, issue 988)."""
    inf.write_text(BAD, newline="\r\n")
    assert tool("InfVerif.exe", "-k", inf) == 1
    lines = printed(capsys).splitlines()
    number = BAD.splitlines().index("%Missing% = Sample,ROOT\\Sample,ROOT\\SampleCompatible") + 1
    assert any(line.startswith(f"ERROR(1235) in {inf}, line {number}: ") for line in lines)
    assert any(line.startswith(f"WARNING(1324) in {inf}, line 1: ") for line in lines)
    assert "INF is NOT VALID" in lines


def test_several_infs_and_a_missing_one(inf: Path, work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("infverif", "/w", work / "*.inf", work / "none.inf") == 1
    text = printed(capsys)
    assert f"ERROR(1000) in {work / 'none.inf'}: " in text
    assert "Checked 2 INF(s)" in text


CONTENTS = {"no bytes": b"", "NUL characters": b"\0\1\2" * 100, "an image": b"MZ\x90\0", "no section": b"text\r\n"}


@pytest.mark.parametrize("data", CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_is_no_inf_is_not_valid(inf: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    inf.write_bytes(data)
    assert tool("infverif", "/w", "/info", "/l", inf.parent / "html", inf) == 1
    out = printed(capsys)
    assert re.search(r"^ERROR\(\d{4}\) in ", out, re.MULTILINE)
    assert "INF is NOT VALID" in out


SAMPLE = "78a1c341-4539-11d3-b88d-00c04fad5171"
ALLOWED = {
    "Microsoft as provider": ('Vendor = "Sample Vendor"', 'Vendor = "Microsoft"', "/msft", "1204"),
    "a template": ("NTamd64", "NT$ARCH$", "/stampinf", "1274"),
}


@pytest.mark.parametrize(("old", "new", "switch", "code"), ALLOWED.values(), ids=ALLOWED)
def test_a_switch_allows(
    inf: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, switch: str, code: str
) -> None:
    inf.write_text(BASE.replace(old, new), newline="\r\n")
    tool("infverif", "/w", inf)
    assert f"({code})" in printed(capsys)
    tool("infverif", "/w", switch, inf)
    assert f"({code})" not in printed(capsys)


def test_the_class_sample_is_allowed(inf: Path) -> None:
    sample = BASE.replace("Class = System", "Class = Sample").replace("4d36e97d-e325-11ce-bfc1-08002be10318", SAMPLE)
    inf.write_text(sample, newline="\r\n")
    assert tool("infverif", "/w", "/samples", inf) == 0
    assert tool("infverif", "/w", "/msft", inf) == 0


def test_a_rule_newer_than_the_build_is_a_warning(inf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rule 1217 is an error since Windows 11 21H2."""
    inf.write_text(BASE.replace("1.2.3.4", "1.2.3"), newline="\r\n")
    for build, level in (
        ("10.0.17763", "WARNING"),
        ("10.0...17763", "WARNING"),
        ("10.0.26100", "ERROR"),
        ("vnext", "ERROR"),
    ):
        tool("infverif", "/w", "/rulever", build, inf)
        assert f"{level}(1217)" in printed(capsys), build


def test_the_provider(inf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("infverif", "/w", "/provider", "Sample Vendor", inf) == 0
    assert tool("infverif", "/w", "/provider", "Contoso", inf) == 1


def test_a_page_with_the_problems_under_their_lines(inf: Path, work: Path) -> None:
    inf.write_text(BAD + "; <b> \x85 & more\r\n", newline="\r\n", encoding="cp1252", errors="replace")
    tool("infverif", "/k", "/l", work / "out" / "html", inf)
    page = (work / "out" / "html" / "sample.inf.html").read_text(encoding="utf-8")
    lines = page.splitlines()
    place = next(number for number, line in enumerate(lines) if "%Missing%" in line)
    assert lines[place].startswith(f"{BAD.splitlines().index(lines[place][6:]) + 1:>5} ")
    assert "ERROR(1235)" in lines[place + 1]
    assert "<b>" not in page


def test_the_summary_of_an_inf(inf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("infverif", "/info", inf) == 0
    text = printed(capsys)
    for line in ("Family ID: Sample Vendor-sample.inf", "Hardware ID: ROOT\\Sample", "Target OS: NTamd64"):
        assert line in text


def test_the_help_of_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("infverif", "/code", "1324") == 0
    text = printed(capsys)
    assert "1324: " in text
    assert "PnpLockdown" in text
    assert "/w " in text
