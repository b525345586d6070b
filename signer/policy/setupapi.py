"""Write the lines that SetupAPI would log to setupapi.dev.log about the signature of one file of a package.

The format follows "Troubleshooting Driver Signing Installation" and real logs: no prefix for success, "!" for a
warning, "!!!" for a failure. The texts of the errors 0x800b0109 and 0xe0000242 are from that page; those of the others
are from the Windows headers, and no log confirms them.
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy.findings import Verdict
from signer.policy.pnp import signer_score

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
_NOT_ESTABLISHED = (
    0xE0000242,
    "The publisher of an Authenticode(tm) signed catalog has not yet been established as trusted.",
)
_TRUSTED = (0xE0000241, "The file was digitally signed with an Authenticode(tm) catalog by a trusted publisher.")
_DISTRUSTED = (0xE0000243, "The publisher of an Authenticode(tm) signed catalog was not established as trusted.")


def log_lines(file: str, catalog: str | None, verdict: Verdict) -> tuple[str, ...]:
    """Return the lines about a file for a verdict of the pnp policy. `catalog` is the name of the package's catalog."""
    return (
        *_sig("{_VERIFY_FILE_SIGNATURE}"),
        *_sig(f"Key      = {_one_line(file)}"),
        *(_sig(f"Catalog  = {_one_line(catalog)}") if catalog is not None else ()),
        *_answer(verdict),
        *_score(verdict),
    )


def _answer(verdict: Verdict) -> Iterator[str]:
    """Yield the result of the check: 0 for Microsoft's signatures, else the publisher's status, else an error."""
    codes = set(verdict.codes)
    if verdict.outcome == "unknown":
        return
    if "publisher-microsoft" in codes and verdict.outcome == "accepted":
        yield from _exit(0)
        return
    if verdict.outcome == "accepted" or "publisher-untrusted" in codes:
        # SetupAPI first checks for Microsoft's signature, which fails here, and then for an Authenticode catalog.
        yield from _failed(*_ERRORS["trusted-root"])
        yield from _exit(_UNTRUSTED)
        yield from _sig("Success: File is signed in Authenticode(tm) catalog.")
        trusted = "publisher-trusted" in codes
        error, text = _DISTRUSTED if "publisher-untrusted" in codes else _TRUSTED if trusted else _NOT_ESTABLISHED
        yield from _sig(f"Error {error:#010x}: {text}")
        yield from _exit(error)
        if error == _NOT_ESTABLISHED[0]:
            yield "!    sto:           Driver package signer is unknown but user trusts the signer."
        return
    if verdict.rule in _ERRORS:
        incomplete = verdict.rule == "trusted-root" and "chain-incomplete" in codes
        error, text = _CHAINING if incomplete else _ERRORS[verdict.rule]
        yield from _failed(error, text)
        yield from _exit(error)


def _score(verdict: Verdict) -> Iterator[str]:
    """Yield the signer score of the package's driver node."""
    good = [one for one in verdict.signatures if one.outcome == "accepted"]
    if verdict.outcome == "unknown":
        return
    value, text = signer_score(good[0].classification if good and verdict.accepted else None)
    yield f"     utl:           Signer Score   - {text} ({value:08X})"


def _failed(error: int, text: str) -> Iterator[str]:
    yield from _sig(f"Verifying file against specific (valid) catalog failed! ({error:#010x})", "!")
    yield from _sig(f"Error {error:#010x}: {text}", "!")


def _exit(error: int) -> Iterator[str]:
    yield from _sig(f"{{_VERIFY_FILE_SIGNATURE exit({error:#010x})}}")


def _sig(text: str, mark: str = "") -> Iterator[str]:
    yield f"{mark:<4} sig:                {text}"


def _one_line(name: str) -> str:
    """Replace the unprintable characters of a name."""
    return "".join(char if char.isprintable() else "?" for char in name)
