"""Scripts for the test machine: they carry the certificates, trust them, switch test signing on, and undo it all.

Windows installs a test-signed package where the root is in the Trusted Root store and the publisher in the Trusted
Publishers store of the local machine, and loads its driver with the boot option TESTSIGNING on (Windows driver
documentation: "Installing test certificates", "The TESTSIGNING boot configuration option"). One file is all that has
to be copied, so that no folder with private keys travels to the test machine.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.certificates import common_name, thumbprint
from testcerts.profiles import CODE_SIGNING, EVERY, Profile
from testcerts.store import TestHierarchy

NAME = "install-test-certificates"
"""What the scripts are called, without suffix."""

NOT_ADMINISTRATOR, NOT_SWITCHED = 5, 3
"""Exit codes of the scripts: run without the rights; certificates installed, but the boot option not changed."""

_BASE64_LINE = 64
_QUOTES = "'\u2018\u2019\u201a\u201b"  # PowerShell takes the typographic ones for the same

_SECURE_BOOT = r"SYSTEM\CurrentControlSet\Control\SecureBoot\State"
_NOTES = (
    "With Secure Boot on, Windows refuses to switch test signing on: turn Secure Boot off in the firmware first.",
    "Where BitLocker protects the system drive, suspend it first, or the next start asks for the recovery key.",
)


@dataclass(frozen=True, slots=True)
class Trusted:
    """A certificate, and the store of the local machine that it goes into."""

    store: str
    certificate: x509.Certificate


def trusted_of(hierarchy: TestHierarchy) -> tuple[Trusted, ...]:
    """What a test machine has to trust: roots, the issuing CA, and who signs code, but for the deliberately bad."""
    trusted = [Trusted("Root", hierarchy.root), Trusted("CA", hierarchy.issuing_ca)]
    for name, certificate in hierarchy.certificates.items():
        profile = EVERY[name]
        if _signs_code(profile):
            if profile.issuer is None:
                trusted.append(Trusted("Root", certificate))
            trusted.append(Trusted("TrustedPublisher", certificate))
    return tuple(trusted)


def cmd(trusted: Sequence[Trusted], name: str = f"{NAME}.cmd") -> bytes:
    """The script `name` for the command prompt of Windows Vista and later; certutil and bcdedit are part of Windows."""
    lines = [
        "@echo off",
        *(f"rem {line}" for line in _header(trusted, _called(name), "/undo")),
        *_CMD_BEGIN.splitlines(),
        *(line for one in trusted for line in _cmd_install(one)),
        *_CMD_SWITCH.splitlines(),
        *(f'"%SYSTEM%\\certutil.exe" -delstore {one.store} {thumbprint(one.certificate)}' for one in trusted),
        *_CMD_END.splitlines(),
    ]
    return _crlf(lines).encode("ascii")


_CMD_BEGIN = rf"""setlocal
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit command prompt sees the 64-bit programs under this name only.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
"%SYSTEM%\fltmc.exe" >nul 2>&1
if errorlevel 1 (
  echo This needs a command prompt that was started as administrator.
  exit /b {NOT_ADMINISTRATOR}
)
if /i "%~1"=="/undo" goto undo
if not "%~1"=="" goto usage
set "FILE=%TEMP%\drvsign-%RANDOM%-%RANDOM%.cer"
"""

_CMD_SWITCH = r"""del "%FILE%"
"%SYSTEM%\bcdedit.exe" -set TESTSIGNING ON
if errorlevel 1 goto refused
echo Done. Restart Windows to begin with test signing.
exit /b 0

:undo
"""

_CMD_END = rf""""%SYSTEM%\bcdedit.exe" -set TESTSIGNING OFF
if errorlevel 1 goto refused
echo Done. Restart Windows to end test signing.
exit /b 0

:usage
echo Usage: %~nx0 [/undo]
exit /b 2

:failed
if exist "%FILE%" del "%FILE%"
echo A certificate could not be installed.
exit /b 1

:refused
echo The boot option TESTSIGNING was not changed.
"%SYSTEM%\reg.exe" query "HKLM\{_SECURE_BOOT}" /v UEFISecureBootEnabled 2>nul | "%SYSTEM%\find.exe" "0x1" >nul
if not errorlevel 1 echo Secure Boot is on: turn it off in the firmware, then run this again.
exit /b {NOT_SWITCHED}
"""


def ps1(trusted: Sequence[Trusted], name: str = f"{NAME}.ps1") -> bytes:
    """The script `name` for PowerShell 2 and later. Without its byte order mark version 5 would read it as ANSI."""
    lines = [
        *(
            f"# {line}"
            for line in _header(trusted, f"powershell -ExecutionPolicy Bypass -File {_called(name)}", "-Undo")
        ),
        "param([switch] $Undo)",
        "$ErrorActionPreference = 'Stop'",
        "",
        "$trusted = @(",
        *(line for number, one in enumerate(trusted, 1) for line in _ps1_entry(one, last=number == len(trusted))),
        ")",
        *_POWERSHELL.splitlines(),
    ]
    return _crlf(lines).encode("utf-8-sig")


_POWERSHELL = rf"""
$user = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $user.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {{
    [Console]::Error.WriteLine('This needs a PowerShell that was started as administrator.')
    exit {NOT_ADMINISTRATOR}
}}

