"""Fixes that need no decision, and what they leave alone."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from catalogs.inf.driver import DriverInf
from catalogs.inf.fix import fix
from catalogs.inf.rules import RuleSet, check
from tests.support.files import corpus_files, corpus_id
from tests.support.inf_files import BASE, with_change

TODAY = datetime.date(2026, 3, 4)
PRIMITIVE = BASE[: BASE.index("[Manufacturer]")] + BASE[BASE.index("[Sample.NT]") :].replace(
    "Sample.NT", "DefaultInstall"
)


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("cp1252")


def changed(text: str) -> list[str]:
    """Return the lines of the diff that add or remove a line."""
    diff = fix(Path("sample.inf"), crlf(text), TODAY).diff().splitlines()
    return [line for line in diff if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_a_sound_inf_stays_as_it_is() -> None:
    fixed = fix(Path("sample.inf"), crlf(BASE), TODAY)
    assert not fixed.changed
    assert fixed.diff() == ""
    assert fixed.after.to_bytes() == crlf(BASE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(("PnpLockdown = 1\n", ""), ["+PnpLockdown = 1"], id="no-lockdown"),
        pytest.param(
            ("PnpLockdown = 1\n", "PnpLockdown = 0 ; why\n"),
            ["-PnpLockdown = 0 ; why", "+PnpLockdown = 1 ; why"],
            id="lockdown-of-0-with-a-comment",
        ),
        pytest.param(
            ("DriverVer = 05/01/2024,1.2.3.4\n", ""), ["+DriverVer = 03/04/2026,1.0.0.0"], id="no-driver-version"
        ),
        pytest.param(
            ("05/01/2024,1.2.3.4", "5-1-2024,1.2"),
            ["-DriverVer = 5-1-2024,1.2", "+DriverVer = 05/01/2024,1.2.0.0"],
            id="short-version",
        ),
        pytest.param(("05/01/2024,1.2.3.4", "13/01/2024,1.2"), [], id="a-month-of-13-is-not-guessed"),
        pytest.param(("05/01/2024,1.2.3.4", "5.1.2024,1.2"), [], id="nor-the-month-in-a-date-with-dots"),
        pytest.param(("05/01/2024,1.2.3.4", "05/01/2024,1.2.70000"), [], id="a-version-that-is-too-large"),
        pytest.param(
            ("Models,NTamd64\n", "Models\n[Models]\n"),
            ["-%Vendor% = Models", "+%Vendor% = Models,NTx86", "-[Models]", "+[Models.NTx86]"],
            id="undecorated-models",
        ),
    ],
)
def test_one_fix_changes_its_lines(change: tuple[str, str], expected: list[str]) -> None:
    text = with_change(change)
    if "[Models]" in change[1]:
        text = text.replace("[Models.NTamd64]\n", "").replace("\n[Models]\n\n", "\n\n[Models]\n")
    assert changed(text) == expected


def test_default_install_gets_the_only_architecture_that_the_inf_names() -> None:
    one = PRIMITIVE.replace("[SourceDisksFiles]", "[SourceDisksFiles.arm64]")
    assert changed(one) == [
        "-[DefaultInstall]",
        "+[DefaultInstall.NTarm64]",
        "-[DefaultInstall.Services]",
        "+[DefaultInstall.NTarm64.Services]",
    ]
    assert changed(PRIMITIVE) == []
    assert changed(one + "[SourceDisksFiles.x86]\nsample.sys = 1\n") == []


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + BASE.replace('Disk"', 'Disk ü"').encode(), id="utf-8"),
        pytest.param(BASE.replace('Disk"', 'Disk ü"').encode(), id="utf-8-without-mark"),
        pytest.param(b"\xfe\xff" + BASE.replace('Disk"', 'Disk ü"').encode("utf-16-be"), id="utf-16-be"),
        pytest.param(BASE.replace('Disk"', 'Disk ü"').encode("utf-16-le"), id="utf-16-without-mark"),
    ],
)
def test_an_encoding_that_windows_does_not_read_becomes_utf_16(data: bytes) -> None:
    fixed = fix(Path("sample.inf"), data, TODAY)
    written = fixed.after.to_bytes()
    assert written == b"\xff\xfe" + BASE.replace('Disk"', 'Disk ü"').replace("\n", "\r\n").encode("utf-16-le")
    assert fixed.diff().startswith("encoding: ")


def test_ansi_text_stays_ansi() -> None:
    text = BASE.replace('Disk"', 'Disk ü"')
    assert fix(Path("sample.inf"), crlf(text), TODAY).after.to_bytes() == crlf(text)


def test_a_template_keeps_what_stampinf_replaces() -> None:
    text = BASE.replace("DriverVer = 05/01/2024,1.2.3.4\n", "")
    assert fix(Path("sample.inx"), crlf(text), TODAY).diff() == ""


REAL = corpus_files("infs/*.[iI][nN][fFxX]", "packages*/*/*.[iI][nN][fF]")


@pytest.mark.parametrize("path", [path for path in REAL if "autorun" not in path.name], ids=corpus_id)
def test_fixing_a_real_inf_adds_no_problem_and_is_done_once(path: Path) -> None:
    latest = RuleSet(latest=True)
    data = path.read_bytes()
    fixed = fix(path, data, TODAY).after.to_bytes()
    before = {problem.code for problem in check(DriverInf.parse(data, path), latest)}
    after = {problem.code for problem in check(DriverInf.parse(fixed, path), latest)}
    assert after <= before
    assert not after & {"1003", "1324", "utf-8-without-mark"}
    assert not fix(path, fixed, TODAY).changed
