"""Diagnosis of changed newlines, in constructed files and in all real packages."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePath

import pytest

from catalogs.package.newlines import diagnose
from tests.support.files import corpus_files, corpus_id
from tests.support.real_catalog import read

CRLF = b"[Version]\r\nSignature = x\r\n"
LF = CRLF.replace(b"\r\n", b"\n")
WIDE = b"\xff\xfe" + CRLF.decode().encode("utf-16-le")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize(
    ("data", "listed", "expected"),
    [
        pytest.param(LF, CRLF, b"\r\n", id="git-removed-carriage-returns"),
        pytest.param(CRLF, LF, b"\n", id="git-added-carriage-returns"),
        pytest.param(CRLF + b"x\n", CRLF + b"x\r\n", b"\r\n", id="an-editor-mixed-them"),
        pytest.param(WIDE, WIDE.replace(b"\r\0\n\0", b"\n\0"), b"\n", id="utf-16"),
        pytest.param(WIDE.replace(b"\n", b"\r\n"), WIDE, b"\n", id="git-broke-utf-16"),
    ],
)
def test_changed_newlines_are_found(data: bytes, listed: bytes, expected: bytes, algorithm: str) -> None:
    found = diagnose(data, {hashlib.new(algorithm, listed).digest()}.__contains__)
    assert found is not None
    assert found.expected == expected
    assert found.restored == listed


def test_a_listed_file_is_not_diagnosed() -> None:
    assert diagnose(LF, {hashlib.sha256(LF).digest()}.__contains__) is None


@pytest.mark.parametrize("data", [LF + b"; changed\n", b"", b"no newline"])
def test_other_changes_are_not_diagnosed(data: bytes) -> None:
    assert diagnose(data, {hashlib.sha256(CRLF).digest()}.__contains__) is None


def test_the_hint_gives_the_gitattributes_line() -> None:
    found = diagnose(LF, {hashlib.sha256(CRLF).digest()}.__contains__)
    assert found is not None
    problem = found.problem(PurePath("a/driver.inf"))
    assert problem.message.startswith("driver.inf does not match the catalog: only its newlines differ")
    assert "*.inf text eol=crlf" in (problem.hint or "")


INFS = corpus_files("packages/*/*.[iI][nN][fF]")


@pytest.mark.parametrize("path", INFS, ids=corpus_id)
def test_newlines_that_git_changes_are_found_in_real_infs(path: Path) -> None:
    """The catalog lists each INF of the corpus; after Git's newline conversion it does not, and that is diagnosed."""
    (catalog,) = path.parent.glob("*.cat")
    listed = read(catalog).digests.__contains__
    data = path.read_bytes()
    changed = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data.replace(b"\n", b"\r\n")
    assert diagnose(data, listed) is None
    found = diagnose(changed, listed)
    assert found is not None
    assert found.restored == data


def test_there_are_real_infs(corpus: Path) -> None:
    assert len(INFS) == 74
