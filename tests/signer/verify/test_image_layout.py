"""Evidence of an image's layout: padding behind a signature, and page hashes that can't be computed."""

from __future__ import annotations

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.pe.digest import PageHashes, hash_image, hash_pages
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.pkcs7 import indirect_data
from signer.pkcs7.nested import with_unsigned
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.verify.gather import gather
from tests.support.files import patched
from tests.support.identities import identity
from tests.support.images import PeSpec
from tests.support.tables import UNSIGNED, entry, image_with

SHA256 = DigestAlgorithm.SHA256


def signature(data: bytes, pages: PageHashes | None = None) -> bytes:
    """A signature over an image, with page hashes."""
    digest = hash_image(Image.parse(data), [SHA256]).digests[SHA256]
    content = Content(oids.SPC_INDIRECT_DATA, indirect_data.for_image(SHA256, digest, pages))
    return sign(content, identity(), SigningOptions())


def of_length(remainder: int) -> bytes:
    """A signature of the small image whose length has this remainder of 8."""
    candidates = (with_unsigned(signature(UNSIGNED), "2.999.1", (der.octets(bytes(size)),)) for size in range(1, 9))
    return next(candidate for candidate in candidates if len(candidate) % 8 == remainder)


@pytest.mark.parametrize(
    ("remainder", "zeros", "codes"),
    [(0, 0, []), (1, 7, []), (0, 8, ["certificate-padding"]), (7, 9, ["certificate-padding"])],
    ids=["none", "as many as align an entry", "one more than aligns an entry", "more than aligns an entry"],
)
def test_seven_zeros_are_padding_and_eight_are_data(remainder: int, zeros: int, codes: list[str]) -> None:
    evidence = gather(image_with(entry(of_length(remainder) + bytes(zeros))), "image", "a.sys")
    assert [problem.code for problem in evidence.problems] == codes
    assert evidence.signatures[0].intact


def test_page_hashes_that_can_not_be_computed_are_left_open() -> None:
    """Sections in another order than the table's: no real example shows their page hashes."""
    ordered = PeSpec(sections=[(".text", 0x400, 0x200), (".data", 0x600, 0x200)]).build()
    swapped = PeSpec(sections=[(".data", 0x600, 0x200), (".text", 0x400, 0x200)]).build()
    signed = signature(swapped, hash_pages(Image.parse(ordered), SHA256))
    data = patched(swapped, embed(Image.parse(swapped), [signed]))
    (found,) = gather(data, "image", "a.sys").signatures
    assert (found.intact, found.page_hashes, found.page_hashes_intact) == (True, "sha256", None)
    assert [note.code for note in found.notes] == ["page-hashes-unchecked"]
