"""Catalogs as evidence: the catalogs that sign a file, their order, and unreadable ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.pe.digest import PageHashes
from signer.pkcs7.nested import append, with_unsigned
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.verify.catalogs import catalog_signatures, member_algorithms, signature_of
from signer.verify.evidence import Evidence, Signature
from signer.verify.gather import gather
from signer.verify.signatures import read_catalog_signature
from tests.support.identities import identity
from tests.support.images import PeSpec

SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256
DATA = b"a file of a package"
LIST = der.sequence(der.octets(b"a list of members, which evidence does not read"))
SIGNED = sign(Content(oids.CTL, LIST), identity(), SigningOptions())
UNSIGNED = der.sequence(
    der.oid(oids.SIGNED_DATA),
    der.explicit(
        0,
        der.sequence(
            der.tlv(der.INTEGER, b"\x01"),
            der.tlv(der.SET, b""),
            der.sequence(der.oid(oids.CTL), der.explicit(0, LIST)),
            der.tlv(der.SET, b""),
        ),
    ),
)


@dataclass(frozen=True)
class Listing:
    """A catalog that lists digests of one algorithm each."""

    members: dict[DigestAlgorithm, bytes]
    signed_data: bytes = SIGNED
    name: str = "driver.cat"
    pages: dict[bytes, PageHashes] = field(default_factory=dict)

    @property
    def digest(self) -> bytes:
        return SHA256.hash(self.signed_data)

    @property
    def signature(self) -> Signature | None:
        return signature_of(self.signed_data)

    def page_hash_algorithms(self) -> Iterable[DigestAlgorithm]:
        return ()

    def digest_algorithms(self) -> Iterable[DigestAlgorithm]:
        return self.members

    def contains(self, digest: bytes) -> bool:
        return digest in self.members.values()

    def page_hashes(self, digest: bytes) -> PageHashes | None:
        return self.pages.get(digest)


def listing(*algorithms: DigestAlgorithm, data: bytes = DATA, **changes: object) -> Listing:
    return Listing({algorithm: algorithm.hash(data) for algorithm in algorithms}, **changes)  # type: ignore[arg-type]


def codes(signature: Signature) -> list[str]:
    return [problem.code for problem in signature.problems]


def of_file(*catalogs: Listing) -> Evidence:
    return gather(DATA, "file", "a.dll", catalogs)


def test_a_file_is_hashed_with_the_algorithms_of_the_catalogs() -> None:
    catalogs = [listing(SHA1), listing(SHA1, SHA256)]
    assert member_algorithms(catalogs) == {SHA1, SHA256}
    assert of_file(*catalogs).digests == {SHA1: SHA1.hash(DATA), SHA256: SHA256.hash(DATA)}


def test_every_signed_catalog_that_lists_the_file_is_one_signature() -> None:
    """Neither an unsigned catalog nor one of other files ends the search."""
    others = listing(SHA256, data=b"another file", name="others.cat")
    evidence = of_file(
        others, listing(SHA1, name="a.cat"), listing(SHA256, signed_data=UNSIGNED), listing(SHA256, name="b.cat")
    )
    found = [(one.index, one.source, one.catalog, one.digest_algorithm) for one in evidence.signatures]
    assert found == [(0, "catalog", "a.cat", SHA1), (1, "catalog", "b.cat", SHA256)]
    assert all(one.intact for one in evidence.signatures)


def test_catalogs_are_numbered_after_the_signatures_of_the_file() -> None:
    digests = {SHA256: SHA256.hash(DATA)}
    found = catalog_signatures([listing(SHA256), listing(SHA256)], digests, 3)
    assert [read.signature.index for read in found] == [3, 4]


def test_the_strongest_of_several_digests_counts() -> None:
    (signature,) = of_file(listing(SHA1, SHA256)).signatures
    assert (signature.digest_algorithm, signature.digest) == (SHA256, SHA256.hash(DATA))


def test_a_file_that_no_catalog_lists_has_no_signature() -> None:
    assert of_file(listing(SHA256, data=b"another file")).signatures == ()
    assert of_file().signatures == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"\x30\x80" + SIGNED[4:] + bytes(2), "signature-ber", id="in BER"),
        pytest.param(b"not DER at all", "signature-format", id="not DER"),
        pytest.param(SIGNED[:-1], "signature-format", id="cut short"),
    ],
)
def test_an_unreadable_catalog_signature_is_not_intact(data: bytes, code: str) -> None:
    (signature,) = of_file(listing(SHA256, signed_data=data)).signatures
    assert (codes(signature), signature.index, signature.catalog) == ([code], 0, "driver.cat")


def test_the_page_hashes_of_a_catalog_are_compared_with_the_image() -> None:
    from signer.pe.digest import hash_image, hash_pages
    from signer.pe.image import Image

    data = PeSpec().build()
    image = Image.parse(data)
    digest = hash_image(image, [SHA256]).digests[SHA256]
    right = hash_pages(image, SHA256)
    wrong = PageHashes(SHA256, right.table[:4] + bytes(32) + right.table[36:])
    for pages, intact in ((right, True), (wrong, False)):
        catalog = Listing({SHA256: digest}, pages={digest: pages})
        (signature,) = gather(data, "image", "a.sys", [catalog]).signatures
        assert (signature.page_hashes, signature.page_hashes_intact) == ("sha256", intact)


def test_the_digest_of_a_catalog_is_that_of_its_list() -> None:
    evidence = gather(SIGNED, "catalog", "driver.cat")
    (signature,) = evidence.signatures
    assert signature.intact and signature.notes == ()
    digest = SHA256.hash(der.read(LIST).contents(LIST))
    assert (signature.index, signature.source, signature.digest) == (0, "embedded", digest)
    assert evidence.digests == {SHA256: digest}


def test_an_unsigned_catalog_has_no_signature() -> None:
    evidence = gather(UNSIGNED, "catalog", "driver.cat")
    assert (evidence.signatures, evidence.digests) == ((), {})


def test_a_signature_over_other_content_is_a_problem() -> None:
    content = Content(oids.SPC_INDIRECT_DATA, LIST)
    (signature,) = gather(sign(content, identity(), SigningOptions()), "catalog", "driver.cat").signatures
    assert codes(signature) == ["content-type"]


def test_the_tag_of_a_catalog_s_list_must_be_that_of_a_sequence() -> None:
    """The digest of PKCS #7 does not cover it."""
    place = SIGNED.index(LIST)
    changed = SIGNED[:place] + b"\x38" + SIGNED[place + 1 :]
    (signature,) = gather(changed, "catalog", "driver.cat").signatures
    assert codes(signature) == ["content-type"]


