"""`drvsign --as makecert`: make a test certificate.

Sources: "MakeCert" (win32, SecCrypto/makecert.md; windows-driver-docs, devtest/makecert.md).

The key goes to a .pvk file, to a named store of drvsign (`testcerts.named_store`), or to both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.switches import Grammar, ParsedSwitches, Switch, parse
from signer.cli.front_ends.words import local
from signer.errors import CertificateError, FileError, IdentityError, UsageError, WrongSecret
from signer.storage.files import read, write_atomically

if TYPE_CHECKING:
    from cryptography import x509

    from testcerts.issue import PrivateKey
    from testcerts.single import Digest, Request

_CONTAINER = "Windows' key containers do not exist here: use -sv FILE.pvk or -ss STORE."
_PROVIDER = "nothing: keys are made by OpenSSL"
_LOCATION = "CurrentUser; LocalMachine is refused: the machine's stores exist on Windows only"
GRAMMAR = Grammar(
    {
        "a": Switch(
            "value", "the digest: sha256 (the default), sha384, sha512; sha256 with a warning for sha1 and md5"
        ),
        "b": Switch("value", "the first day, mm/dd/yyyy"),
        "cy": Switch("value", "end or authority"),
        "e": Switch("value", "the last day, mm/dd/yyyy; default 12/31/2039"),
        "eku": Switch("value", "extended key usages, separated by commas"),
        "h": Switch("value", "the maximum height of the tree below an authority"),
        "ic": Switch("value", "the issuer's certificate; its key is in -iv, or in the store -is"),
        "ik": Switch("value", refused=_CONTAINER),
        "iky": Switch("value", _PROVIDER),
        "in": Switch("value", "a part of the issuer's name, in the store -is"),
        "ip": Switch("value", _PROVIDER),
        "ir": Switch("value", _LOCATION),
        "is": Switch("value", "the issuer's store"),
        "iv": Switch("value", "the issuer's key, a .pvk file"),
        "iy": Switch("value", _PROVIDER),
        "l": Switch("value", refused="drvsign writes no policy links."),
        "len": Switch(
            "value", "the length of the key in bits: 2048 (the default), 3072 or 4096; shorter ones are refused"
        ),
        "m": Switch("value", "the number of months that the certificate is valid"),
        "n": Switch("value", "the subject, such as CN=Contoso Test"),
        "nscp": Switch(ignored="the Netscape extension has no use any more"),
        "pe": Switch(does="nothing: keys can always be exported"),
        "r": Switch(does="self-signed; also without an issuer"),
        "sc": Switch("value", refused="drvsign makes a certificate only with its key: use -sv."),
        "sk": Switch("value", "nothing: the key is with its certificate in the store -ss"),
        "sky": Switch("value", _PROVIDER),
        "sp": Switch("value", _PROVIDER),
        "sr": Switch("value", _LOCATION),
        "ss": Switch("value", "the store: a folder of drvsign, where signtool /s finds the certificate"),
        "sv": Switch("value", "the key, a .pvk file without a password; used if it exists"),
        "sy": Switch("value", _PROVIDER),
        "#": Switch("value", "the serial number"),
        "$": Switch("value", ignored="commercial and individual publishers are no longer told apart"),
    },
    prefix="-",
)
_END = datetime(2039, 12, 31, 23, 59, 59, tzinfo=UTC)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_LENGTHS = ("2048", "3072", "4096")


def makecert(words: Sequence[str]) -> int:
    """Make a certificate and print MakeCert's line; return the exit code. Raises SignerError."""
    if asks_for_help(words, GRAMMAR.switches) or "-!" in words:
        say(usage("makecert [options] [OUTPUT.cer]", GRAMMAR))
        return 0
    given = parse(GRAMMAR, words)
    if len(given.operands) > 1:
        raise UsageError("Too many parameters", hint=f"Name one output file, not {', '.join(given.operands)}.")
    if not given.operands and "ss" not in given:
        raise UsageError("the certificate would be written nowhere", hint="Name a file, or a store with -ss.")
    for sentence in given.ignored:
        complain(f"MakeCert warning: {sentence}")
    _make(given, Path(local(given.operands[0])) if given.operands else None)
    say("Succeeded")
    return 0


def _make(given: ParsedSwitches, target: Path | None) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    from testcerts import named_store
    from testcerts.single import certify

    for switch in ("sr", "ir"):
        require_user(given.last(switch), switch)
    request, issuer, key = _request(given), _issuer(given), _key(given)
    try:
        certificate = certify(request, key, issuer)
    except (ValueError, TypeError) as error:
        raise UsageError(f"the certificate can't be made: {error}", hint="Correct the options.") from error
    store = given.last("ss")
    if store is not None:
        named_store.add(store, certificate, os.environ, key=key, chain=(issuer[0],) if issuer is not None else ())
    if target is not None:
        write_atomically(target, certificate.public_bytes(Encoding.DER))


def require_user(location: str | None, switch: str) -> None:
    """Raise UsageError for a store of the machine."""
    if location is not None and location.lower() != "currentuser":
        raise UsageError(
            f"-{switch} {location}: the machine's stores exist on Windows only",
            hint=f"Remove -{switch}, or prepare the test machine with the script of: drvsign certs install-script",
        )


