"""Write the lines that SetupAPI would log to setupapi.dev.log about the signature of one file of a package.

The format follows "Troubleshooting Driver Signing Installation" and real logs: no prefix for success, "!" for a
warning, "!!!" for a failure. The texts of the errors 0x800b0109 and 0xe0000242 are from that page; those of the others
are from the Windows headers, and no log confirms them. A catalog without a signature is logged as in pbatard/libwdi
issues 225 and 226 (Windows 10 x64).
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy.findings import Verdict
from signer.policy.pnp import signer_score
from signer.policy.targets import Releases, Target
from signer.records import dataclass

STORE_ADD_FAILED = 0xE0000247
"""ERROR_DRIVER_STORE_ADD_FAILED, with which the import of a package with an unsigned catalog ends."""

_WINDOWS_10 = Releases(since="win10-1507")
_VALID, _AUTHENTICODE = "(valid)", "Authenticode(tm)"
_IMPORT_FOLDER = "C:\\Windows\\System32\\DriverStore\\Temp\\{guid}\\"
_UNTRUSTED = 0x800B0109
_CHAINING = (0x800B010A, "A certificate chain could not be built to a trusted root authority.")
_ERRORS = {
    "catalog-unsigned": (0x800B0100, "No signature was present in the subject."),
    "path": _CHAINING,
    "trusted-root": (
        _UNTRUSTED,
        "A certificate chain processed, but terminated in a root certificate which is not trusted by the trust "
        "provider.",
    ),
    "validity": (
        0x800B0101,
        "A required certificate is not within its validity period when verifying against the current system clock or "
        "the timestamp in the signed file.",
    ),
    "catalogued": (0xE000024B, "The hash for the file is not present in the specified catalog file."),
    "catalog-file": (0xE000022F, "The third-party INF does not contain digital signature information."),
    "os-attribute": (0xE0000244, "The signature's OS attributes do not match this system."),
    "digest": (0x80096010, "The digital signature of the object did not verify."),
    "usage": (0x800B0110, "The certificate is not valid for the requested usage."),
}
_OF_THE_SIGNATURE = frozenset({"catalog-unsigned", "path", "trusted-root", "validity", "digest", "usage"})
"""Rules about the catalog's signature, whose failure both checks report."""
_NOT_ESTABLISHED = (
    0xE0000242,
    "The publisher of an Authenticode(tm) signed catalog has not yet been established as trusted.",
)
_TRUSTED = (0xE0000241, "The file was digitally signed with an Authenticode(tm) catalog by a trusted publisher.")
_DISTRUSTED = (0xE0000243, "The publisher of an Authenticode(tm) signed catalog was not established as trusted.")


@dataclass(frozen=True, slots=True)
class _Check:
    """One verification of a file: what it logs between its start and its exit code."""

    lines: tuple[str, ...]
    exit_code: int | None
    """None for a check whose end is not known."""


def log_lines(file: str, catalog: str | None, verdict: Verdict) -> tuple[str, ...]:
    """Return the lines about a file for a verdict of the pnp policy. `catalog` is the name of the package's catalog.

    The time stamps and the GUID of the temporary folder depend on the machine and are left out.
    """
    blocks = (line for check in _checks(verdict) for line in _block(file, catalog, check))
    return (*blocks, *(_failed_import() if _import_fails(verdict) else _score(verdict)))


def _checks(verdict: Verdict) -> tuple[_Check, ...]:
    """Return the checks: first for a catalog of Microsoft ("valid"), then, if it fails, for an Authenticode catalog."""
    codes = set(verdict.codes)
    if verdict.outcome == "unknown":
        return (_Check((), None),)
    if "publisher-microsoft" in codes and verdict.outcome == "accepted":
        return (_Check((), 0),)
    target = Target.parse(verdict.target)
    rule = _failing_rule(verdict)
    if rule is None or "publisher-untrusted" in codes:
        return _failed(target, _VALID, *_ERRORS["trusted-root"]), _publisher(codes)
    if rule not in _ERRORS:
        return (_Check((), None),)
    incomplete = rule == "trusted-root" and "chain-incomplete" in codes
    error, text = _CHAINING if incomplete else _ERRORS[rule]
    first = _failed(target, _VALID, error, text)
    return (first, _failed(target, _AUTHENTICODE, error, text)) if rule in _OF_THE_SIGNATURE else (first,)


