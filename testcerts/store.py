"""Create and read test hierarchies: folders of certificates and keys; only the owner can read the keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.errors import CertificateError, FileError, FolderInUse, IdentityError, KeyNotFound
from signer.keys.local import LocalKey, load_pair
from signer.records import dataclass
from signer.storage.files import create_folder, read
from signer.storage.lock import is_held
from signer.storage.transaction import atomic_update
from testcerts.encodings import Contents, encode, suffixes
from testcerts.hierarchy import TestHierarchy, former_name, is_used, is_whole, load_certificate, read_hierarchy
from testcerts.issue import DEFAULT_SUBJECT, Issued, Order, PrivateKey, issue, parse_subject, revoke
from testcerts.profiles import ALL_PROFILES, PROFILES, ROOT, Profile, select_profiles

_WAIT_SECONDS, _POLL_SECONDS = 60.0, 0.05
_IGNORE_ALL = b"# Private keys: never commit them.\n*\n"


def ensure(
    folder: Path, now: datetime, make: Callable[[Path, datetime], TestHierarchy] | None = None
) -> tuple[TestHierarchy, bool]:
    """Return the hierarchy in `folder`, and whether this call made it, with `make` or `create`.

    Of several processes, one makes it and the others wait. Raises like `read_hierarchy`, `make` and `create`.
    """
    deadline = monotonic() + _WAIT_SECONDS
    while True:
        is_locked = is_held(folder)
        if is_used(folder) and not is_locked:
            return read_hierarchy(folder), False
        try:
            if not is_locked:
                return (make or _create_default)(folder, now), True
        except FileError as error:
            # Another process may have made the hierarchy in the meantime, or be doing it.
            if monotonic() > deadline or not (isinstance(error, FolderInUse) or is_used(folder) or is_held(folder)):
                raise
        if monotonic() > deadline:
            raise FileError("another process has locked the folder for a minute", path=folder, hint="Run it again.")
        sleep(_POLL_SECONDS)


def _create_default(folder: Path, now: datetime) -> TestHierarchy:
    return create(folder, Order(parse_subject(DEFAULT_SUBJECT), now)).hierarchy


@dataclass(frozen=True, slots=True)
class Created:
    """Result of `create`."""

    hierarchy: TestHierarchy
    issued: tuple[str, ...]
    """Names of the issued profiles, in order."""
    files: tuple[Path, ...]
    """Files that were written."""
    lists: tuple[x509.CertificateRevocationList, ...]
    """Revocation lists that were issued."""


def create(folder: Path, order: Order, profiles: Sequence[str] = (), *, force: bool = False) -> Created:
    """Create a hierarchy with these profiles in `folder`, or add the profiles to an existing hierarchy.

    `force` replaces existing files: those of the named profiles, or without names the whole hierarchy and everything
    that it issued; the certificate of the root is kept under another name (`former_roots`). Raises FileError for a
    file that would be replaced without `force`, and the errors of `issue`.
    """
    is_new = not is_used(folder)
    adding = bool(profiles) and is_whole(folder)
    selected = select_profiles(profiles if adding or not force else [*profiles, *_names_in(folder)])
    if adding:
        selected = tuple(profile for profile in selected if _is_added(profile, profiles, folder))
    if not force:
        _refuse_to_replace(folder, selected)
    existing = _authorities(folder, selected)
    issued = issue(selected, order, existing)
    lists = _revocations(issued, existing, order.now, folder)
    contents: Contents = {name: data for one in issued.values() for name, data in encode(one).items()}
    contents |= {f"{name}.crl": (one.public_bytes(Encoding.DER), None) for name, one in lists.items()}
    contents |= _former_root(folder) if ROOT.name in issued else {}
    save(folder, contents, is_new=is_new)
    files = tuple(folder / name for name in contents)
    return Created(read_hierarchy(folder), tuple(issued), files, tuple(lists.values()))


def save(folder: Path, contents: Contents, *, is_new: bool) -> None:
    """Write all files of `contents` to the folder, or none; create the folder if it is missing.

    Raises FileError, also if another process wrote a hierarchy that `is_new` says is not there.
    """
    if not folder.exists():
        # Fails if another process created the folder meanwhile. The .gitignore keeps the keys out of commits.
        create_folder(folder, {**contents, ".gitignore": (_IGNORE_ALL, None)})
        return
    with atomic_update(folder) as transaction:
        if is_new and is_used(folder):
            raise FileError("another process wrote test certificates", path=folder, hint="Run the command again.")
        for name, (data, mode) in contents.items():
            transaction.write(folder / name, data, mode=mode)


def _former_root(folder: Path) -> Contents:
    """Return the root certificate that a new hierarchy replaces, under another name; nothing without a sound one."""
    path = folder / f"{ROOT.name}.cer"
    try:
        return {former_name(load_certificate(path)): (read(path), None)}
    except (CertificateError, FileError):
        return {}


def _names_in(folder: Path) -> list[str]:
    """Return the optional profiles whose files are in the folder."""
    return [name for name in PROFILES if (folder / f"{name}.cer").exists()]


def _is_added(profile: Profile, names: Sequence[str], folder: Path) -> bool:
    """Tell whether a profile must be issued when `names` are added to the hierarchy in the folder."""
    if profile.name in names or ("all" in names and profile.name in PROFILES):
        return True
    return not (folder / f"{profile.name}.cer").exists()


def _refuse_to_replace(folder: Path, profiles: Sequence[Profile]) -> None:
    """Raise FileError if a file that would be written exists."""
    for profile in profiles:
        for suffix in suffixes(profile):
            path = folder / f"{profile.name}{suffix}"
            if path.exists():
                raise FileError(
                    "a test key or certificate exists, and signatures may depend on it",
                    path=path,
                    hint="Give another folder, or replace it with --force.",
                )


def _authorities(folder: Path, selected: Sequence[Profile]) -> dict[str, Issued]:
    """Read the existing authorities whose keys are needed to issue `selected`."""
    needed = {name for profile in selected for name in (profile.issuer, profile.certifies) if name}
    needed -= {profile.name for profile in selected}
    return {name: _read_authority(ALL_PROFILES[name], folder) for name in ALL_PROFILES if name in needed}


def _read_authority(profile: Profile, folder: Path) -> Issued:
    """Read an authority with its key. Raises KeyNotFound, KeyCertificateMismatch, CertificateError and FileError."""
    certificate = load_certificate(folder / f"{profile.name}.cer")
    path = folder / f"{profile.name}.key.pem"
    if not path.exists():
        raise KeyNotFound(
            "the certificate authority's key is missing, so it can't issue certificates",
            path=path,
            hint="Issue them on the machine that has the key. To replace the hierarchy: drvsign certs create --force",
        )
    try:
        key = _local_key(certificate.public_bytes(Encoding.PEM), read(path))
    except IdentityError as error:
        raise error.at(path) from error
    chain = (load_certificate(folder / f"{profile.issuer}.cer"),) if profile.issuer else ()
    return Issued(profile, certificate, key, chain)


def _local_key(certificate: bytes, key: bytes) -> PrivateKey:
    """Return the private key of a certificate."""
    local = load_pair(certificate, key, None).key
    assert isinstance(local, LocalKey)
    return local.private


def _revocations(
    issued: Mapping[str, Issued], existing: Mapping[str, Issued], now: datetime, folder: Path
) -> dict[str, x509.CertificateRevocationList]:
    """Issue the revocation lists that change: of new authorities, and of those with a revoked certificate."""
    lists: dict[str, x509.CertificateRevocationList] = {}
    for name, authority in {**existing, **issued}.items():
        revoked = [one.certificate for one in issued.values() if one.profile.revoked and one.profile.issuer == name]
        if ".crl" not in suffixes(authority.profile) or (name in existing and not revoked):
            continue
        path = folder / f"{name}.crl"
        earlier = _load_crl(path) if name in existing and path.exists() else None
        lists[name] = revoke(authority, revoked, now, earlier)
    return lists


def _load_crl(path: Path) -> x509.CertificateRevocationList:
    try:
        return x509.load_der_x509_crl(read(path))
    except ValueError as error:
        raise CertificateError("the revocation list is damaged or has an unsupported format", path=path) from error
