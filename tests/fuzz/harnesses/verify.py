"""`verify` as a whole: evidence, paths, policies and events, for files on a disk.

The mutants are what an attacker can make without the signer's key: changed files, changed signatures that strangers
sign again, timestamps and certificates that the real authorities issue again. None of these may have a verdict
"accepted" for other content than the signer signed.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from zlib import crc32

from catalogs.catalog.file import Catalog
from catalogs.verification.files import verify_file
from catalogs.verification.query import VerifyQuery
from signer.certificates import common_name
from signer.errors import SignerError
from signer.formats.detect import detect
from signer.formats.table import CATALOG, IMAGE
from signer.pe.digest import hashed_ranges
from signer.pe.image import Image
from signer.pkcs7.parse import parse
from signer.policy import decide, kernel_signature
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.policy.trust import Trust
from signer.reports.verdict_json import entry
from signer.trust import checks
from signer.trust.fields import fields_of, key_identity
from signer.trust.path import Anchor
from signer.trust.store import TrustedKey, TrustStore
from signer.verify import catalogs, timestamps
from tests.fuzz.attacks import forged
from tests.fuzz.harness import Harness
from tests.fuzz.identities import NOON, root
from tests.fuzz.signatures import DRIVER, all_files

INSTRUMENTED = (
    "signer.verify",
    "catalogs.verification.files",
    "signer.policy.authenticode",
    "signer.policy.kernel_signature",
)
TARGETS = (Target.parse("win11-24h2-x64"),)


def covered(data: bytes) -> bytes | None:
    """Return the bytes that a signature covers; None for a file that can't be accepted."""
    row = detect(data)
    try:
        if row is IMAGE:
            return b"".join(map(bytes, hashed_ranges(Image.parse(data))))
        return parse(data).content_octets if row is CATALOG else None
    except SignerError:
        return None


@cache
def signed_content() -> frozenset[bytes | None]:
    """Return the content that the signer signed."""
    return frozenset(map(covered, all_files()))


@cache
def queries() -> tuple[VerifyQuery, ...]:
    """Return the queries: a driver on a machine outside of test-signing mode, and a program on a test machine."""
    test = Trust.test_signing([root()])
    machine = MachineState(NOON, roots="test-signing", testsigning=True)
    release = Trust(_microsoft(), _microsoft())
    return (
        VerifyQuery("kernel", release, MachineState(NOON), TARGETS),
        VerifyQuery("authenticode", test, machine, TARGETS),
    )


@cache
def _microsoft() -> TrustStore:
    """Return a store of a machine outside of test-signing mode, for which the test root is one of Microsoft's."""
    store, found = TrustStore.release(), fields_of(root())
    digest = key_identity(found.spki)
    key = TrustedKey(Anchor(common_name(root()), "microsoft", digest, 6, root()), found.spki)
    store._by_key[digest], store._by_subject[found.subject] = key, (key,)
    return store


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)


def run(data: bytes) -> bool:
    path, query = Path(_folder().name, "mutant"), queries()[crc32(data) % 2]
    path.write_bytes(data)
    try:
        found = [verify_file(path, query)]
        if detect(data) is CATALOG:
            path.write_bytes(DRIVER)
            found.append(verify_file(path, query, [Catalog.parse(data, "a.cat")]))
    except SignerError as error:
        assert error.message
        return False
    accepted = [one for one in found if entry(one) and any(verdict.accepted for verdict in one.verdicts)]
    assert not accepted or covered(data) in signed_content(), "other content than the signer signed is accepted"
    return bool(accepted)


HARNESS = Harness(
    "verify",
    run,
    all_files,
    (
        *(decide.decide, kernel_signature.timestamp_warnings, checks.examine),
        *(timestamps.read_timestamps, catalogs.catalog_signatures),
    ),
    mutate=forged,
    max_size=6144,
)
