"""Directive files of makecab (.ddf): the files that they name, and the path of the cabinet."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from catalogs.inf.text import decode
from catalogs.submission import ddf
from catalogs.submission.names import check_names
from signer.errors import SignerError
from tests.fuzz.harness import Harness
from tests.fuzz.mutation import text_mutator

PLAIN = """; a submission
.Option Explicit
.Set CabinetNameTemplate=Echo.cab
.Set DiskDirectoryTemplate=disk1
.Set Cabinet=ON
.Set Compress=on
.Set DestinationDir=Echo
"a b.sys"
Sub\\c.inf renamed.inf ; a comment
"""
VARIABLES = """.Define D=Sub
.Define Name='c.inf'
.Set DestinationDir="Two\\x64\\"
.Set SourceDir=%D%
.InfBegin Disk
nothing
.InfEnd
%name% 100%%.inf /inf=no
.New Folder
.Delete Name
.Set SourceDir=
.Set GenerateInf=ON
SUB\\C.INF 'o p.inf'
"""
RELATIONAL = """.Set GenerateInf=OFF
"a b.sys"
.Set GenerateInf=ON
"a b.sys" /x=y
.Set MaxDiskSize1=0
.Dump
"""
PIECES = (".Set ", ".Define ", ".Delete ", ".New ", ".Option ", ".InfBegin", ".InfEnd", "=", "%", "%%", "%D%", '"',
          "a b.sys", "'", ";", "\\", "/", "..", "C:\\", "\\\\a\\b\\", "*", "/x=y", "ON", "OFF", "DestinationDir=",
          "SourceDir=", "GenerateInf=", "Cabinet=", "CabinetName1=", "DiskDirectory1=", "inf", "\r\n", "\0", "\x85",
          "\u2028", "é", "\u0130", "\U0001f600", "x" * 256)  # fmt: skip

INSTRUMENTED = ("catalogs.submission.ddf", "catalogs.submission.names")


@cache
def folder() -> Path:
    """Return a folder with the files that the seeds name, for the duration of the process."""
    found = Path(tempfile.mkdtemp(prefix="ddf."))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    (found / "Sub").mkdir()
    for name in ("a b.sys", "Sub/c.inf"):
        (found / name).write_bytes(b"x")
    return found


def seeds() -> Iterator[bytes]:
    for text in (PLAIN, VARIABLES, RELATIONAL):
        yield text.replace("\n", "\r\n").encode()
    yield VARIABLES.encode("utf-16")


def run(data: bytes) -> bool:
    try:
        text = decode(data).text
        found = ddf.parse(text, folder() / "x.ddf", {"Given": "v"})
        assert found.target
    except SignerError as error:
        assert error.message and error.hint
        return False
    assert found.files
    for file in found.files:
        assert file.path.is_file()
        assert file.name
        assert 0 < file.line <= text.count("\n") + 1
    assert all(problem.message for problem in check_names(file.name for file in found.files))
    return True


HARNESS = Harness(
    "ddf",
    run,
    seeds,
    (
        ddf._Reader._file,
        ddf._Reader._delete,
        ddf._Reader._option,
        ddf._Reader._new,
        ddf.known_variable,
        ddf._Reader._child,
    ),
    mutate=text_mutator(PIECES, ("utf-8", "utf-16-le")),
    max_size=1024,
)
