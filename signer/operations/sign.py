"""Sign a file of any format: hash it, sign its content, and compute the changes that insert the signature."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

from signer.algorithms import DigestAlgorithm
from signer.errors import ForeignSignature, SignerError, SigningError
from signer.formats.detect import names, opened, plain_signatures
from signer.formats.table import FormatRow
from signer.keys.identity import SigningIdentity
from signer.operations.ownership import NOBODY, Ownership, is_same_file, require_replaceable, require_replaceable_target
from signer.pkcs7 import nested
from signer.pkcs7.signed_data import SigningOptions, Timestamper
from signer.pkcs7.signed_data import sign as sign_content
from signer.records import dataclass
from signer.storage.files import mapped, write_atomically
from signer.storage.patching import PatchSet, change_each


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed file, as changes to the unsigned one."""

    changes: PatchSet
    algorithm: DigestAlgorithm
    digest: bytes
    """The file's digest that was signed."""
    signature: bytes
    """The DER of the new signature: ContentInfo with SignedData."""
    replaced: tuple[str, ...] = ()
    """The names of the signers whose signatures were replaced."""


@dataclass(frozen=True, slots=True)
class SigningJob:
    """How each of several files is signed."""

    identity: SigningIdentity
    options: SigningOptions
    timestamper: Timestamper | None = None
    second: tuple[SigningOptions, Timestamper | None] | None = None
    """A second signature, nested in the first, for releases that support a stronger digest."""
    page_hashes: bool = False
    append: bool = False
    replace: bool = False
    """Whether signatures of other signers are replaced too."""
    known: Ownership = NOBODY
    """The authorities whose signatures are replaced without `replace`."""

    @property
    def asks_for_timestamps(self) -> bool:
        """Whether signing asks a timestamp authority."""
        return self.timestamper is not None or (self.second is not None and self.second[1] is not None)

    def require_supported(self, row: FormatRow) -> None:
        """Raise SigningError if files of this format can't be signed with an option of the job."""
        _require_supported(row, page_hashes=self.page_hashes, append=self.append, dual=self.second is not None)

    @property
    def ownership(self) -> Ownership:
        """The signers whose signatures are replaced without `replace`."""
        return self.known.of(self.identity.certificate)

    def sign(self, data: memoryview | bytes, *, replace: bool = False) -> Signed:
        """Sign the bytes of a file. `replace` is for a copy whose original stays. Raises SignerError."""
        return sign_file(
            data,
            self.identity,
            self.options,
            page_hashes=self.page_hashes,
            append=self.append,
            replace=self.replace or replace,
            known=self.known,
            timestamper=self.timestamper,
            second=self.second,
        )

    def sign_each(self, places: Sequence[tuple[Path, Path]]) -> list[Signed | SignerError]:
        """Sign each source into its target; return the results and errors in their order.

        Many files together take less time than one by one: lief checks them together (`change_each`). The signatures
        of a source that stays unchanged are not asked about.
        """
        results: list[Signed | SignerError] = []
        for elsewhere, group in groupby(places, lambda place: not is_same_file(*place)):
            results += change_each(list(group), partial(self.sign, replace=elsewhere))
        return results

    def require_replaceable(self, source: Path, target: Path) -> None:
        """Raise ForeignSignature if signing `source` into `target` would replace another signer's signature.

        Reads no more than the signatures. Other errors are left to signing.
        """
        if self.replace:
            return
        if not is_same_file(source, target):
            require_replaceable_target(target, self.ownership, source=source)
        elif not self.append:
            try:
                plain = plain_signatures(source)
                if plain is not None and all(one.is_own for one in self.ownership.signers(plain)):
                    return
                with mapped(source) as data:
                    require_replaceable(*opened(data), self.ownership)
            except ForeignSignature as error:
                raise error.at(source) from error
            except SignerError:  # signing reports it
                return

    def sign_apart(self, source: Path, signature: Path) -> Signed:
        """Write the signature of `source` to a separate file. Raises SignerError."""
        with mapped(source) as data:
            signed = self.sign(data, replace=True)
        signed.changes.require()
        write_atomically(signature, signed.signature)
        return signed


def sign_file(
    data: memoryview | bytes,
    identity: SigningIdentity,
    options: SigningOptions,
    *,
    page_hashes: bool = False,
    append: bool = False,
    replace: bool = False,
    known: Ownership = NOBODY,
    timestamper: Timestamper | None = None,
    second: tuple[SigningOptions, Timestamper | None] | None = None,
) -> Signed:
    """Sign a file: replace its signatures, or with `append` nest the new one in the first.

    Signatures of the same signer and those under a root of `known` are replaced, others only with `replace`. `second`
    is a signature to nest in the new one: SHA-256 in SHA-1, for old and new Windows. Page hashes are omitted for a file
    that is itself the signed content. Raises ForeignSignature, SigningError for options that the format lacks,
    MalformedInput for the file or the signature to append to, IdentityError, TimestampError.
    """
    row, file = opened(data)
    _require_supported(row, page_hashes=page_hashes, append=append, dual=second is not None)
    ownership = known.of(identity.certificate)
    replaced = require_replaceable(row, file, ownership, replace=replace, append=append)
    algorithms = {options.digest, second[0].digest} if second else {options.digest}
    paged = algorithms if page_hashes and row.features.page_hashes else ()
    hashes = file.hash(algorithms, paged=paged, to_change=True)
    signature = sign_content(file.content(hashes, options.digest), identity, options, timestamper)
    if second is not None:
        signature = nested.append(signature, sign_content(file.content(hashes, second[0].digest), identity, *second))
    old = file.signatures() if append else []
    changes = file.with_signatures([nested.append(old[0], signature), *old[1:]] if old else [signature])
    return Signed(changes, options.digest, hashes.digests[options.digest], signature, replaced)


def _require_supported(row: FormatRow, *, page_hashes: bool, append: bool, dual: bool) -> None:
    """Raise SigningError for an option that files of this format can't be signed with."""
    features = row.features
    if row.is_content and (append or dual):
        raise SigningError(
            f"a {row.name} has one signature, so it can't be signed with {'--append' if append else '--dual'}",
            hint="Remove the option: the new signature replaces the old one.",
        )
    if row.is_content:
        return
    if page_hashes and not features.page_hashes:
        raise _only(names(lambda one: one.features.page_hashes), "page hashes", row, "--page-hashes")
    if dual and not features.dual:
        raise _only(names(lambda one: one.features.dual), "two signatures made together", row, "--dual")
    if append and not features.append:
        raise _only(names(lambda one: one.features.append), "nested signatures", row, "--append")


def _only(formats: str, what: str, row: FormatRow, option: str) -> SigningError:
    return SigningError(f"only {formats} can have {what}", hint=f"Sign {row.name}s without {option}.")
