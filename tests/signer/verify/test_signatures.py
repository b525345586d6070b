"""One SignedData over a file: the claimed digest, and problems of unreadable parts."""

from __future__ import annotations

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.pkcs7 import indirect_data
from signer.pkcs7.encode import attribute
from signer.pkcs7.nested import append
from signer.pkcs7.signed_data import Content, Prepared, SigningOptions, sign
from signer.verify.evidence import Signature
from signer.verify.signatures import read_signatures
from tests.support.identities import identity

SHA1, SHA256, SHA384 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256, DigestAlgorithm.SHA384


def signature(algorithm: DigestAlgorithm, digest: bytes, signer: DigestAlgorithm) -> Signature:
    """Sign an image with this digest; `signer` is the digest algorithm of the attributes."""
    content = Content(oids.SPC_INDIRECT_DATA, indirect_data.for_image(algorithm, digest))
    (found,) = read_signatures(sign(content, identity(), SigningOptions(digest=signer)))
    return found.signature


def codes(found: Signature) -> list[str]:
    return [problem.code for problem in found.problems]


@pytest.mark.parametrize(
    ("algorithm", "signer"),
    [
        pytest.param(SHA1, SHA256, id="a weak digest of the file under a strong signature"),
        pytest.param(SHA256, SHA1, id="a strong digest of the file under a weak signature"),
        pytest.param(SHA384, SHA256, id="two strong digests"),
    ],
)
def test_the_file_must_be_hashed_with_the_signer_s_digest(algorithm: DigestAlgorithm, signer: DigestAlgorithm) -> None:
    found = signature(algorithm, bytes(algorithm.size), signer)
    assert codes(found) == ["digest-algorithm-mismatch"]
    assert (found.digest_algorithm, found.signer_digest_algorithm, found.state) == (algorithm, signer, "broken")


@pytest.mark.parametrize("size", [0, 1, 20, 31, 33, 64])
def test_a_digest_of_the_wrong_length_is_a_problem(size: int) -> None:
    assert codes(signature(SHA256, bytes(size), SHA256)) == ["digest-size"]


@pytest.mark.parametrize("algorithm", [SHA1, SHA256, SHA384])
def test_a_digest_of_the_right_length_and_algorithm_is_intact(algorithm: DigestAlgorithm) -> None:
    assert signature(algorithm, bytes(algorithm.size), algorithm).intact


def with_attribute(oid: str, value: bytes) -> bytes:
    """Return a signature with an additional signed attribute."""
    content = Content(oids.SPC_INDIRECT_DATA, indirect_data.for_image(SHA256, bytes(32)))
    octets = der.read(content.der).contents(content.der)
    attributes = [
        attribute(oids.CONTENT_TYPE, (der.oid(content.oid),)),
        attribute(oids.MESSAGE_DIGEST, (der.octets(SHA256.hash(octets)),)),
        attribute(oid, (value,)),
    ]
    prepared = Prepared(content, identity().certificate, (), SHA256, der.set_of(attributes))
    return prepared.finish(identity().key.sign(prepared.digest, SHA256))


@pytest.mark.parametrize("oid", [oids.SPC_SP_OPUS_INFO, oids.SPC_STATEMENT_TYPE])
def test_an_unreadable_authenticode_attribute_is_a_problem(oid: str) -> None:
    (found,) = read_signatures(with_attribute(oid, der.octets(b"no such structure")))
    assert codes(found.signature) == ["authenticode-attributes"]
    assert found.signature.signer == identity().certificate


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (der.tlv(0x80, b"http://contoso.example"), "http://contoso.example"),
        (der.explicit(1, der.octets(bytes(16)), der.octets(b"page hashes")), None),
        (der.tlv(0x80, b""), None),
    ],
    ids=["text", "a-serialized-object", "empty"],
)
def test_a_link_that_is_no_text_is_left_out(link: bytes, url: str | None) -> None:
    info = der.sequence(der.explicit(1, link))
    (found,) = read_signatures(with_attribute(oids.SPC_SP_OPUS_INFO, info))
    assert (codes(found.signature), found.signature.url) == ([], url)


def test_unreadable_content_is_a_problem_and_the_signer_is_known() -> None:
    content = Content(oids.SPC_INDIRECT_DATA, der.sequence(der.octets(b"no digest")))
    (found,) = read_signatures(sign(content, identity(), SigningOptions()))
    assert (codes(found.signature), found.indirect) == (["indirect-data"], None)
    assert found.signature.signer == identity().certificate


def test_content_of_another_type_is_a_problem() -> None:
    content = Content(oids.CTL, indirect_data.for_image(SHA256, bytes(32)))
    (found,) = read_signatures(sign(content, identity(), SigningOptions()))
    assert (codes(found.signature), found.indirect) == (["content-type"], None)


def test_the_refused_signature_is_numbered() -> None:
    """Nine levels of nesting are read, and the next one is numbered after them."""
    content = Content(oids.SPC_INDIRECT_DATA, indirect_data.for_image(SHA256, bytes(32)))
    one = sign(content, identity("p256"), SigningOptions())
    deep = one
    for _ in range(10):
        deep = append(one, deep)
    found = [read.signature for read in read_signatures(deep)]
    assert [each.index for each in found] == list(range(10))
    assert [each.source for each in found] == ["embedded", *["nested"] * 9]
    assert [codes(each) for each in found] == [*[[]] * 9, ["signature-format"]]


def test_a_signer_whose_certificate_can_not_be_read_is_unknown() -> None:
    content = Content(oids.SPC_INDIRECT_DATA, indirect_data.for_image(SHA256, bytes(32)))
    signed = sign(content, identity(), SigningOptions())
    assert signed.count(b"240101000000Z") == 1
    (found,) = read_signatures(signed.replace(b"240101000000Z", b"24010100000XZ"))
    assert codes(found.signature) == ["signer-certificate-unreadable"]
    assert (found.signature.signer, found.signature.state) == (None, "undecided")
