"""Signing steps of public driver projects, run as processes with the programs of `drvsign shims`.

The lines are our own, with the switches and the order of the scripts that each case names.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalogs import read_catalog
from signer.cli.tsa_server import serving
from signer.operations.signatures import is_signed, signatures
from signer.pkcs7.parse import parse
from tests.support.images import PeSpec
from tests.support.inf_files import BASE
from tests.support.program import drvsign
from tests.support.timestamping import tsa

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the scripts are for a POSIX shell")

MAKECERT = 'makecert -r -pe -ss My -n "CN=Contoso Drivers" -eku 1.3.6.1.5.5.7.3.3 -sky signature -len 2048 test.cer'
STAMPED = "stampinf -f sample.inf -d 11/26/2025 -a amd64 -v 1.0.0.1"


@dataclass(frozen=True)
class Script:
    """The steps of a project."""

    source: str
    """Repository and file."""
    lines: str
    signed: tuple[str, ...]
    """The files that are signed at the end."""
    stamped: bool = True


SCRIPTS = {
    "cargo-wdk": Script(
        "microsoft/windows-drivers-rs, crates/cargo-wdk/src/actions/build/package_task.rs",
        """
        stampinf -f sample.inf -d '*' -a amd64 -c sample.cat -v '*' -k 1.33
        inf2cat /driver:. /os:10_x64 /uselocaltime
        infverif /v /h sample.inf
        certmgr.exe -s WDRTestCertStore
        makecert -r -pe -a SHA256 -eku 1.3.6.1.5.5.7.3.3 -ss WDRTestCertStore -n CN=WDRLocalTestCert created.cer
        certmgr.exe -s WDRTestCertStore | grep WDRLocalTestCert
        certmgr.exe -put -s WDRTestCertStore -c -n WDRLocalTestCert WDRLocalTestCert.cer
        signtool sign /v /s WDRTestCertStore /n WDRLocalTestCert /t $TSA /fd SHA256 sample.sys
        signtool sign /v /s WDRTestCertStore /n WDRLocalTestCert /t $TSA /fd SHA256 sample.cat
        """,
        ("sample.sys", "sample.cat"),
    ),
    "WDK's targets for MSBuild": Script(
        "build logs of microsoft/Windows-driver-samples, as in its issues 892 to 894",
        f"""
        {MAKECERT}
        stampinf.exe -d "*" -a "amd64" -v "*" -k "1.15" -x -f sample.inf
        InfVerif.exe /h sample.inf
        signtool.exe sign /ph /fd "sha256" /sha1 $SHA1 sample.sys
        Inf2Cat.exe /os:10_X64 /driver:./ /uselocaltime
        signtool.exe sign /ph /fd "sha256" /sha1 $SHA1 sample.cat
        """,
        ("sample.sys", "sample.cat"),
        stamped=False,
    ),
    "virtio-win": Script(
        "virtio-win/kvm-guest-drivers-windows, Q35/buildAll.bat and build/signAll.bat",
        f"""
        {STAMPED}
        makecert -r -n "CN=Contoso Drivers" -eku 1.3.6.1.5.5.7.3.3 -sv key.pvk key.cer
        pvk2pfx -pvk key.pvk -spc key.cer -pfx key.pfx
        inf2cat /driver:. /uselocaltime /os:10_X64,10_VB_X64,Server10_X64
        signtool.exe sign /fd SHA256 /f key.pfx sample.sys
        signtool.exe sign /fd SHA256 /f key.pfx sample.cat
        """,
        ("sample.sys", "sample.cat"),
    ),
    "WinFsp": Script(
        "winfsp/winfsp, tools/build.bat and build/VStudio/winfsp_sys.vcxproj",
        """
        makecert -r -cy authority -n "CN=Contoso Root" -ss Roots -sv root.pvk root.cer
        makecert -n "CN=Contoso Drivers" -ic root.cer -iv root.pvk -eku 1.3.6.1.5.5.7.3.3 -ss My leaf.cer
        stampinf -d '*' -v 2.1.25156.0 -a amd64 -f sample.inf
        signtool sign /ac root.cer /i Root /n Contoso /fd sha256 /tr $TSA /td sha256 sample.sys other.dll
        mkdir unsigned
        cp sample.sys other.dll unsigned
        (cd unsigned && signtool remove /q /s sample.sys other.dll)
        """,
        ("sample.sys", "other.dll"),
    ),
    "Dokany": Script(
        "dokan-dev/dokany, scripts/sign.ps1",
        f"""
        {MAKECERT}
        signtool sign /v /fd sha256 /sha1 $SHA1 /t $TSA sample.sys other.dll
        signtool sign /v /tr $TSA /td sha256 /fd sha256 /as /sha1 $SHA1 other.dll
        signtool remove /s sample.sys
        signtool sign /fd sha256 /sha1 $SHA1 sample.sys
        """,
        ("sample.sys", "other.dll"),
        stamped=False,
    ),
    "tap-windows6": Script(
        "OpenVPN/tap-windows6, sign/Cross-Sign.ps1 and sign/Sign-File.ps1",
        f"""
        {STAMPED}
        makecert -r -cy authority -n "CN=Contoso Root" -ss Roots -sv root.pvk root.cer
        makecert -n "CN=Contoso Drivers" -ic root.cer -iv root.pvk -eku 1.3.6.1.5.5.7.3.3 -ss My leaf.cer
        Inf2Cat.exe /driver:. /os:Vista_X64,Server2008_X64,Server2008R2_X64,7_X64
        for file in sample.sys sample.cat; do
            signtool sign /v /s My /n "Contoso Drivers" /ac root.cer /as /fd sha256 $file
            signtool timestamp /tr $TSA /td sha256 $file
        done
        signtool sign /v /s My /n "Contoso Drivers" /ac root.cer /as /fd sha256 sample.sys
        signtool timestamp /tr $TSA /td sha256 /tp 1 sample.sys
        """,
        ("sample.sys", "sample.cat"),
    ),
    "WireGuard": Script(
        "WireGuard/wireguard-windows, build.bat and installer/build.bat",
        f"""
        {MAKECERT}
        signtool sign /sha1 $SHA1 /fd sha256 /tr $TSA /td sha256 /d WireGuard other.dll sample.sys
        signtool sign /sha1 $SHA1 /fd sha256 /tr $TSA /td sha256 /d "WireGuard Setup" "oth*.dll"
        """,
        ("sample.sys", "other.dll"),
        stamped=False,
    ),
    "libwdi": Script(
        "pbatard/libwdi, _sign.cmd",
        f"""
        {MAKECERT}
        signtool sign /v /sha1 $SHA1 /fd SHA256 /tr $TSA /td SHA256 other.dll sample.sys
        """,
        ("sample.sys", "other.dll"),
        stamped=False,
    ),
}


@pytest.fixture(scope="module")
def shims(tmp_path_factory: pytest.TempPathFactory, warm_python: Path) -> Path:
    """The folder of the programs."""
    folder = tmp_path_factory.mktemp("shims")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(warm_python))
        assert drvsign("shims", folder).code == 0
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A driver package with a template, and a library."""
    tmp_path.joinpath("sample.inf").write_text(BASE.replace("NTamd64", "NT$ARCH$"), newline="\r\n")
    for name in ("sample.sys", "other.dll"):
        tmp_path.joinpath(name).write_bytes(PeSpec().build())
    return tmp_path


