"""CONTRIBUTING.md names the place of each change; every file and folder that it names exists."""

from __future__ import annotations

import re

import pytest

from tests.support.files import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!to add|---)(.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
PATH = re.compile(r"`((?:signer|catalogs|testcerts|tests|docs)/[\w/.]+|\w+\.(?:md|toml))`")


@pytest.mark.parametrize(("change", "touch", "tests"), ROWS, ids=[row[0] for row in ROWS])
def test_every_named_place_exists(change: str, touch: str, tests: str) -> None:
    places = PATH.findall(touch)
    assert places, f"the row {change!r} names no file"
    assert PATH.findall(tests), f"the row {change!r} names no test"
    assert [place for place in (*places, *PATH.findall(tests)) if not (ROOT / place).exists()] == []


def test_the_map_covers_every_kind_of_change_of_the_design() -> None:
    kinds = ("file format", "Windows release", "rule", "key backend", "INF check", "report format")
    assert [kind for kind in kinds if not any(kind in change for change, *_ in ROWS)] == []
