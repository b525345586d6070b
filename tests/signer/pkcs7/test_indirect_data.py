"""SpcIndirectDataContent is parsed in every form that its definition allows, and malformed data is refused."""

from __future__ import annotations

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pe.digest import PageHashes
from signer.pkcs7 import indirect_data

SHA256 = DigestAlgorithm.SHA256
DIGEST = bytes(range(32))
IMAGE_DATA = (indirect_data.NO_FLAGS, der.explicit(0, bytes.fromhex("a2028000")))


def content(*value: bytes, what: str = oids.SPC_PE_IMAGE_DATA) -> bytes:
    info = der.sequence(der.sequence(der.oid(SHA256.oid), der.null()), der.octets(DIGEST))
    return der.sequence(der.sequence(der.oid(what), *value), info)


@pytest.mark.parametrize(
    "value",
    [
        (),
        (der.sequence(),),
        (der.sequence(indirect_data.NO_FLAGS),),
        (der.sequence(indirect_data.INCLUDE_RESOURCES, der.explicit(0, bytes.fromhex("a2028000"))),),
        (der.sequence(der.explicit(0, der.tlv(0x80, b"http://x/"))),),
        (der.sequence(der.explicit(0, der.explicit(1, der.octets(bytes(16)), der.octets(b"")))),),
    ],
    ids=["no value", "empty", "only flags", "an empty file", "a URL", "an object of another class"],
)
def test_an_image_without_page_hashes(value: tuple[bytes, ...]) -> None:
    found = indirect_data.parse(content(*value))
    assert (found.type_oid, found.algorithm) == (oids.SPC_PE_IMAGE_DATA, SHA256)
    assert (found.digest, found.page_hashes) == (DIGEST, None)


@pytest.mark.parametrize("algorithm", [DigestAlgorithm.SHA1, SHA256])
@pytest.mark.parametrize("flags", [indirect_data.NO_FLAGS, indirect_data.INCLUDE_RESOURCES], ids=["tool", "catalog"])
def test_page_hashes_are_read_back_in_the_usual_form_as_in_any_other(
    algorithm: DigestAlgorithm, flags: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [PageHashes(algorithm, bytes(range(4 + algorithm.size)) * rows) for rows in (*range(13), 60, 2000)]
    encoded = [indirect_data.for_image(SHA256, DIGEST, pages, flags=flags) for pages in every]
    slow = indirect_data._hashes_in
    monkeypatch.setattr(indirect_data, "_hashes_in", lambda *_: pytest.fail("read as an unusual form"))
    assert [indirect_data.parse(one).page_hashes for one in encoded] == every
    monkeypatch.setattr(indirect_data, "_hashes_in", slow)
    monkeypatch.setattr(indirect_data, "_usual_page_hashes", lambda data: None)
    indirect_data._parse_file_type.cache_clear()
    indirect_data._form.cache_clear()
    assert [indirect_data.parse(one).page_hashes for one in encoded] == every


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(indirect_data.for_image(SHA256, DIGEST), id="image"),
        pytest.param(indirect_data.for_image(SHA256, DIGEST, PageHashes(SHA256, bytes(36) * 2)), id="page-hashes"),
        pytest.param(indirect_data.for_link(SHA256, DIGEST), id="file"),
        pytest.param(indirect_data.for_cabinet(SHA256, DIGEST, DIGEST), id="cabinet"),
    ],
)
def test_data_with_a_changed_bit_is_parsed_or_refused(good: bytes) -> None:
    refused = 0
    for position in range(8 * len(good)):
        changed = bytearray(good)
        changed[position // 8] ^= 1 << position % 8
        try:
            indirect_data.parse(bytes(changed))
        except SignatureFormatError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(der.null(), id="NULL"),
        pytest.param(der.sequence(), id="an empty SEQUENCE"),
        pytest.param(content() + b"\0", id="extra bytes"),
        pytest.param(der.sequence(der.sequence(), der.sequence()), id="empty parts"),
        pytest.param(content(der.sequence(), der.sequence()), id="two values"),
        pytest.param(content(der.sequence(*IMAGE_DATA, der.null())), id="a third field of SpcPeImageData"),
    ],
)
def test_malformed_data_is_refused(data: bytes) -> None:
    with pytest.raises(SignatureFormatError):
        indirect_data.parse(data)
    with pytest.raises(SignatureFormatError):
        indirect_data.parse_digest(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(indirect_data.for_image(SHA256, DIGEST), id="an image"),
        pytest.param(indirect_data.for_link(DigestAlgorithm.SHA1, DIGEST[:20]), id="a digest of another size"),
        pytest.param(indirect_data.for_image(SHA256, DIGEST, PageHashes(SHA256, bytes(36) * 2)), id="page hashes"),
        pytest.param(indirect_data.for_image(SHA256, DIGEST, PageHashes(SHA256, bytes(36) * 9)), id="more of them"),
    ],
)
def test_a_catalog_reads_the_same_digest_as_an_image(data: bytes) -> None:
    """Catalogs read only algorithm, digest and page hashes of their members."""
    found = indirect_data.parse(data)
    assert indirect_data.parse_digest(data) == (found.algorithm, found.digest, found.page_hashes)


def with_algorithm(*parts: bytes) -> bytes:
    info = der.sequence(der.sequence(*parts), der.octets(DIGEST))
    return der.sequence(der.sequence(der.oid(oids.SPC_PE_IMAGE_DATA)), info)


@pytest.mark.parametrize("parts", [(), (der.null(),)], ids=["without parameters", "with NULL"])
def test_an_algorithm_has_one_or_two_parts(parts: tuple[bytes, ...]) -> None:
    assert indirect_data.parse(with_algorithm(der.oid(SHA256.oid), *parts)).algorithm == SHA256


@pytest.mark.parametrize(
    "parts",
    [(), (der.null(), der.oid(SHA256.oid)), (der.oid(SHA256.oid), der.null(), der.null())],
    ids=["none", "another order", "three"],
)
def test_an_algorithm_of_other_parts_is_refused(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(SignatureFormatError):
        indirect_data.parse(with_algorithm(*parts))


@pytest.mark.parametrize("flags", [indirect_data.NO_FLAGS, indirect_data.INCLUDE_RESOURCES], ids=["none", "resources"])
def test_an_image_is_encoded_with_flags_and_an_empty_file(flags: bytes) -> None:
    expected = content(der.sequence(flags, der.explicit(0, bytes.fromhex("a2028000"))))
    assert indirect_data.for_image(SHA256, DIGEST, flags=flags) == expected