def test_a_second_signature_in_a_catalog_is_noted() -> None:
    (signature,) = gather(append(SIGNED, SIGNED), "catalog", "driver.cat").signatures
    assert signature.intact
    assert [note.code for note in signature.notes] == ["nested-in-catalog"]


def test_data_hidden_in_a_catalog_s_signature_is_noted() -> None:
    hiding = with_unsigned(SIGNED, "2.999.1", (der.octets(b"payload"),))
    (signature,) = gather(hiding, "catalog", "driver.cat").signatures
    assert [note.code for note in signature.notes] == ["unsigned-attribute"]


def test_the_signature_over_a_list_covers_the_digest_of_the_list() -> None:
    found = read_catalog_signature(parse(SIGNED))
    assert (found.index, found.source, found.digest_algorithm) == (0, "embedded", SHA256)
    assert found.digest == SHA256.hash(der.read(LIST).contents(LIST))
    assert found.intact


def test_the_tag_of_a_list_that_is_no_sequence_is_named() -> None:
    """The digest does not cover the tag."""
    other = SIGNED.replace(LIST, b"\x02" + LIST[1:])
    (problem,) = read_catalog_signature(parse(other)).problems
    assert problem.message == "the signed certificate trust list has the tag 0x02 instead of SEQUENCE"
