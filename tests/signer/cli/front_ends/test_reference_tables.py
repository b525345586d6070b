"""Every documented option of SignTool, Inf2Cat, MakeCat and StampInf is supported, refused or ignored by name.

The tables of options are those of Microsoft's pages; they are beside the corpus.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from catalogs.catalog.os_names import parse_names
from catalogs.cdf import parse
from signer.cli.front_ends import inf2cat, makecat, stampinf
from signer.cli.front_ends.signtool.switches import COMMANDS
from signer.cli.front_ends.switches import Grammar, Switch
from tests.support.front_ends import tool


@pytest.fixture
def tables(corpus: Path) -> Path:
    """The folder of the tables."""
    folder = corpus.parent / "reference" / "tables"
    if not folder.is_dir():
        pytest.skip(f"the tables are not at {folder}")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file, delimiter="\t"))
    assert len(found) > 10
    return found


def switch_of(text: str, grammar: Grammar) -> tuple[str, Switch]:
    """Return the switch that a row such as "/os:LIST" or "-d [date|*]" names, and how it is known."""
    name = text.split()[0].lstrip("/-").partition(":")[0].partition("[")[0].lower()
    return name, grammar.switches[name]


def takes_a_value(text: str) -> bool:
    return len(text.split()) > 1 or ":" in text


def test_signtool(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for row in rows(tables / "signtool_options.tsv"):
        command, option = row["command"], row["option"]
        if not option.startswith("/") or option == "/?":
            continue
        for grammar in COMMANDS.values() if command == "global" else [COMMANDS[command]]:
            name, switch = switch_of(option.removesuffix(" required"), grammar)
            if "required" not in option:
                assert (switch.takes == "value") == takes_a_value(option), option
            assert sum(map(bool, (switch.does, switch.refused, switch.ignored))) == 1, option
            if switch.refused and command not in ("global", "catdb"):
                assert tool("signtool", command, f"/{name}", "x", "x.sys") == 1
                assert f"/{name} is not supported\n\t{switch.refused}" in capsys.readouterr().err


def test_inf2cat(tables: Path) -> None:
    for row in rows(tables / "inf2cat_options.tsv"):
        if row["kind"] == "os":
            assert [name.option.lower() for name in parse_names([row["name"]])] == [row["name"].lower()]
        elif row["kind"] == "option" and row["name"] != "/?":
            _, switch = switch_of(row["name"], inf2cat.GRAMMAR)
            assert (switch.takes != "nothing") == takes_a_value(row["name"]) or switch.refused


def test_stampinf(tables: Path) -> None:
    for row in rows(tables / "stampinf.tsv"):
        if row["switch"].startswith("-"):
            _, switch = switch_of(row["switch"], stampinf.GRAMMAR)
            assert takes_a_value(row["switch"]) == (switch.takes != "nothing")


def test_makecat(tables: Path, work: Path) -> None:
    values = {"CatalogVersion": "2", "HashAlgorithms": "SHA256", "PageHashes": "true", "EncodingType": "0x00010001"}
    for row in rows(tables / "makecat.tsv"):
        kind, name = row["kind"], row["name"]
        if kind == "option" and name.startswith("-"):
            assert switch_of(name, makecat.GRAMMAR)[1].takes == "nothing"
        elif kind == "CatalogHeader" and name in values:
            more = "" if name != "HashAlgorithms" else "CatalogVersion=2\n"
            hashes = "" if name != "CatalogVersion" else "HashAlgorithms=SHA256\n"
            text = f"[CatalogHeader]\nName=x.cat\n{more}{hashes}{name}={values[name]}\n[CatalogFiles]\n"
            assert parse(text, work / "x.cdf").name == "x.cat"


def test_help_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (
        "signtool",
        "inf2cat",
        "stampinf",
        "infverif",
        "makecat",
        "makecert",
        "pvk2pfx",
        "certmgr",
        "cert2spc",
    ):
        assert tool(name, "/?") == 0, name
        printed = capsys.readouterr()
        assert "Usage: " in printed.out + printed.err, name
