"""Every signature of Microsoft's tools in the corpus, encoded again from its parts, is identical byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.errors import MalformedInput
from signer.formats.detect import detect
from signer.formats.table import IMAGE
from signer.pe import certificate_table
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.pkcs7 import nested
from signer.pkcs7.encode import signed_data, signer_info
from signer.pkcs7.parse import parse
from tests.support.files import corpus_files, corpus_id, patched

FILES = corpus_files("drivers/*", "catalogs/*.cat", "packages/**/*.sys", "packages/**/*.dll", "packages/**/*.cat")


def signatures(path: Path) -> Iterator[bytes]:
    """Yield the DER of a file's signatures, including nested ones."""
    data = path.read_bytes()
    if detect(data) is IMAGE:
        outer = [entry.signed_data() for entry in certificate_table.read(Image.parse(data))]
    else:
        outer = [data] if parse(data).signers else []
    for signature in outer:
        yield signature
        yield from nested.nested_in(signature)


@pytest.mark.parametrize("path", FILES, ids=corpus_id)
def test_a_parsed_signature_round_trips(path: Path) -> None:
    for signature in signatures(path):
        read = parse(signature)
        (signer,) = read.signers
        certificate, algorithm = read.certificate_of(signer), signer.digest_algorithm
        assert certificate is not None and algorithm is not None
        unsigned = signer.unsigned_attributes.items()
        info = signer_info(certificate, algorithm, signer.signed_attributes_der, signer.signature, unsigned)
        whole = signed_data(1, algorithm, read.content_type, read.content, read.certificates_der, info)
        assert whole == signature


def is_signed(path: Path) -> bool:
    data = path.read_bytes()
    try:
        return detect(data) is IMAGE and Image.parse(data).is_signed
    except MalformedInput:  # other tests cover the error
        return False


@pytest.mark.parametrize("path", list(filter(is_signed, FILES)), ids=corpus_id)
def test_embedding_the_same_signatures_round_trips(path: Path) -> None:
    """Certificate table, padding, directory entry and checksum are identical."""
    data = path.read_bytes()
    image = Image.parse(data)
    changes = embed(image, [entry.signed_data() for entry in certificate_table.read(image)])
    assert patched(data, changes) == data
