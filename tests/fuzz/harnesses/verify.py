"""`verify` as a whole: evidence, paths, policies and events, for files on a disk.

The mutants are what an attacker can make without the signer's key: changed files, changed signatures that strangers
sign again, timestamps and certificates that the real authorities issue again. None of these may have a verdict
"accepted" for other content than the signer signed. In test-signing mode, the kernel accepts any other signer.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from zlib import crc32

from catalogs.catalog.file import Catalog
from catalogs.verification.assessment import Assessment
from catalogs.verification.files import verify_file
from catalogs.verification.query import VerifyQuery
from signer.certificates import public_key
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
from signer.verify import catalogs, timestamps
from tests.fuzz.attacks import forged
from tests.fuzz.harness import Harness
from tests.fuzz.identities import NOON, SIGNER, root
from tests.fuzz.signatures import DRIVER, all_files

INSTRUMENTED = (
    "signer.verify",
    "catalogs.verification",
    "signer.policy.authenticode",
    "signer.policy.kernel_signature",
)
TARGETS = ("win11-24h2-x64",)


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
    """Return the queries: a driver to load, a program to run."""
    trust = Trust.test_signing([root()])
    machine = MachineState(NOON, roots="test-signing", testsigning=True)
    targets = tuple(map(Target.parse, TARGETS))
    return tuple(VerifyQuery(policy, trust, machine, targets) for policy in ("kernel", "authenticode"))


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
    if accepted and covered(data) not in signed_content():
        assert not any(_is_forgery(one) for one in accepted), "other content than the signer signed is accepted"
    return bool(accepted)


def _is_forgery(assessment: Assessment) -> bool:
    """Return whether accepted content is a forgery. In test-signing mode, the kernel accepts the key of a stranger."""
    assert assessment.evidence is not None
    signers = [one.signer for one in assessment.evidence.signatures if one.intact and one.signer is not None]
    return assessment.policy != "kernel" or any(public_key(one) == SIGNER.public_key for one in signers)


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
