"""Find the test authority of a call: the folder that contains the user's test certificates and keys.

In this order: the folder that the call names, the variable `DRVSIGN_CERTS`, the authority that `DRVSIGN_TEST_PFX`
contains, `testcerts/generated` in the working folder or the nearest parent, and the folder in the user's data folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from cryptography import x509

from signer.certificates import is_self_signed
from signer.errors import SignerError
from signer.records import dataclass
from testcerts.hierarchy import former_roots, is_used, read_hierarchy

FOLDER_VARIABLE = "DRVSIGN_CERTS"
PFX_VARIABLE, PFX_PASSWORD_VARIABLE = "DRVSIGN_TEST_PFX", "DRVSIGN_TEST_PFX_PASSWORD"
"""A PFX that `drvsign certs export` wrote, in base64, and its password: the test authority of a CI runner."""
PROJECT_FOLDER = Path("testcerts", "generated")
"""The folder of a project's own test authority."""


@dataclass(frozen=True, slots=True)
class CertsFolder:
    """A folder of test certificates, which may not exist yet, and how it was found."""

    path: Path
    origin: str
    """The reason for taking this folder, such as `DRVSIGN_CERTS`; a word or clause for messages."""

    def __str__(self) -> str:
        return f"{self.path} ({self.origin})"


def locate(given: Path | None, environment: Mapping[str, str]) -> CertsFolder:
    """Return the folder of the test authority; `given` is the folder that the call names. It may not exist yet."""
    return next(candidates(given, environment))


def is_a_choice(folder: CertsFolder, environment: Mapping[str, str]) -> bool:
    """Tell whether the call did not name the folder and knows another one with an authority."""
    others = (one for one in candidates(None, environment) if one.path != folder.path)
    return folder.origin != "--certs" and any(is_used(one.path) for one in others)


def candidates(given: Path | None, environment: Mapping[str, str]) -> Iterator[CertsFolder]:
    """Yield the folders that a call knows, the one to use first. Only the project's is checked for existence."""
    if given is not None:
        yield CertsFolder(given, "--certs")
    if environment.get(FOLDER_VARIABLE):
        yield CertsFolder(Path(environment[FOLDER_VARIABLE]), FOLDER_VARIABLE)
    if environment.get(PFX_VARIABLE):
        yield CertsFolder(_folder_of_pfx(environment[PFX_VARIABLE]), PFX_VARIABLE)
    project = _project_folder()
    if project is not None:
        yield CertsFolder(project, "this project")
    yield CertsFolder(user_folder(), "your user account")


def known_roots(given: Path | None, environment: Mapping[str, str]) -> tuple[x509.Certificate, ...]:
    """Return the self-signed certificates of all folders that a call knows: signatures under these are the user's own.

    Skips folders without a readable authority.
    """
    return tuple(one for one in known_certificates(given, environment) if is_self_signed(one))


def known_certificates(given: Path | None, environment: Mapping[str, str]) -> tuple[x509.Certificate, ...]:
    """Return the certificates of all folders that a call knows, and the roots that they had before.

    Skips folders without a readable authority.
    """
    found: dict[x509.Certificate, None] = {}
    for folder in candidates(given, environment):
        try:
            certificates = read_hierarchy(folder.path).certificates.values()
        except SignerError:
            continue
        found |= dict.fromkeys((*certificates, *former_roots(folder.path)))
    return tuple(found)


def user_folder() -> Path:
    """Return the folder of the user's test authority, in the data folder that the operating system gives programs."""
    return data_folder() / "testcerts"


def _folder_of_pfx(text: str) -> Path:
    """Return a folder for the authority in DRVSIGN_TEST_PFX: another value of the variable has another folder."""
    return data_folder() / "imported" / sha256("".join(text.split()).encode()).hexdigest()[:16]


def data_folder() -> Path:
    """Return the folder that the operating system gives drvsign for the user's data."""
    from platformdirs import user_data_path

    return user_data_path("drvsign", appauthor=False)


def _project_folder() -> Path | None:
    """Return the nearest `testcerts/generated` with an authority, in the working folder or above."""
    try:
        here = Path.cwd()
    except OSError:  # the working folder was deleted
        return None
    for folder in (here, *here.parents):
        found = folder / PROJECT_FOLDER
        try:
            if is_used(found) and _is_owned(found, here):
                return PROJECT_FOLDER if folder == here else found
        except OSError:  # a folder without permission
            continue
    return None


def _is_owned(folder: Path, here: Path) -> bool:
    """Tell whether the folder belongs to the user, root or the owner of the working folder.

    In a shared parent such as /tmp, another user could place an authority whose key they know.
    """
    if not hasattr(os, "getuid"):
        return True
    return folder.stat().st_uid in (os.getuid(), 0, here.stat().st_uid)
