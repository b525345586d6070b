"""`drvsign --as certmgr`: list, add, delete and save certificates. Source: "CertMgr" (win32, SecCrypto/certmgr.md).

A store is a file, or with -s a named store of drvsign (`testcerts.named_store`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import complain, say
from signer.cli.front_ends.makecert import require_user
from signer.cli.front_ends.switches import Grammar, ParsedSwitches, Switch, parse
from signer.cli.front_ends.words import local
from signer.errors import FileError, UsageError
from signer.records import dataclass
from signer.storage.files import read, write_atomically

if TYPE_CHECKING:
    from cryptography import x509

_LISTS = "drvsign handles certificates only."
GRAMMAR = Grammar(
    {
        "add": Switch(does="copy certificates to the destination"),
        "del": Switch(does="delete certificates"),
        "put": Switch(does="save a certificate to a file"),
        "c": Switch(does="certificates; also without it"),
        "ctl": Switch(refused=_LISTS),
        "crl": Switch(refused=_LISTS),
        "all": Switch(does="all certificates of the source"),
        "n": Switch("value", "a part of the common name"),
        "sha1": Switch("value", "the certificate's SHA-1"),
        "s": Switch(does="the next name is that of a store, not of a file"),
        "r": Switch("value", "currentUser; localMachine is refused: the machine's stores exist on Windows only"),
        "7": Switch(does="save as PKCS #7"),
        "e": Switch("value", "nothing: the encoding is detected"),
        "y": Switch("value", refused="Store providers exist on Windows only."),
        "f": Switch("value", refused="Store providers exist on Windows only."),
        "v": Switch(does="show more of each certificate"),
    },
    prefix="-",
)
_TRUSTING = ("root", "ca", "authroot", "trustedpublisher", "trustedpeople", "trust", "disallowed")
"""Stores whose certificates Windows trusts or distrusts: a folder here would not do that on any machine."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A source or a destination of the call."""

    name: str
    is_store: bool


def certmgr(words: Sequence[str]) -> int:
    """Run one action and print CertMgr's lines; return the exit code. Raises SignerError."""
    if asks_for_help(words, GRAMMAR.switches) or not words:
        say(usage("certmgr [-add|-del|-put] [options] [-s] SOURCE [[-s] DESTINATION]", GRAMMAR))
        return 0
    given = parse(GRAMMAR, words)
    actions = [name for name in ("add", "del", "put") if name in given]
    if len(actions) > 1:
        raise UsageError("only one of -add, -del and -put is allowed", hint=f"Remove -{actions[1]}.")
    require_user(given.last("r"), "r")
    places = _places(words, given)
    for sentence in given.ignored:
        complain(f"CertMgr warning: {sentence}")
    run: Callable[[ParsedSwitches, list[_Place]], None] = {"add": _add, "del": _delete, "put": _put}.get(
        "".join(actions), _list
    )
    run(given, places)
    say("CertMgr Succeeded")
    return 0


def _places(words: Sequence[str], given: ParsedSwitches) -> list[_Place]:
    """Return the source and the destination; -s stands before the name of a store. Raises UsageError."""
    if not 1 <= len(given.operands) <= 2:
        raise UsageError("name a source, and at most one destination", hint="Write certmgr -add FILE.cer -s My.")
    found, is_store, left = [], False, list(given.operands)
    for word in words:
        if word.lower() in ("-s", "/s"):
            is_store = True
        elif left and word == left[0]:
            found.append(_Place(left.pop(0), is_store))
            is_store = False
    return found


def _list(given: ParsedSwitches, places: list[_Place]) -> None:
    certificates = _wanted(given, _read(places[0]))
    if not certificates:
        say("==============No Certificates ==========")
    for number, certificate in enumerate(certificates, 1):
        say(f"==============Certificate # {number} ==========")
        say("\n".join(_facts(certificate, is_long="v" in given)))
    say("==============No CTLs ==========\n==============No CRLs ==========")
    say("==============================================")


def _add(given: ParsedSwitches, places: list[_Place]) -> None:
    from signer.cli.front_ends.store_files import to_file
    from testcerts import named_store

    source, target = _both(places)
    certificates = _require_some(_wanted(given, _read(source)))
    if target.is_store:
        _require_private(target)
        for one in certificates:
            named_store.add(target.name, one, os.environ)
        return
    path = Path(local(target.name))
    kept = _read(target) if path.exists() else []
    joined = list(dict.fromkeys([*kept, *certificates]))
    write_atomically(path, to_file(joined, as_pkcs7="7" in given or len(joined) > 1))


