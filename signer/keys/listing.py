"""List the tokens, keys and certificates that an identity URI can name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from signer.certificates import common_name
from signer.keys.identity import PublicKey
from signer.keys.open import SCHEMES, open_identity, token_pin
from signer.keys.uri import Secret
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class ListedObject:
    """A token, a key or a certificate."""

    kind: str
    """token, key or certificate."""
    name: str
    """The label, or the common name of a certificate."""
    detail: str = ""
    """The serial number of a token, the type of a key, or the last day of a certificate."""
    id: str | None = None
    """The CKA_ID in hexadecimal, for objects of a token."""
    uri: str | None = None
    """The part of a PKCS #11 URI that names the object."""

    def as_json(self) -> dict[str, Any]:
        """Return the entry of `entries`."""
        return asdict(self)


def list_keys(uri: str, secret: Secret) -> list[ListedObject]:
    """List what a URI can name. Raises UsageError, FileError, and IdentityError as opening an identity does.

    A URI of a file or a key service names one key: it is opened, and listed with its certificates.
    """
    if uri.partition(":")[0].lower() == "pkcs11" and "pkcs11" in SCHEMES:
        return _of_tokens(uri, secret)
    opened = open_identity(uri=uri, secret=secret)
    certificates = (opened.certificate, *opened.chain)
    return [ListedObject("key", opened.name, _type(opened.key.public_key)), *map(_certificate, certificates)]


def _of_tokens(text: str, secret: Secret) -> list[ListedObject]:
    from signer.keys.pkcs11 import list_tokens
    from signer.keys.pkcs11_uri import Pkcs11Uri

    uri = Pkcs11Uri.parse(text)
    found = []
    for token in list_tokens(uri, token_pin(uri, secret)):
        found.append(ListedObject("token", token.label, f"serial {token.serial}", uri=f"token={quote(token.label)}"))
        for label, identifier, key in token.keys:
            parts = [
                f"token={quote(token.label)}",
                f"object={quote(label)}" if label else "",
                f"id={_percent(identifier)}",
            ]
            name = ";".join(part for part in parts if part)
            found.append(ListedObject("key", label, _type(key), identifier.hex(), name))
        found += [_certificate(certificate, identifier.hex()) for identifier, certificate in token.certificates]
    return found


def _certificate(certificate: x509.Certificate, identifier: str | None = None) -> ListedObject:
    until = f"valid until {certificate.not_valid_after_utc:%Y-%m-%d}"
    return ListedObject("certificate", common_name(certificate), until, identifier)


def _type(key: PublicKey | None) -> str:
    if key is None:
        return "unknown type"
    return f"rsa{key.key_size}" if isinstance(key, rsa.RSAPublicKey) else f"p{key.key_size}"


def _percent(identifier: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in identifier)
