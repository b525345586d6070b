"""Catalogs: the trust list, its members, lookups in it, and its signature."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count
from zlib import crc32

from catalogs.catalog import members, trust_list
from catalogs.catalog.file import Catalog
from signer.errors import SignerError
from signer.verify import catalogs as lookups
from signer.verify.gather import gather
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.harness import Harness
from tests.fuzz.resigning import resigned
from tests.fuzz.signatures import DRIVER, catalog, content_hash
from tests.support.files import corpus_files

INSTRUMENTED = ("catalogs.catalog", "signer.formats.catalog", "signer.pkcs7.indirect_data")
RESIGNED = 0.3
"""Share of the mutants that are signed again. Parsing does not depend on it, but the evidence does."""
GATHERED = 8
"""One of so many catalogs is also looked up for a file, which takes longer than parsing."""


def seeds() -> Iterator[bytes]:
    for version in (1, 2):
        yield catalog(version).to_bytes()
        yield catalog(version).unsigned().to_bytes()
    yield next(one for one in (catalog(2, note).to_bytes() for note in count()) if is_gathered(one))


def is_gathered(data: bytes) -> bool:
    return crc32(data) % GATHERED == 0


def extra() -> Iterator[bytes]:
    for path in corpus_files("catalogs/*", "packages/*/*.cat"):
        if path.stat().st_size <= HARNESS.max_size:
            yield path.read_bytes()


def run(data: bytes) -> bool:
    try:
        found = Catalog.parse(data, "a.cat")
        assert found.to_bytes() == data
        assert found.unsigned().trust_list == found.trust_list
        for member in found.members:
            assert member.file is None or isinstance(member.file, str)
            assert member.digest is None or found.contains(member.digest)
        assert (found.hardware_ids, found.attributes) is not None
        found.page_hashes(content_hash())
        if is_gathered(data):
            assert gather(data, "catalog", "a.cat").kind == "catalog"
            gather(DRIVER, "image", "hello.sys", (found,))
    except SignerError as error:
        assert error.message
        return False
    return True


def mutate(data: bytes, chooser: random.Random) -> bytes:
    data = mutated_der(data, chooser)
    return resigned(data) if chooser.random() < RESIGNED else data


HARNESS = Harness(
    "catalog",
    run,
    seeds,
    (
        *(
            members.interpret,
            members.require_agreement,
            members.require_own_tags,
            trust_list.CertificateTrustList.parse,
        ),
        *(trust_list.NameValue.parse, lookups.catalog_signatures),
    ),
    mutate=mutate,
    extra=extra,
    max_size=4096,
)
