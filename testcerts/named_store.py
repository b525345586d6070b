"""Named stores of test certificates with their keys: what MakeCert -ss writes, and SignTool /s and CertMgr read.

A store is a folder. It is not one of Windows' certificate stores: no machine trusts a certificate because it is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.certificates import extensions, load_all, thumbprint
from signer.errors import SignerError, UsageError
from signer.records import dataclass
from signer.storage.files import ensure_folder, read, remove, write_atomically
from testcerts.encodings import KEY_MODE, key_pem
from testcerts.issue import PrivateKey
from testcerts.locate import candidates, data_folder

STORES_VARIABLE = "DRVSIGN_STORES"
"""The variable that names the folder of the stores; by default it is in the user's data folder."""
PERSONAL = "my"
"""SignTool's default store, which also has the certificates of the test authorities that a call knows."""
_NAME = re.compile(r"[\w][\w .()+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate of a store."""

    certificate: x509.Certificate
    path: Path
    """The PEM file of the certificate, followed by its issuers if they are known."""
    key: Path | None
    """The file of its private key; None if the store does not have it."""


def folder_of(name: str, environment: Mapping[str, str]) -> Path:
    """Return the folder of a store, which may not exist; names ignore case. Raises UsageError for a bad name."""
    if _NAME.fullmatch(name) is None or name.endswith("."):
        raise UsageError(f"{name!r} can't be the name of a store", hint="Use letters and digits.")
    named = environment.get(STORES_VARIABLE)
    return (Path(named) if named else data_folder() / "stores") / name.lower()


def stored(name: str, environment: Mapping[str, str]) -> list[Entry]:
    """Return the certificates of a store, by file name. Skips files that are not certificates. Raises UsageError."""
    return _entries(folder_of(name, environment))


def known(name: str, environment: Mapping[str, str]) -> list[Entry]:
    """Return the certificates to sign with: those of a store, and in `PERSONAL` those of the test authorities.

    Raises UsageError.
    """
    folders = [one.path for one in candidates(None, environment)] if name.lower() == PERSONAL else []
    theirs = (entry for folder in folders for entry in _entries(folder) if not _is_authority(entry.certificate))
    found = [*stored(name, environment), *theirs]
    return list({one.certificate.public_bytes(Encoding.DER): one for one in found}.values())


def add(
    name: str,
    certificate: x509.Certificate,
    environment: Mapping[str, str],
    *,
    key: PrivateKey | None = None,
    chain: tuple[x509.Certificate, ...] = (),
) -> Entry:
    """Write a certificate to a store, with its key and its issuers. Raises UsageError, FileError."""
    folder = folder_of(name, environment)
    ensure_folder(folder)
    path = folder / f"{thumbprint(certificate)}.pem"
    key_path = _key_of(path)
    if key is not None:
        write_atomically(key_path, key_pem(key), mode=KEY_MODE)
    write_atomically(path, b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *chain)))
    return Entry(certificate, path, key_path if key_path.exists() else None)


def delete(entry: Entry) -> None:
    """Delete a certificate from its store, and its key. Raises FileError."""
    remove(entry.path)
    if entry.key is not None:
        remove(entry.key)


def _entries(folder: Path) -> list[Entry]:
    found = map(_entry, sorted(folder.glob("*.pem")))
    return [entry for entry in found if entry is not None]


def _entry(path: Path) -> Entry | None:
    if path.name.endswith(".key.pem"):
        return None
    try:
        certificates = load_all(read(path))
    except SignerError:
        return None
    key = _key_of(path)
    return Entry(certificates[0], path, key if key.exists() else None) if certificates else None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return extensions(certificate).get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _key_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}.key.pem")
