"""Sign with keys in tokens (smart cards, USB tokens, HSMs) through PKCS #11.

Source: PKCS #11 v2.40 base specification and current mechanisms: 2.1.6 (CKM_RSA_PKCS signs a DigestInfo), 2.3.1
(CKM_ECDSA returns r and s), and the flags of CK_TOKEN_INFO. RFC 7512 URIs name the keys.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signer.algorithms import DigestAlgorithm
from signer.certificates import load_der, public_key
from signer.errors import CertificateError, IdentityError, KeyNotFound, UsageError, WrongSecret
from signer.keys.chain import leaf_of
from signer.keys.identity import PublicKey, require_supported
from signer.keys.pkcs11_uri import Pkcs11Uri
from signer.keys.remote import RemoteKey, digest_info, ecdsa_der, load_client
from signer.keys.token_contents import TokenContents
from signer.records import dataclass

AskPin = Callable[[str], str | None]
"""Returns the PIN of the token with this name, or None if the user gave none."""

_WRONG_PIN = {"PinIncorrect", "PinInvalid", "PinLenRange"}
_DISCONNECTED = {
    "DeviceError",
    "DeviceRemoved",
    "KeyHandleInvalid",
    "ObjectHandleInvalid",
    "SessionClosed",
    "SessionHandleInvalid",
    "SlotIDInvalid",
    "TokenNotPresent",
    "TokenNotRecognised",
    "UserNotLoggedIn",
}
_UNSUPPORTED = {
    "KeyFunctionNotPermitted",
    "KeySizeRange",
    "KeyTypeInconsistent",
    "MechanismInvalid",
    "FunctionNotSupported",
}
_CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
}

_open_sessions: weakref.WeakValueDictionary[tuple[str, int], _Session] = weakref.WeakValueDictionary()
"""The open sessions of this process. A login applies to all sessions of the process with a token (PKCS #11, 5.6)."""
_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key on a token, and all certificates on the token (those of the key first)."""

    key: RemoteKey
    certificates: tuple[x509.Certificate, ...]


class _Session:
    """A session with a token, logged in once and shared by all its keys. Closed when the last key is released."""

    def __init__(self, session: Any, name: str, pin: str | None) -> None:
        self.session = session
        self.name = name
        self.pin = pin
        self.lock = threading.Lock()
        weakref.finalize(self, _close, session)


def open_token_key(uri: Pkcs11Uri, ask_pin: AskPin, certificates: tuple[x509.Certificate, ...] = ()) -> TokenKey:
    """Open the key that `uri` names. Calls `ask_pin` at most once and tries the PIN only once.

    `certificates` are certificates from outside of the token. If the token does not reveal the public key, the key is
    assumed to be that of their leaf certificate; checking the first signature proves it. Raises IdentityError and
    UsageError.
    """
    pkcs11 = load_client("pkcs11", "pkcs11", "keys in tokens")
    library = _library(pkcs11, uri)
    with _opening:
        token = _token(pkcs11, library, uri)
        session = _login(pkcs11, library.so, token, ask_pin)
    with session.lock, _convert_errors(pkcs11, session.name):
        private = _private_key(pkcs11, session, uri)
        own, others = _certificates(pkcs11, session, private)
        public = _public_key(pkcs11, session, private) or _key_of(certificates or own, session.name)
        always = _attribute(pkcs11, private, "ALWAYS_AUTHENTICATE") is True
    if always and not isinstance(session.pin, str):
        raise IdentityError(
            f"the key on {session.name} requires a PIN at the key pad for each signature, which is not supported",
            hint="Use a key without CKA_ALWAYS_AUTHENTICATE.",
        )
    signer = _signer(pkcs11, session, private, session.pin if always else None)
    return TokenKey(RemoteKey(session.name, public, signer, one_at_a_time=True), (*own, *others))


def list_tokens(uri: Pkcs11Uri, ask_pin: AskPin) -> list[TokenContents]:
    """List the tokens that match; open the only one, with one attempt. Raises IdentityError and UsageError."""
    pkcs11 = load_client("pkcs11", "pkcs11", "keys in tokens")
    library = _library(pkcs11, uri)
    with _opening:
        present, matching = _tokens(pkcs11, library, uri)
        if len(matching) != 1:
            return [TokenContents(_unpadded(one.label), _unpadded(one.serial)) for one in matching or present]
        session = _login(pkcs11, library.so, matching[0], ask_pin)
    with session.lock, _convert_errors(pkcs11, session.name):
        wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
        keys = tuple(
            (_attribute(pkcs11, key, "LABEL") or "", key.id, _public_key(pkcs11, session, key))
            for key in list(session.session.get_objects(wanted))  # one search at a time
        )
        certificates = tuple(_certificates_of(pkcs11, session))
    return [TokenContents(_unpadded(matching[0].label), _unpadded(matching[0].serial), keys, certificates)]


def _library(pkcs11: Any, uri: Pkcs11Uri) -> Any:
    if uri.module_path is not None:
        names = [uri.module_path]
    elif uri.module_name is not None:
        names = [f"{prefix}{uri.module_name}{suffix}" for prefix in ("lib", "") for suffix in (".so", ".dylib", ".dll")]
    else:
        raise UsageError(
            "the PKCS #11 URI does not name the library of the token",
            field="module-path",
            hint="Add ?module-path=/path/to/library.so, the PKCS #11 library of the token's vendor.",
        )
    reasons = []
    for name in names:
        try:
            return pkcs11.lib(name)
        except pkcs11.PKCS11Error as error:
            reasons.append(str(error) or type(error).__name__)
    raise IdentityError(f"the PKCS #11 library {names[0]!r} can't be loaded ({reasons[0]})", hint="Check module-path.")


def _tokens(pkcs11: Any, library: Any, uri: Pkcs11Uri) -> tuple[list[Any], list[Any]]:
    """Return the initialized tokens, and those that match the URI. Raises IdentityError."""
    present, matching = [], []
    with _convert_errors(pkcs11, "the PKCS #11 library"):
        for slot in library.get_slots(token_present=True):
            try:
                token = slot.get_token()
            except (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):
                continue
            if not token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED:
                continue
            present.append(token)
            if _matches(token, uri):
                matching.append(token)
    return present, matching


def _token(pkcs11: Any, library: Any, uri: Pkcs11Uri) -> Any:
    """Return the only token that matches the URI. Raises IdentityError."""
    present, matching = _tokens(pkcs11, library, uri)
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(f"{_unpadded(t.label)!r} (serial {_unpadded(t.serial)})" for t in matching or present) or "none"
    if matching:
        raise IdentityError(f"{len(matching)} tokens match the URI: {names}", hint="Add token=LABEL or serial=SERIAL.")
    raise KeyNotFound(
        f"no token matches the URI; tokens present: {names}",
        hint="Connect the token, or correct token= and serial= in the URI.",
    )


def _matches(token: Any, uri: Pkcs11Uri) -> bool:
    attributes = (
        (uri.token, token.label),
        (uri.serial, token.serial),
        (uri.manufacturer, token.manufacturer_id),
        (uri.model, token.model),
        (uri.slot_description, token.slot.slot_description),
        (uri.slot_manufacturer, token.slot.manufacturer_id),
    )
    if uri.slot_id is not None and uri.slot_id != token.slot.slot_id:
        return False
    return all(value is None or value == _unpadded(found) for value, found in attributes)


def _unpadded(text: str | bytes) -> str:
    """Return a field of CK_TOKEN_INFO or CK_SLOT_INFO without its padding."""
    return (text if isinstance(text, str) else text.decode("utf-8", "replace")).rstrip("\0 ")


def _login(pkcs11: Any, module: str, token: Any, ask_pin: AskPin) -> _Session:
    """Return the open session with the token, or open one and log in with a single attempt."""
    name = f"the token {_unpadded(token.label)!r}"
    place = (module, token.slot.slot_id)
    shared = _open_sessions.get(place)
    flags, flag = token.flags, pkcs11.TokenFlag
    pin: Any = None
    if flags & flag.LOGIN_REQUIRED:
        _require_tries_left(flags, flag, name)
        pinpad = bool(flags & flag.PROTECTED_AUTHENTICATION_PATH)
        pin = pkcs11.PROTECTED_AUTH if pinpad else _require_pin(ask_pin, name)
    if shared is not None:
        if shared.pin != pin:
            raise WrongSecret(
                f"the PIN differs from the one that {name} is already open with; it was not tried",
                hint="Use the same PIN for all keys of a token.",
            )
        return shared
    with _convert_errors(pkcs11, name):
        session = _Session(token.open(user_pin=pin), name, pin)
    _open_sessions[place] = session
    return session


def _require_tries_left(flags: Any, flag: Any, name: str) -> None:
    """Raise WrongSecret if the token is locked, if one more wrong PIN would lock it, or if it has no PIN."""
    if flags & flag.USER_PIN_LOCKED:
        raise WrongSecret(f"the PIN of {name} is locked", hint="Unlock the PIN with the vendor's tool.")
    if flags & flag.USER_PIN_FINAL_TRY:
        raise WrongSecret(
            f"{name} has one attempt left before it locks its PIN; the PIN was not tried",
            hint="Log in once with the vendor's tool, which resets the number of attempts.",
        )
    if not flags & flag.USER_PIN_INITIALIZED:
        raise WrongSecret(f"{name} has no PIN yet", hint="Set a PIN with the vendor's tool.")


def _require_pin(ask_pin: AskPin, name: str) -> str:
    pin = ask_pin(name)
    if not pin:
        raise WrongSecret(
            f"{name} requires a PIN, and none was given",
            hint="Use --password-env, --password-file or --password-fd, or pin-source= in the URI.",
        )
    return pin


def _private_key(pkcs11: Any, session: _Session, uri: Pkcs11Uri) -> Any:
    wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    if uri.object is not None:
        wanted[pkcs11.Attribute.LABEL] = uri.object
    if uri.id is not None:
        wanted[pkcs11.Attribute.ID] = uri.id
    found = list(session.session.get_objects(wanted))
    if len(found) == 1:
        return found[0]
    present = found or list(session.session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}))
    keys = ", ".join(f"object={_attribute(pkcs11, key, 'LABEL')};id={_percent(key.id)}" for key in present) or "none"
    if found:
        raise IdentityError(
            f"{len(found)} keys of {session.name} match the URI: {keys}", hint="Add object= and id= to the URI."
        )
    raise KeyNotFound(
        f"{session.name} has no private key that matches the URI; keys present: {keys}",
        hint="Correct object= and id= in the URI.",
    )


def _percent(identifier: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in identifier)


def _attribute(pkcs11: Any, token_object: Any, name: str) -> Any:
    """Return an attribute of an object, or None if the object lacks it or the token does not reveal it."""
    try:
        return token_object[pkcs11.Attribute[name]]
    except (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive):
        return None


def _public_key(pkcs11: Any, session: _Session, private: Any) -> PublicKey | None:
    """Return the public key: from an RSA private key itself, or from the public key object with the same CKA_ID."""
    key = _rsa(pkcs11, private)
    identifier = _attribute(pkcs11, private, "ID")
    if key is not None or not identifier:
        return key
    wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PUBLIC_KEY, pkcs11.Attribute.ID: identifier}
    for public in session.session.get_objects(wanted):
        found = _rsa(pkcs11, public) or _ec(pkcs11, public)
        if found is not None:
            return found
    return None


def _rsa(pkcs11: Any, key: Any) -> rsa.RSAPublicKey | None:
    modulus, exponent = (_attribute(pkcs11, key, name) for name in ("MODULUS", "PUBLIC_EXPONENT"))
    if not modulus or not exponent:
        return None
    with contextlib.suppress(ValueError):  # an invalid key on the token counts as missing
        return rsa.RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()
    return None


def _ec(pkcs11: Any, key: Any) -> ec.EllipticCurvePublicKey | None:
    curve = _CURVES.get(_attribute(pkcs11, key, "EC_PARAMS") or b"")
    point = _attribute(pkcs11, key, "EC_POINT") or b""
    if curve is None:
        return None
    size = 1 + 2 * ((curve.key_size + 7) // 8)
    # CKA_EC_POINT is an OCTET STRING that contains the point; older tokens return the bare point.
    with contextlib.suppress(ValueError):
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point[-size:])
    return None


def _certificates(
    pkcs11: Any, session: _Session, private: Any
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    """Return the certificates on the token: those with the CKA_ID of the key, and the others."""
    identifier = _attribute(pkcs11, private, "ID")
    own: list[x509.Certificate] = []
    others: list[x509.Certificate] = []
    for found, certificate in _certificates_of(pkcs11, session):
        (own if identifier and found == identifier else others).append(certificate)
    return tuple(own), tuple(others)


def _certificates_of(pkcs11: Any, session: _Session) -> Iterator[tuple[bytes, x509.Certificate]]:
    """Yield the CKA_ID and each certificate; ignore other types and malformed ones, which belong to other keys."""
    for found in session.session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE}):
        with contextlib.suppress(CertificateError):
            certificate = load_der(_attribute(pkcs11, found, "VALUE") or b"")
            yield _attribute(pkcs11, found, "ID") or b"", certificate


def _key_of(certificates: tuple[x509.Certificate, ...], name: str) -> PublicKey:
    if not certificates:
        raise KeyNotFound(
            f"{name} has neither the public key nor a certificate for the private key",
            hint="Name the certificate file with --cert, or with cert= in the URI.",
        )
    return require_supported(public_key(leaf_of(certificates)))


def _signer(pkcs11: Any, session: _Session, private: Any, pin: str | None) -> Callable[[bytes, DigestAlgorithm], bytes]:
    is_rsa = private.key_type == pkcs11.KeyType.RSA
    options = {} if pin is None else {"pin": pin}

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        with session.lock, _convert_errors(pkcs11, session.name), _drop_on_error(session):
            if is_rsa:
                data, mechanism = digest_info(digest, algorithm), pkcs11.Mechanism.RSA_PKCS
                return bytes(private.sign(data, mechanism=mechanism, **options))
            raw = bytes(private.sign(digest, mechanism=pkcs11.Mechanism.ECDSA, **options))
        return ecdsa_der(raw, session.name)

    return sign


@contextlib.contextmanager
def _drop_on_error(session: _Session) -> Iterator[None]:
    """Stop sharing a session after an error in it."""
    try:
        yield
    except RuntimeError:  # the base class of all errors of the library
        for place in [place for place, shared in _open_sessions.items() if shared is session]:
            del _open_sessions[place]
        raise


@contextlib.contextmanager
def _convert_errors(pkcs11: Any, name: str) -> Iterator[None]:
    """Convert exceptions of the library to errors that name the token."""
    try:
        yield
    except pkcs11.PKCS11Error as error:
        raise _identity_error(type(error).__name__, str(error), name) from error


def _identity_error(kind: str, detail: str, name: str) -> IdentityError:
    reason = f"{kind}: {detail}" if detail else kind
    if kind in _WRONG_PIN:
        return WrongSecret(
            f"the PIN of {name} is wrong; it was tried once",
            hint="Check the PIN before the next attempt: the token locks itself after several wrong PINs.",
        )
    if kind == "PinLocked":
        return WrongSecret(f"the PIN of {name} is locked", hint="Unlock the PIN with the vendor's tool.")
    if kind == "PinExpired":
        return WrongSecret(f"the PIN of {name} has expired", hint="Change the PIN with the vendor's tool.")
    if kind in _DISCONNECTED:
        return IdentityError(
            f"{name} is not connected any more ({reason})", hint="Connect the token and run the command again."
        )
    if kind in _UNSUPPORTED:
        return IdentityError(f"{name} can't sign this digest with this key ({reason})", hint="Choose another --digest.")
    return IdentityError(f"{name} failed ({reason})")


def _close(session: Any) -> None:
    """Log out and close the session. Ignores errors, because the token may be disconnected."""
    with contextlib.suppress(RuntimeError):  # the base class of all errors of the library
        session.close()
