"""PE images: the layout, signatures in the certificate table, the evidence, file facts, and embedding a signature."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from itertools import count
from zlib import crc32

from signer.errors import SignerError
from signer.formats import certificate_table
from signer.formats.image import ImageFormat
from signer.pe import digest, embed, file_facts, protection
from signer.verify.gather import gather, read_facts
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.harness import Harness
from tests.fuzz.mutation import mutated_bytes
from tests.fuzz.resigning import resigned
from tests.fuzz.signatures import DRIVER, SHA256, embedded, signature_of, signatures
from tests.support.images import PeSpec
from tests.support.version_resources import resource

INSTRUMENTED = (
    "signer.formats.certificate_table",
    "signer.formats.image",
    "signer.pe.certificate_table",
    "signer.pe.digest",
    "signer.pe.embed",
    "signer.pe.file_facts",
    "signer.pe.image",
    "signer.pe.protection",
    "signer.verify.gather",
)
HEADERS_END = 0x400
OTHERS, FACTS, EMBEDDED = 8, 0, 1
"""One of so many inputs is also read for its facts, and another one gets a signature; parsing takes the most time."""
SMALL = PeSpec(headers_size=0x200, sections=[(".text", 0x200, 0x100)], file_alignment=0x200).build()


def seeds() -> Iterator[bytes]:
    yield DRIVER
    yield SMALL
    yield PeSpec(machine="x86", sections=[(".text", 0x400, 0x200), (".rdata", 0x600, 0x200)]).build()
    yield PeSpec(directories=4).build()
    yield PeSpec(sections=[(".text", 0x400, 0x200), ("INIT", 0x400, 0x200)], section_alignment=0x200).build()
    yield embedded(SMALL, signature_of(SMALL, page_hashes=True))
    yield embedded(DRIVER, signatures()[0])
    yield embedded(DRIVER, signatures()[-1])
    for wanted in (FACTS, EMBEDDED):
        yield next(one for one in map(_versioned, count()) if choice(one) == wanted)


def _versioned(extra: int) -> bytes:
    """Return an image with a version resource and some bytes behind its sections."""
    image = bytearray(PeSpec(overlay=bytes(extra)).build())
    version = resource((10, 0, 22621, 1), OriginalFilename="a.sys", ProductName="")
    image[HEADERS_END : HEADERS_END + len(version)] = version
    return bytes(image)


def choice(data: bytes) -> int:
    return crc32(data) % OTHERS


def run(data: bytes) -> bool:
    chosen = choice(data)
    with contextlib.suppress(SignerError):
        if chosen == FACTS:
            read_facts(data, "image")
        elif chosen == EMBEDDED:
            _embed(data)
    try:
        evidence = gather(data, "image", "hello.sys")
    except SignerError:
        return False
    assert evidence.kind == "image"
    return True


def _embed(data: bytes) -> None:
    """Embed a signature, and compare the digest before and after."""
    image = ImageFormat(data)
    before = image.hash([SHA256], to_change=True)
    signed = ImageFormat(image.with_signatures([signatures()[0]]).unchecked(data))
    assert signed.hash([SHA256]).digests == before.digests
    assert signed.signatures() == [signatures()[0]]


def mutate(data: bytes, chooser: random.Random) -> bytes:
    """Change headers or any bytes; or change the signature, sign it again and embed it."""
    kind = chooser.random()
    if kind < 0.2:
        with contextlib.suppress(SignerError):
            return _with_other_signature(data, chooser)
    if kind < 0.8:
        return mutated_bytes(data[:HEADERS_END], chooser).ljust(HEADERS_END, b"\0")[:HEADERS_END] + data[HEADERS_END:]
    return mutated_bytes(data, chooser)


def _with_other_signature(data: bytes, chooser: random.Random) -> bytes:
    image = ImageFormat(data)
    found = image.signatures() or [signatures()[0]]
    return image.with_signatures([resigned(mutated_der(found[0], chooser))]).unchecked(data)


HARNESS = Harness(
    "image",
    run,
    seeds,
    (
        *(digest.hash_image, digest.page_difference, embed.embed, certificate_table.find_signature),
        *(file_facts.facts_of, file_facts._strings, file_facts._fixed_version, protection.protection_faults),
    ),
    mutate=mutate,
    max_size=5120,
)
