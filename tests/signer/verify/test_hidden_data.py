"""Data hidden in a signed image without breaking its signature is detected and reported."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signer.asn1 import der, oids
from signer.errors import ImageError
from signer.operations.sign import sign_file
from signer.pe.image import Image
from signer.pkcs7 import nested
from signer.pkcs7.signed_data import SigningOptions
from signer.verify.gather import gather
from tests.support.identities import certificate, identity
from tests.support.images import PeSpec
from tests.support.tables import UNSIGNED, entry, image_with, padded

SIGNATURE = sign_file(UNSIGNED, identity(), SigningOptions()).signature
ODD = SIGNATURE if len(SIGNATURE) % 8 else nested.with_unsigned(SIGNATURE, "2.999.1", (der.null(),))
"""A signature whose length is not a multiple of 8, so its entry needs padding."""
FILL = -len(ODD) % 8


def test_the_problems_of_the_certificate_table_are_those_of_the_file() -> None:
    evidence = gather(image_with(entry(padded(ODD) + bytes(8))), "image", "a.sys")
    assert [problem.code for problem in evidence.problems] == ["certificate-padding"]
    assert evidence.signatures[0].intact


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00" * 64,
        b"\x30\x80" + bytes(62),
        padded(ODD)[:-9] + b"\x90" * 9,
        b"\x30\x84\xff\xff\xff\xff" + bytes(58),
    ],
    ids=["nothing", "zeros", "BER", "a damaged end", "a length of 4 GB"],
)
def test_an_entry_without_a_signature_is_not_intact(body: bytes) -> None:
    (signature,) = gather(image_with(entry(body)), "image", "a.sys").signatures
    assert not signature.intact


def test_data_in_unsigned_attributes_is_noted() -> None:
    hiding = nested.with_unsigned(SIGNATURE, "1.3.6.1.4.1.42921.1.2.1", (der.octets(b"payload" * 100),))
    (signature,) = gather(image_with(entry(padded(hiding))), "image", "a.sys").signatures
    assert signature.intact
    (note,) = signature.notes
    assert note.code == "unsigned-attribute"
    assert "704 bytes" in note.message and "1.3.6.1.4.1.42921.1.2.1" in note.message


def rewritten(change: Callable[[bytearray, Image], bytes]) -> bytes:
    data = bytearray(image_with(entry(padded(ODD))))
    return change(data, Image.parse(bytes(data)))


def after_the_table(data: bytearray, image: Image) -> bytes:
    return bytes(data) + bytes(8)


def inside_a_section(data: bytearray, image: Image) -> bytes:
    struct.pack_into("<I", data, image.directory_offset, 0x400)
    return bytes(data)


def inside_the_headers(data: bytearray, image: Image) -> bytes:
    struct.pack_into("<I", data, image.directory_offset, 0x100)
    return bytes(data)


def beyond_the_end(data: bytearray, image: Image) -> bytes:
    struct.pack_into("<I", data, image.directory_offset + 4, 1 << 20)
    return bytes(data)


def unaligned(data: bytearray, image: Image) -> bytes:
    struct.pack_into("<II", data, image.directory_offset, image.table_offset + 4, image.table_size - 4)
    return bytes(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (after_the_table, "must end the file"),
        (inside_a_section, "overlaps"),
        (inside_the_headers, "overlaps"),
        (beyond_the_end, "beyond the end"),
        (unaligned, "multiple of 8"),
    ],
)
def test_a_table_in_the_wrong_place_is_refused(change: Callable[[bytearray, Image], bytes], message: str) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        gather(rewritten(change), "image", "a.sys")
    assert caught.value.offset is not None


def test_a_missing_data_directory_is_refused() -> None:
    with pytest.raises(ImageError, match="4 data directories"):
        gather(PeSpec(directories=4).build(), "image", "a.sys")


def signer_changed(change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """Return the signature with changed SignerInfo fields: version, sid, digest, attributes, algorithm, value."""
    data = SIGNATURE
    oid, wrapped = der.children(data, der.read(data))
    *head, signers = der.children(data, der.read(data, wrapped.body))
    new = change([one.whole(data) for one in der.children(data, signers)])
    inner = der.sequence(*(part.whole(data) for part in head), der.tlv(der.SET, *new))
    return der.sequence(oid.whole(data), der.explicit(0, inner))


def fields_changed(place: int, replacement: Callable[[bytes], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    def change(signers: list[bytes]) -> list[bytes]:
        (signer,) = signers
        fields = [field.whole(signer) for field in der.children(signer, der.read(signer))]
        fields[place] = replacement(fields[place])
        return [der.sequence(*fields)]

    return change


def only(*wanted: str) -> Callable[[bytes], bytes]:
    """Keep only the signed attributes of these types."""

    def change(attributes: bytes) -> bytes:
        each = [one.whole(attributes) for one in der.children(attributes, der.read(attributes))]
        kept = [one for one in each if any(der.oid(oid) in one for oid in wanted)]
        return b"\xa0" + der.set_of(kept)[1:]

    return change


def twice(oid: str) -> Callable[[bytes], bytes]:
    def change(attributes: bytes) -> bytes:
        each = [one.whole(attributes) for one in der.children(attributes, der.read(attributes))]
        return b"\xa0" + der.set_of([*each, *(one for one in each if der.oid(oid) in one)])[1:]

    return change


def sha512(algorithm: bytes) -> bytes:
    return algorithm.replace(der.oid("2.16.840.1.101.3.4.2.1"), der.oid("2.16.840.1.101.3.4.2.3"))


def unknown(algorithm: bytes) -> bytes:
    return algorithm.replace(der.oid("2.16.840.1.101.3.4.2.1"), der.oid("2.16.840.1.101.3.4.2.9"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda signers: [], "signer-count"),
        (lambda signers: signers * 2, "signer-count"),
        (fields_changed(2, sha512), "digest-algorithm-mismatch"),
        (fields_changed(2, unknown), "digest-algorithm-unknown"),
        (fields_changed(3, only(oids.CONTENT_TYPE)), "message-digest-attribute"),
        (fields_changed(3, only(oids.MESSAGE_DIGEST)), "content-type-attribute"),
        (fields_changed(3, twice(oids.MESSAGE_DIGEST)), "message-digest-attribute"),
        (fields_changed(3, twice(oids.CONTENT_TYPE)), "content-type-attribute"),
        (fields_changed(3, lambda attributes: b""), "attributes-missing"),
        (fields_changed(4, lambda algorithm: der.sequence(der.oid("1.2.3"))), "signature-unverifiable"),
        (fields_changed(4, lambda algorithm: der.sequence(der.oid("1.2.840.10045.4.3.2"))), "signature-mismatch"),
        (fields_changed(5, lambda value: der.octets(b"")), "signature-mismatch"),
        (fields_changed(5, lambda value: der.octets(bytes(256))), "signature-mismatch"),
        (fields_changed(1, lambda sid: sid[:-1] + bytes((sid[-1] ^ 1,))), "signer-certificate-missing"),
    ],
    ids=[
        "no signer",
        "two signers",
        "a digest that the SignedData does not list",
        "an unknown digest",
        "no message digest",
        "no content type",
        "two message digests",
        "two content types",
        "no signed attributes",
        "an unknown algorithm",
        "an algorithm of another key type",
        "an empty value",
        "zeros as the value",
        "another signer",
    ],
)
def test_signed_data_is_checked_strictly(change: Callable[[list[bytes]], list[bytes]], code: str) -> None:
    changed = signer_changed(change)
    (signature,) = gather(image_with(entry(padded(changed))), "image", "a.sys").signatures
    assert code in [problem.code for problem in signature.problems]
    assert not signature.intact


def with_certificates(*more: bytes) -> bytes:
    """Return the signature with these certificates embedded as well."""
    oid, wrapped = der.children(SIGNATURE, der.read(SIGNATURE))
    fields = [one.whole(SIGNATURE) for one in der.children(SIGNATURE, der.read(SIGNATURE, wrapped.body))]
    own = der.read(fields[3]).contents(fields[3])
    root = identity().chain[0].public_bytes(Encoding.DER)
    # The test root has the same issuer and serial number as its leaf; the first match is taken as the signer.
    fields[3] = der.explicit(0, *(one for one in more if one != root), own, *(one for one in more if one == root))
    return der.sequence(oid.whole(SIGNATURE), der.explicit(0, der.sequence(*fields)))


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ((), []),
        ((identity().chain[0].public_bytes(Encoding.DER),), []),
        ((certificate("Somebody Else", "p256").public_bytes(Encoding.DER),), ["unrelated-certificate"]),
        ((der.sequence(der.sequence(der.octets(b"payload" * 100))),), ["unreadable-certificate"]),
    ],
    ids=["nothing", "the root", "an unrelated certificate", "data that is not a certificate"],
)
def test_unrelated_embedded_certificates_are_noted(more: tuple[bytes, ...], codes: list[str]) -> None:
    (signature,) = gather(image_with(entry(padded(with_certificates(*more)))), "image", "a.sys").signatures
    assert [note.code for note in signature.notes] == codes
    assert signature.intact