# The .NET class and not Import-Certificate, which Windows 7 does not have.
foreach ($one in $trusted) {{
    $bytes = [Convert]::FromBase64String($one.Data)
    $certificate = New-Object Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $bytes)
    $store = New-Object Security.Cryptography.X509Certificates.X509Store($one.Store, 'LocalMachine')
    $store.Open('ReadWrite')
    if ($Undo) {{
        foreach ($old in $store.Certificates.Find('FindByThumbprint', $certificate.Thumbprint, $false)) {{
            $store.Remove($old)
        }}
    }} else {{
        $store.Add($certificate)
    }}
    $store.Close()
    Write-Output ('{{0}}: {{1}}' -f $one.Store, $one.Name)
}}

# A 32-bit PowerShell sees the 64-bit program under the second name only.
$bcdedit = Join-Path $env:SystemRoot 'System32\bcdedit.exe'
$native = Join-Path $env:SystemRoot 'Sysnative\bcdedit.exe'
if (Test-Path $native) {{ $bcdedit = $native }}
if ($Undo) {{ $state = 'OFF' }} else {{ $state = 'ON' }}
& $bcdedit -set TESTSIGNING $state
if ($LASTEXITCODE -ne 0) {{
    [Console]::Error.WriteLine('The boot option TESTSIGNING was not changed.')
    $secureBoot = Get-ItemProperty 'HKLM:\{_SECURE_BOOT}' -ErrorAction SilentlyContinue
    if ($secureBoot -and $secureBoot.UEFISecureBootEnabled -eq 1) {{
        [Console]::Error.WriteLine('Secure Boot is on: turn it off in the firmware, then run this again.')
    }}
    exit {NOT_SWITCHED}
}}
Write-Output "Done. Restart Windows for test signing to be $state."
"""


WRITERS = {".cmd": cmd, ".bat": cmd, ".ps1": ps1}
"""What writes a script of this name."""


def _header(trusted: Sequence[Trusted], call: str, undo: str) -> list[str]:
    """What a person reads at the top of either script, in ASCII."""
    return [
        "Makes this machine a test machine for drivers that are signed with these test certificates:",
        *(f"  {one.store:17}{thumbprint(one.certificate)}  {_plain(common_name(one.certificate))}" for one in trusted),
        "",
        "Run it as administrator, then restart Windows:",
        f"  {call}",
        f"  {call} {undo}",
        "",
        *_NOTES,
        "Never run it on a machine that has to be secure: whoever holds the private keys can sign for it.",
        "",
    ]


def _cmd_install(one: Trusted) -> Iterable[str]:
    """A certificate written to a file and added to its store; certutil reads PEM."""
    yield f"echo {one.store}: {_escaped(common_name(one.certificate))}"
    # The redirection stands in front, because a digit before it would be taken for a number of a stream.
    yield '>"%FILE%" echo -----BEGIN CERTIFICATE-----'
    yield from (f'>>"%FILE%" echo {line}' for line in _base64(one.certificate))
    yield '>>"%FILE%" echo -----END CERTIFICATE-----'
    yield f'"%SYSTEM%\\certutil.exe" -f -addstore {one.store} "%FILE%"'
    yield "if errorlevel 1 goto failed"


def _ps1_entry(one: Trusted, last: bool) -> Iterable[str]:
    """A certificate as an element of the array."""
    yield f"    @{{ Store = '{one.store}'; Name = '{_quoted(common_name(one.certificate))}'; Data = '"
    yield from _base64(one.certificate)
    yield "' }" if last else "' },"


def _signs_code(profile: Profile) -> bool:
    return CODE_SIGNING in profile.usages and not profile.authority and not profile.flaw


def _base64(certificate: x509.Certificate) -> list[str]:
    return wrap(base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii"), _BASE64_LINE)


def _plain(text: str) -> str:
    """Text for a comment: ASCII, and a question mark for what ends a line, expands a variable or starts a command."""
    return "".join(char if char.isascii() and char.isprintable() and char not in "%^&|<>" else "?" for char in text)


def _escaped(text: str) -> str:
    """Text for `echo`: characters that mean something to the command prompt lose their meaning."""
    plain = "".join(char if char.isascii() and char.isprintable() else "?" for char in text)
    return "".join(f"^{char}" if char in '^&|<>()"' else char for char in plain).replace("%", "%%")


def _quoted(text: str) -> str:
    """Text between single quotes of PowerShell: quotes are doubled, and nothing else means anything there."""
    return "".join(char * 2 if char in _QUOTES else char if char.isprintable() else "?" for char in text)


def _called(name: str) -> str:
    """A script's name as it is typed at a prompt."""
    return f'"{_plain(name)}"' if " " in name else _plain(name)


def _crlf(lines: Iterable[str]) -> str:
    return "".join(f"{line}".rstrip() + "\r\n" for line in lines)
