"""Open a signing identity from a PFX, from a certificate file and a key file, or from a URI.

If a URI names a key in a token or a service, the certificate comes from a file or from the token.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from signer.certificates import load_all
from signer.errors import SignerError, UsageError, WrongSecret
from signer.keys.identity import SigningIdentity, SigningKey
from signer.keys.uri import KeyUri, Secret
from signer.numbers import decimal
from signer.records import dataclass
from signer.storage.files import read, read_stream

if TYPE_CHECKING:
    from cryptography import x509

    from signer.keys.pkcs11_uri import Pkcs11Uri

Opener = Callable[[str, Path | None, Secret], SigningIdentity]
"""Opens the identity of a URI. Called with the URI, the file of --cert (or None), and a function for the password."""
OpenKey = Callable[[KeyUri, tuple["x509.Certificate", ...], Secret], SigningKey]
"""`open_key` of a backend. Called with the URI, the certificates that are given, and a function for the password."""
_FILE_URI = "file:KEY.pem?cert=CERT.cer"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme of identity URIs."""

    example: str
    """Example of a URI, for hints."""
    open: Opener
    binary: bool = False
    """Whether URIs can contain a NUL character, as the CKA_ID of a key on a token can."""


def open_identity(
    *,
    pfx: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    uri: str | None = None,
    secret: Secret,
) -> SigningIdentity:
    """Open the identity that exactly one of `pfx`, `certificate` with `key`, or `uri` names.

    `certificate` can also accompany a `uri` whose key has its certificate elsewhere. Calls `secret` only if a file does
    not open without a password. Raises UsageError, FileError and IdentityError with the path of the file.
    """
    paired = key is not None or (certificate is not None and uri is None)
    ways = [pfx is not None, paired, uri is not None]
    if sum(ways) != 1:
        raise UsageError(
            "exactly one signing identity is required", hint="Use one of --pfx, --cert with --key, or --identity."
        )
    if uri is not None:
        return _from_uri(uri, certificate, secret)
    if pfx is not None:
        return _open_pfx(pfx, secret, otherwise="For PEM, DER and PVK files, use --cert and --key.")
    if certificate is None or key is None:
        raise UsageError("a certificate and its key must be given together")
    return _open_pair(certificate, key, secret)


def _from_uri(uri: str, certificate: Path | None, secret: Secret) -> SigningIdentity:
    name = uri.partition(":")[0].lower()
    scheme = SCHEMES.get(name)
    if scheme is None:
        known = ", ".join(scheme.example for scheme in SCHEMES.values())
        raise UsageError(f"unknown scheme {name or uri!r} in the identity URI", hint=f"Known URIs: {known}.")
    if "\0" in unquote(uri) and not scheme.binary:
        raise UsageError(
            "an identity URI can't contain a NUL character", hint="Use %00 only in the id of a PKCS #11 key."
        )
    return scheme.open(uri, certificate, secret)


def _from_pfx_uri(uri: str, certificate: Path | None, secret: Secret) -> SigningIdentity:
    if certificate is not None:
        raise UsageError("a PFX already contains its certificate", hint="Remove --cert.")
    options = parse_qs(urlsplit(uri).query, keep_blank_values=True)
    limit = decimal(options.pop("iterations", ["0"])[-1])
    if options or limit is None:
        raise UsageError(f"{uri!r} has an option that a PFX does not have", hint="Write pfx:FILE.pfx?iterations=N.")
    return _open_pfx(_path_in(uri), secret, limit or None, otherwise=f"For PEM, DER and PVK files, write {_FILE_URI}.")


def _from_file_uri(uri: str, certificate: Path | None, secret: Secret) -> SigningIdentity:
    certificates = [Path(name) for name in parse_qs(urlsplit(uri).query).get("cert", [])]
    certificates += [certificate] if certificate is not None else []
    if len(certificates) != 1:
        raise UsageError(f"{uri!r} does not name its certificate", hint=f"Write {_FILE_URI}.")
    return _open_pair(certificates[0], _path_in(uri), secret)


def _path_in(uri: str) -> Path:
    parts = urlsplit(uri)
    return Path(unquote(parts.netloc + parts.path))


