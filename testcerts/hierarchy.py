"""Read test hierarchies: folders of certificates and keys, without what issues and encodes them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from glob import escape
from pathlib import Path
from typing import ClassVar

from cryptography import x509

from signer.certificates import load_der, spki_sha256
from signer.errors import CertificateError, IdentityError, KeyNotFound, SignerError
from signer.keys.identity import SigningIdentity
from signer.keys.local import load_pair
from signer.records import dataclass
from signer.storage.files import read, shell_quote
from signer.storage.folders import require_folder
from testcerts.profiles import ALL_PROFILES, ISSUING_CA, LEAF, ROOT

REQUIRED = (ROOT, ISSUING_CA, LEAF)
"""Profiles whose certificates are in every hierarchy; an imported one lacks the time-stamping certificate."""

_FORMER_ROOT = "former-root-"


@dataclass(frozen=True, slots=True)
class TestHierarchy:
    """A test hierarchy in a folder."""

    __test__: ClassVar[bool] = False  # otherwise pytest collects it because of its name

    folder: Path
    certificates: Mapping[str, x509.Certificate]
    """Certificates in the folder by profile name; always includes both authorities' and the code-signing one."""

    @property
    def root(self) -> x509.Certificate:
        """The root certificate, which test machines must trust."""
        return self.certificates[ROOT.name]

    @property
    def issuing_ca(self) -> x509.Certificate:
        """The certificate of the issuing CA."""
        return self.certificates[ISSUING_CA.name]

    @property
    def code_signing(self) -> x509.Certificate:
        """The code-signing certificate for drivers and catalogs."""
        return self.certificates[LEAF.name]

    def identity(self, name: str = LEAF.name) -> SigningIdentity:
        """Return the signing identity of the profile `name`. Raises IdentityError and FileError."""
        path = self.path(name, ".key.pem")
        if not path.exists():
            raise KeyNotFound("the key does not exist", path=path, hint="Run: drvsign certs create")
        try:
            return load_pair(read(self.path(name, ".pem")), read(path), None)
        except IdentityError as error:
            raise error.at(path) from error

    def path(self, name: str, suffix: str) -> Path:
        """Return the path of a profile's file with this suffix, such as ".pfx" or ".key.pem"."""
        return self.folder / f"{name}{suffix}"


def read_hierarchy(folder: Path) -> TestHierarchy:
    """Read the hierarchy in a folder. Raises KeyNotFound if it is incomplete, CertificateError and FileError."""
    if folder.exists():
        require_folder(folder, hint="Name the folder of the test certificates.")
    found = {name: folder / f"{name}.cer" for name in ALL_PROFILES if (folder / f"{name}.cer").is_file()}
    for profile in REQUIRED:
        if profile.name not in found:
            raise KeyNotFound(
                f"no test certificates: {profile.name}.cer is missing",
                path=folder,
                hint=f"Run: drvsign certs create {shell_quote(folder)}",
            )
    return TestHierarchy(folder, {name: load_certificate(path) for name, path in found.items()})


def is_used(folder: Path) -> bool:
    """Tell whether the folder contains any file of a hierarchy."""
    return any((folder / f"{name}{suffix}").exists() for name in ALL_PROFILES for suffix in (".cer", ".key.pem"))


def is_whole(folder: Path) -> bool:
    """Tell whether the folder has the certificates of a hierarchy."""
    return all((folder / f"{profile.name}.cer").is_file() for profile in REQUIRED)


def subject_of(folder: Path) -> x509.Name | None:
    """Return the subject of the hierarchy in `folder`, or None without a hierarchy."""
    try:
        return read_hierarchy(folder).code_signing.subject
    except (KeyNotFound, CertificateError):
        return None


def former_roots(folder: Path) -> list[x509.Certificate]:
    """Return the roots that the authority in the folder had before it was replaced by a new or an imported one.

    Skips files that can't be read.
    """
    moved_aside = folder.parent.glob(f"{escape(folder.name)}.old*/{ROOT.name}.cer")
    found = []
    for path in (*folder.glob(f"{_FORMER_ROOT}*.cer"), *moved_aside):
        with contextlib.suppress(SignerError):
            found.append(load_certificate(path))
    return found


def former_name(root: x509.Certificate) -> str:
    """Return the name of the file in which the folder keeps its former root."""
    return f"{_FORMER_ROOT}{spki_sha256(root)[:8].lower()}.cer"


def load_certificate(path: Path) -> x509.Certificate:
    """Read a certificate in DER. Raises CertificateError and FileError."""
    try:
        return load_der(read(path))
    except CertificateError as error:
        raise error.at(path) from error
