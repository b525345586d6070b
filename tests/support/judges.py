"""Programs of other people that judge what we sign, and what they are given."""

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
    """Who signs, and what a judge is told to trust."""

    identity: SigningIdentity
    root: Path
    """The root certificate, PEM."""
    folder: Path


@dataclass(frozen=True, slots=True)
class Said:
    """What a program said."""

    code: int
    text: str

    def count(self, pattern: str) -> int:
        """How often a regular expression is found."""
        return len(re.findall(pattern, self.text))


def tool(name: str, package: str) -> str:
    """The path of a program; the test is skipped where it is absent."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package {package})")
    return found


def run(*command: str | Path, **options: object) -> Said:
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=120, **options)  # type: ignore[call-overload]
    return Said(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"))


def osslsigncode(pki: Pki, path: Path, *arguments: str | Path) -> Said:
    """`osslsigncode verify` on a file, trusting the root of `pki` for signatures and timestamps."""
    program = tool("osslsigncode", "osslsigncode")
    return run(program, "verify", "-in", path, "-CAfile", pki.root, "-TSA-CAfile", pki.root, *arguments)


def openssl(*arguments: str | Path) -> Said:
    return run(tool("openssl", "openssl"), *arguments)


@cache
def hello() -> bytes:
    """The unsigned driver of the example."""
    return (HELLO / "hello.sys").read_bytes()