def _failing_rule(verdict: Verdict) -> str | None:
    """Return the rule that fails, also before an administrator's consent; None if the signature verifies."""
    if verdict.outcome == "rejected":
        return verdict.rule
    if "administrator-prompt" not in verdict.codes:
        return None
    return next((finding.rule for finding in verdict.findings if finding.rule in _ERRORS), verdict.rule)


def _publisher(codes: set[str]) -> _Check:
    """Return the check for an Authenticode catalog, which says how the publisher is trusted."""
    if "publisher-untrusted" in codes:
        error, text = _DISTRUSTED
    else:
        error, text = _TRUSTED if "publisher-trusted" in codes else _NOT_ESTABLISHED
    success = _sig("Success: File is signed in Authenticode(tm) catalog.")
    return _Check((success, _sig(f"Error {error:#010x}: {text}")), error)


def _failed(target: Target, catalogs: str, error: int, text: str) -> _Check:
    ending = "failed." if target in _WINDOWS_10 else f"failed! ({error:#010x})"
    lines = (_sig(f"Verifying file against specific {catalogs} catalog {ending}", "!"),)
    return _Check((*lines, _sig(f"Error {error:#010x}: {text}", "!")), error)


def _block(file: str, catalog: str | None, check: _Check) -> Iterator[str]:
    """Yield a check as the log has it."""
    yield _sig("{_VERIFY_FILE_SIGNATURE}")
    yield _sig(f"Key      = {_one_line(file)}")
    yield _sig(f"FilePath = {_IMPORT_FOLDER}{_one_line(file)}")
    if catalog is not None:
        yield _sig(f"Catalog  = {_IMPORT_FOLDER}{_one_line(catalog)}")
    yield from check.lines
    if check.exit_code is not None:
        yield _sig(f"{{_VERIFY_FILE_SIGNATURE exit({check.exit_code:#010x})}}")
    if check.exit_code == _NOT_ESTABLISHED[0]:
        yield "!    sto:           Driver package signer is unknown but user trusts the signer."


def _import_fails(verdict: Verdict) -> bool:
    """Return whether the log is known to end with the import's failure: only 64-bit Windows enforces Code Integrity."""
    enforced = Target.parse(verdict.target).architecture != "x86"
    return verdict.outcome == "rejected" and verdict.rule == "catalog-unsigned" and enforced


def _failed_import() -> Iterator[str]:
    """Yield the end of the import of a package whose catalog has no signature."""
    reason = "Driver package catalog file does not contain a signature, and Code Integrity is enforced."
    yield _sig(reason, "!!!")
    yield _sig(f"Driver package failed signature validation. Error = 0x{STORE_ADD_FAILED:08X}", "!!!")
    yield f"!!!  sto:           Failed to import driver package into Driver Store. Error = 0x{STORE_ADD_FAILED:08X}"


def _score(verdict: Verdict) -> Iterator[str]:
    """Yield the signer score of the package's driver node."""
    good = [one for one in verdict.signatures if one.outcome == "accepted"]
    if verdict.outcome == "unknown":
        return
    value, text = signer_score(good[0].classification if good and verdict.accepted else None)
    yield f"     utl:           Signer Score   - {text} ({value:08X})"


def _sig(text: str, mark: str = "") -> str:
    return f"{mark:<4} sig:                {text}"


def _one_line(name: str) -> str:
    """Replace the unprintable characters of a name."""
    return "".join(char if char.isprintable() else "?" for char in name)
