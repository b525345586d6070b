"""PKCS #11 URIs: which token, which key, through which module. Source: RFC 7512."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from signer.errors import UsageError

_TOKEN = {"token", "manufacturer", "serial", "model"}
_SLOT = {"slot-id", "slot-description", "slot-manufacturer"}
_KEY = {"object", "type", "id"}
_QUERY = {"module-path", "module-name", "pin-source", "pin-value", "cert"}


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """A key on a token, as RFC 7512 names it. What is None may be anything."""

    token: str | None = None
    """The token's label."""
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    slot_id: int | None = None
    slot_description: str | None = None
    slot_manufacturer: str | None = None
    object: str | None = None
    """The key's label (CKA_LABEL)."""
    id: bytes | None = None
    """The key's identifier (CKA_ID)."""
    module_path: str | None = None
    """The file of the PKCS #11 library."""
    module_name: str | None = None
    """Its name without prefix and suffix, to be found where the system looks for libraries."""
    pin_source: str | None = None
    """The file that the PIN is in."""
    cert: str | None = None
    """The file of the certificate, where it is not on the token. An attribute of ours."""

    @classmethod
    def parse(cls, text: str) -> Pkcs11Uri:
        """The URI that `text` is. Raises UsageError, also for a PIN in it, which other users could read."""
        scheme, _, rest = text.partition(":")
        if scheme.lower() != "pkcs11":
            raise UsageError(f"{text!r} is no PKCS #11 URI", hint="Write pkcs11:token=LABEL;object=LABEL.")
        path, _, query = rest.partition("?")
        found = _attributes(path, ";", _TOKEN | _SLOT | _KEY) | _attributes(query, "&", _QUERY)
        if "pin-value" in found:
            raise UsageError(
                "a PIN does not belong in a URI, which other users can read",
                field="pin-value",
                hint="Use pin-source=FILE, --password-env, --password-file or --password-fd.",
            )
        if found.pop("type", b"private") != b"private":
            raise UsageError(
                "only a private key can sign", field="type", hint="Leave out type=, or write type=private."
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
    """Names and decoded values. Each may stand there once, and unknown ones match nothing (RFC 7512, 2.3 and 2.5)."""
    found: dict[str, bytes] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if not equals or name not in known:
            raise UsageError(
                f"a PKCS #11 URI has no attribute {name!r} here",
                field=name,
                hint=f"Known are {', '.join(sorted(known))}.",
            )
        if name in found:
            raise UsageError(f"the attribute {name!r} stands twice in the PKCS #11 URI", field=name)
        found[name] = unquote_to_bytes(value)
    return found


def _text(name: str, value: bytes) -> str:
    try:
        if b"\0" in value:
            raise UsageError(f"the attribute {name!r} of the PKCS #11 URI has a NUL in it", field=name)
        return value.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"the attribute {name!r} of the PKCS #11 URI is not UTF-8", field=name) from error


def _number(name: str, value: bytes) -> int:
    if not value.isdigit() or len(value) > 20:
        raise UsageError(f"the attribute {name!r} of the PKCS #11 URI is not a number", field=name)
    return int(value)


def _file(name: str, value: bytes) -> str:
    """The file that a PIN source names: an absolute path or a file: URI (RFC 7512, 2.4). Commands are not run."""
    text = _text(name, value)
    parts = urlsplit(text)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return parts.path
    if parts.scheme or text.startswith("|"):
        raise UsageError(f"a PIN can't come from {text!r}", field=name, hint="Write pin-source=file:/path/of/a/file.")
    return text
