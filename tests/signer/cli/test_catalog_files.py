"""`drvsign catalog build --files` and `catalog check` of its result."""

from __future__ import annotations

from pathlib import Path

import pytest

import catalogs
from catalogs.loose_files import LooseFile
from signer.errors import FileError
from tests.support.inf_files import BASE, write_package
from tests.support.program import drvsign, state


@pytest.fixture
def tools(work: Path) -> Path:
    folder = work / "tools"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"a")
    (folder / "sub" / "b.log").write_bytes(b"b")
    return folder


def test_a_folder_is_catalogued_signed_and_checked(tools: Path) -> None:
    ran = drvsign("catalog", "build", "--files", "tools")
    assert (ran.code, ran.stdout) == (0, "built tools/catalog.cat  (sha256, version 2, 2 files)\n")
    assert drvsign("catalog", "sign", "tools/catalog.cat").code == 0
    assert "Attribute" not in drvsign("catalog", "show", "tools/catalog.cat").stdout, "it has none"
    ran = drvsign("catalog", "check", "tools/catalog.cat", "tools", "--json")
    assert (ran.code, ran.document["intact"]) == (0, True)
    assert [(one["file"], one["state"]) for one in ran.document["files"]] == [
        ("a.txt", "listed"), ("sub\\b.log", "listed")
    ]  # fmt: skip


def test_a_file_that_only_a_catalog_can_cover_is_accepted_after_what_the_hint_says(tools: Path) -> None:
    ran = drvsign("verify", "tools/a.txt", "--catalog", require_catalog("tools/sub/b.log"), "--test-machine")
    assert (ran.code, "List the file in a catalog: drvsign catalog build --files FILE" in ran.stdout) == (1, True)
    ran = drvsign("verify", "tools/a.txt", "--catalog", require_catalog("tools/a.txt"), "--test-machine")
    assert ran.code == 0


def require_catalog(*files: str) -> str:
    """Build and sign the catalog of these files, and return its path."""
    assert drvsign("catalog", "build", "--files", *files, "--output", "loose.cat", "--replace").code == 0
    assert drvsign("catalog", "sign", "loose.cat").code == 0
    return "loose.cat"


def test_differences_are_exit_code_1_unless_they_are_skipped(tools: Path) -> None:
    drvsign("catalog", "build", "--files", "tools", "--output", "tools.cat")
    (tools / "sub" / "b.log").write_bytes(b"c")
    (tools / "new").write_bytes(b"n")
    ran = drvsign("catalog", "check", "tools.cat", "tools")
    assert (ran.code, "2 of 3 files do not match the catalog." in ran.stdout) == (1, True)
    assert drvsign("catalog", "check", "tools.cat", "tools", "--skip", "*.LOG", "--skip", "new").code == 0


def test_loose_files_and_lists(tools: Path) -> None:
    Path("list.txt").write_text("tools/a.txt\ntools/sub\n")
    ran = drvsign("catalog", "build", "--files", "@list.txt", "--catalog-version", "1", "--depfile", "x.d", "--json")
    assert ran.code == 0
    assert ran.document["files"][0]["path"] == "catalog.cat"
    members = catalogs.read_catalog("catalog.cat").members
    assert sorted(member.attribute("FilePath") or "" for member in members) == ["a.txt", "b.log"]
    assert "tools/sub/b.log" in Path("x.d").read_text()
    assert drvsign("catalog", "check", "catalog.cat", "tools/a.txt", "tools/sub").code == 0


def test_the_same_files_make_the_same_bytes(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("one.cat", "two.cat"):
        assert drvsign("catalog", "build", "--files", "tools", "--output", name).code == 0
    assert Path("one.cat").read_bytes() == Path("two.cat").read_bytes()


def test_a_foreign_catalog_is_replaced_only_with_replace(tools: Path) -> None:
    drvsign("catalog", "build", "--files", "tools")
    assert drvsign("catalog", "sign", "tools/catalog.cat", "--certs", "theirs").code == 0
    before = state(tools)
    ran = drvsign("catalog", "build", "--files", "tools")
    assert (ran.code, "--replace" in ran.stderr, state(tools)) == (3, True, before)
    assert drvsign("catalog", "build", "--files", "tools", "--replace").code == 0


REFUSALS = {
    "two folders without --files": (("build", "tools", "tools"), 2, "Add --files"),
    "a path that does not exist": (("build", "--files", "nowhere"), 3, "nowhere: file or folder not found"),
    "an empty folder": (("build", "--files", "empty"), 2, "there are no files to list"),
    "the same path twice": (("build", "--files", "tools", "tools/a.txt"), 2, "the same path in the catalog: a.txt"),
    "--skip for a package": (("check", "driver/sample.cat", "driver", "--skip", "x"), 2, "Remove --skip"),
    "files of a package": (("check", "driver/sample.cat", "driver/sample.sys"), 3, "Name the folder of the package"),
}


@pytest.mark.parametrize(("words", "code", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_wrong_call_says_what_to_write(tools: Path, words: tuple[str, ...], code: int, message: str) -> None:
    Path("empty").mkdir()
    write_package(Path("driver"), BASE)
    assert drvsign("catalog", "build", "driver", "--os", "10_X64").code == 0
    ran = drvsign("catalog", *words)
    assert (ran.code, message in ran.stderr) == (code, True), ran.stderr


def test_the_library_builds_the_same_catalog(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    drvsign("catalog", "build", "--files", "tools", "--output", "one.cat")
    built = catalogs.build_file_catalog("tools", "two.cat", now=datetime.fromtimestamp(1700000000, UTC))
    assert built.path.read_bytes() == Path("one.cat").read_bytes()


def test_a_file_that_can_t_be_read_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="gone: could not read the file"):
        _ = LooseFile(tmp_path / "gone", "gone").is_empty
