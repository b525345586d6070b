"""Check what drvsign needs on this machine: versions, extras, token modules, the clock, the test certificates, PATH.

Nothing is changed, and no network is used. Each check is one function; `CHECKS` lists them in the order of the report.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from signer.cli.requirements import Requirement, installed, is_new_enough, requirements
from signer.config import FILE_NAME, from_environment, parse_profiles
from signer.errors import SignerError
from signer.records import dataclass
from signer.storage.files import read
from testcerts.hierarchy import is_used, read_hierarchy
from testcerts.locate import locate

State = Literal["ok", "note", "warning", "problem"]

DISTRIBUTION = "drvsign"
_EXPIRES_SOON = timedelta(days=30)
_YEAR_10000 = 253402300800
"""The first second that a date can't have."""
_SET_CLOCK = "Set the clock of this machine."
_MIN_PYTHON = (3, 11)
_TOKEN_MODULES = (
    "libsofthsm2.so",
    "opensc-pkcs11.so",
    "libykcs11.so",
    "libeToken.so",
    "libIDPrimePKCS11.so",
    "libCryptoki2_64.so",
    "softhsm2-x64.dll",
    "opensc-pkcs11.dll",
    "libykcs11.dll",
    "eTPKCS11.dll",
)
"""File names of PKCS #11 modules: SoftHSM, OpenSC, YubiKey, SafeNet eToken and IDPrime, Luna."""
_TOKEN_FOLDERS = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/lib/softhsm",
    "/usr/lib64/softhsm",
    "/usr/local/lib/softhsm",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu/softhsm",
    "/usr/lib/x86_64-linux-gnu/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/pkcs11",
    "/opt/homebrew/lib",
    "/opt/homebrew/lib/softhsm",
    "/Library/OpenSC/lib",
    "C:/Windows/System32",
    "C:/SoftHSM2/lib",
    "C:/Program Files/OpenSC Project/OpenSC/pkcs11",
    "C:/Program Files/Yubico/Yubico PIV Tool/bin",
)


@dataclass(frozen=True, slots=True)
class Environment:
    """What the checks look at, so that tests can replace it."""

    variables: Mapping[str, str]
    now: datetime
    folder: Path
    """The working folder, where drvsign.toml is looked for."""
    token_folders: tuple[Path, ...] = tuple(map(Path, _TOKEN_FOLDERS))

    @classmethod
    def current(cls) -> Environment:
        """Return the environment of this process."""
        return cls(os.environ, datetime.now(UTC), Path.cwd())


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found."""

    name: str
    state: State
    detail: str
    remedy: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the check's entry in the document `drvsign.doctor/1`."""
        return {"name": self.name, "state": self.state, "detail": self.detail, "remedy": self.remedy}


def diagnose(environment: Environment) -> list[Check]:
    """Return the results of all checks."""
    return [found for check in CHECKS for found in check(environment)]


def _python(environment: Environment) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _MIN_PYTHON:
        needed = ".".join(map(str, _MIN_PYTHON))
        yield Check("python", "problem", f"{version}: {needed} or newer is required", f"Install Python {needed}.")
    else:
        yield Check("python", "ok", f"{version} on {sys.platform}, {sys.executable}")


def _program(environment: Environment) -> Iterator[Check]:
    version = installed(DISTRIBUTION)
    if version is None:
        yield Check("drvsign", "note", "runs from source, not installed", "Run: pip install -e .")
    else:
        yield Check("drvsign", "ok", version)


def _dependencies(environment: Environment) -> Iterator[Check]:
    """Check the version of each dependency, and that it can be imported: some are compiled for one system."""
    for one in requirements(DISTRIBUTION):
        if one.extra is None:
            yield _dependency(one)


def _dependency(one: Requirement) -> Check:
    name, version = f"dependency {one.name}", installed(one.name)
    remedy = f"Run: pip install '{one.text}'"
    if version is None:
        return Check(name, "problem", "not installed", remedy)
    if not is_new_enough(version, one):
        return Check(name, "problem", f"{version}, but {one.text} is required", remedy)
    reason = one.import_problem()
    if reason is not None:
        return Check(name, "problem", f"{version} can't be imported: {reason}", f"{remedy} --force-reinstall")
    return Check(name, "ok", version)


def _extras(environment: Environment) -> Iterator[Check]:
    every = requirements(DISTRIBUTION)
    for extra in dict.fromkeys(one.extra for one in every if one.extra not in (None, "dev", "docs")):
        needed = [one for one in every if one.extra == extra]
        missing = [one.name for one in needed if installed(one.name) is None]
        if missing:
            yield Check(f"extra {extra}", "note", "not installed", f"Run: pip install 'drvsign[{extra}]'")
        else:
            versions = ", ".join(f"{one.name} {installed(one.name)}" for one in needed)
            yield Check(f"extra {extra}", "ok", versions)


def _token_modules(environment: Environment) -> Iterator[Check]:
    found = [folder / name for folder in environment.token_folders for name in _TOKEN_MODULES]
    modules = list({os.path.realpath(path): path for path in found if path.is_file()}.values())
    has_extra = installed("python-pkcs11") is not None
    for module in modules:
        keys = f"List its keys: drvsign keys list 'pkcs11:?module-path={module}'"
        yield Check("token modules", "ok" if has_extra else "note", str(module), keys if has_extra else None)
    if modules and not has_extra:
        yield Check("token modules", "warning", "the extra pkcs11 is missing", "Run: pip install 'drvsign[pkcs11]'")
    if not modules:
        yield Check("token modules", "note", "no PKCS #11 module is in the usual folders")