@pytest.fixture
def environment(package: Path, shims: Path) -> Iterator[dict[str, str]]:
    """The environment of a script: the programs first in PATH, a timestamp authority, and stores of its own."""
    names = {"PATH": f"{shims}{os.pathsep}{os.environ['PATH']}", "DRVSIGN_STORES": str(package / "stores")}
    sha1 = {"SHA1": "$(openssl x509 -in test.cer -inform DER -noout -fingerprint -sha1 | tr -d : | sed s/.*=//)"}
    with serving(tsa()) as server:
        yield {**os.environ, **names, **sha1, "TSA": server.url, "PYTHONUNBUFFERED": "1"}


def run(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script whose first error ends it."""
    lines = "\n".join(line.strip() for line in script.strip().splitlines())
    text = lines.replace("$SHA1", environment["SHA1"])
    return subprocess.run(
        ["/bin/sh", "-exc", text], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_runs_unchanged(script: Script, package: Path, environment: dict[str, str]) -> None:
    done = run(script.lines, package, environment)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    for name in script.signed:
        data = package.joinpath(name).read_bytes()
        assert is_signed(data), name
        if "$TSA" in script.lines and f"remove /s {name}" not in script.lines:
            for one in signatures(data):
                assert len(parse(one).signers[0].unsigned_attributes) > 0, name
    if (package / "sample.cat").exists():
        assert {member.file for member in read_catalog(package / "sample.cat").members} >= {"sample.inf", "sample.sys"}
    if script.stamped:
        assert "$ARCH$" not in package.joinpath("sample.inf").read_text()


def test_a_failing_step_ends_the_script(package: Path, environment: dict[str, str]) -> None:
    package.joinpath("sample.inf").write_text(BASE.replace("05/01/2024", "05/01/2099"), newline="\r\n")
    done = run("inf2cat /driver:. /os:10_X64\necho never", package, environment)
    assert done.returncode == 254
    assert "22.9.7" in done.stdout
    assert "never" not in done.stdout


def test_the_catalog_generator_of_edk2(package: Path, shims: Path, environment: dict[str, str]) -> None:
    """A package of its own: edk2-pytool-library, edk2toollib/windows/capsule/cat_generator.py."""
    pytest.importorskip("edk2toollib.windows.capsule.cat_generator", reason="needs edk2-pytool-library")
    package.joinpath("sample.inf").write_text(BASE, newline="\r\n")
    code = (
        "import sys; from edk2toollib.windows.capsule.cat_generator import CatGenerator; "
        "print(CatGenerator('x64', '10').MakeCat(sys.argv[1], sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, package / "sample.cat", shims / "inf2cat"]
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {member.file for member in read_catalog(package / "sample.cat").members} == {"sample.inf", "sample.sys"}


def test_a_reader_that_ends_early_ends_a_tool(package: Path, environment: dict[str, str]) -> None:
    done = run(
        "(infverif /? ; echo $? >&2) | true\n(certmgr -s My 2>&-; signtool sign 2>&-) | cat", package, environment
    )
    assert "Traceback" not in done.stdout + done.stderr
