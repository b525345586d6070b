"""`sign` as a whole: hash a file of any format, sign it, embed the signature, and check the result."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from zlib import crc32

from signer.cab import embed as cabinets
from signer.errors import SignerError
from signer.formats.detect import opened
from signer.operations import ownership
from signer.operations.sign import sign_file
from signer.operations.signatures import without_signatures
from signer.pe import certificate_table, digest, embed
from signer.pkcs7 import nested, signed_data
from signer.verify.gather import gather
from tests.fuzz.harness import Harness
from tests.fuzz.harnesses import cabinet, catalog, image
from tests.fuzz.identities import signer
from tests.fuzz.signatures import OPTIONS, SHA256

INSTRUMENTED = (
    "signer.cab.embed",
    "signer.formats.cabinet",
    "signer.formats.catalog",
    "signer.formats.image",
    "signer.operations.ownership",
    "signer.operations.sign",
    "signer.operations.signatures",
    "signer.pe.embed",
    "signer.pkcs7.nested",
)
MUTATORS = {b"MZ": image.mutate, b"MS": cabinet.mutate}


def seeds() -> Iterator[bytes]:
    yield from image.seeds()
    yield from cabinet.seeds()
    yield from catalog.seeds()


def run(data: bytes) -> bool:
    try:
        row, file = opened(data)
        before = file.hash([SHA256]).digests
        appended = row.features.append and crc32(data) % 2 == 1
        signed = sign_file(data, signer(), OPTIONS, append=appended, replace=True)
        result = signed.changes.unchecked(data)
    except SignerError as error:
        assert error.message
        return False
    assert opened(result)[1].hash([SHA256]).digests == before
    evidence = gather(result, row.name, "result")
    assert any(one.intact and one.digest == signed.digest for one in evidence.signatures)
    with contextlib.suppress(SignerError):
        stripped = without_signatures(result)
        assert stripped is not None
        assert not opened(stripped.unchecked(result))[1].is_signed
    return True


def mutate(data: bytes, chooser: random.Random) -> bytes:
    return MUTATORS.get(data[:2], catalog.mutate)(data, chooser)


HARNESS = Harness(
    "sign",
    run,
    seeds,
    (
        *(digest.hash_image, embed.embed, certificate_table.read, cabinets.prepare, nested.append),
        *(signed_data.prepare, ownership.require_replaceable),
    ),
    mutate=mutate,
    max_size=5120,
)
