"""Keys in tokens (smart cards, USB tokens, HSMs), through PKCS #11.

Source: PKCS #11 v2.40 base specification and current mechanisms: 2.1.6 (CKM_RSA_PKCS signs a DigestInfo), 2.3.1
(CKM_ECDSA gives r and s), and the flags of CK_TOKEN_INFO. Keys are found by RFC 7512 URIs.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

AskPin = Callable[[str], str | None]
"""Asks for the PIN of the token that it is given the name of."""

_WRONG = {"PinIncorrect", "PinInvalid", "PinLenRange"}
_GONE = {
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
_UNABLE = {"KeyFunctionNotPermitted", "KeySizeRange", "KeyTypeInconsistent", "MechanismInvalid", "FunctionNotSupported"}
_CURVES: dict[bytes, ec.EllipticCurve] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
}

_open_sessions: weakref.WeakValueDictionary[tuple[str, int], _Session] = weakref.WeakValueDictionary()
"""The sessions of this process. To be logged in is a state of the process on a token, not of a session (5.6)."""
_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class TokenKey:
    """What a token has: the key, and every certificate on it."""

    key: RemoteKey
    certificates: tuple[x509.Certificate, ...]


class _Session:
    """A session with a token, logged in once and shared by all of its keys; closed when the last of them is gone."""

    def __init__(self, session: Any, name: str, pin: str | None) -> None:
        self.session = session
        self.name = name
        self.pin = pin
        self.lock = threading.Lock()
        weakref.finalize(self, _close, session)


def open_token_key(uri: Pkcs11Uri, ask_pin: AskPin, certificates: tuple[x509.Certificate, ...] = ()) -> TokenKey:
    """The key that `uri` names, logged in with the PIN that is asked for at most once and tried once.

    `certificates` are those known from elsewhere; a token that does not give the public key away is believed to hold
    the leaf's among them, which the first signature proves. Raises IdentityError, UsageError.
    """
    pkcs11 = load_client("pkcs11", "pkcs11", "keys in tokens")
    library = _library(pkcs11, uri)
    with _opening:
        token = _token(pkcs11, library, uri)
        session = _login(pkcs11, library.so, token, ask_pin)
    with session.lock, _told(pkcs11, session.name):
        private = _private_key(pkcs11, session, uri)
        mine, others = _certificates(pkcs11, session, private)
        public = _public_key(pkcs11, session, private) or _key_of(certificates or mine, session.name)
        always = _attribute(pkcs11, private, "ALWAYS_AUTHENTICATE") is True
    if always and not isinstance(session.pin, str):
        raise IdentityError(
            f"the key on {session.name} wants a PIN at the key pad for each signature, which can't be had"
        )
    signer = _signer(pkcs11, session, private, session.pin if always else None)
    return TokenKey(RemoteKey(session.name, public, signer, one_at_a_time=True), (*mine, *others))


def _library(pkcs11: Any, uri: Pkcs11Uri) -> Any:
    if uri.module_path is not None:
        names = [uri.module_path]
    elif uri.module_name is not None:
        names = [f"{prefix}{uri.module_name}{suffix}" for prefix in ("lib", "") for suffix in (".so", ".dylib", ".dll")]
    else:
        raise UsageError(
            "the PKCS #11 URI does not say which library speaks to the token",
            field="module-path",
            hint="Add ?module-path=/path/of/library.so, as the maker of the token names it.",
        )
    reasons = []
    for name in names:
        try:
            return pkcs11.lib(name)
        except pkcs11.PKCS11Error as error:
            reasons.append(str(error) or type(error).__name__)
    raise IdentityError(f"the PKCS #11 library {names[0]!r} can't be used ({reasons[0]})", hint="Check module-path.")


def _token(pkcs11: Any, library: Any, uri: Pkcs11Uri) -> Any:
    """The one token that the URI fits."""
    present, fitting = [], []
    with _told(pkcs11, "the PKCS #11 library"):
        for slot in library.get_slots(token_present=True):
            try:
                token = slot.get_token()
            except (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):
                continue
            if not token.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED:
                continue
            present.append(token)
            if _fits(token, uri):
                fitting.append(token)
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(f"{_plain(t.label)!r} (serial {_plain(t.serial)})" for t in fitting or present) or "none"
    if fitting:
        raise IdentityError(f"{len(fitting)} tokens fit the URI: {there}", hint="Add token=LABEL or serial=SERIAL.")
    raise KeyNotFound(f"no token fits the URI; those present: {there}", hint="Plug it in, or check token= and serial=.")


def _fits(token: Any, uri: Pkcs11Uri) -> bool:
    wanted = (
        (uri.token, token.label),
        (uri.serial, token.serial),
        (uri.manufacturer, token.manufacturer_id),
        (uri.model, token.model),
        (uri.slot_description, token.slot.slot_description),
        (uri.slot_manufacturer, token.slot.manufacturer_id),
    )
    if uri.slot_id is not None and uri.slot_id != token.slot.slot_id:
        return False
    return all(value is None or value == _plain(found) for value, found in wanted)


def _plain(text: str | bytes) -> str:
    """A field of the token's information without the blanks that fill it up."""
    return (text if isinstance(text, str) else text.decode("utf-8", "replace")).rstrip("\0 ")


