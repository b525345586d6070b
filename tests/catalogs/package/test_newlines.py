"""The line-end doctor, on files of our own and on all real packages."""

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
    ("there", "listed", "wanted"),
    [
        pytest.param(LF, CRLF, b"\r\n", id="git-took-the-carriage-returns"),
        pytest.param(CRLF, LF, b"\n", id="git-added-carriage-returns"),
        pytest.param(CRLF + b"x\n", CRLF + b"x\r\n", b"\r\n", id="an-editor-mixed-them"),
        pytest.param(WIDE, WIDE.replace(b"\r\0\n\0", b"\n\0"), b"\n", id="utf-16"),
        pytest.param(WIDE.replace(b"\n", b"\r\n"), WIDE, b"\n", id="git-broke-utf-16"),
    ],
)
def test_changed_line_ends_are_found(there: bytes, listed: bytes, wanted: bytes, algorithm: str) -> None:
    fault = diagnose(there, {hashlib.new(algorithm, listed).digest()}.__contains__)
    assert fault is not None
    assert fault.wanted == wanted
    assert fault.repaired == listed


def test_a_listed_file_has_no_fault() -> None:
    assert diagnose(LF, {hashlib.sha256(LF).digest()}.__contains__) is None


@pytest.mark.parametrize("there", [LF + b"; changed\n", b"", b"no line end"])
def test_another_change_is_no_line_end_fault(there: bytes) -> None:
    assert diagnose(there, {hashlib.sha256(CRLF).digest()}.__contains__) is None


def test_the_problem_says_what_to_do() -> None:
    fault = diagnose(LF, {hashlib.sha256(CRLF).digest()}.__contains__)
    assert fault is not None
    problem = fault.problem(PurePath("a/driver.inf"))
    assert problem.message.startswith("driver.inf fails against the catalog only because of its line ends")
    assert "*.inf text eol=crlf" in (problem.hint or "")


INFS = corpus_files("packages/*/*.[iI][nN][fF]")


@pytest.mark.parametrize("path", INFS, ids=corpus_id)
def test_what_git_does_to_a_real_inf_is_found(path: Path) -> None:
    """Each INF is listed as the corpus has it; with the line ends that Git gives text it is not, and that is seen."""
    (catalog,) = path.parent.glob("*.cat")
    listed = read(catalog).digests.__contains__
    data = path.read_bytes()
    changed = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data.replace(b"\n", b"\r\n")
    assert diagnose(data, listed) is None
    fault = diagnose(changed, listed)
    assert fault is not None
    assert fault.repaired == data


def test_there_are_real_infs(corpus: Path) -> None:
    assert len(INFS) == 74
