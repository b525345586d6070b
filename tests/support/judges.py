"""Third-party programs that verify signatures, and their inputs."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from signer.keys.identity import SigningIdentity
from tests.support.files import ROOT

HELLO = ROOT / "examples" / "hello"
WINE = Path("/usr/lib/wine/wine64")


@dataclass(frozen=True, slots=True)
class Pki:
    """A signing identity, and the root that verifiers trust."""

    identity: SigningIdentity
    root: Path
    """Path of the root certificate (PEM)."""
    folder: Path


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """Exit code and output of a program."""

    code: int
    text: str

    def count(self, pattern: str) -> int:
        """Count the matches of a regular expression in the output."""
        return len(re.findall(pattern, self.text))


def tool(name: str, package: str) -> str:
    """Return the path of a program; skip the test if it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package {package})")
    return found


def run(*command: str | Path, **options: object) -> ProgramResult:
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=120, **options)  # type: ignore[call-overload]
    return ProgramResult(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"))


def osslsigncode(pki: Pki, path: Path, *arguments: str | Path) -> ProgramResult:
    """Run `osslsigncode verify` on a file; trust the root of `pki` for signatures and timestamps."""
    program = tool("osslsigncode", "osslsigncode")
    return run(program, "verify", "-in", path, "-CAfile", pki.root, "-TSA-CAfile", pki.root, *arguments)


def openssl(*arguments: str | Path) -> ProgramResult:
    return run(tool("openssl", "openssl"), *arguments)


@cache
def hello() -> bytes:
    """Return the unsigned example driver."""
    return (HELLO / "hello.sys").read_bytes()
