"""Parts of a SignedData that its definition does not have are reported: as problems, or as notes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7 import indirect_data
from signer.pkcs7.encode import attribute
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.pkcs7.structure import check_structure
from signer.verify.signatures import read_signatures
from tests.signer.trust.test_revocation import CA, crl
from tests.support.identities import identity

CONTENT = Content(oids.SPC_INDIRECT_DATA, indirect_data.for_image(DigestAlgorithm.SHA256, bytes(32)))
SIGNED = sign(CONTENT, identity("p256"), SigningOptions())
EXTRA = der.octets(b"hidden data")
Fields = list[bytes]


def split(data: bytes) -> Fields:
    """Return the elements inside the first element of `data`."""
    return [element.whole(data) for element in der.children(data, der.read(data))]


def rebuilt(change: Callable[[Fields], Fields]) -> bytes:
    """Return the signature with other fields of SignedData."""
    oid, wrapped = split(SIGNED)
    return der.sequence(oid, der.explicit(0, der.sequence(*change(split(split(wrapped)[0])))))


def signer(change: Callable[[Fields], Fields]) -> bytes:
    """Return the signature with other fields of SignerInfo."""
    return rebuilt(lambda fields: [*fields[:-1], der.tlv(der.SET, der.sequence(*change(split(split(fields[-1])[0]))))])


def padded(oid: bytes) -> bytes:
    """Return an object identifier with a superfluous 0x80 before its second arc."""
    body = der.read(oid).contents(oid)
    return der.tlv(der.OID, body[:1], b"\x80", body[1:])


def with_list(entry: bytes) -> bytes:
    return rebuilt(lambda fields: [*fields[:-1], der.explicit(1, entry), fields[-1]])


BIG = der.tlv(der.INTEGER, b"\x01", bytes(5_000_000))
UNSIGNED = der.explicit(1, der.sequence(der.oid(oids.DATA), der.tlv(der.SET)))
LIST = crl(CA).public_bytes(Encoding.DER)

NOTED = [
    pytest.param(der.sequence(*split(SIGNED), EXTRA), "trailing-fields", id="after ContentInfo"),
    pytest.param(
        rebuilt(lambda f: [*f[:2], der.sequence(*split(f[2]), EXTRA), *f[3:]]), "trailing-fields", id="encapContentInfo"
    ),
    pytest.param(signer(lambda f: [*f, EXTRA]), "trailing-fields", id="after SignerInfo"),
    pytest.param(signer(lambda f: [*f, der.explicit(2, EXTRA)]), "trailing-fields", id="a tagged field in SignerInfo"),
    pytest.param(
        signer(lambda f: [f[0], der.sequence(*split(f[1]), EXTRA), *f[2:]]), "trailing-fields", id="after the serial"
    ),
    pytest.param(
        signer(lambda f: [*f[:2], der.sequence(*split(f[2]), EXTRA), *f[3:]]), "trailing-fields", id="an algorithm"
    ),
    *(
        pytest.param(
            signer(lambda f, extra=extra: [*f[:2], der.sequence(split(f[2])[0], extra), *f[3:]]),
            "malformed-structure",
            id=f"{name} as parameters of the digest",
        )
        for name, extra in {"a string": EXTRA, "a sequence": der.sequence(EXTRA), "a curve": der.oid("1.2.3")}.items()
    ),
    pytest.param(
        signer(lambda f: [*f[:4], der.sequence(split(f[4])[0], EXTRA), *f[5:]]),
        "malformed-structure",
        id="a string as parameters of the signature",
    ),
    pytest.param(
        rebuilt(lambda f: [f[0], der.tlv(der.SET, der.sequence(split(split(f[1])[0])[0], EXTRA)), *f[2:]]),
        "malformed-structure",
        id="a string as parameters of SignedData's digest",
    ),
    pytest.param(rebuilt(lambda f: [der.integer(9), *f[1:]]), "malformed-structure", id="an undefined version"),
    pytest.param(rebuilt(lambda f: [der.integer(-1), *f[1:]]), "malformed-structure", id="a negative version"),
    pytest.param(signer(lambda f: [der.integer(2), *f[1:]]), "malformed-structure", id="an undefined signer version"),
    pytest.param(signer(lambda f: [*f, UNSIGNED]), "malformed-structure", id="an attribute without a value"),
    pytest.param(with_list(EXTRA), "malformed-structure", id="a string as revocation list"),
    pytest.param(with_list(der.sequence(EXTRA)), "malformed-structure", id="a sequence as revocation list"),
]
INVALID = [
    pytest.param(rebuilt(lambda f: [*f, EXTRA]), "trailing-fields", id="after the signers"),
    pytest.param(rebuilt(lambda f: [*f, f[3]]), "trailing-fields", id="certificates after the signers"),
    pytest.param(rebuilt(lambda f: [BIG, *f[1:]]), "malformed-structure", id="a version of 5 MB"),
    pytest.param(
        rebuilt(lambda f: [der.tlv(der.INTEGER), *f[1:]]), "malformed-structure", id="a version without a value"
    ),
    pytest.param(signer(lambda f: [BIG, *f[1:]]), "malformed-structure", id="a signer version of 5 MB"),
    pytest.param(
        der.sequence(padded(split(SIGNED)[0]), split(SIGNED)[1]), "malformed-structure", id="a padded content type"
    ),
    pytest.param(
        rebuilt(lambda f: [*f[:2], der.sequence(padded(split(f[2])[0]), *split(f[2])[1:]), *f[3:]]),
        "malformed-structure",
        id="a padded type of the signed content",
    ),
    pytest.param(
        signer(lambda f: [*f[:2], der.sequence(padded(split(f[2])[0]), der.null()), *f[3:]]),
        "malformed-structure",
        id="a padded digest algorithm",
    ),
]


@pytest.mark.parametrize(("data", "code"), NOTED)
def test_a_deviation_is_noted(data: bytes, code: str) -> None:
    (read,) = read_signatures(data)
    assert read.signature.intact
    assert code in {note.code for note in read.signature.notes}


@pytest.mark.parametrize(("data", "code"), INVALID)
def test_a_deviation_makes_the_signature_invalid(data: bytes, code: str) -> None:
    (read,) = read_signatures(data)
    assert code in {problem.code for problem in read.signature.problems}
    assert read.signature.state == "broken"


@pytest.mark.parametrize("data", [pytest.param(SIGNED, id="plain"), pytest.param(with_list(LIST), id="with a list")])
def test_a_signature_as_defined_has_no_deviation(data: bytes) -> None:
    found = check_structure(data)
    assert (found.problems, found.notes) == ((), ())
    (read,) = read_signatures(data)
    assert read.signature.intact


def test_an_object_identifier_must_be_in_its_shortest_form() -> None:
    with pytest.raises(SignatureFormatError, match="shortest form"):
        der.read_oid(b"\x2a\x80\x86\x48")
    assert der.read_oid(b"\x2a\x86\x80\x48") == "1.2.98376"


@pytest.mark.parametrize(("version", "notes"), [(1, 0), (2, 1), (3, 0), (4, 1)])
def test_the_versions_of_a_signer(version: int, notes: int) -> None:
    """Version 3 names its certificate by the key identifier (RFC 5652, 5.3)."""
    found = check_structure(signer(lambda fields: [der.integer(version), *fields[1:]]))
    assert (len(found.problems), len(found.notes)) == (0, notes)


def with_version(contents: bytes) -> bytes:
    return rebuilt(lambda fields: [der.tlv(der.INTEGER, contents), *fields[1:]])


@pytest.mark.parametrize(
    ("contents", "noted", "invalid"),
    [
        *(pytest.param(bytes([number]), False, False, id=str(number)) for number in (1, 3, 4, 5)),
        *(pytest.param(bytes([number]), True, False, id=str(number)) for number in (0, 2, 6, 255)),
        pytest.param(b"\x01\x00\x00\x00", True, False, id="four bytes"),
        pytest.param(b"\x01\x00\x00\x00\x00", False, True, id="five bytes"),
    ],
)
def test_the_versions_of_signed_data(contents: bytes, noted: bool, invalid: bool) -> None:
    found = check_structure(with_version(contents))
    assert [problem.code for problem in found.notes] == ["malformed-structure"] * noted
    assert [problem.code for problem in found.problems] == ["malformed-structure"] * invalid


def test_one_field_behind_the_signed_content_is_noted() -> None:
    data = rebuilt(lambda fields: [*fields[:2], der.sequence(*split(fields[2]), der.null()), *fields[3:]])
    assert [problem.code for problem in check_structure(data).notes] == ["trailing-fields"]


@pytest.mark.parametrize(
    ("data", "size"),
    [
        pytest.param(rebuilt(lambda f: [*f, EXTRA, EXTRA]), 2 * len(EXTRA), id="two fields after the signers"),
        pytest.param(
            signer(lambda f: [*f[:2], der.sequence(split(f[2])[0], EXTRA), *f[3:]]), len(EXTRA), id="parameters"
        ),
        pytest.param(with_list(EXTRA), len(EXTRA), id="a string as revocation list"),
        pytest.param(
            signer(lambda f: [*f, der.explicit(1, attribute("2.999", (der.null(),))), EXTRA]),
            len(EXTRA),
            id="a field after the unsigned attributes",
        ),
    ],
)
def test_the_size_of_what_no_signature_covers_is_stated(data: bytes, size: int) -> None:
    found = check_structure(data)
    assert [f" {size} bytes" in one.message for one in (*found.problems, *found.notes)] == [True]


@pytest.mark.parametrize(("contents", "number"), [(b"\xff", -1), (b"\x02", 2)])
def test_an_undefined_version_is_named(contents: bytes, number: int) -> None:
    (note,) = check_structure(with_version(contents)).notes
    assert note.message == f"SignedData has the undefined version {number}"