def _clock(environment: Environment) -> Iterator[Check]:
    """Compare the clock with the date of the program's own files: without a network, there is nothing else."""
    newest = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    shown = environment.now.strftime("%Y-%m-%d %H:%M UTC")
    if environment.now < newest - timedelta(days=1):
        detail = f"{shown} is earlier than the program's files ({newest:%Y-%m-%d}): signatures would not be valid yet"
        yield Check("clock", "problem", detail, _SET_CLOCK)
    else:
        yield Check("clock", "ok", shown)
    if "SOURCE_DATE_EPOCH" in environment.variables:
        yield _build_date(environment.variables["SOURCE_DATE_EPOCH"])


def _build_date(epoch: str) -> Check:
    if not (epoch.isascii() and epoch.isdigit()) or int(epoch) >= _YEAR_10000:
        detail = f"{epoch!r} is not a number of seconds since 1970"
        return Check("SOURCE_DATE_EPOCH", "problem", detail, "Unset SOURCE_DATE_EPOCH.")
    date = datetime.fromtimestamp(int(epoch), UTC)
    return Check("SOURCE_DATE_EPOCH", "note", f"{date:%Y-%m-%d %H:%M UTC} replaces the clock")


def _certificates(environment: Environment) -> Iterator[Check]:
    folder = locate(None, environment.variables)
    if not is_used(folder.path):
        yield Check("test certificates", "note", f"none yet in {folder}", "Run: drvsign certs create")
        return
    try:
        hierarchy = read_hierarchy(folder.path)
    except SignerError as error:
        yield Check("test certificates", "problem", str(error), error.hint or "Run: drvsign certs create --force")
        return
    ends = min(one.not_valid_after_utc for one in hierarchy.certificates.values())
    starts = max(one.not_valid_before_utc for one in hierarchy.certificates.values())
    yield _validity(str(folder), starts, ends, environment.now)
    yield from _readable_keys(folder.path)


def _validity(folder: str, starts: datetime, ends: datetime, now: datetime) -> Check:
    remedy = "Run: drvsign certs create --force"
    if now > ends:
        return Check("test certificates", "problem", f"{folder}: expired on {ends:%Y-%m-%d}", remedy)
    if now < starts:
        return Check(
            "test certificates", "problem", f"{folder}: valid from {starts:%Y-%m-%d}", "Set the clock of this machine."
        )
    if now > ends - _EXPIRES_SOON:
        return Check("test certificates", "warning", f"{folder}: expire on {ends:%Y-%m-%d}", remedy)
    return Check("test certificates", "ok", f"{folder}: valid until {ends:%Y-%m-%d}")


def _readable_keys(folder: Path) -> Iterator[Check]:
    """Report private keys that other users of the machine can read."""
    if os.name != "posix":
        return
    exposed = [path for path in sorted(folder.glob("*.key.pem")) if path.stat().st_mode & 0o077]
    if exposed:
        names = ", ".join(path.name for path in exposed)
        remedy = f"Run: chmod 600 {' '.join(map(str, exposed))}"
        yield Check("private keys", "warning", f"other users can read {names}", remedy)


def _configuration(environment: Environment) -> Iterator[Check]:
    try:
        from_environment(environment.variables)
    except SignerError as error:
        yield Check("variables", "problem", str(error), error.hint)
    for folder in (environment.folder, *environment.folder.parents):
        source = folder / FILE_NAME
        if source.is_file():
            yield _profiles(source)
            return


def _profiles(source: Path) -> Check:
    try:
        names = ", ".join(parse_profiles(read(source), source)) or "no profiles"
    except SignerError as error:
        return Check(FILE_NAME, "problem", str(error), error.hint)
    return Check(FILE_NAME, "ok", f"{source}: {names}")


def _path(environment: Environment) -> Iterator[Check]:
    """Check that the command `drvsign` of the shell is this installation."""
    own = Path(sys.prefix)
    found = shutil.which("drvsign", path=environment.variables.get("PATH", ""))
    if found is None:
        where = own / ("Scripts" if os.name == "nt" else "bin")
        remedy = f"Add {where} to PATH, or run: {sys.executable} -m signer"
        yield Check("PATH", "warning", "the command drvsign is not on PATH", remedy)
    elif not _is_this_program(Path(found), own):
        remedy = f"Run: {sys.executable} -m signer, or change PATH"
        yield Check("PATH", "warning", f"{found} is another installation than {own}", remedy)
    else:
        yield Check("PATH", "ok", found)


def _is_this_program(found: Path, own: Path) -> bool:
    """Return whether a command is in this environment, also through a link, or is the file that runs: a zipapp."""
    real = Path(os.path.realpath(found))
    return own in found.parents or own in real.parents or real == Path(os.path.realpath(sys.argv[0]))


CHECKS: tuple[Callable[[Environment], Iterator[Check]], ...] = (
    _program,
    _python,
    _dependencies,
    _extras,
    _token_modules,
    _clock,
    _certificates,
    _configuration,
    _path,
)
