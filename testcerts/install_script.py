"""Generate scripts that install test certificates on a test machine, turn on test signing, and undo both.

Windows installs a test-signed package if the root is in the Trusted Root store and the publisher in the Trusted
Publishers store of the local machine, and loads its driver if the boot option TESTSIGNING is on (Windows driver
documentation: "Installing test certificates", "The TESTSIGNING boot configuration option"). A script contains the
certificates, so private keys need not be copied to the test machine.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from textwrap import wrap

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.asn1.oids import EKU_CODE_SIGNING
from signer.certificates import common_name, thumbprint
from signer.records import dataclass
from testcerts.hierarchy import TestHierarchy
from testcerts.profiles import ALL_PROFILES, Profile

NAME = "install-test-certificates"
"""File name of the scripts, without suffix."""

NOT_ADMINISTRATOR, BOOT_OPTION_NOT_CHANGED = 5, 3
"""Exit codes of the scripts: not run as administrator; certificates installed but boot option not changed."""

_BASE64_LINE = 64
_QUOTES = "'\u2018\u2019\u201a\u201b"  # PowerShell also accepts typographic quotes

_SECURE_BOOT = r"SYSTEM\CurrentControlSet\Control\SecureBoot\State"
_NOTES = (
    "Turn off Secure Boot in the firmware first: with Secure Boot on, Windows does not allow test signing.",
    "If BitLocker protects the system drive, suspend it first: otherwise the next restart needs the recovery key.",
)


@dataclass(frozen=True, slots=True)
class Trusted:
    """A certificate and its certificate store on the local machine."""

    store: str
    certificate: x509.Certificate


def trusted_of(hierarchy: TestHierarchy) -> tuple[Trusted, ...]:
    """Return the certificates to install: roots, the issuing CA and code-signing certificates without a flaw."""
    trusted = [Trusted("Root", hierarchy.root), Trusted("CA", hierarchy.issuing_ca)]
    for name, certificate in hierarchy.certificates.items():
        profile = ALL_PROFILES[name]
        if _signs_code(profile):
            if profile.issuer is None:
                trusted.append(Trusted("Root", certificate))
            trusted.append(Trusted("TrustedPublisher", certificate))
    return tuple(trusted)


def cmd(trusted: Sequence[Trusted], name: str = f"{NAME}.cmd") -> bytes:
    """Generate the batch file `name` for Windows Vista and later; it uses certutil and bcdedit."""
    lines = [
        "@echo off",
        *(f"rem {line}" for line in _header(trusted, _command_name(name), "/undo")),
        *_CMD_BEGIN.splitlines(),
        *(line for one in trusted for line in _cmd_install(one)),
        *_CMD_TEST_SIGNING.splitlines(),
        *(f'"%SYSTEM%\\certutil.exe" -delstore {one.store} {thumbprint(one.certificate)}' for one in trusted),
        *_CMD_END.splitlines(),
    ]
    return _crlf(lines).encode("ascii")


_CMD_BEGIN = rf"""rem Otherwise cmd /v:on would expand exclamation marks.
setlocal DisableDelayedExpansion
set "SYSTEM=%SystemRoot%\System32"
rem A 32-bit command prompt reaches the 64-bit programs only under this name.
if exist "%SystemRoot%\Sysnative\cmd.exe" set "SYSTEM=%SystemRoot%\Sysnative"
"%SYSTEM%\fltmc.exe" >nul 2>&1
if errorlevel 1 (
  echo Run this script in a command prompt that was started as administrator.
  exit /b {NOT_ADMINISTRATOR}
)
if /i "%~1"=="/undo" goto undo
if not "%~1"=="" goto usage
set "FILE=%TEMP%\drvsign-%RANDOM%-%RANDOM%.cer"
"""

_CMD_TEST_SIGNING = r"""del "%FILE%"
"%SYSTEM%\bcdedit.exe" -set TESTSIGNING ON
if errorlevel 1 goto refused
echo Done. Restart Windows to turn on test signing.
exit /b 0

:undo
"""

_CMD_END = rf""""%SYSTEM%\bcdedit.exe" -set TESTSIGNING OFF
if errorlevel 1 goto refused
echo Done. Restart Windows to turn off test signing.
exit /b 0

:usage
echo Usage: %~nx0 [/undo]
exit /b 2

:failed
if exist "%FILE%" del "%FILE%"
echo Installing a certificate failed.
exit /b 1

