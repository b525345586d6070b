"""A format of its own, made of one adapter and one row of the table: every command handles it."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.catalog import members
from signer.formats import table
from tests.support.program import drvsign
from tests.support.toy_format import MAGIC, PLAIN, ROW, Toy


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "TABLE", (ROW, *table.TABLE))
    members._kind.cache_clear()


@pytest.fixture
def path(work: Path) -> Path:
    (work / "a.toy").write_bytes(PLAIN)
    return work / "a.toy"


def test_the_commands_sign_show_verify_extract_attach_and_strip_it(path: Path) -> None:
    assert drvsign("sign", path).code == 0
    assert [one["kind"] for one in drvsign("inspect", path, "--json").document["files"]] == ["toy"]
    ran = drvsign("verify", path, "--policy", "authenticode", "--roots", "test-signing", "--json")
    assert (ran.code, ran.document["files"][0]["kind"]) == (0, "toy")
    signed = path.read_bytes()
    assert drvsign("extract", path, "--output", "a.p7").code == 0
    assert drvsign("strip", path).code == 0
    assert path.read_bytes() == PLAIN
    assert drvsign("attach", path, "--signature", "a.p7").code == 0
    assert path.read_bytes() == signed


def test_a_folder_is_searched_for_it(path: Path) -> None:
    assert drvsign("sign", path.parent).code == 0
    assert Toy(path.read_bytes()).is_signed


def test_a_toy_that_is_cut_short_is_an_error_with_its_path(path: Path) -> None:
    path.write_bytes(MAGIC + b"\xff\0\0\0")
    ran = drvsign("sign", path)
    assert (ran.code, "a.toy at offset 0x4: the toy's signature is longer" in ran.stderr) == (3, True)
