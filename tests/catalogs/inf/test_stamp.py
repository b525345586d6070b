"""Stamping templates: each value is written where StampInf writes it, and nothing else changes."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.inf.driver import DriverInf
from catalogs.inf.stamp import Stamp, StampedInf, stamp, version_of_time
from signer.errors import InfError, UsageError
from tests.support.inf_files import BASE

PATH = Path("sample.inx")
VALUES = Stamp(datetime.date(2026, 11, 24), "1.2.3.4", "x64", "1.15", "2.15.0")
TEMPLATE = (
    BASE.replace("DriverVer = 05/01/2024,1.2.3.4\n", "")
    .replace("Models,NTamd64", "Models,NT$ARCH$.10.0...17763")
    .replace("[Models.NTamd64]", "[Models.NT$ARCH$.10.0...17763]")
    .replace("[Drivers]", "[Wdf]\nKmdfLibraryVersion = $KMDFVERSION$ ; of the driver\n\n[Drivers]")
)


def stamped(text: str, values: Stamp = VALUES, newline: str = "\n") -> StampedInf:
    return stamp(text.replace("\n", newline).encode("cp1252"), PATH, values)


def changed(before: str, after: str) -> list[tuple[str, ...]]:
    """Return the lines that are only in one of two texts."""
    old, new = before.splitlines(), after.splitlines()
    return [("-", line) for line in old if line not in new] + [("+", line) for line in new if line not in old]


def test_a_template_becomes_an_inf_and_only_the_stamped_lines_change() -> None:
    found = stamped(TEMPLATE)
    assert changed(TEMPLATE, found.text.text) == [
        ("-", "%Vendor% = Models,NT$ARCH$.10.0...17763"),
        ("-", "[Models.NT$ARCH$.10.0...17763]"),
        ("-", "KmdfLibraryVersion = $KMDFVERSION$ ; of the driver"),
        ("+", "DriverVer = 11/24/2026,1.2.3.4"),
        ("+", "%Vendor% = Models,NTamd64.10.0...17763"),
        ("+", "[Models.NTamd64.10.0...17763]"),
        ("+", "KmdfLibraryVersion = 1.15 ; of the driver"),
    ]
    driver = DriverInf.parse(found.text.to_bytes(), PATH)
    assert [section.target.text for section in driver.models if section.models] == ["NTamd64.10.0...17763"]
    version = driver.version.driver_version()
    assert version is not None
    assert (version.date, version.version) == (VALUES.date, (1, 2, 3, 4))


CASES = {
    "a DriverVer is replaced, its comment stays": (
        "DriverVer=01/01/2020,0.0.0.1 ; stamped",
        {},
        "DriverVer=11/24/2026,1.2.3.4 ; stamped",
    ),
    "the version of the template is kept": (
        "DriverVer = 01/01/2020,7.8",
        {"version": None},
        "DriverVer = 11/24/2026,7.8",
    ),
    "CatalogFile is replaced": ("CatalogFile = old.cat", {"catalog": "new.cat"}, "CatalogFile = new.cat"),
    "CatalogFile stays without a value": ("CatalogFile = old.cat", {}, "CatalogFile = old.cat"),
    "the co-installers of KMDF": ("; $KMDFCOINSTALLERVERSION$ in a comment", {"kmdf": "1.5"}, "; 01005 in a comment"),
    "the version of UMDF": ("UmdfLibraryVersion = $UMDFVERSION$", {"umdf": "1.5.0"}, "UmdfLibraryVersion = 1.5.0"),
    "the co-installers of UMDF": ("X = W$UMDFCOINSTALLERVERSION$.dll", {"umdf": "2.15.0"}, "X = W02015.dll"),
    "a variable in a comment needs no value": ("; $UMDFVERSION$", {"umdf": None}, "; $UMDFVERSION$"),
    "variables have upper-case names": ("X = $KmdfVersion$", {}, "X = $KmdfVersion$"),
}


@pytest.mark.parametrize(("line", "values", "expected"), CASES.values(), ids=CASES)
def test_a_line_of_the_version_section(line: str, values: dict[str, str | None], expected: str) -> None:
    text = f'[Version]\nSignature = "$Windows NT$"\n{line}\n[Other]\nx = 1\n'
    assert expected in stamped(text, replace(VALUES, **values)).text.text.splitlines()


@pytest.mark.parametrize(
    ("name", "decoration"),
    [("x64", "NTamd64"), ("AMD64", "NTamd64"), ("Win32", "NTx86"), ("ARM64", "NTarm64"), ("64", "NTia64"), ("", "NT")],
)
def test_the_architecture_has_the_name_of_inf_decorations(name: str, decoration: str) -> None:
    text = stamped(TEMPLATE, replace(VALUES, architecture=name)).text.text
    assert f"[Models.{decoration}.10.0...17763]" in text
    assert f"Models,{decoration}.10.0...17763" in text


@pytest.mark.parametrize(
    ("missing", "line", "message"),
    [
        ("architecture", "%Vendor% = Models,NT$ARCH$.10.0...17763", "$ARCH$ has no value"),
        ("kmdf", "KmdfLibraryVersion = $KMDFVERSION$ ; of the driver", "$KMDFVERSION$ has no value"),
    ],
)
def test_a_variable_without_a_value_is_an_error_with_its_line(missing: str, line: str, message: str) -> None:
    with pytest.raises(InfError, match=message.replace("$", r"\$")) as caught:
        stamped(TEMPLATE, replace(VALUES, **{missing: None}))
    assert caught.value.line == TEMPLATE.splitlines().index(line) + 1


def test_a_variable_elsewhere_is_left_and_named() -> None:
    text = TEMPLATE.replace("ServiceBinary = %13%\\sample.sys", "ServiceBinary = %13%\\sample_$ARCH$.sys")
    found = stamped(text)
    (line,) = found.unresolved
    assert found.text.text.splitlines()[line - 1].endswith("sample_$ARCH$.sys")


def test_a_template_without_a_version_needs_one() -> None:
    with pytest.raises(InfError, match="no version to keep"):
        stamped(TEMPLATE, replace(VALUES, version=None))


def test_another_section_can_have_driver_ver() -> None:
    text = stamped(
        TEMPLATE.replace("[Drivers]", "[Later]\nx = 1\n\n[Drivers]"), replace(VALUES, section="Later")
    ).text.text
    assert "[Later]\nx = 1\nDriverVer = 11/24/2026,1.2.3.4\n" in text
    with pytest.raises(InfError, match=r"no section \[Never\]"):
        stamped(TEMPLATE, replace(VALUES, section="Never"))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_newlines_stay(newline: str) -> None:
    text = stamped(TEMPLATE, newline=newline).text.text
    assert text.count("\n") == text.count(newline) == TEMPLATE.count("\n") + 1


@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", b"\xff\xfe"), ("cp1252", b"")])
def test_the_encoding_stays(encoding: str, mark: bytes) -> None:
    text = TEMPLATE.replace("Sample Vendor", "Müller")
    found = stamp(mark + text.encode(encoding), PATH, VALUES)
    assert found.text.to_bytes().startswith(mark + "[Version]".encode(encoding))
    assert "Müller".encode(encoding) in found.text.to_bytes()


@pytest.mark.parametrize(
    "values",
    [
        {"version": "1.2.3.4.5"},
        {"version": "1.2.3.65536"},
        {"version": ""},
        {"architecture": "sparc"},
        {"kmdf": "1"},
        {"umdf": "2.15"},
    ],
    ids=lambda values: f"{values}",
)
def test_values_that_stampinf_does_not_take_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        replace(VALUES, **values)


def test_the_version_of_a_time_has_its_milliseconds() -> None:
    assert version_of_time(datetime.datetime(2026, 1, 2, 11, 30, 20, 15_000, datetime.UTC)) == "11.30.20.15"


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=4), st.dates(datetime.date(1970, 1, 1)))
def test_stamping_again_changes_only_driver_ver(numbers: list[int], date: datetime.date) -> None:
    once = stamped(TEMPLATE).text
    version = ".".join(map(str, numbers))
    again = stamp(once.to_bytes(), PATH, Stamp(date, version))
    assert again.text.text == once.text.replace("11/24/2026,1.2.3.4", f"{date:%m/%d/%Y},{version}")


ENCODINGS = {
    "ANSI": ("cp1252", b""),
    "UTF-16 LE": ("utf-16-le", b"\xff\xfe"),
    "UTF-16 BE": ("utf-16-be", b"\xfe\xff"),
    "UTF-16 LE without a mark": ("utf-16-le", b""),
    "UTF-16 BE without a mark": ("utf-16-be", b""),
    "UTF-8 with a mark": ("utf-8", b"\xef\xbb\xbf"),
}
NEWLINES = {
    "LF": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "mixed": lambda text: "".join(line + ("\r\n" if n % 2 else "\n") for n, line in enumerate(text.split("\n"))),
}


@pytest.mark.parametrize("newlines", NEWLINES.values(), ids=NEWLINES)
@pytest.mark.parametrize(("encoding", "mark"), ENCODINGS.values(), ids=ENCODINGS)
def test_encoding_newlines_and_line_numbers_stay(encoding: str, mark: bytes, newlines: Callable[[str], str]) -> None:
    """A section that occurs twice is there too; each line keeps its newline, and its line in the template is known."""
    text = newlines(TEMPLATE + "[Service]\nStartType = 9\n")
    found = stamp(mark + text.encode(encoding), PATH, VALUES)
    data = found.text.to_bytes()
    assert data.startswith(mark)
    result = data[len(mark) :].decode(encoding)
    before, after = text.split("\n"), result.split("\n")
    assert len(found.origins) == len(after) == len(before) + 1
    pairs = [(line, before[origin - 1]) for line, origin in zip(after, found.origins, strict=True)]
    assert [new.rstrip("\r") for new, old in pairs if new != old] == [
        "DriverVer = 11/24/2026,1.2.3.4",
        "%Vendor% = Models,NTamd64.10.0...17763",
        "[Models.NTamd64.10.0...17763]",
        "KmdfLibraryVersion = 1.15 ; of the driver",
    ]
    assert [new.endswith("\r") for new, _ in pairs] == [old.endswith("\r") for _, old in pairs]


ODD = {
    "a DriverVer on two lines": (
        "DriverVer = \\\n 01/01/2020, \\ ; more\n 0.0.0.1\n", "DriverVer = 11/24/2026,1.2.3.4\n\n\n"
    ),
    "a comment that ends with a backslash": (
        "DriverVer = 01/01/2020,0.0.0.1 ; in C:\\\n", "DriverVer = 11/24/2026,1.2.3.4 ; in C:\\\n"
    ),
    "a continued line before the end of the text": (
        "DriverVer = \\\n 01/01/2020,1\x1aunread\\\nmore", "DriverVer = 11/24/2026,1.2.3.4\n\x1aunread\\\nmore"
    ),
    "a continuation at the end of the text": ("DriverVer = 01/01/2020, \\", "DriverVer = 11/24/2026,1.2.3.4"),
    "the end of the text in the line": (
        "DriverVer = 01/01/2020,0.0.0.1\x1aunread $ARCH$", "DriverVer = 11/24/2026,1.2.3.4\x1aunread $ARCH$"
    ),
    "an inserted line before the end of the text": (
        "CatalogFile = a.cat\x1aunread", "CatalogFile = a.cat\nDriverVer = 11/24/2026,1.2.3.4\x1aunread"
    ),
    "variables after the end of the text": (
        "DriverVer = 01/01/2020,1\n\x1a\n$KMDFVERSION$\n[X.NT$ARCH$]",
        "DriverVer = 11/24/2026,1.2.3.4\n\x1a\n$KMDFVERSION$\n[X.NT$ARCH$]",
    ),
    "a section that occurs twice": (
        "[Other]\na = b\n[Version]\nDriverVer = 01/01/2020,1\n",
        "[Other]\na = b\n[Version]\nDriverVer = 11/24/2026,1.2.3.4\n",
    ),
    "a continued line of [Manufacturer]": (
        "DriverVer = 01/01/2020,1\n[Manufacturer]\na = M, \\\n  NT$ARCH$\n; NT$ARCH$\n[M.NT$ARCH$]\n",
        "DriverVer = 11/24/2026,1.2.3.4\n[Manufacturer]\na = M, \\\n  NTamd64\n; NT$ARCH$\n[M.NTamd64]\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rest", "expected"), ODD.values(), ids=ODD)
def test_odd_texts(rest: str, expected: str) -> None:
    values = replace(VALUES, kmdf=None, umdf=None)
    found = stamped("[Version]\n" + rest, values)
    assert found.text.text == "[Version]\n" + expected
    assert found.unresolved == ()
    assert DriverInf.parse(found.text.to_bytes(), PATH).version.driver_version() is not None
