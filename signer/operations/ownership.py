"""Decide which signatures a new one may replace without being asked: those of the same signer or the same test CA.

A signer is the same if its certificate has the same public key. A signer belongs to a known authority if a path of
verified certificate signatures ends at the key of a known root; names decide nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from signer.certificates import common_name, spki_sha256
from signer.errors import CertificateError, ForeignSignature, SignatureFormatError, SignerError
from signer.formats.detect import opened, plain_signatures
from signer.formats.format import Format
from signer.formats.table import FormatRow
from signer.pkcs7 import nested
from signer.records import dataclass
from signer.storage.files import mapped
from signer.storage.streams import is_stream

if TYPE_CHECKING:
    from signer.trust.store import TrustStore


@dataclass(frozen=True, slots=True)
class Signer:
    """The signer of a signature in a file."""

    name: str
    """The common name of its certificate, or why it is unknown."""
    is_own: bool
    has_own_name: bool = False
    """Whether its certificate has the subject of one of the call's own certificates, and another key."""
    certificate: x509.Certificate | None = None

    def __str__(self) -> str:
        return f"{self.name}, a certificate of the same name with another key" if self.has_own_name else self.name


@dataclass(frozen=True, slots=True)
class Ownership:
    """The signers whose signatures a call may replace without being asked."""

    own: tuple[x509.Certificate, ...] = ()
    """The certificates that the call signs with."""
    roots: tuple[x509.Certificate, ...] = ()
    """The roots of the test authorities that the call knows."""
    issuers: tuple[x509.Certificate, ...] = ()
    """Other certificates of these authorities; they complete the chains of signatures without them."""

    def of(self, *certificates: x509.Certificate | None) -> Ownership:
        """Return the same, for a call that signs with these certificates."""
        return replace(self, own=tuple(one for one in certificates if one is not None))

    def signers(self, signatures: Iterable[bytes]) -> list[Signer]:
        """List the signers of signatures in DER, those of nested signatures included."""
        return [one for signature in signatures for one in self._of_signature(signature)]

    def _of_signature(self, signature: bytes) -> list[Signer]:
        from signer.pkcs7.parse import parse

        try:
            parsed = parse(signature)
            found = [self._signer(parsed.certificate_of(one), parsed.certificates) for one in parsed.signers]
            return [*found, *self.signers(nested.values_of(parsed))]
        except (SignatureFormatError, CertificateError):
            return [Signer("a signer whose signature can't be read", is_own=False)]

    def _signer(self, certificate: x509.Certificate | None, carried: tuple[x509.Certificate, ...]) -> Signer:
        if certificate is None:
            return Signer("a signer whose certificate is missing", is_own=False)
        has_own_key = spki_sha256(certificate) in {spki_sha256(one) for one in self.own}
        is_own = has_own_key or self._ends_in_own_root(certificate, carried)
        same_name = any(certificate.subject == one.subject for one in (*self.issuers, *self.own))
        return Signer(common_name(certificate), is_own, same_name and not is_own, certificate)

    def _ends_in_own_root(self, certificate: x509.Certificate, carried: Iterable[x509.Certificate]) -> bool:
        from signer.trust.chain import build_paths

        if not self.roots:
            return False
        own = {spki_sha256(root) for root in self.roots}
        paths = build_paths(certificate, (*carried, *self.issuers), _store(self.roots))
        return any(path.anchor is not None and path.anchor.spki_sha256 in own for path in paths)


NOBODY = Ownership()
"""No authority is known: only signatures of the call's own signer are its own."""


def require_replaceable(
    row: FormatRow, file: Format, ownership: Ownership, *, replace: bool = False, append: bool = False
) -> tuple[str, ...]:
    """Return the names of the other signers whose signatures a new one replaces, each once; none with `append`.

    Raises ForeignSignature if there are any, unless `replace` is true.
    """
    if append or not file.is_signed:
        return ()
    others = [one for one in _signers_of(file, ownership) if not one.is_own]
    if others and not replace:
        keep = "Keep the signature and add yours with --append, replace" if row.features.append else "Replace"
        hint = f"{keep} it with --replace, or leave the original unchanged with --output or --output-dir."
        raise _foreign(row.name, others, hint=hint)
    return names_of(others)


def names_of(signers: Iterable[Signer]) -> tuple[str, ...]:
    """Return the names of signers, each once."""
    return tuple(dict.fromkeys(one.name for one in signers))


def require_replaceable_target(
    target: Path, ownership: Ownership, *, replace: bool = False, source: Path | None = None
) -> tuple[str, ...]:
    """Return the names of the other signers whose signatures are lost when a new file replaces `target`.

    Signatures of the signers of `source`, which stays, are not lost. Raises ForeignSignature if there are others,
    unless `replace` is true.
    """
    others = _lost_signers(target, ownership, source)
    if others and not replace:
        raise _foreign("file", others, hint="Replace it with --replace, or write to another path.").at(target)
    return names_of(others)


def require_replaceable_copy(source: Path, target: Path, known: Ownership) -> None:
    """Raise ForeignSignature if a changed copy of `source` is to replace a file with signatures of other signers.

    For changes that add no signer: the signers of `source` are those of the result.
    """
    others = [] if is_same_file(source, target) else _lost_signers(target, known, source)
    if others:
        raise _foreign("file", others, hint="Write to another path, or delete the file first.").at(target)


def _lost_signers(target: Path, ownership: Ownership, source: Path | None) -> list[Signer]:
    """Return the signers of an existing file that are neither own nor signers of `source`."""
    if not _is_replaced(target):
        return []
    kept = [one.certificate for one in signers_of_file(source, ownership)] if source is not None else []
    own = ownership.of(*ownership.own, *kept)
    return [one for one in signers_of_file(target, own) if not one.is_own]


def is_same_file(source: Path, target: Path) -> bool:
    """Tell whether two paths name one file, links resolved. What is written to a stream replaces nothing."""
    if is_stream(target):
        return False
    return source == target or os.path.realpath(source) == os.path.realpath(target)


def _is_replaced(target: Path) -> bool:
    """Tell whether writing to a path replaces a file; False for one that can't be reached, which writing reports."""
    try:
        return not is_stream(target) and target.is_file()
    except OSError:
        return False


def signers_of_file(path: Path, ownership: Ownership) -> list[Signer]:
    """List the signers of a file; none for a file that is missing, can't be read or has no signatures."""
    try:
        if plain_signatures(path) == ():
            return []
        with mapped(path) as data:
            _, file = opened(data)
            return _signers_of(file, ownership) if file.is_signed else []
    except SignerError:
        return []


def _signers_of(file: Format, ownership: Ownership) -> list[Signer]:
    try:
        return ownership.signers(file.signatures())
    except SignerError:  # the container of the signatures is malformed
        return [Signer("a signer whose signature can't be read", is_own=False)]


def _foreign(what: str, others: Sequence[Signer], *, hint: str) -> ForeignSignature:
    names = " and ".join(dict.fromkeys(map(str, others)))
    return ForeignSignature(f"the {what} has a signature of another signer: {names}", hint=hint)


@lru_cache(maxsize=8)
def _store(roots: tuple[x509.Certificate, ...]) -> TrustStore:
    """Return the store of these roots, the same for every file. Raises UsageError for the key of a production root."""
    from signer.trust.store import TrustStore

    return TrustStore.test_signing(roots)
