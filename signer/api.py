"""The functions that `signer` exports. Each takes natural arguments, converts them, and calls one operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from signer.algorithms import DigestAlgorithm
from signer.arguments import Password, PathLike, to_digest, to_flag, to_path, to_secret, to_strings, to_text
from signer.codeintegrity.consequences import Consequences, consequences
from signer.errors import SignerError, UsageError
from signer.formats.detect import expected
from signer.keys.identity import SigningIdentity
from signer.operations import signatures as operations
from signer.operations.ownership import is_same_file
from signer.operations.sign import SigningJob
from signer.operations.timestamp import timestamp
from signer.pkcs7.signed_data import SigningOptions, Timestamper
from signer.policy.findings import Verdict
from signer.policy.judge import POLICY_NAMES
from signer.policy.targets import Target
from signer.records import dataclass
from signer.storage.files import mapped, read
from signer.storage.patching import Change, Patched, change_atomically
from signer.verify.evidence import CatalogLookup, Evidence, Signature
from signer.verify.gather import gather

Timestamps = str | Iterable[str]
"""The URL of an RFC 3161 authority, or several that are tried in order."""


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file that was signed."""

    path: Path
    """The file that was written."""
    digest_algorithm: str
    digest: bytes
    """What the signature covers: the digest of the file without its signatures."""
    signer: str
    """The common name of the signer's certificate."""


def open_identity(
    source: PathLike, *, key: PathLike | None = None, certificate: PathLike | None = None, password: Password = None
) -> SigningIdentity:
    """Open a signing identity: a certificate, its chain, and the key or a way to use it.

    `source` is the path of a PFX file, the path of a certificate if `key` is the path of its private key, or a URI such
    as `pkcs11:object=ev` (docs/keys.md), for which `certificate` may name the certificate. `password` is a str, or a
    function that is called only when a password is needed. Raises TypeError, UsageError, FileError, IdentityError.
    """
    from signer.keys.open import SCHEMES
    from signer.keys.open import open_identity as open_from

    secret = to_secret(password)
    named = to_path(certificate, "certificate") if certificate is not None else None
    scheme = str(source).partition(":")[0].lower()
    is_uri = key is None and isinstance(source, str) and ":" in source and (scheme in SCHEMES or len(scheme) > 1)
    if named is not None and not is_uri:
        raise UsageError("certificate is only for a URI", hint="With key, pass the certificate as source.")
    if key is not None:
        return open_from(certificate=to_path(source, "source"), key=to_path(key, "key"), secret=secret)
    if is_uri:
        return open_from(uri=str(source), certificate=named, secret=secret)
    return open_from(pfx=to_path(source, "source"), secret=secret)


def sign_file(
    path: PathLike,
    identity: SigningIdentity,
    *,
    output: PathLike | None = None,
    digest: str = "sha256",
    page_hashes: bool = False,
    append: bool = False,
    replace: bool = False,
    timestamp: Timestamps = (),
    description: str | None = None,
    url: str | None = None,
) -> SignedFile:
    """Sign an image, a cabinet or a catalog, in place or into `output`.

    Signatures of the same signer are replaced, those of others only with `replace` or in the copy `output`; with
    `append` the new one is nested in the first. `page_hashes` is for images; catalogs ignore it. `timestamp` names
    RFC 3161 authorities. After an error the file is unchanged. Raises TypeError, UsageError, FileError, MalformedInput,
    ForeignSignature, SigningError, TimestampError.
    """
    _require_identity(identity)
    source, algorithm = to_path(path, "path"), to_digest(digest)
    target = to_path(output, "output") if output is not None else source
    options = SigningOptions(algorithm, to_text(description, "description"), to_text(url, "url"))
    job = SigningJob(
        identity,
        options,
        timestamper_for(timestamp, algorithm),
        page_hashes=to_flag(page_hashes, "page_hashes"),
        append=to_flag(append, "append"),
        replace=to_flag(replace, "replace"),
    )
    job.require_replaceable(source, target)
    signed = _change(source, target, partial(job.sign, replace=not is_same_file(source, target)))
    return SignedFile(target, algorithm.label, signed.digest, identity.name)


def timestamp_file(
    path: PathLike,
    authorities: Timestamps,
    *,
    output: PathLike | None = None,
    digest: str = "sha256",
    replace: bool = False,
) -> int:
    """Add RFC 3161 timestamps to the signatures of a file; return how many were added.

    Signatures that have a timestamp are left alone unless `replace` is true. Raises TypeError, UsageError, FileError,
    MalformedInput, SigningError for an unsigned file, TimestampError.
    """
    source = to_path(path, "path")
    target = to_path(output, "output") if output is not None else source
    client = timestamper_for(authorities, to_digest(digest))
    to_flag(replace, "replace")
    if client is None:
        raise UsageError("no timestamp authority is named", hint="Pass the URL of an RFC 3161 authority.")
    added = 0

    def choose(algorithm: DigestAlgorithm | None) -> Timestamper:
        return client

    def change(data: memoryview) -> Patched:
        nonlocal added
        changes, added = timestamp(data, choose, replace=replace)
        return Patched(changes)

    _change(source, target, change)
    return added