def _request(given: ParsedSwitches) -> Request:
    from testcerts.issue import parse_subject
    from testcerts.single import Request

    begin = _date(given.last("b")) or datetime.now(UTC).replace(microsecond=0)
    end = _date(given.last("e")) or (_months_after(begin, _number(given, "m")) if "m" in given else _END)
    if end <= begin:
        raise UsageError("the certificate would end before it begins", hint="Correct -b, -e or -m.")
    kind = (given.last("cy") or ("authority" if "h" in given else "")).lower()
    if kind not in ("", "end", "authority"):
        raise UsageError(f"-cy {kind} is unknown", hint="Write -cy end or -cy authority.")
    usages = tuple(one.strip() for one in (given.last("eku") or "").split(",") if one.strip())
    for one in usages:
        if re.fullmatch(r"[012](?:\.\d+)+", one) is None:
            raise UsageError(
                f"-eku {one} is not an object identifier", hint="Write 1.3.6.1.5.5.7.3.3 for code signing."
            )
    return Request(
        parse_subject(given.last("n") or "CN=Joe's Software Emporium"),
        begin,
        end,
        _digest(given.last("a") or "sha256"),
        usages,
        kind == "authority" if kind else None,
        _number(given, "h") if "h" in given else None,
        _number(given, "#") if "#" in given else None,
    )


def _key(given: ParsedSwitches) -> PrivateKey:
    """Return the key of -sv, which is written if the file does not exist, or a new one. Raises SignerError."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    from signer.keys.pvk import to_pvk
    from testcerts.encodings import KEY_MODE

    path = Path(local(given.last("sv") or "")) if "sv" in given else None
    if path is not None and path.exists():
        return _pvk(path)
    length = given.last("len") or "2048"
    if length not in _LENGTHS:
        raise UsageError(
            f"-len {length} is not supported", hint=f"Use {', '.join(_LENGTHS)}: Windows rejects shorter keys."
        )
    key = rsa.generate_private_key(65537, int(length))
    if path is not None:
        write_atomically(path, to_pvk(key), mode=KEY_MODE)
    return key


def _pvk(path: Path) -> PrivateKey:
    """Return the key of a .pvk file without a password. Raises SignerError."""
    from signer.keys.pvk import load_pvk

    try:
        return load_pvk(read(path), None)
    except WrongSecret as error:
        raise IdentityError(
            "the key is protected by a password", path=path, hint="Use a .pvk file without one, as -sv writes it."
        ) from error
    except IdentityError as error:
        raise error.at(path) from error


def _certificate(name: str) -> x509.Certificate:
    """Return the certificate of a file. Raises SignerError."""
    from signer.certificates import load_all

    path = Path(local(name))
    try:
        return load_all(read(path))[0]
    except CertificateError as error:
        raise error.at(path) from error


def _issuer(given: ParsedSwitches) -> tuple[x509.Certificate, PrivateKey] | None:
    """Return the issuer's certificate and key; None for a self-signed certificate. Raises SignerError."""
    if "r" in given or not {"ic", "in", "is", "iv"} & set(given.values):
        return None
    if "iv" in given:
        if "ic" not in given:
            raise UsageError("-iv requires -ic", hint="Write -ic ISSUER.cer.")
        return _certificate(given.last("ic") or ""), _pvk(Path(local(given.last("iv") or "")))
    return _issuer_in_store(given)


def _issuer_in_store(given: ParsedSwitches) -> tuple[x509.Certificate, PrivateKey]:
    from signer.certificates import subject_name
    from signer.keys.local import LocalKey, load_pair
    from testcerts.named_store import known

    wanted = _certificate(given.last("ic") or "") if "ic" in given else None
    name = (given.last("in") or "").casefold()
    found = [
        one
        for one in known(given.last("is") or "My", os.environ)
        if one.key is not None
        and wanted in (None, one.certificate)
        and name in subject_name(one.certificate).casefold()
    ]
    if len(found) != 1 or found[0].key is None:
        raise FileError(f"{len(found)} certificates of the store can be the issuer", hint="Name one with -in or -ic.")
    key = load_pair(read(found[0].path), read(found[0].key), None).key
    assert isinstance(key, LocalKey)
    return found[0].certificate, key.private


def _digest(name: str) -> Digest:
    """Return the digest of -a; SHA-256 for SHA-1 and MD5, which OpenSSL no longer signs certificates with."""
    from cryptography.hazmat.primitives import hashes

    word = name.lower().replace("-", "")
    if word in ("sha1", "md5"):
        complain(f"MakeCert warning: -a {name}: the certificate is signed with SHA-256")
    known: dict[str, Digest] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
    if word not in (*known, "sha1", "md5"):
        raise UsageError(f"-a {name} is unknown", hint="Write -a sha256, sha384 or sha512.")
    return known.get(word, hashes.SHA256())


def _date(text: str | None) -> datetime | None:
    found = _DATE.fullmatch(text or "")
    if text is None:
        return None
    try:
        month, day, year = map(int, found.groups()) if found is not None else (0, 0, 0)
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError as error:
        raise UsageError(f"{text} is not a date", hint="Write it as 12/31/2039.") from error


def _months_after(begin: datetime, months: int) -> datetime:
    year, month = divmod(begin.year * 12 + begin.month - 1 + months, 12)
    if not 1 <= year < 9999:
        raise UsageError(f"-m {months} is too long", hint="Use fewer months.")
    return begin.replace(year=year, month=month + 1, day=1) + timedelta(days=begin.day - 1)


def _number(given: ParsedSwitches, switch: str) -> int:
    text = given.last(switch) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise UsageError(f"-{switch} {text} is not a number of at most 10 digits", hint=f"Write -{switch} 1.")
    return int(text)
