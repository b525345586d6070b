"""From what a user names to an identity that can sign: a PFX, a certificate with its key, or a URI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from signer.errors import SignerError, UsageError, WrongSecret
from signer.files import read
from signer.keys.identity import SigningIdentity

Secret = Callable[[str], str | None]
"""Asks for a password, given what it opens; None where there is nobody to ask."""

_SCHEMES = "file:KEY.pem?cert=CERT.cer and pfx:FILE.pfx"


def open_identity(
    *,
    pfx: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    uri: str | None = None,
    secret: Secret,
) -> SigningIdentity:
    """The identity that exactly one of `pfx`, `certificate` with `key`, or `uri` names.

    A file is first opened without a password, so that nobody is asked for one that is not needed. Raises UsageError,
    FileError and IdentityError, naming the file.
    """
    ways = [pfx is not None, certificate is not None or key is not None, uri is not None]
    if sum(ways) != 1:
        raise UsageError("one signer at a time", hint="Give one of --pfx, --cert with --key, or --identity.")
    if uri is not None:
        return _from_uri(uri, secret)
    if pfx is not None:
        return _open_pfx(pfx, secret)
    if certificate is None or key is None:
        raise UsageError("a certificate and its key belong together", hint="Give both --cert and --key.")
    return _open_pair(certificate, key, secret)


def _from_uri(uri: str, secret: Secret) -> SigningIdentity:
    parts = urlsplit(uri)
    path = Path(unquote(parts.netloc + parts.path))
    if parts.scheme == "pfx":
        return _open_pfx(path, secret)
    if parts.scheme == "file":
        certificates = parse_qs(parts.query).get("cert", [])
        if len(certificates) != 1:
            raise UsageError(f"{uri!r} does not name its certificate", hint="Write file:KEY.pem?cert=CERT.cer.")
        return _open_pair(Path(certificates[0]), path, secret)
    raise UsageError(f"there is no kind of identity called {parts.scheme or uri!r}", hint=f"Known are {_SCHEMES}.")


def _open_pfx(path: Path, secret: Secret) -> SigningIdentity:
    from signer.keys.local import load_pfx

    data = read(path)
    return _with_secret(path, lambda password: load_pfx(data, password), secret)


def _open_pair(certificate: Path, key: Path, secret: Secret) -> SigningIdentity:
    from signer.keys.local import load_pair

    certificates, private = read(certificate), read(key)
    return _with_secret(key, lambda password: load_pair(certificates, private, password), secret)


def _with_secret(path: Path, load: Callable[[str | None], SigningIdentity], secret: Secret) -> SigningIdentity:
    """What `load` gives: without a password, else with an empty one (common in PFX files), else with the secret."""
    try:
        for password in (None, ""):
            try:
                return load(password)
            except WrongSecret:
                continue
        return load(secret(f"Password of {path.name}"))
    except SignerError as error:
        raise error.at(path) from error