def _from_token_uri(text: str, certificate: Path | None, secret: Secret) -> SigningIdentity:
    from signer.keys.chain import identity_for
    from signer.keys.pkcs11 import open_token_key
    from signer.keys.pkcs11_uri import Pkcs11Uri

    uri = Pkcs11Uri.parse(text)
    known = _certificates(uri.cert, certificate)
    opened = open_token_key(uri, token_pin(uri, secret), known)
    return identity_for(opened.key, known or opened.certificates, opened.certificates)


def token_pin(uri: Pkcs11Uri, secret: Secret) -> Callable[[str], str | None]:
    """Return the function that asks for the PIN of a token: the file that the URI names, else `secret`."""
    source = uri.pin_source
    return lambda token: secret(f"PIN of {token}") if source is None else _first_line(Path(source))


def _remote(backend: str) -> Opener:
    """Return an opener that calls `open_key` of the module `backend`, which is imported on first use."""

    def open_remote(text: str, certificate: Path | None, secret: Secret) -> SigningIdentity:
        from signer.keys.chain import identity_for

        open_key: OpenKey = import_module(backend).open_key
        uri = KeyUri.parse(text)
        known = _certificates(uri.options.get("cert"), certificate)
        return identity_for(open_key(uri, known, secret), known)

    return open_remote


def _certificates(named: str | None, certificate: Path | None) -> tuple[x509.Certificate, ...]:
    """Load the certificates of the file that the URI or --cert names; an empty tuple if neither names one."""
    if named is not None and certificate is not None:
        raise UsageError("the certificate is named twice", hint="Use either --cert or cert= in the URI.")
    path = Path(named) if named is not None else certificate
    if path is None:
        return ()
    try:
        return tuple(load_all(read(path)))
    except SignerError as error:
        raise error.at(path) from error


def _first_line(path: Path) -> str:
    try:
        return (read_stream(path).decode("utf-8-sig").splitlines() or [""])[0]
    except UnicodeDecodeError as error:
        raise UsageError("the PIN in the file is not UTF-8", path=path, hint="Save the file as UTF-8.") from error


def _open_pfx(path: Path, secret: Secret, max_iterations: int | None = None, *, otherwise: str) -> SigningIdentity:
    from signer.keys.local import load_pfx

    data = read(path)
    return _with_secret(
        path, data, lambda password: load_pfx(data, password, max_iterations, otherwise=otherwise), secret
    )


def _open_pair(certificate: Path, key: Path, secret: Secret) -> SigningIdentity:
    from signer.keys.local import key_block, load_pair

    certificates, private = read(certificate), read(key)
    try:
        load_all(certificates)
    except SignerError as error:
        raise error.at(certificate) from error
    return _with_secret(key, key_block(private), lambda password: load_pair(certificates, private, password), secret)


def _with_secret(
    path: Path, data: bytes, load: Callable[[str | None], SigningIdentity], secret: Secret
) -> SigningIdentity:
    """Call `load` with the passwords that are guessed for the `data` of a key, then with that of `secret`."""
    from signer.keys.passwords import guesses

    try:
        for password in guesses(data):
            try:
                return load(password)
            except WrongSecret:
                continue
        return load(secret(f"Password of {path.name}"))
    except SignerError as error:
        raise error.at(path) from error


SCHEMES = {
    "pfx": Scheme("pfx:FILE.pfx", _from_pfx_uri),
    "file": Scheme(_FILE_URI, _from_file_uri),
    "pkcs11": Scheme("pkcs11:token=…;object=…?module-path=…", _from_token_uri, binary=True),
    "exec": Scheme("exec:COMMAND?cert=CERT.cer", _remote("signer.keys.command")),
    "azure-kv": Scheme("azure-kv:VAULT/KEY?cert=CERT.cer", _remote("signer.keys.azure")),
    "gcp-kms": Scheme("gcp-kms:projects/…/cryptoKeyVersions/1?cert=CERT.cer", _remote("signer.keys.gcp")),
    "vault": Scheme("vault:MOUNT/KEY?cert=CERT.cer", _remote("signer.keys.vault")),
    "aws-kms": Scheme("aws-kms:KEY?region=…&cert=CERT.cer", _remote("signer.keys.aws")),
}
"""All schemes of identity URIs. To add a backend, add a module with `open_key` and a row here."""
