"""Extract, attach and remove single signatures.

Signatures are numbered from 0: each signature in the file, followed by those nested in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.errors import SignerError, SigningError, UsageError
from signer.formats.detect import opened
from signer.formats.format import Format
from signer.formats.table import FormatRow
from signer.operations.ownership import (
    NOBODY,
    Ownership,
    is_same_file,
    require_replaceable,
    require_replaceable_target,
)
from signer.pkcs7 import nested
from signer.pkcs7.armor import unarmored
from signer.records import dataclass
from signer.storage.patching import PatchSet, change_atomically

Group = list[bytes]
"""A signature without its nested ones, followed by the nested ones."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A signature that fits its file."""

    changes: PatchSet
    """The changes that attach it."""
    algorithm: DigestAlgorithm
    digest: bytes
    """The file digest in the signature."""
    signature: bytes
    """The DER of the signature."""
    replaced: tuple[str, ...] = ()
    """The names of the signers whose signatures were replaced."""


def is_signed(data: memoryview | bytes) -> bool:
    """Tell whether a file has any signature. Raises SigningError for a format without signatures, MalformedInput."""
    _, file = opened(data)
    return file.is_signed


def signatures(data: memoryview | bytes) -> list[bytes]:
    """List the DER of each signature of a file unchanged. Raises SigningError, MalformedInput."""
    _, file = opened(data)
    return _flat(file)


def signature(data: memoryview | bytes, index: int) -> bytes:
    """Return the DER of one signature. Raises UsageError for an unknown index, MalformedInput."""
    row, file = opened(data)
    if index and row.is_content:
        raise SigningError(f"a {row.name} has one signature", hint="Remove --index.")
    found = _flat(file)
    if index >= len(found):
        raise _no_such(index, len(found))
    return found[index]


def without_signatures(data: memoryview | bytes) -> PatchSet | None:
    """Return the changes that remove all signatures from a file; None if it has none. Raises SignerError."""
    row, file = opened(data)
    _require_separable(row)
    return file.with_signatures([]) if file.is_signed else None


def without_signature(data: memoryview | bytes, index: int) -> PatchSet:
    """Return the changes that remove one signature from a file. The first signature nested in it replaces it.

    Raises UsageError for an unknown index, SigningError, MalformedInput.
    """
    row, file = opened(data)
    _require_separable(row)
    groups = [_group(primary) for primary in file.signatures()]
    count = sum(map(len, groups))
    if not 0 <= index < count:
        raise _no_such(index, count)
    for group in groups:
        if index < len(group):
            del group[index]
            break
        index -= len(group)
    return file.with_signatures([_joined(group) for group in groups if group])


def reduced(data: memoryview | bytes, *, certificates: bool, unsigned: bool) -> PatchSet | None:
    """Return the changes that make the signatures of a file smaller; None if it has none. Raises SignerError.

    `certificates` removes all but the signer's, `unsigned` the unsigned attributes, such as timestamps.
    """
    from signer.pkcs7.reduce import without_other_certificates, without_unsigned_attributes

    _, file = opened(data)
    found = file.signatures()
    if certificates:
        found = [without_other_certificates(one) for one in found]
    if unsigned:
        found = [without_unsigned_attributes(one) for one in found]
    return file.with_signatures(found) if found else None


def attach(
    data: memoryview | bytes,
    new: bytes,
    *,
    append: bool = False,
    replace: bool = False,
    known: Ownership = NOBODY,
    source: Path | None = None,
) -> Attached:
    """Return the changes that attach a signature to a file, replacing the others or nested in the first.

    Signatures of the new one's signer and those under a root of `known` are replaced, others only with `replace`.
    The signature is in DER or PEM; `source` is its path, for errors. Raises ForeignSignature, SigningError when it is
    not a signature of this file, MalformedInput.
    """
    row, file = opened(data)
    if append and not row.features.append:
        raise SigningError(f"a {row.name} has one signature", hint="Remove --append.")
    try:
        new = unarmored(new)
        algorithm, digest = file.signed_digest(new)
    except SignerError as error:
        raise error if source is None else error.at(source) from error
    if file.hash([algorithm], to_change=True).digests[algorithm] != digest:
        raise SigningError(
            f"the signature is for a different {row.name}: it covers {algorithm} {digest.hex()}",
            hint=f"Attach it to the {row.name} that it was made for, unchanged since then.",
            path=source,
        )
    replaced = require_replaceable(row, file, known.of(signer_of(new)), replace=replace, append=append)
    old = file.signatures() if append else []
    changes = file.with_signatures([nested.append(old[0], new), *old[1:]] if old else [new])
    return Attached(changes, algorithm, digest, new, replaced)


def attach_to(
    source: Path,
    target: Path,
    make: Callable[[memoryview], bytes],
    *,
    append: bool = False,
    replace: bool = False,
    known: Ownership = NOBODY,
    origin: Path | None = None,
) -> Attached:
    """Attach the signature that `make` returns for the bytes of `source`, in place or in the copy `target`.

    The signatures of `source` may be replaced in a copy; those of a file at `target` obey the same rule as in place.
    `origin` is the path of the signature. Raises like `attach`, FileError.
    """
    is_copy = not is_same_file(source, target)

    def changed(data: memoryview) -> Attached:
        # Compare the copy that is written: the source may change meanwhile.
        made = attach(data, make(data), append=append, replace=replace or is_copy, known=known, source=origin)
        if not is_copy:
            return made
        lost = require_replaceable_target(target, known.of(signer_of(made.signature)), replace=replace, source=source)
        return dataclasses.replace(made, replaced=lost)

    return change_atomically(source, target, changed)


def signer_of(signature: bytes) -> x509.Certificate | None:
    """Return the signer's certificate of a signature in DER, or None if it is not in it. Raises SignerError."""
    from signer.pkcs7.parse import parse

    parsed = parse(signature)
    return parsed.certificate_of(parsed.signers[0]) if parsed.signers else None


def _flat(file: Format) -> list[bytes]:
    return [one for primary in file.signatures() for one in (primary, *nested.nested_in(primary))]


def _require_separable(row: FormatRow) -> None:
    if row.is_content:
        raise SigningError(
            f"the signature of a {row.name} can't be removed: the {row.name} is the content of its signature",
            hint=f"Build an unsigned {row.name} from the driver package: drvsign catalog build FOLDER",
        )


def _group(primary: bytes) -> Group:
    inner = nested.nested_in(primary)
    return [nested.with_unsigned(primary, oids.NESTED_SIGNATURE, ()) if inner else primary, *inner]


def _joined(group: Group) -> bytes:
    first, *rest = group
    return nested.with_unsigned(first, oids.NESTED_SIGNATURE, (*nested.nested_in(first), *rest)) if rest else first


def _no_such(index: int, count: int) -> UsageError:
    if count == 0:
        return UsageError("the file is not signed", hint="Sign it: drvsign sign FILE")
    there = f"the file has {count}, counted from 0"
    return UsageError(f"signature {index} not found: {there}", hint="List the signatures: drvsign inspect FILE")
