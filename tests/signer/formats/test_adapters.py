"""The adapters of images, cabinets and catalogs: what each answers to the protocols `Format` and `Subject`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.cab.cabinet import Cabinet
from signer.errors import CatalogError, DigestChanged, MalformedInput, NotDerError, SignatureFormatError, SigningError
from signer.formats.cabinet import CabinetFormat, CabinetSubject
from signer.formats.catalog import UNSIGNED_HEAD, UNSIGNED_TAIL, CatalogFormat, CatalogParts
from signer.formats.image import ImageFormat, ImageSubject
from signer.operations.sign import sign_file
from signer.operations.signatures import without_signatures
from signer.pe.image import Image
from signer.pkcs7 import indirect_data
from signer.pkcs7.content import Content
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.signed_data import SigningOptions, sign
from tests.support.cabinets import cabinet
from tests.support.files import patched
from tests.support.identities import identity
from tests.support.images import PeSpec

SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256
TRUST_LIST = der.sequence(der.octets(b"the list"))


def signed(data: bytes) -> bytes:
    return patched(data, sign_file(data, identity(), SigningOptions()).changes)


def with_checksum(data: bytes) -> bytes:
    """Return an unsigned image as it is after its signature was removed: with its checksum."""
    changes = without_signatures(signed(data))
    assert changes is not None
    return patched(signed(data), changes)


FILES: dict[str, tuple[type[Any], bytes]] = {
    "image": (ImageFormat, with_checksum(PeSpec().build())),
    "cabinet": (CabinetFormat, cabinet({"a.inf": b"[Version]"})),
    "catalog": (CatalogFormat, CatalogParts(TRUST_LIST).to_bytes()),
}
"""Unsigned files, each with its adapter."""


SIGNED = {name: signed(data) for name, (_, data) in FILES.items()}


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_the_signature_that_it_was_given_and_none_after_its_removal(name: str) -> None:
    kind, plain = FILES[name]
    without, file = kind(plain), kind(SIGNED[name])
    assert (without.is_signed, without.signatures()) == (False, [])
    (signature,) = file.signatures()
    assert file.is_signed
    assert patched(SIGNED[name], file.with_signatures([])) == plain
    without.hash([SHA256], to_change=True)
    assert patched(plain, without.with_signatures([signature])) == SIGNED[name]


@pytest.mark.parametrize("name", ["cabinet", "catalog"])
def test_a_format_with_room_for_one_signature_takes_the_first(name: str) -> None:
    kind, plain = FILES[name]
    file = kind(plain)
    file.hash([SHA256])
    (signature,) = kind(SIGNED[name]).signatures()
    assert patched(plain, file.with_signatures([signature, b"another"])) == SIGNED[name]


@pytest.mark.parametrize("name", FILES)
def test_the_digest_does_not_depend_on_the_signature_and_is_the_signed_one(name: str) -> None:
    kind, plain = FILES[name]
    file = kind(SIGNED[name])
    digests = kind(plain).hash([SHA1, SHA256]).digests
    assert file.hash([SHA1, SHA256]).digests == digests
    assert list(digests) == [SHA1, SHA256]
    assert file.signed_digest(file.signatures()[0]) == (SHA256, digests[SHA256])


@pytest.mark.parametrize(
    ("name", "type_oid", "content_type"),
    [
        ("image", oids.SPC_PE_IMAGE_DATA, oids.SPC_INDIRECT_DATA),
        ("cabinet", oids.SPC_LINK, oids.SPC_INDIRECT_DATA),
        ("catalog", None, oids.CTL),
    ],
)
def test_the_signed_content_has_the_type_of_the_format(name: str, type_oid: str | None, content_type: str) -> None:
    kind, plain = FILES[name]
    file = kind(plain)
    hashes = file.hash([SHA256])
    content = file.content(hashes, SHA256)
    assert content.oid == content_type
    if type_oid is None:
        assert content.der == TRUST_LIST
    else:
        parsed = indirect_data.parse(content.der)
        assert (parsed.type_oid, parsed.digest, parsed.algorithm) == (type_oid, hashes.digests[SHA256], SHA256)


@pytest.mark.parametrize("name", ["cabinet", "catalog"])
def test_a_signature_of_other_content_is_not_put_into_a_file(name: str) -> None:
    kind, plain = FILES[name]
    others = {"cabinet": cabinet({"a.inf": b"[version]"}), "catalog": CatalogParts(der.sequence()).to_bytes()}
    foreign = kind(signed(others[name])).signatures()
    file = kind(others["cabinet"] if name == "cabinet" else plain)
    if name == "catalog":
        with pytest.raises(DigestChanged):
            file.with_signatures(foreign)
        return
    file.hash([SHA256])
    file._digests = {SHA256: bytes(32)}
    with pytest.raises(DigestChanged):
        file.with_signatures(foreign)


@pytest.mark.parametrize(
    ("kind", "signature", "error"),
    [
        (ImageFormat, SIGNED["catalog"], SigningError),
        (CatalogFormat, ImageFormat(SIGNED["image"]).signatures()[0], SigningError),
        (CatalogFormat, CatalogParts(TRUST_LIST).to_bytes(), SignatureFormatError),
    ],
    ids=["a catalog's in an image", "an image's in a catalog", "a catalog without a signer"],
)
def test_the_signature_of_another_format_has_no_digest(kind: type[Any], signature: bytes, error: type) -> None:
    name = "image" if kind is ImageFormat else "catalog"
    with pytest.raises(error) as caught:
        kind(FILES[name][1]).signed_digest(signature)
    assert type(caught.value) is error


def test_the_digest_of_a_catalog_is_that_of_its_first_signer() -> None:
    both = []
    for algorithm in (SHA1, SHA256):
        data = sign(Content(oids.CTL, TRUST_LIST), identity(), SigningOptions(digest=algorithm))
        parts = CatalogParts.parse(data)
        *before, signers = der.children(wrapped := der.sequence(parts.tail), der.read(wrapped))
        both.append((b"".join(one.whole(wrapped) for one in before), signers.contents(wrapped)))
    (certificates, first), (_, second) = both
    two = CatalogParts(TRUST_LIST, tail=certificates + der.tlv(der.SET, first, second)).to_bytes()
    assert CatalogFormat(FILES["catalog"][1]).signed_digest(two)[0] is SHA1


def test_a_signed_digest_of_an_unknown_algorithm_is_refused() -> None:
    known = der.oid(SHA256.oid)
    content = indirect_data.for_image(SHA256, bytes(32)).replace(known, known[:-1] + b"\x7f")
    signature = sign(Content(oids.SPC_INDIRECT_DATA, content), identity(), SigningOptions())
    with pytest.raises(SignatureFormatError, match="unknown algorithm"):
        ImageFormat(FILES["image"][1]).signed_digest(signature)


def test_a_cabinet_of_a_set_is_hashed_as_it_is_and_not_signed() -> None:
    data = bytearray(FILES["cabinet"][1])
    data[30] |= 1
    file = CabinetFormat(bytes(data))
    hashes = file.hash([SHA256])
    assert hashes.digests == {SHA256: SHA256.hash(data[:4] + data[8:])}
    with pytest.raises(MalformedInput, match="multi-cabinet set"):
        file.content(hashes, SHA256)


def test_an_image_keeps_the_hashes_of_a_pass_only_for_a_change() -> None:
    file = ImageFormat(FILES["image"][1])
    file.hash([SHA256], to_change=True)
    assert file._hashes is not None
    file.hash([SHA256])
    assert file._hashes is None


def test_an_image_lists_only_the_entries_of_its_table_that_are_signatures() -> None:
    file = ImageFormat(SIGNED["image"])
    (signature,) = file.signatures()
    assert patched(SIGNED["image"], file.with_signatures([signature])) == SIGNED["image"]
    data = bytearray(SIGNED["image"])
    data[Image.parse(SIGNED["image"]).table_offset + 6] = 9
    assert ImageFormat(bytes(data)).signatures() == []


@pytest.mark.parametrize("algorithm", [SHA1, SHA256])
def test_page_hashes_of_an_image_are_signed_and_compared(algorithm: DigestAlgorithm) -> None:
    data = FILES["image"][1]
    subject = ImageSubject(data)
    hashes = ImageFormat(data).hash([algorithm], paged=[algorithm])
    claim = indirect_data.parse(ImageFormat(data).content(hashes, algorithm).der)
    assert claim.page_hashes == hashes.pages[algorithm]
    assert subject.hash([algorithm], paged=[algorithm]).pages == hashes.pages
    assert subject.compare(claim).page_hashes_intact is True
    assert ImageSubject(data).compare(claim).page_hashes_intact is True
    assert ImageSubject(data).compare(replace(claim, page_hashes=None)).page_hashes_intact is None
    changed = ImageSubject(data[:-1] + b"\x55").compare(claim)
    assert changed.page_hashes_intact is False
    assert [note.code for note in changed.notes] == ["page-hash-mismatch"]
    assert (changed.problems, subject.compare(claim).notes) == ((), ())


def test_page_hashes_of_an_unknown_layout_are_not_checked() -> None:
    pages = ImageFormat(FILES["image"][1]).hash([SHA256], paged=[SHA256]).pages[SHA256]
    subject = ImageSubject(PeSpec(section_alignment=0x200).build())
    found = subject.compare(IndirectData(oids.SPC_PE_IMAGE_DATA, SHA256.oid, bytes(32), pages))
    assert (subject.has_page_hashes, found.page_hashes_intact) == (False, None)
    assert [note.code for note in found.notes] == ["page-hashes-unchecked"]


def test_a_cabinet_as_evidence_has_one_signature_and_no_code() -> None:
    unsigned, subject = CabinetSubject(FILES["cabinet"][1]), CabinetSubject(SIGNED["cabinet"])
    assert unsigned.embedded().signatures == ()
    assert subject.embedded().signatures == (Cabinet.parse(SIGNED["cabinet"]).signed_data(),)
    assert (subject.architecture, subject.subsystem, subject.protection) == (None, None, ())
    assert subject.has_page_hashes is False
    assert subject.facts().digests == {}


@pytest.mark.parametrize(
    ("enhanced", "digest_oid", "codes"),
    [
        (None, SHA256.oid, []),
        (SHA256.hash(Cabinet.parse(SIGNED["cabinet"]).size_field), SHA256.oid, []),
        (bytes(32), SHA256.oid, ["enhanced-hash-mismatch"]),
        (bytes(32), "2.999", []),
    ],
    ids=["none", "right", "wrong", "unknown-algorithm"],
)
def test_the_size_of_a_cabinet_is_compared(enhanced: bytes | None, digest_oid: str, codes: list[str]) -> None:
    claim = IndirectData(oids.SPC_LINK, digest_oid, bytes(32), None, enhanced)
    found = CabinetSubject(SIGNED["cabinet"]).compare(claim)
    assert [problem.code for problem in found.problems] == codes


@pytest.mark.parametrize(
    ("subject", "algorithm", "type_oid", "enhanced"),
    [
        (ImageSubject(FILES["image"][1]), SHA256, oids.SPC_PE_IMAGE_DATA, False),
        (CabinetSubject(FILES["cabinet"][1]), SHA256, oids.SPC_LINK, True),
        (CabinetSubject(FILES["cabinet"][1]), SHA1, oids.SPC_CAB_DATA, False),
    ],
    ids=["image", "cabinet-sha256", "cabinet-sha1"],
)
def test_catalogs_list_a_file_by_the_content_of_its_format(
    subject: Any, algorithm: DigestAlgorithm, type_oid: str, enhanced: bool
) -> None:
    hashes = subject.hash([algorithm])
    member = indirect_data.parse(subject.member_content(hashes, algorithm))
    assert (member.type_oid, member.digest) == (type_oid, hashes.digests[algorithm])
    assert (member.enhanced_hash is not None) == enhanced


def test_the_facts_of_an_image_are_those_of_its_bytes() -> None:
    data = SIGNED["image"]
    subject = ImageSubject(data)
    assert subject.facts().digests == subject.hash([SHA1, SHA256]).digests
    assert (subject.architecture, subject.has_page_hashes, subject.protection) == ("x64", True, ())
    assert subject.embedded().signatures == tuple(ImageFormat(data).signatures())


def catalog(*fields: bytes, kind: str = oids.SIGNED_DATA, after: bytes = b"") -> bytes:
    """Build a ContentInfo with SignedData of these fields."""
    return der.sequence(der.oid(kind), der.explicit(0, der.sequence(*fields))) + after


VERSION, ALGORITHMS, SIGNERS = der.integer(1), der.tlv(der.SET), der.tlv(der.SET)
CONTENT = der.sequence(der.oid(oids.CTL), der.explicit(0, TRUST_LIST))
WHOLE = catalog(VERSION, ALGORITHMS, CONTENT, SIGNERS)
PARTS: dict[str, tuple[bytes, type[Exception], int]] = {
    "bytes-after-it": (catalog(VERSION, ALGORITHMS, CONTENT, SIGNERS, after=b"\0"), SignatureFormatError, len(WHOLE)),
    "other-content-info": (catalog(VERSION, ALGORITHMS, CONTENT, SIGNERS, kind=oids.CTL), CatalogError, 0),
    "three-fields": (catalog(VERSION, ALGORITHMS, CONTENT), SignatureFormatError, 15),
    "seven-fields": (catalog(VERSION, ALGORITHMS, CONTENT, *[SIGNERS] * 4), SignatureFormatError, 15),
    "content-not-a-sequence": (catalog(VERSION, ALGORITHMS, SIGNERS, SIGNERS), SignatureFormatError, 15),
    "other-content": (
        catalog(VERSION, ALGORITHMS, der.sequence(der.oid(oids.DATA), der.explicit(0)), SIGNERS),
        CatalogError,
        24,
    ),
    "content-without-octets": (
        catalog(VERSION, ALGORITHMS, der.sequence(der.oid(oids.CTL)), SIGNERS),
        SignatureFormatError,
        22,
    ),
    "signers-in-ber": (catalog(VERSION, ALGORITHMS, CONTENT, b"\x31\x80\0\0"), NotDerError, 49),
    "signer-in-ber": (
        catalog(VERSION, ALGORITHMS, CONTENT, der.tlv(der.SET, b"\x30\x80\0\0")),
        NotDerError,
        51,
    ),
    "content-info-of-three": (
        der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0), der.null()),
        SignatureFormatError,
        0,
    ),
    "content-info-of-one": (der.sequence(der.oid(oids.SIGNED_DATA)), SignatureFormatError, 0),
}


@pytest.mark.parametrize(("data", "error", "offset"), PARTS.values(), ids=PARTS)
def test_a_catalog_with_a_part_that_is_wrong_is_refused_with_its_place(
    data: bytes, error: type[Any], offset: int
) -> None:
    with pytest.raises(error) as caught:
        CatalogParts.parse(data)
    assert type(caught.value) is error
    assert caught.value.offset == offset


def test_the_bytes_after_a_catalog_are_counted() -> None:
    with pytest.raises(SignatureFormatError, match="the catalog is followed by 3 extra bytes"):
        CatalogParts.parse(WHOLE + bytes(3))


def test_the_bytes_after_the_parts_of_a_catalog_are_counted() -> None:
    tag = der.explicit(0, der.sequence(), bytes(3))
    with pytest.raises(SignatureFormatError, match="SignedData is followed by 3 extra bytes"):
        CatalogParts.parse(der.sequence(der.oid(oids.SIGNED_DATA), tag))


@pytest.mark.parametrize("count", [1, 2, 3], ids=["four-fields", "five-fields", "six-fields"])
def test_the_parts_of_a_catalog_make_the_same_bytes(count: int) -> None:
    data = catalog(VERSION, ALGORITHMS, CONTENT, *[SIGNERS] * count)
    parts = CatalogParts.parse(data)
    assert (parts.head, parts.trust_list, parts.tail) == (UNSIGNED_HEAD, TRUST_LIST, SIGNERS * count)
    assert (parts.to_bytes(), parts.is_signed) == (data, parts.tail != UNSIGNED_TAIL)


def test_the_list_of_a_catalog_is_left_to_its_reader() -> None:
    ber = der.sequence(der.oid(oids.CTL), der.explicit(0, b"\x30\x03\x02\x81\0"))
    assert CatalogParts.parse(catalog(VERSION, ALGORITHMS, ber, SIGNERS)).trust_list == b"\x30\x03\x02\x81\0"


def test_the_digest_of_a_catalog_covers_the_list_without_its_tag_and_length() -> None:
    file = CatalogFormat(FILES["catalog"][1])
    assert file.hash([SHA256]).digests == {SHA256: SHA256.hash(TRUST_LIST[2:])}


def test_a_list_that_is_not_der_is_not_hashed() -> None:
    ber = FILES["catalog"][1].replace(TRUST_LIST, b"\x30\x80" + TRUST_LIST[2:-2] + b"\0\0")
    with pytest.raises(SignatureFormatError):
        CatalogFormat(ber).hash([SHA256])
