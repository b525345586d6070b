"""Choose the signing certificate as SignTool does: from a PFX, or from a named store by its name or hash."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from signer.asn1.oids import EKU_ANY, EKU_CODE_SIGNING, EKU_WINDOWS_SYSTEM
from signer.certificates import extended_key_usages, issuer_name, subject_name, thumbprint, valid_at
from signer.cli.front_ends.switches import ParsedSwitches
from signer.cli.front_ends.words import local
from signer.cli.options.certs import open_authority
from signer.cli.output import Output
from signer.errors import FileError, IdentityError, UsageError, WrongSecret
from signer.records import dataclass

if TYPE_CHECKING:
    from cryptography import x509

    from testcerts.named_store import Entry

_NONE = "No certificates were found that met all the given criteria."
_SEVERAL = (
    "Multiple certificates were found that meet all the given\n\tcriteria. Use the /a option to allow SignTool to "
    "choose the best\n\tcertificate automatically or use the /sha1 option with the hash of the\n\tdesired certificate."
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The signing certificate and drvsign's options for it."""

    certificate: x509.Certificate
    options: Sequence[str]

    @property
    def digest(self) -> str | None:
        """The name of the digest that the certificate is signed with, for certHash."""
        algorithm = self.certificate.signature_hash_algorithm
        return algorithm.name if algorithm is not None else None

    def facts(self) -> str:
        """Return the lines about the certificate."""
        return "The following certificate was selected:\n" + facts(self.certificate)


def choose(given: ParsedSwitches) -> Chosen:
    """Return the certificate of a call to sign. Raises UsageError, IdentityError, FileError."""
    if "f" in given:
        return _from_pfx(given, Path(local(given.last("f") or "")))
    return _from_store(given, given.last("s") or "My")


def facts(certificate: x509.Certificate) -> str:
    """Return SignTool's four lines about a certificate."""
    from signer.certificates import common_name, issuer_common_name

    return (
        f"    Issued to: {common_name(certificate)}\n"
        f"    Issued by: {issuer_common_name(certificate) or issuer_name(certificate)}\n"
        f"    Expires:   {certificate.not_valid_after_utc:%a %b %d %H:%M:%S %Y}\n"
        f"    SHA1 hash: {thumbprint(certificate)}\n"
    )


def _from_pfx(given: ParsedSwitches, path: Path) -> Chosen:
    from signer.keys.open import open_identity

    password = given.last("p")
    if not path.exists():
        raise FileError(f"File not found: {path}", hint="Check the path of /f.")
    try:
        found = open_identity(pfx=path, secret=lambda _: password or None)
    except WrongSecret as error:
        raise IdentityError("The specified PFX password is not correct.", hint="Write /p PASSWORD.") from error
    if not _criteria(given)(found.certificate, found.chain):
        raise IdentityError(_NONE, hint=f"The certificate in {path} is:\n{facts(found.certificate).rstrip()}")
    return Chosen(found.certificate, ["--pfx", str(path), "--any-usage"])


def _from_store(given: ParsedSwitches, name: str) -> Chosen:
    from testcerts import named_store
    from testcerts.locate import PFX_VARIABLE

    if name.lower() == named_store.PERSONAL and os.environ.get(PFX_VARIABLE):
        open_authority(None, Output(quiet=True))  # writes the authority of the variable to a folder on first use
    fits, now = _criteria(given), datetime.now(UTC)
    usable = [
        one for one in named_store.known(name, os.environ) if one.key is not None and valid_at(one.certificate, now)
    ]
    found = [one for one in usable if fits(one.certificate, _issuers(one))]
    if not found:
        raise IdentityError(_NONE, hint=_hint(name, usable))
    if len(found) > 1 and "a" not in given:
        listed = "\n".join(facts(one.certificate) for one in found).rstrip()
        raise IdentityError(_SEVERAL, hint=f"The following certificates meet all given criteria:\n{listed}")
    best = max(found, key=lambda one: one.certificate.not_valid_after_utc)
    return Chosen(best.certificate, ["--cert", str(best.path), "--key", str(best.key), "--any-usage"])


def _issuers(entry: Entry) -> Sequence[x509.Certificate]:
    from signer.certificates import load_all
    from signer.storage.files import read

    return load_all(read(entry.path))[1:]


def _hint(name: str, usable: Sequence[Entry]) -> str:
    if usable:
        listed = "\n".join(facts(one.certificate) for one in usable).rstrip()
        return f"The store {name} of drvsign has these certificates with keys:\n{listed}"
    return (
        f"The store {name} of drvsign has no certificate with a key, and Windows' stores are not read: "
        "name a PFX with /f FILE, or make a certificate: drvsign certs create, or makecert -ss."
    )


def _criteria(given: ParsedSwitches) -> Callable[[x509.Certificate, Sequence[x509.Certificate]], bool]:
    """Return the function that tells whether a certificate fits /sha1, /n, /i, /r, /u and /uw. Raises UsageError."""
    sha1 = given.last("sha1")
    if sha1 is not None and re.fullmatch(r"[0-9a-fA-F]{40}", sha1) is None:
        raise UsageError(f"Invalid SHA1 hash format: {sha1}", hint="Write the 40 digits without spaces.")
    usage = EKU_WINDOWS_SYSTEM if "uw" in given else _usage(given.last("u"))

    def fits(certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> bool:
        usages = extended_key_usages(certificate)
        return (
            (sha1 is None or thumbprint(certificate) == sha1.upper())
            and (usages is None or bool({usage, EKU_ANY} & usages))
            and _names(given.all("n"), subject_name(certificate))
            and _names(given.all("i"), issuer_name(certificate))
            and _names(given.all("r"), subject_name([certificate, *chain][-1]))
        )

    return fits


def _usage(word: str | None) -> str:
    """Return the object identifier of a usage. Raises UsageError for a name other than that of code signing."""
    if word is None or word.lower() == "code signing":
        return EKU_CODE_SIGNING
    if re.fullmatch(r"\d+(?:\.\d+)+", word) is None:
        raise UsageError(f"Invalid Enhanced Key Usage: {word}", hint="Write the object identifier.")
    return word


def _names(wanted: Iterable[str], name: str) -> bool:
    return all(one.casefold() in name.casefold() for one in wanted)