def _login(pkcs11: Any, module: str, token: Any, ask_pin: AskPin) -> _Session:
    """The session with the token: the one there is, or a new one, logged in with a single try."""
    name = f"the token {_plain(token.label)!r}"
    place = (module, token.slot.slot_id)
    shared = _open_sessions.get(place)
    flags, flag = token.flags, pkcs11.TokenFlag
    pin: Any = None
    if flags & flag.LOGIN_REQUIRED:
        _require_tries_left(flags, flag, name)
        pinpad = bool(flags & flag.PROTECTED_AUTHENTICATION_PATH)
        pin = pkcs11.PROTECTED_AUTH if pinpad else _asked(ask_pin, name)
    if shared is not None:
        if shared.pin != pin:
            raise WrongSecret(f"the PIN is not the one that {name} was opened with; it was not tried")
        return shared
    with _told(pkcs11, name):
        session = _Session(token.open(user_pin=pin), name, pin)
    _open_sessions[place] = session
    return session


def _require_tries_left(flags: Any, flag: Any, name: str) -> None:
    """Raise WrongSecret for a token that is locked, or that a wrong PIN would lock."""
    if flags & flag.USER_PIN_LOCKED:
        raise WrongSecret(f"the PIN of {name} is locked", hint="Unlock it with the tool of its maker.")
    if flags & flag.USER_PIN_FINAL_TRY:
        raise WrongSecret(
            f"{name} has one try left before its PIN is locked; it was not used",
            hint="Log in once with the tool of its maker, which gives the tries back.",
        )
    if not flags & flag.USER_PIN_INITIALIZED:
        raise WrongSecret(f"{name} has no PIN yet", hint="Set one with the tool of its maker.")


