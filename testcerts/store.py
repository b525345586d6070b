"""Write and read a test hierarchy: the files that Windows, OpenSSL and this project take, keys for their owner only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.certificates import load_der
from signer.errors import CertificateError, FileError, IdentityError, KeyNotFound
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey, load_pair
from signer.storage.files import create_folder, read
from signer.storage.transaction import atomic_update
from testcerts.encodings import Contents, encode, suffixes
from testcerts.issue import DEFAULT_SUBJECT, Issued, Order, PrivateKey, issue, parse_subject, revoke
from testcerts.profiles import EVERY, HIERARCHY, ISSUING_CA, LEAF, PROFILES, ROOT, Profile, chosen

_IGNORE_ALL = b"# Private keys: never commit them.\n*\n"


@dataclass(frozen=True, slots=True)
class TestHierarchy:
    """A test hierarchy in a folder."""

    __test__: ClassVar[bool] = False  # pytest takes it for tests because of its name

    folder: Path
    certificates: Mapping[str, x509.Certificate]
    """The certificates that are there, by the names of their profiles; always those of the hierarchy itself."""

    @property
    def root(self) -> x509.Certificate:
        """The certificate that the test machine has to trust."""
        return self.certificates[ROOT.name]

    @property
    def issuing_ca(self) -> x509.Certificate:
        """The certificate that has issued the others."""
        return self.certificates[ISSUING_CA.name]

    @property
    def code_signing(self) -> x509.Certificate:
        """The certificate that signs drivers and catalogs."""
        return self.certificates[LEAF.name]

    def identity(self, name: str = LEAF.name) -> SigningIdentity:
        """Who signs with the key of the profile `name`. Raises IdentityError, FileError."""
        path = self.path(name, ".key.pem")
        if not path.exists():
            raise KeyNotFound("there is no such key", path=path, hint="Make it with: drvsign certs create")
        try:
            return load_pair(read(self.path(name, ".pem")), read(path), None)
        except IdentityError as error:
            raise error.at(path) from error

    def path(self, name: str, suffix: str) -> Path:
        """The file of the profile `name` with this suffix, such as ".pfx" or ".key.pem"."""
        return self.folder / f"{name}{suffix}"


def read_hierarchy(folder: Path) -> TestHierarchy:
    """The hierarchy in a folder. Raises KeyNotFound where it is not whole, CertificateError, FileError."""
    found = {name: folder / f"{name}.cer" for name in EVERY if (folder / f"{name}.cer").is_file()}
    for profile in HIERARCHY:
        if profile.name not in found:
            raise KeyNotFound(
                f"there is no test hierarchy: {profile.name}.cer is missing",
                path=folder,
                hint="Make one with: drvsign certs create",
            )
    return TestHierarchy(folder, {name: _load(path) for name, path in found.items()})


def ensure(directory: Path, now: datetime) -> tuple[TestHierarchy, bool]:
    """The hierarchy in `directory`, and whether it had to be made. Raises as `read_hierarchy` and `create` do."""
    if is_used(directory):
        return read_hierarchy(directory), False
    try:
        return create(directory, Order(parse_subject(DEFAULT_SUBJECT), now), ()).hierarchy, True
    except FileError:
        # Another process may have been faster; its hierarchy appeared as a whole.
        if is_used(directory):
            return read_hierarchy(directory), False
        raise


def is_used(folder: Path) -> bool:
    """Whether any file of a hierarchy is in the folder."""
    return any((folder / f"{name}{suffix}").exists() for name in EVERY for suffix in (".cer", ".key.pem"))


@dataclass(frozen=True, slots=True)
class Created:
    """What `create` has made."""

    hierarchy: TestHierarchy
    issued: tuple[str, ...]
    """The profiles that were issued, in order."""
    files: tuple[Path, ...]
    """The files that were written."""
    lists: tuple[x509.CertificateRevocationList, ...]
    """The revocation lists among them."""


def create(folder: Path, order: Order, profiles: Sequence[str] = (), *, force: bool = False) -> Created:
    """Make the hierarchy with the profiles called so in `folder`, or add them to the hierarchy that is there.

    With `force`, what is there is replaced: the profiles that are named, or without names the hierarchy together with
    all that it has issued. Raises FileError for a file that would be replaced without `force`, and what `issue` raises.
    """
    is_new = not folder.exists()
    adding = bool(profiles) and _is_whole(folder)
    wanted = chosen(profiles if adding or not force else [*profiles, *_names_in(folder)])
    if adding:
        wanted = tuple(profile for profile in wanted if _is_added(profile, profiles, folder))
    if not force:
        _refuse_to_replace(folder, wanted)
    existing = _authorities(folder, wanted)
    issued = issue(wanted, order, existing)
    lists = _revocations(issued, existing, order.now, folder)
    contents: Contents = {name: data for one in issued.values() for name, data in encode(one).items()}
    contents |= {f"{name}.crl": (one.public_bytes(Encoding.DER), None) for name, one in lists.items()}
    if is_new:
        # Fails where another process has made the folder since; a new one says to git that nothing is to be committed.
        create_folder(folder, {**contents, ".gitignore": (_IGNORE_ALL, None)})
    else:
        _write(folder, contents)
    files = tuple(folder / name for name in contents)
    return Created(read_hierarchy(folder), tuple(issued), files, tuple(lists.values()))


def subject_of(folder: Path) -> x509.Name | None:
    """The subject that the hierarchy in `folder` was made for, or None where there is none."""
    try:
        return read_hierarchy(folder).code_signing.subject
    except (KeyNotFound, CertificateError):
        return None


def _is_whole(folder: Path) -> bool:
    return all((folder / f"{profile.name}.cer").is_file() for profile in HIERARCHY)


def _names_in(folder: Path) -> list[str]:
    """The profiles besides the hierarchy whose files are in the folder."""
    return [name for name in PROFILES if (folder / f"{name}.cer").exists()]


def _is_added(profile: Profile, names: Sequence[str], folder: Path) -> bool:
    """Whether a profile has to be issued when `names` are added to the hierarchy in the folder."""
    if profile.name in names or ("all" in names and profile.name in PROFILES):
        return True
    return not (folder / f"{profile.name}.cer").exists()


def _refuse_to_replace(folder: Path, profiles: Sequence[Profile]) -> None:
    """Raise FileError if any file that would be written is there already."""
    for profile in profiles:
        for suffix in suffixes(profile):
            path = folder / f"{profile.name}{suffix}"
            if path.exists():
                raise FileError(
                    "a test key or certificate is there already, and signatures may depend on it",
                    path=path,
                    hint="Give another folder, or --force to replace it.",
                )


def _authorities(folder: Path, wanted: Sequence[Profile]) -> dict[str, Issued]:
    """What the folder holds of the profiles whose keys are needed to issue `wanted`, and is not among them."""
    needed = {name for profile in wanted for name in (profile.issuer, profile.stands_for) if name}
    needed -= {profile.name for profile in wanted}
    return {name: _read_authority(EVERY[name], folder) for name in EVERY if name in needed}


def _read_authority(profile: Profile, folder: Path) -> Issued:
    """One authority with its key. Raises KeyNotFound, KeyCertificateMismatch, CertificateError, FileError."""
    certificate = _load(folder / f"{profile.name}.cer")
    path = folder / f"{profile.name}.key.pem"
    if not path.exists():
        raise KeyNotFound(
            "the key of the authority is missing, so it can't issue anything",
            path=path,
            hint="Make the hierarchy anew with: drvsign certs create --force",
        )
    try:
        key = _local_key(certificate.public_bytes(Encoding.PEM), read(path))
    except IdentityError as error:
        raise error.at(path) from error
    chain = (_load(folder / f"{profile.issuer}.cer"),) if profile.issuer else ()
    return Issued(profile, certificate, key, chain)


def _local_key(certificate: bytes, key: bytes) -> PrivateKey:
    """The private key that belongs to a certificate."""
    local = load_pair(certificate, key, None).key
    assert isinstance(local, LocalKey)
    return local.private


def _load(path: Path) -> x509.Certificate:
    try:
        return load_der(read(path))
    except CertificateError as error:
        raise error.at(path) from error


def _revocations(
    issued: Mapping[str, Issued], existing: Mapping[str, Issued], now: datetime, folder: Path
) -> dict[str, x509.CertificateRevocationList]:
    """The revocation lists that change: of new authorities, and of those that have revoked something."""
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
        raise CertificateError("this is not a revocation list that can be read", path=path) from error


def _write(folder: Path, contents: Contents) -> None:
    with atomic_update(folder) as staging:
        for name, (data, mode) in contents.items():
            staging.write(folder / name, data, mode=mode)
