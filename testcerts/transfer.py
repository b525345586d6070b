"""Move a test authority to another machine: export its signing key and its certificates as one PFX, and import it.

The PFX contains the code-signing key and the certificates of both authorities, not the authorities' keys: who gets it
can sign under the root that test machines trust, and can't issue certificates.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from signer.asn1.oids import EKU_CODE_SIGNING
from signer.certificates import common_name, extended_key_usages, is_self_signed
from signer.errors import CertificateError, FileError, IdentityError, UsageError, WrongSecret
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey, load_pfx
from signer.keys.passwords import wrong_secret
from signer.records import dataclass
from signer.storage.folders import move_aside, put_back
from testcerts.encodings import PFX_PASSWORD, Contents, encode
from testcerts.hierarchy import REQUIRED, TestHierarchy, is_used, read_hierarchy
from testcerts.issue import DEFAULT_SUBJECT, Issued, Order, issue, parse_subject
from testcerts.locate import PFX_PASSWORD_VARIABLE, PFX_VARIABLE
from testcerts.profiles import ISSUING_CA, LEAF, ROOT
from testcerts.store import create, save

_CHAIN_LENGTH = 2  # the issuing CA and the root
_KEYS_OF_AUTHORITIES = (f"{ROOT.name}.key.pem", f"{ISSUING_CA.name}.key.pem")
_NOT_EXPORTED = "Use a file that drvsign certs export wrote. To sign with any other PFX: drvsign sign --pfx FILE."


@dataclass(frozen=True, slots=True)
class Imported:
    """Result of `import_pfx`."""

    hierarchy: TestHierarchy
    is_new: bool
    """False if the folder had this authority: nothing was written."""
    replaced: Path | None = None
    """The new path of the folder that another authority was in."""


def export_pfx(hierarchy: TestHierarchy, password: str) -> bytes:
    """Encode the code-signing key with its chain as a PFX, encrypted with AES. Raises IdentityError, FileError."""
    identity = hierarchy.identity()
    assert isinstance(identity.key, LocalKey)
    name = common_name(identity.certificate).encode()
    encryption = BestAvailableEncryption(password.encode())
    chain = [hierarchy.issuing_ca, hierarchy.root]
    return pkcs12.serialize_key_and_certificates(name, identity.key.private, identity.certificate, chain, encryption)


def import_pfx(data: bytes, password: str | None, folder: Path, *, force: bool = False) -> Imported:
    """Write the authority in a PFX to `folder`, unless the folder has it. `force` moves another authority aside.

    Without a password, the PFX may have that of the test certificates. Raises IdentityError and CertificateError for
    the PFX, FileError for the folder.
    """
    leaf, issuing, root = _open(data, password)
    replaced = None
    if is_used(folder):
        existing = read_hierarchy(folder)
        if (existing.code_signing, existing.root) == (leaf.certificate, root.certificate):
            return Imported(existing, is_new=False)
        if not force:
            raise FileError(
                f"the folder has another test authority, {common_name(existing.root)!r}",
                path=folder,
                hint="Replace it with --force, or import into another folder: drvsign certs import FILE.pfx DIR",
            )
        replaced = move_aside(folder)
    contents: Contents = {name: data for one in (root, issuing, leaf) for name, data in encode(one).items()}
    with put_back(replaced, folder):
        save(folder, {name: data for name, data in contents.items() if name not in _KEYS_OF_AUTHORITIES}, is_new=True)
    return Imported(read_hierarchy(folder), is_new=True, replaced=replaced)


def pfx_from_environment(environment: Mapping[str, str]) -> bytes | None:
    """Decode the base64 of DRVSIGN_TEST_PFX; None if it is not set. Raises UsageError."""
    text = environment.get(PFX_VARIABLE)
    if not text:
        return None
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            f"{PFX_VARIABLE} is not base64",
            field=PFX_VARIABLE,
            hint=f"Set it to the output of: base64 -w0 FILE.pfx, and {PFX_PASSWORD_VARIABLE} to the password.",
        ) from error


def make_authority(folder: Path, now: datetime, environment: Mapping[str, str]) -> TestHierarchy:
    """Import the authority in DRVSIGN_TEST_PFX to `folder`; if it is not set, create one.

    Raises UsageError, IdentityError, CertificateError and FileError.
    """
    data = pfx_from_environment(environment)
    if data is None:
        return create(folder, _default_order(now)).hierarchy
    with _variable_named():
        return import_pfx(data, environment.get(PFX_PASSWORD_VARIABLE) or None, folder).hierarchy


def identity_in_memory(now: datetime, environment: Mapping[str, str]) -> SigningIdentity:
    """Return the identity in DRVSIGN_TEST_PFX; if it is not set, a throw-away one. Write nothing.

    Raises UsageError, IdentityError and CertificateError.
    """
    data = pfx_from_environment(environment)
    if data is None:
        leaf = issue(REQUIRED, _default_order(now))[LEAF.name]
    else:
        with _variable_named():
            leaf, *_ = _open(data, environment.get(PFX_PASSWORD_VARIABLE) or None)
    return SigningIdentity(LocalKey(leaf.key), leaf.certificate, leaf.chain)


def _default_order(now: datetime) -> Order:
    return Order(parse_subject(DEFAULT_SUBJECT), now)


@contextlib.contextmanager
def _variable_named() -> Iterator[None]:
    """Name the variable in an error about the PFX that it contains."""
    try:
        yield
    except WrongSecret as error:
        hint = f"Set {PFX_PASSWORD_VARIABLE} to the password that the PFX was exported with."
        raise WrongSecret(error.message.replace("the PFX", PFX_VARIABLE), hint=hint) from error
    except (IdentityError, CertificateError) as error:
        if error.path is not None:  # of the folder
            raise
        hint = f"Set {PFX_VARIABLE} to the output of: base64 -w0 FILE.pfx, for a file that drvsign certs export wrote."
        raise type(error)(f"{PFX_VARIABLE}: {error.message}", hint=hint) from error


def _open(data: bytes, password: str | None) -> tuple[Issued, Issued, Issued]:
    """Return the code-signing certificate, the issuing CA and the root in a PFX, all with the same key."""
    try:
        identity = load_pfx(data, PFX_PASSWORD if password is None else password)
    except WrongSecret as error:
        raise wrong_secret("PFX", given=password is not None) from error
    leaf = identity.certificate
    if len(identity.chain) != _CHAIN_LENGTH or EKU_CODE_SIGNING not in (extended_key_usages(leaf) or ()):
        raise CertificateError("the PFX does not contain a test authority", hint=_NOT_EXPORTED)
    issuing, root = identity.chain
    if not is_self_signed(root):
        raise CertificateError("the PFX does not contain the root certificate", hint=_NOT_EXPORTED)
    assert isinstance(identity.key, LocalKey)
    key = identity.key.private
    return (
        Issued(LEAF, leaf, key, (issuing, root)),
        Issued(ISSUING_CA, issuing, key, (root,)),
        Issued(ROOT, root, key, ()),
    )
