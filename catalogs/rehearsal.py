"""Rehearse the signing of packages in memory: like `catalogs.signing`, with one use of the key, and nothing is written.

The key signs a throw-away digest, and one timestamp is requested for it. Both are put into every signature of the
rehearsal. So the evidence of the result is real, except that the signature values do not match; `Rehearsal.contents`
ignores only this problem, and only in signatures of the rehearsed signer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cryptography import x509

from catalogs.catalog.file import Catalog
from catalogs.package.driver_package import DriverPackage
from catalogs.signing import Each, FileOutcome, PackagingOptions, sign_into
from catalogs.verification.checked_package import CheckedPackage, PathsOf
from catalogs.verification.contents import Contents
from catalogs.verification.gathered import Gathered
from catalogs.verification.package_evidence import check_package
from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError
from signer.keys.check import Check, check_digest
from signer.keys.identity import PublicKey, SigningIdentity
from signer.pkcs7.signed_data import Timestamper
from signer.records import dataclass
from signer.storage.staging import MemoryStaging
from signer.verify.evidence import Evidence, Signature

_THROW_AWAY = b"drvsign package --dry-run"
_VALUE_DIFFERS = "signature-mismatch"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Packages that were signed in memory."""

    outcomes: tuple[FileOutcome, ...]
    packages: tuple[tuple[DriverPackage, Catalog], ...]
    """Each package and its signed catalog."""
    contents: Contents
    """The new files and the unchanged ones."""

    def checked(self, paths_of: PathsOf, *, each: Each = map) -> list[CheckedPackage]:
        """Gather the evidence of the packages. Raises FileError and MalformedInput."""
        return [
            check_package(package, catalog, paths_of, contents=self.contents, each=each)
            for package, catalog in self.packages
        ]


def rehearse_packages(
    folder: Path | None,
    packages: Sequence[DriverPackage],
    identity: SigningIdentity,
    options: PackagingOptions,
    *,
    each: Each = map,
    read_each: Each | None = None,
) -> Rehearsal:
    """Sign packages in memory, and read the result back. Raises the errors of `sign_packages`.

    `folder` is the one below which signing would replace files; None for copies in another folder. `each` and
    `read_each` are those of `sign_into`.
    """
    value = _sign_throw_away(identity, options.signing.digest)
    stand_in = replace(identity, key=_ThrowAwayKey(identity.key.public_key, value))
    staging = MemoryStaging(folder)
    contents = Contents(staging.opened, _Believed(identity.certificate), gathered=Gathered())
    options = replace(options, timestamper=_once(options.timestamper, value))
    signed: list[tuple[DriverPackage, Catalog]] = []

    def keep(package: DriverPackage, catalog: Catalog, contents: Contents) -> None:
        signed.append((package, catalog))

    outcomes = sign_into(staging, packages, stand_in, options, contents, each=each, read_each=read_each, accept=keep)
    return Rehearsal(tuple(outcomes), tuple(signed), contents)


@dataclass(frozen=True, slots=True)
class _ThrowAwayKey:
    """A key that signs nothing: it returns the signature of the throw-away digest."""

    public_key: PublicKey
    value: bytes

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """Return the signature of the throw-away digest."""
        return self.value


@dataclass(frozen=True, slots=True)
class _Believed:
    """Ignores that the signature value of the signer does not match: it is that of the throw-away digest."""

    signer: x509.Certificate

    def __call__(self, evidence: Evidence) -> Evidence:
        return replace(evidence, signatures=tuple(map(self._signature, evidence.signatures)))

    def _signature(self, signature: Signature) -> Signature:
        if signature.signer != self.signer:
            return signature
        return replace(signature, problems=tuple(one for one in signature.problems if one.code != _VALUE_DIFFERS))


def _sign_throw_away(identity: SigningIdentity, algorithm: DigestAlgorithm) -> bytes:
    """Sign the digest of no file. Raises IdentityError if the key does not sign, or signs with another key."""
    digest = algorithm.hash(_THROW_AWAY)
    value = identity.key.sign(digest, algorithm)
    if check_digest(identity.key.public_key, value, digest, algorithm) is not Check.GOOD:
        raise IdentityError(
            f"the signature of a throw-away digest does not match the certificate {identity.name!r}",
            hint="Use the key that the certificate was issued for.",
        )
    return value


def _once(timestamper: Timestamper | None, value: bytes) -> Timestamper | None:
    """Ask the timestamp authority now, once; return a timestamper with its answer. Raises TimestampError."""
    if timestamper is None:
        return None
    answer = timestamper(value)
    return lambda _: answer
