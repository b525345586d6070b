"""The install script, run by Wine's command prompt with replacements for the programs of Windows.

The replacements are batch files that log their arguments and return the exit code that the test sets; that of certutil
also copies its input file. The real certutil and bcdedit are not tested.
"""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime

import pytest

from signer.certificates import load_all, thumbprint
from testcerts import install_script, store
from testcerts.issue import Order, parse_subject
from testcerts.profiles import KeyKind
from tests.support.judges import WINE

PROGRAMS = ("fltmc", "certutil", "bcdedit", "reg", "find")
STAND_IN = '@echo off\r\n>>"%~dp0calls.txt" echo {name} %*\r\n{more}exit /b %EXIT_{name}%\r\n'
KEEP = 'if "%2"=="-addstore" type %4 > "%~dp0%3.%RANDOM%%RANDOM%.cer"\r\n'


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    order = Order(parse_subject("CN=100%OS% & co,O=Contoso"), datetime(2026, 3, 1, tzinfo=UTC), KeyKind.P256)
    folder = tmp_path_factory.mktemp("pki") / "certs"
    return install_script.trusted_of(store.create(folder, order, ["self-signed"]).hierarchy)


@pytest.fixture
def run(wine_prefix, trusted, tmp_path):
    """Return a function that runs the script and returns exit code, output and the calls of the replacements."""
    script = install_script.cmd(trusted).decode("ascii")
    script, count = re.subn(r'"%SYSTEM%\\(\w+)\.exe"', r'call "%~dp0\1.cmd"', script)
    assert count > 2 * len(trusted)
    (tmp_path / "install.cmd").write_bytes(script.encode())
    for name in PROGRAMS:
        more = KEEP if name == "certutil" else ""
        (tmp_path / f"{name}.cmd").write_bytes(STAND_IN.format(name=name, more=more).encode())

    def call(*arguments: str, **exits: int) -> tuple[int, str, list[str]]:
        environment = {**os.environ, "WINEPREFIX": str(wine_prefix), "WINEDEBUG": "-all"}
        environment |= {f"EXIT_{name}": str(exits.get(name, 0)) for name in PROGRAMS}
        output_text = tmp_path / "output_text.txt"
        with output_text.open("wb") as output:  # a pipe would stay open until Wine's own services have ended
            done = subprocess.run(
                [WINE, "cmd", "/c", "install.cmd", *arguments],
                cwd=tmp_path,
                env=environment,
                stdout=output,
                timeout=120,
            )
        calls = tmp_path / "calls.txt"
        return done.returncode, output_text.read_text(), calls.read_text().splitlines() if calls.exists() else []

    return call


def test_certificates_are_installed_and_test_signing_is_turned_on(run, trusted, tmp_path):
    code, output_text, calls = run()
    assert code == 0
    assert "Root: 100%OS% & co Root CA" in output_text
    assert "Done. Restart Windows" in output_text
    assert [line.split()[:4] for line in calls[1:-1]] == [["certutil", "-f", "-addstore", one.store] for one in trusted]
    assert calls[-1].split() == ["bcdedit", "-set", "TESTSIGNING", "ON"]
    kept = [(path.name.split(".")[0], load_all(path.read_bytes())[0]) for path in tmp_path.glob("*.cer")]
    assert sorted((name, thumbprint(one)) for name, one in kept) == sorted(
        (one.store, thumbprint(one.certificate)) for one in trusted
    )


def test_undo_removes_the_certificates_and_turns_test_signing_off(run, trusted):
    code, _, calls = run("/undo")
    assert code == 0
    assert [line.split() for line in calls[1:-1]] == [
        ["certutil", "-delstore", one.store, thumbprint(one.certificate)] for one in trusted
    ]
    assert calls[-1].split() == ["bcdedit", "-set", "TESTSIGNING", "OFF"]


@pytest.mark.parametrize(
    ("arguments", "exits", "code", "message", "called"),
    [
        ((), {"fltmc": 5}, 5, "started as administrator", "fltmc"),
        ((), {"certutil": 2}, 1, "Installing a certificate failed", "certutil"),
        ((), {"bcdedit": 1}, 3, "Secure Boot is on", "find"),
        ((), {"bcdedit": 1, "find": 1}, 3, "TESTSIGNING was not changed", "find"),
        (("/remove",), {}, 2, "Usage: install.cmd [/undo]", "fltmc"),
    ],
    ids=["not-administrator", "certutil-fails", "secure-boot", "no-secure-boot", "wrong-argument"],
)
def test_an_error_is_reported_and_ends_the_script(run, arguments, exits, code, message, called):
    ended, output_text, calls = run(*arguments, **exits)
    assert (ended, message in output_text) == (code, True)
    assert calls[-1].split()[0] == called
    assert ("Secure Boot is on" in output_text) == (exits == {"bcdedit": 1})
