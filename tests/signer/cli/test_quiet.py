"""`--quiet`: no messages and no lines about what was done; what a command was asked for is still printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.cli.tsa_server import serving
from tests.signer.cli.test_bad_input import subcommands
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import MakeOnce, drvsign
from tests.support.timestamping import tsa

DOES = {
    "certs create": "certs create",
    "certs export": "certs export --output ci.pfx --password-file password.txt",
    "certs import": "certs import test.pfx imported --password-file password.txt",
    "certs install-script": "certs install-script --output install.cmd",
    "package": "package hello",
    "sign": "sign unsigned.sys hello/hello.sys",
    "timestamp": "timestamp signed.sys --timestamp {url}",
    "strip": "strip signed.sys",
    "extract": "extract signed.sys --output new.p7",
    "attach": "attach signed.sys --signature signed.p7",
    "catalog build": "catalog build hello --os 10_X64",
    "catalog sign": "catalog sign signed.cat",
    "submission build": "submission build complete --unsigned --output complete.cab",
    "inf stamp": "inf stamp hello/hello.inf --output stamped.inf",
    "shims": "shims bin",
    "init": "init complete",
}
"""A call of each command that changes files."""
ANSWERS = {
    "certs show": "certs show",
    "doctor": "doctor",
    "digest": "digest signed.sys",
    "inspect": "inspect signed.sys",
    "verify": "verify signed.sys --test-machine",
    "explain": "explain 52",
    "audit": "audit signed.sys",
    "catalog show": "catalog show signed.cat",
    "catalog diff": "catalog diff signed.cat signed.cat",
    "catalog check": "catalog check complete/hello.cat complete",
    "inf show": "inf show hello",
    "inf files": "inf files hello",
    "inf lint": "inf lint hello",
    "inf rules": "inf rules",
    "submission check": "submission check complete",
    "submission compare": "submission compare complete complete",
    "targets": "targets",
    "os-names": "os-names",
}
"""A call of each command that answers a question."""
ELSEWHERE = {"tsa serve", "keys list"}
"""Run until interrupted, and needs a token: tests/signer/cli/test_timestamp_commands.py, tests/signer/keys."""


@pytest.fixture
def url() -> Iterator[str]:
    with serving(tsa()) as server:
        yield server.url


@pytest.fixture
def files(work: Path, make_once: MakeOnce) -> None:
    """The files that the calls name."""
    make_once(_make_files)


def _make_files() -> None:
    for folder in ("hello", "complete"):
        Path(folder).mkdir()
        Path(folder, "hello.inf").write_bytes(HELLO.encode())
        Path(folder, "hello.sys").write_bytes(PeSpec().build())
    Path("complete/hello.pdb").touch()
    Path("unsigned.sys").write_bytes(PeSpec().build())
    Path("password.txt").write_text("secret")
    made = [
        "sign unsigned.sys --output signed.sys",
        "sign unsigned.sys --detached signed.p7",
        "package complete",
        "catalog build complete --os 10_X64 --output signed.cat --replace",
        "sign signed.cat",
        "certs export --output test.pfx --password-file password.txt",
    ]
    assert [drvsign(*call.split()).code for call in made] == [0] * len(made)


def test_every_command_has_a_call_here() -> None:
    assert {" ".join(path) for path in subcommands()} == DOES.keys() | ANSWERS.keys() | ELSEWHERE


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("call", DOES.values(), ids=DOES.keys())
def test_a_command_that_changes_files_prints_nothing(call: str, url: str) -> None:
    ran = drvsign(*call.format(url=url).split(), "--quiet")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("call", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_command_that_answers_prints_only_its_answer(call: str) -> None:
    ran, loud = drvsign(*call.split(), "--quiet"), drvsign(*call.split())
    first, second = (re.sub(r"\d\d:\d\d UTC", "", one.stdout) for one in (ran, loud))  # doctor prints the minute
    assert first == second != ""
    assert [line for line in ran.stderr.splitlines() if not line.startswith("warning: ")] == []
