"""SignTool itself judges the parsing of its switches: the same calls, the same sentences and exit codes.

SignTool is no part of the project. DRVSIGN_SIGNTOOL names a signtool.exe that starts under Wine: that of the npm
package @electron/windows-sign does, with an MFC42.dll beside it whose ordinals 6890 and 6891 are `operator new` and
`delete`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.interop.conftest import quietly
from tests.support.front_ends import tool
from tests.support.images import PeSpec
from tests.support.judges import WINE

SIGN = ["sign", "/fd", "SHA256"]
CALLS = [
    [],
    ["seal"],
    ["sign"],
    ["sign", "x.sys"],
    ["sign", "x.sys", "/fd", "SHA256"],
    ["sign", "/fd"],
    ["sign", "/fd:SHA256", "x.sys"],
    ["sign", "/fd=SHA256", "x.sys"],
    ["sign", "/zz", "x.sys"],
    ["sign", "-"],
    [*SIGN, "/fd", "SHA256", "x.sys"],
    SIGN,
    [*SIGN, "/d", "/s"],
    [*SIGN, "/du", "x.sys"],
    [*SIGN, "/a:1", "x.sys"],
    [*SIGN, "/q", "/v", "x.sys"],
    [*SIGN, "/p", "x", "x.sys"],
    [*SIGN, "/f", "/p", "x.sys"],
    [*SIGN, "/f", "none.pfx", "x.sys"],
    [*SIGN, "/sha1", "BAD", "x.sys"],
    [*SIGN, "/tr", "http://x", "x.sys"],
    [*SIGN, "/tr", "http://x", "/t", "http://x", "x.sys"],
    [*SIGN, "/td", "SHA256", "/t", "http://x", "x.sys"],
    [*SIGN, "/tr", "ftp://x", "/td", "SHA256", "x.sys"],
    [*SIGN, "/uw", "/u", "1.2", "x.sys"],
    ["sign", "/fd", "MD5", "x.sys"],
    ["timestamp", "x.sys"],
    ["timestamp", "/td", "SHA256", "x.sys"],
    ["timestamp", "/tr", "http://x", "x.sys"],
    ["timestamp", "/t", "http://x", "/td", "SHA256", "x.sys"],
    ["timestamp", "/t", "http://x", "/tr", "http://x", "x.sys"],
    ["timestamp", "/tr", "http://x", "/td", "SHA256", "/tp", "bad", "x.sys"],
    ["verify"],
    ["verify", "/hash:SHA256", "x.sys"],
    ["verify", "/pg", "bad", "x.sys"],
    ["verify", "/pa", "/d", "x.sys"],
    ["verify", "/pa", "/ph", "x.sys"],
    ["remove", "x.sys"],
    ["remove", "/s"],
    ["remove", "/s", "none.sys"],
]


@pytest.fixture(scope="session")
def signtool() -> Path:
    path = Path(os.environ.get("DRVSIGN_SIGNTOOL", ""))
    if not path.is_file():
        pytest.skip("DRVSIGN_SIGNTOOL does not name a signtool.exe")
    return path


def sentences(text: str) -> list[str]:
    """Return the first words of the errors: what follows in a sentence is advice."""
    return [re.split(r"\. |\.$", one)[0] for one in re.findall(r"SignTool Error: ([^\n]+)", text.replace("\r", ""))]


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_the_same_call_has_the_same_error(
    words: list[str],
    signtool: Path,
    wine_prefix: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRVSIGN_STORES", str(tmp_path / "stores"))
    tmp_path.joinpath("x.sys").write_bytes(PeSpec().build())
    output = tmp_path / "output.txt"
    code = quietly(wine_prefix, WINE, signtool, *words, output=output)
    assert tool("signtool", *words) == code
    assert sentences(capsys.readouterr().err) == sentences(output.read_text(errors="replace"))