def _asked(ask_pin: AskPin, name: str) -> str:
    pin = ask_pin(name)
    if not pin:
        raise WrongSecret(
            f"{name} wants a PIN, and none was given",
            hint="Give it with pin-source= in the URI, --password-env, --password-file or --password-fd.",
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
    if found:
        keys = ", ".join(f"object={_attribute(pkcs11, key, 'LABEL')};id={_percent(key.id)}" for key in found)
        raise IdentityError(f"{len(found)} keys of {session.name} fit the URI: {keys}", hint="Add object= and id=.")
    raise KeyNotFound(f"{session.name} has no private key that fits the URI", hint="Check object= and id=.")


def _percent(identifier: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in identifier)


def _attribute(pkcs11: Any, thing: Any, name: str) -> Any:
    """An attribute of an object; None where the token does not have it or does not give it away."""
    try:
        return thing[pkcs11.Attribute[name]]
    except (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive):
        return None


def _public_key(pkcs11: Any, session: _Session, private: Any) -> PublicKey | None:
    """The public half: from the private key where RSA has it, else from the public key of the same identifier."""
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
    with contextlib.suppress(ValueError):  # nonsense on the token is as good as nothing
        return rsa.RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()
    return None


def _ec(pkcs11: Any, key: Any) -> ec.EllipticCurvePublicKey | None:
    curve = _CURVES.get(_attribute(pkcs11, key, "EC_PARAMS") or b"")
    point = _attribute(pkcs11, key, "EC_POINT") or b""
    if curve is None:
        return None
    size = 1 + 2 * ((curve.key_size + 7) // 8)
    # CKA_EC_POINT is an OCTET STRING around the point; older tokens give the point alone.
    with contextlib.suppress(ValueError):
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point[-size:])
    return None


def _certificates(
    pkcs11: Any, session: _Session, private: Any
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    """The certificates on the token: those with the identifier of the key, and the others."""
    identifier = _attribute(pkcs11, private, "ID")
    mine: list[x509.Certificate] = []
    others: list[x509.Certificate] = []
    for found in session.session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE}):
        # Certificates of other kinds, and broken ones of somebody else, are no reason not to sign.
        with contextlib.suppress(CertificateError):
            certificate = load_der(_attribute(pkcs11, found, "VALUE") or b"")
            same = identifier and _attribute(pkcs11, found, "ID") == identifier
            (mine if same else others).append(certificate)
    return tuple(mine), tuple(others)


def _key_of(certificates: tuple[x509.Certificate, ...], name: str) -> PublicKey:
    if not certificates:
        raise KeyNotFound(
            f"{name} has neither the public key nor a certificate of the private key",
            hint="Name the certificate's file with --cert, or cert= in the URI.",
        )
    return require_supported(public_key(leaf_of(certificates)))


def _signer(pkcs11: Any, session: _Session, private: Any, pin: str | None) -> Callable[[bytes, DigestAlgorithm], bytes]:
    is_rsa = private.key_type == pkcs11.KeyType.RSA
    options = {} if pin is None else {"pin": pin}

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        with session.lock, _told(pkcs11, session.name), _dropped(session):
            if is_rsa:
                data, mechanism = digest_info(digest, algorithm), pkcs11.Mechanism.RSA_PKCS
                return bytes(private.sign(data, mechanism=mechanism, **options))
            raw = bytes(private.sign(digest, mechanism=pkcs11.Mechanism.ECDSA, **options))
        return ecdsa_der(raw, session.name)

    return sign


@contextlib.contextmanager
def _dropped(session: _Session) -> Iterator[None]:
    """A session in which something failed is not given to further keys."""
    try:
        yield
    except RuntimeError:  # what all of the library's errors are
        for place in [place for place, shared in _open_sessions.items() if shared is session]:
            del _open_sessions[place]
        raise


@contextlib.contextmanager
def _told(pkcs11: Any, name: str) -> Iterator[None]:
    """What the library raises, as one sentence about the token."""
    try:
        yield
    except pkcs11.PKCS11Error as error:
        raise _sentence(type(error).__name__, str(error), name) from error


def _sentence(kind: str, detail: str, name: str) -> IdentityError:
    reason = f"{kind}: {detail}" if detail else kind
    if kind in _WRONG:
        return WrongSecret(
            f"the PIN of {name} is wrong; it was tried once",
            hint="Check it before the next call: tokens lock themselves.",
        )
    if kind == "PinLocked":
        return WrongSecret(f"the PIN of {name} is locked", hint="Unlock it with the tool of its maker.")
    if kind == "PinExpired":
        return WrongSecret(f"the PIN of {name} has expired", hint="Change it with the tool of its maker.")
    if kind in _GONE:
        return IdentityError(f"{name} is gone ({reason})", hint="Plug it in again and call once more.")
    if kind in _UNABLE:
        return IdentityError(f"{name} can't sign with this key in this way ({reason})", hint="Try another --digest.")
    return IdentityError(f"{name} failed ({reason})")


def _close(session: Any) -> None:
    """Log out and close. The token may be gone, and then there is nothing left to close."""
    with contextlib.suppress(RuntimeError):  # what all of the library's errors are
        session.close()
