"""Evidence of cabinets: the digest, and the digest of the size field where the signature has one."""

from __future__ import annotations

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.cab.cabinet import Cabinet
from signer.cab.embed import embed, prepare
from signer.pkcs7 import indirect_data
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.verify.evidence import Signature
from signer.verify.gather import gather
from tests.support.cabinets import cabinet
from tests.support.identities import identity

SHA256 = DigestAlgorithm.SHA256
PREPARED = prepare(Cabinet.parse(cabinet({"a.inf": b"[Version]", "b.sys": bytes(range(256)) * 4})))
SIZE = Cabinet.parse(PREPARED).size_field
DIGEST = SHA256.hash(b"".join(Cabinet.parse(PREPARED).hashed_ranges()))
RIGHT = indirect_data.for_cabinet(SHA256, DIGEST, SHA256.hash(SIZE))


def signed(content: bytes) -> bytes:
    return embed(PREPARED, sign(Content(oids.SPC_INDIRECT_DATA, content), identity(), SigningOptions()))


def read(content: bytes) -> Signature:
    (signature,) = gather(signed(content), "cabinet", "a.cab").signatures
    return signature


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        pytest.param(RIGHT, [], id="as Windows signs it"),
        pytest.param(indirect_data.for_link(SHA256, DIGEST), [], id="without the digest of the size"),
        pytest.param(
            indirect_data.for_cabinet(SHA256, DIGEST, SHA256.hash(b"another size")),
            ["enhanced-hash-mismatch"],
            id="another size",
        ),
        pytest.param(
            indirect_data.for_cabinet(SHA256, bytes(32), SHA256.hash(SIZE)), ["digest-mismatch"], id="another digest"
        ),
        pytest.param(
            indirect_data.for_cabinet(SHA256, bytes(32), bytes(32)),
            ["enhanced-hash-mismatch", "digest-mismatch"],
            id="both",
        ),
        pytest.param(indirect_data.for_image(SHA256, DIGEST), ["indirect-data-kind"], id="signed as an image"),
        pytest.param(der.sequence(der.null()), ["indirect-data"], id="what can't be read"),
    ],
)
def test_a_cabinet_is_compared_with_what_was_signed(content: bytes, codes: list[str]) -> None:
    signature = read(content)
    assert [problem.code for problem in signature.problems] == codes
    assert signature.signer == identity().certificate


def test_a_digest_that_is_not_known_is_compared_with_nothing() -> None:
    known = der.oid(SHA256.oid)
    unknown = indirect_data.for_cabinet(SHA256, DIGEST, SHA256.hash(b"another size")).replace(
        known, known[:-1] + b"\x7f"
    )
    assert [problem.code for problem in read(unknown).problems] == [
        "digest-algorithm-unknown",
        "digest-algorithm-mismatch",
    ]


def test_an_unsigned_cabinet_has_no_signature() -> None:
    evidence = gather(PREPARED, "cabinet", "a.cab")
    assert (evidence.signatures, evidence.digests) == ((), {})


def test_the_digest_of_the_signature_is_computed() -> None:
    assert gather(signed(RIGHT), "cabinet", "a.cab").digests == {SHA256: DIGEST}
