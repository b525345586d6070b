"""An input that is a pipe is refused: reading it may never end. Passwords may come from one."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.errors import FileError
from signer.storage.files import read, read_stream
from tests.support.files import ROOT
from tests.support.program import drvsign

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")

CALLS = [
    "verify @{}",
    "verify {}",
    "verify SYS --catalog {}",
    "verify SYS --roots test-signing --root {}",
    "verify SYS --intermediate {}",
    "verify SYS --crl {}",
    "verify SYS --block-list {}",
    "sign SYS --pfx {}",
    "sign SYS --cert {} --key SYS",
    "sign SYS --profile x --config {}",
    "attach SYS --signature {}",
    "catalog show {}",
    "catalog check {} DRIVERS",
    "catalog build {}",
    "inf show {}",
    "explain {}",
    "certs show {}",
    "submission check {}",
    "audit {}",
    "audit --machine m={}",
    "audit DRIVERS --baseline {}",
    "audit --machine m=DRIVERS --machine-state m={}",
    "audit DRIVERS --log {}",
]


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe whose writers write nothing: a command that reads it sees an empty file."""
    path, ends = tmp_path / "pipe.inf", threading.Event()
    os.mkfifo(path)

    def write() -> None:
        while not ends.is_set():
            os.close(os.open(path, os.O_WRONLY))  # waits for a reader

    writer = threading.Thread(target=write)
    writer.start()
    yield path
    ends.set()
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer.join()
    os.close(reader)


@pytest.mark.parametrize("call", CALLS)
def test_a_pipe_is_refused_by_name(call: str, pipe: Path) -> None:
    folder = pipe.parent / "drivers"
    folder.mkdir()
    image = folder / "hello.sys"
    image.write_bytes((ROOT / "examples/hello/hello.sys").read_bytes())
    line = call.replace("{}", str(pipe)).replace("DRIVERS", str(folder)).replace("SYS", str(image))
    ran = drvsign(*line.split())
    assert ran.code == 3
    assert f"{pipe}: the path is a pipe, a socket or a device, not a file" in ran.stderr
    assert "or - for the standard input" in ran.stderr


def test_a_password_may_come_from_a_pipe(pipe: Path) -> None:
    """Such as `--password-file <(command)` of a shell."""
    assert read_stream(pipe) == b""
    with pytest.raises(FileError):
        read(pipe)