def _delete(given: ParsedSwitches, places: list[_Place]) -> None:
    from signer.cli.front_ends.store_files import to_pkcs7
    from testcerts import named_store

    source = places[0]
    removed = _require_some(_wanted(given, _read(source), is_choice=True))
    if source.is_store and len(places) == 1:
        _require_private(source)
        for entry in named_store.stored(source.name, os.environ):
            if entry.certificate in removed:
                named_store.delete(entry)
        return
    target = places[-1]
    if target.is_store:
        raise UsageError("the destination of -del is a file", hint="Name a file, or only the store.")
    write_atomically(Path(local(target.name)), to_pkcs7([one for one in _read(source) if one not in removed]))


def _put(given: ParsedSwitches, places: list[_Place]) -> None:
    from signer.cli.front_ends.store_files import to_file

    source, target = _both(places)
    if target.is_store:
        raise UsageError("the destination of -put is a file", hint="Write -add for a store.")
    certificates = _require_some(_wanted(given, _read(source)))
    if len(certificates) > 1 and "7" not in given:
        raise UsageError(f"{len(certificates)} certificates fit", hint="Name one with -n or -sha1, or add -7.")
    write_atomically(Path(local(target.name)), to_file(certificates, as_pkcs7="7" in given))


def _both(places: list[_Place]) -> tuple[_Place, _Place]:
    if len(places) != 2:
        raise UsageError("the destination is missing", hint="Name it after the source.")
    return places[0], places[1]


def _read(place: _Place) -> list[x509.Certificate]:
    """Return the certificates of a store or of a file. Raises SignerError."""
    from signer.certificates import load_all
    from testcerts import named_store

    if place.is_store:
        return [one.certificate for one in named_store.stored(place.name, os.environ)]
    path = Path(local(place.name))
    if not path.exists():
        raise FileError("Failed to open the source store: file not found", path=path, hint="For a store, write -s.")
    return load_all(read(path))


def _wanted(
    given: ParsedSwitches, certificates: Iterable[x509.Certificate], *, is_choice: bool = False
) -> list[x509.Certificate]:
    """Return the certificates that -n and -sha1 name; all without them, unless -all is required for a choice."""
    from signer.certificates import common_name, thumbprint

    if is_choice and not {"all", "n", "sha1"} & set(given.values):
        raise UsageError("no certificate is named", hint="Add -n NAME, -sha1 HASH or -all.")
    sha1 = re.sub(r"\s", "", given.last("sha1") or "").upper()
    name = (given.last("n") or "").casefold()
    return [one for one in certificates if sha1 in ("", thumbprint(one)) and name in common_name(one).casefold()]


def _require_some(certificates: list[x509.Certificate]) -> list[x509.Certificate]:
    if not certificates:
        raise FileError(
            "Can not find a certificate matching the name or the hash", hint="List the source: certmgr FILE"
        )
    return certificates


def _require_private(place: _Place) -> None:
    """Raise UsageError for a store that Windows trusts: only the test machine can have that."""
    if place.name.lower() in _TRUSTING:
        raise UsageError(
            f"the store {place.name} is one that a machine trusts, and drvsign changes no machine",
            hint="Prepare the test machine with the script of: drvsign certs install-script",
        )


def _facts(certificate: x509.Certificate, *, is_long: bool) -> list[str]:
    from signer.certificates import serial_hex, subject_name, thumbprint

    lines = ["Subject::", *_names(certificate.subject), "Issuer::", *_names(certificate.issuer)]
    lines += ["SHA1 Thumbprint::", f"  {' '.join(re.findall('.{8}', thumbprint(certificate)))}"]
    if is_long:
        lines += [f"SerialNumber::\n  {serial_hex(certificate)}", f"Name:: {subject_name(certificate)}"]
        lines += [
            f"NotBefore::\n  {certificate.not_valid_before_utc}",
            f"NotAfter::\n  {certificate.not_valid_after_utc}",
        ]
    return lines


def _names(name: x509.Name) -> list[str]:
    found = []
    for outer, rdn in enumerate(name.rdns):
        for inner, one in enumerate(rdn):
            short = one.rfc4514_attribute_name
            label = f"{one.oid.dotted_string} ({short})" if short != one.oid.dotted_string else short
            found.append(f"  [{outer},{inner}] {label} {one.value!s}")
    return found
