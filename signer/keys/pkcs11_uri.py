"""Parse PKCS #11 URIs, which name a token, a key on it, and the PKCS #11 module. Source: RFC 7512."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlsplit

from signer.errors import UsageError
from signer.records import dataclass

_TOKEN = {"token", "manufacturer", "serial", "model"}
_SLOT = {"slot-id", "slot-description", "slot-manufacturer"}
_KEY = {"object", "type", "id"}
_QUERY = {"module-path", "module-name", "pin-source", "pin-value", "cert"}


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """A parsed PKCS #11 URI. An attribute that is None matches any value."""

    token: str | None = None
    """Label of the token."""
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    slot_id: int | None = None
    slot_description: str | None = None
    slot_manufacturer: str | None = None
    object: str | None = None
    """Label of the key (CKA_LABEL)."""
    id: bytes | None = None
    """Identifier of the key (CKA_ID)."""
    module_path: str | None = None
    """Path of the PKCS #11 library."""
    module_name: str | None = None
    """Name of the PKCS #11 library without prefix and suffix, for the library search path of the system."""
    pin_source: str | None = None
    """Path of the file with the PIN."""
    cert: str | None = None
    """Path of the certificate, if it is not on the token. This attribute is an extension of drvsign."""

    @classmethod
    def parse(cls, text: str) -> Pkcs11Uri:
        """Parse a PKCS #11 URI. Raises UsageError, also for `pin-value`, because other users can read command lines."""
        scheme, _, rest = text.partition(":")
        if scheme.lower() != "pkcs11":
            raise UsageError(f"{text!r} is not a PKCS #11 URI", hint="Write pkcs11:token=LABEL;object=LABEL.")
        path, _, query = rest.partition("?")
        found = _attributes(path, ";", _TOKEN | _SLOT | _KEY) | _attributes(query, "&", _QUERY)
        if "pin-value" in found:
            raise UsageError(
                "the URI must not contain a PIN, because other users can read it",
                field="pin-value",
                hint="Use pin-source=FILE, --password-env, --password-file or --password-fd.",
            )
        if found.pop("type", b"private") != b"private":
            raise UsageError(
                "type= must be private: only a private key can sign", field="type", hint="Write type=private."
            )
        values = {name.replace("-", "_"): value for name, value in found.items()}
        identifier, slot, source = values.pop("id", None), values.pop("slot_id", None), values.pop("pin_source", None)
        texts = {name: _text(name, value) for name, value in values.items()}
        return cls(
            **texts,
            id=identifier,
            slot_id=None if slot is None else _number("slot-id", slot),
            pin_source=None if source is None else _file("pin-source", source),
        )


def _attributes(text: str, separator: str, known: set[str]) -> dict[str, bytes]:
    """Return names and decoded values. Refuses duplicate and unknown attributes (RFC 7512, 2.3 and 2.5)."""
    found: dict[str, bytes] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"unknown or empty attribute {name!r} in the PKCS #11 URI",
                field=name,
                hint=f"Attributes that are allowed here: {', '.join(sorted(known))}.",
            )
        if name in found:
            raise UsageError(
                f"the attribute {name!r} occurs twice in the PKCS #11 URI", field=name, hint=f"Write {name}= once."
            )
        found[name] = unquote_to_bytes(value)
    return found


def _text(name: str, value: bytes) -> str:
    try:
        if b"\0" in value:
            raise UsageError(f"the attribute {name!r} of the PKCS #11 URI contains a NUL character", field=name)
        return value.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"the attribute {name!r} of the PKCS #11 URI is not UTF-8", field=name) from error


def _number(name: str, value: bytes) -> int:
    if not value.isdigit() or len(value) > 20:
        raise UsageError(f"the attribute {name!r} of the PKCS #11 URI is not a number", field=name)
    return int(value)


def _file(name: str, value: bytes) -> str:
    """Return the path that a PIN source names: a path or a file: URI (RFC 7512, 2.4). Commands are refused."""
    text = _text(name, value)
    parts = urlsplit(text)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return parts.path
    if parts.scheme or text.startswith("|"):
        raise UsageError(
            f"the PIN source {text!r} is not supported", field=name, hint="Write pin-source=file:/path/to/file."
        )
    return text