:refused
echo The boot option TESTSIGNING was not changed.
"%SYSTEM%\reg.exe" query "HKLM\{_SECURE_BOOT}" /v UEFISecureBootEnabled 2>nul | "%SYSTEM%\find.exe" "0x1" >nul
if not errorlevel 1 echo Secure Boot is on: turn it off in the firmware, then run this script again.
exit /b {BOOT_OPTION_NOT_CHANGED}
"""


def ps1(trusted: Sequence[Trusted], name: str = f"{NAME}.ps1") -> bytes:
    """Generate the script `name` for PowerShell 2 and later; with a BOM, because version 5 otherwise reads ANSI."""
    lines = [
        *(
            f"# {line}"
            for line in _header(trusted, f"powershell -ExecutionPolicy Bypass -File {_command_name(name)}", "-Undo")
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
    [Console]::Error.WriteLine('Run this script in a PowerShell that was started as administrator.')
    exit {NOT_ADMINISTRATOR}
}}

# Uses the .NET class because Windows 7 has no Import-Certificate.
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

# A 32-bit PowerShell reaches the 64-bit program only under the second name.
$bcdedit = Join-Path $env:SystemRoot 'System32\bcdedit.exe'
$native = Join-Path $env:SystemRoot 'Sysnative\bcdedit.exe'
if (Test-Path $native) {{ $bcdedit = $native }}
if ($Undo) {{ $state = 'OFF' }} else {{ $state = 'ON' }}
& $bcdedit -set TESTSIGNING $state
if ($LASTEXITCODE -ne 0) {{
    [Console]::Error.WriteLine('The boot option TESTSIGNING was not changed.')
    $secureBoot = Get-ItemProperty 'HKLM:\{_SECURE_BOOT}' -ErrorAction SilentlyContinue
    if ($secureBoot -and $secureBoot.UEFISecureBootEnabled -eq 1) {{
        [Console]::Error.WriteLine('Secure Boot is on: turn it off in the firmware, then run this script again.')
    }}
    exit {BOOT_OPTION_NOT_CHANGED}
}}
Write-Output "Done. Restart Windows to turn test signing $state."
"""


WRITERS = {".cmd": cmd, ".bat": cmd, ".ps1": ps1}
"""Script generator by file suffix."""


def _header(trusted: Sequence[Trusted], call: str, undo: str) -> list[str]:
    """Return the introductory comment of both scripts, in ASCII."""
    return [
        "Sets up this machine to test drivers that are signed with these test certificates:",
        *(
            f"  {one.store:17}{thumbprint(one.certificate)}  {_comment_text(common_name(one.certificate))}"
            for one in trusted
        ),
        "",
        "Run it as administrator, then restart Windows:",
        f"  {call}",
        f"  {call} {undo}",
        "",
        *_NOTES,
        "Do not run it on a machine that must be secure: anyone with the private keys can sign drivers for it.",
        "",
    ]


def _cmd_install(one: Trusted) -> Iterable[str]:
    """Yield batch commands that write a certificate to a PEM file and add it to its store."""
    yield f"echo {one.store}: {_escaped(common_name(one.certificate))}"
    # The redirection comes first: a digit directly before it would be a stream number.
    yield '>"%FILE%" echo -----BEGIN CERTIFICATE-----'
    yield from (f'>>"%FILE%" echo {line}' for line in _base64(one.certificate))
    yield '>>"%FILE%" echo -----END CERTIFICATE-----'
    yield f'"%SYSTEM%\\certutil.exe" -f -addstore {one.store} "%FILE%"'
    yield "if errorlevel 1 goto failed"


def _ps1_entry(one: Trusted, last: bool) -> Iterable[str]:
    """Yield a certificate as an element of the PowerShell array."""
    yield f"    @{{ Store = '{one.store}'; Name = '{_quoted(common_name(one.certificate))}'; Data = '"
    yield from _base64(one.certificate)
    yield "' }" if last else "' },"


def _signs_code(profile: Profile) -> bool:
    return EKU_CODE_SIGNING in profile.usages and not profile.authority and not profile.flaw


def _base64(certificate: x509.Certificate) -> list[str]:
    return wrap(base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii"), _BASE64_LINE)


def _comment_text(text: str) -> str:
    """Return text for a comment; characters that are not ASCII or special in batch files become question marks."""
    return "".join(char if char.isascii() and char.isprintable() and char not in "%^&|<>" else "?" for char in text)


def _escaped(text: str) -> str:
    """Escape text for `echo` in a batch file."""
    plain = "".join(char if char.isascii() and char.isprintable() else "?" for char in text)
    return "".join(f"^{char}" if char in '^&|<>()"' else char for char in plain).replace("%", "%%")


def _quoted(text: str) -> str:
    """Escape text for a single-quoted PowerShell string, in which only quotes are special."""
    return "".join(char * 2 if char in _QUOTES else char if char.isprintable() else "?" for char in text)


def _command_name(name: str) -> str:
    """Return the script's name as typed at a prompt, quoted if necessary."""
    return f'"{_comment_text(name)}"' if " " in name else _comment_text(name)


def _crlf(lines: Iterable[str]) -> str:
    return "".join(f"{line}".rstrip() + "\r\n" for line in lines)
