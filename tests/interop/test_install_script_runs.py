"""The install script, run by Wine's command prompt with replacements for the programs of Windows.

The replacements are batch files that log their arguments and return the exit code that the test sets; that of certutil
also copies its input file. The real certutil and bcdedit are not tested.
"""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from signer.certificates import load_all, thumbprint
from testcerts import install_script, store
from testcerts.issue import Order, parse_subject
from testcerts.profiles import KeyKind
from tests.support.judges import WINE

PROGRAMS = ("fltmc", "certutil", "bcdedit", "reg", "find")
STAND_IN = (
    '@echo off\r\n>>"%~dp0calls.txt" echo {name} %*\r\n{more}'
    # The replacement fails in the call that FAIL_{name} numbers, or in each one.
    'set /a COUNT_{name}+=1 >nul\r\nif "%FAIL_{name}%"=="" exit /b %EXIT_{name}%\r\n'
    "if %COUNT_{name}%==%FAIL_{name}% exit /b %EXIT_{name}%\r\nexit /b 0\r\n"
)
KEEP = 'if "%2"=="-addstore" type %4 > "%~dp0%3.%RANDOM%%RANDOM%.cer"\r\n'


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    order = Order(parse_subject("CN=100%OS% & co,O=Contoso"), datetime(2026, 3, 1, tzinfo=UTC), KeyKind.P256)
    folder = tmp_path_factory.mktemp("pki") / "certs"
    return install_script.trusted_of(store.create(folder, order, ["self-signed"]).hierarchy)


@pytest.fixture
def run(wine_prefix, tmp_path, request):
    """Return a function that runs the script and returns exit code, output and the calls of the replacements."""
    names = request.param if hasattr(request, "param") else None
    trusted = request.getfixturevalue("trusted") if names is None else hierarchy_of(names, tmp_path)
    script = install_script.cmd(trusted).decode("ascii")
    script, count = re.subn(r'"%SYSTEM%\\(\w+)\.exe"', r'call "%~dp0\1.cmd"', script)
    assert count > 2 * len(trusted)
    (tmp_path / "install.cmd").write_bytes(script.encode())
    for name in PROGRAMS:
        more = KEEP if name == "certutil" else ""
        (tmp_path / f"{name}.cmd").write_bytes(STAND_IN.format(name=name, more=more).encode())

    def call(
        *arguments: str, at: int | None = None, options: tuple[str, ...] = (), **exits: int
    ) -> tuple[int, str, list[str]]:
        environment = {**os.environ, "WINEPREFIX": str(wine_prefix), "WINEDEBUG": "-all"}
        environment |= {f"EXIT_{name}": str(exits.get(name, 0)) for name in PROGRAMS}
        environment |= {f"FAIL_{name}": str(at) for name in exits if at is not None}
        output_text = tmp_path / "output_text.txt"
        with output_text.open("wb") as output:  # a pipe would stay open until Wine's own services have ended
            done = subprocess.run(
                [WINE, "cmd", *options, "/c", "install.cmd", *arguments],
                cwd=tmp_path,
                env=environment,
                stdout=output,
                timeout=120,
            )
        calls = tmp_path / "calls.txt"
        return done.returncode, output_text.read_text(), calls.read_text().splitlines() if calls.exists() else []

    return call


def hierarchy_of(subject: str, folder: Path) -> tuple[install_script.Trusted, ...]:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    order = Order(name, datetime(2026, 3, 1, tzinfo=UTC), KeyKind.P256)
    return install_script.trusted_of(store.create(folder / "certs", order).hierarchy)


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


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_installing_stops_at_the_certificate_that_fails(run, trusted, number, tmp_path):
    """Test signing stays off, and the temporary file is deleted."""
    assert len(trusted) == 5
    code, output_text, calls = run(certutil=2, at=number)
    assert (code, "Installing a certificate failed" in output_text) == (1, True)
    assert [line.split()[0] for line in calls] == ["fltmc", *["certutil"] * number]
    assert not [line for line in calls if "bcdedit" in line]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_undo_goes_on_after_a_certificate_that_is_not_there(run, trusted, number):
    """A certificate may have been removed by hand: the others are removed, and test signing is turned off."""
    code, _, calls = run("/undo", certutil=2, at=number)
    assert code == 0
    assert sum("-delstore" in line for line in calls) == len(trusted)
    assert calls[-1].split() == ["bcdedit", "-set", "TESTSIGNING", "OFF"]


def test_undo_says_that_test_signing_stays_on(run):
    code, output_text, _ = run("/undo", bcdedit=1, find=1)
    assert (code, "TESTSIGNING was not changed" in output_text) == (3, True)


@pytest.mark.parametrize("arguments", [(), ("/undo",)], ids=["install", "undo"])
def test_without_administrator_nothing_is_called(run, arguments):
    code, _, calls = run(*arguments, fltmc=5)
    assert (code, [line.split()[0] for line in calls]) == (5, ["fltmc"])


HOSTILE = [
    "%PATH%", "a & echo INJECTED", "a\" & echo INJECTED & \"", "a ^& echo INJECTED", "!PATH! %OS%", "a\necho INJECTED",
    "a\r\necho INJECTED", "a | echo INJECTED > injected.txt", ") & echo INJECTED (", "%~dp0%0 %*", "/? on", "a ^", '"',
]  # fmt: skip
"""Names of certificates that are commands or variables for cmd.exe."""


@pytest.mark.parametrize("run", HOSTILE, indirect=True, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_only_text(run, tmp_path, request):
    name = request.node.callspec.params["run"]
    for arguments in ((), ("/undo",)):
        (tmp_path / "calls.txt").unlink(missing_ok=True)
        code, output_text, calls = run(*arguments)
        assert code == 0, output_text
        assert [line.split()[0] for line in calls] == ["fltmc", *["certutil"] * 3, "bcdedit"]
        assert "INJECTED" not in {line.strip() for line in output_text.splitlines()}
        shown = name.replace("\r", "?").replace("\n", "?")
        assert arguments or f"Root: {shown} Root CA" in output_text
    assert not (tmp_path / "injected.txt").exists()


@pytest.mark.parametrize("run", ["!PATH! %OS%"], indirect=True, ids=["variables"])
def test_delayed_expansion_does_not_expand_a_name(run):
    code, output_text, _ = run(options=("/v:on",))
    assert (code, "Root: !PATH! %OS% Root CA" in output_text) == (0, True)