def list_signatures(path: PathLike) -> tuple[Signature, ...]:
    """Return the signatures in a file, nested ones included, with their digests computed again.

    An unsigned file has none. Raises TypeError, FileError, MalformedInput.
    """
    return gather_evidence(path).signatures


def remove_signatures(path: PathLike, index: int | None = None, *, output: PathLike | None = None) -> bool:
    """Remove all signatures from an image or a cabinet, or the one with `index`; return whether there was one.

    Raises TypeError, FileError, MalformedInput, SigningError for a catalog, UsageError for an index out of range.
    """
    source = to_path(path, "path")
    target = to_path(output, "output") if output is not None else source
    if index is not None and (isinstance(index, bool) or not isinstance(index, int)):
        raise TypeError(f"index must be an int or None, not {type(index).__name__}")

    def change(data: memoryview) -> Patched:
        if index is None:
            return Patched(operations.without_signatures(data))
        return Patched(operations.without_signature(data, index))

    return _change(source, target, change).changes is not None


def attach_signature(
    path: PathLike,
    signature: bytes | PathLike,
    *,
    append: bool = False,
    replace: bool = False,
    output: PathLike | None = None,
) -> None:
    """Attach a signature that was made elsewhere: the DER of a PKCS #7 SignedData, or the path of a file with it.

    `append` and `replace` are those of `sign_file`. Raises SigningError if it is for a different file,
    ForeignSignature, TypeError, FileError, MalformedInput.
    """
    source = to_path(path, "path")
    target = to_path(output, "output") if output is not None else source
    der = bytes(signature) if isinstance(signature, bytes) else read(to_path(signature, "signature"))
    to_flag(append, "append")
    made = None if isinstance(signature, bytes) else to_path(signature, "signature")
    to_flag(replace, "replace")
    operations.attach_to(source, target, lambda _: der, append=append, replace=replace, origin=made)


def gather_evidence(path: PathLike, *, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """Return all signatures of a file with their digests computed again, and those of catalogs that list the file.

    Evidence decides no trust: `catalogs.verify` does. Raises TypeError, FileError, MalformedInput.
    """
    source = to_path(path, "path")
    lookups = _lookups(catalogs)
    row = expected(source)
    try:
        with mapped(source) as data:
            return gather(data, row.name if row is not None else "file", source.name, lookups)
    except SignerError as error:
        raise error.at(source) from error


def explain_verdict(verdict: Verdict, evidence: Evidence, *, policy: str = "kernel") -> Consequences:
    """Return what Windows shows and logs for a verdict, and the next step.

    `events` are the Code Integrity events, `status` the NTSTATUS, Win32 and Device Manager codes, `next_step` what to
    do about a rejection. `catalogs.verify` returns these with each verdict. Raises TypeError, UsageError. Source:
    docs/policy.md.
    """
    if not isinstance(verdict, Verdict):
        raise TypeError(f"verdict must be a Verdict, not {type(verdict).__name__}")
    if not isinstance(evidence, Evidence):
        raise TypeError(f"evidence must be an Evidence, not {type(evidence).__name__}")
    if policy not in POLICY_NAMES:
        raise UsageError(f"unknown policy {policy!r}", hint=f"Use one of: {', '.join(POLICY_NAMES)}.")
    return consequences(policy, verdict, evidence, Target.parse(verdict.target))


def _change(source: Path, target: Path, change: Callable[[memoryview], Change]) -> Change:
    """Change a file as `change_atomically` does; an error about its content names the file."""

    def named(data: memoryview) -> Change:
        try:
            return change(data)
        except SignerError as error:
            raise error.at(source) from error

    return change_atomically(source, target, named)


def _lookups(catalogs: Iterable[CatalogLookup]) -> tuple[CatalogLookup, ...]:
    given = tuple(catalogs) if isinstance(catalogs, Iterable) else (catalogs,)
    for one in given:
        if not hasattr(one, "digest_algorithms"):
            raise TypeError(f"catalogs must be those that catalogs.read_catalog returns, not {type(one).__name__}")
    return given


def _require_identity(identity: SigningIdentity) -> None:
    if not isinstance(identity, SigningIdentity):
        hint = "open_identity or testcerts.create_test_identity returns one"
        raise TypeError(f"identity must be a SigningIdentity, not {type(identity).__name__}: {hint}")


def timestamper_for(urls: Timestamps, digest: DigestAlgorithm) -> Timestamper | None:
    """Return a client for RFC 3161 authorities; None without any. Raises TypeError, UsageError."""
    names = to_strings(urls, "timestamp")
    if not names:
        return None
    from signer.pkcs7.timestamp import TimestampClient  # urllib is imported only where timestamps are wanted

    return TimestampClient(names, "rfc3161", digest)
