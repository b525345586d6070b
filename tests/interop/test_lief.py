"""LIEF verifies signed images: digests and signatures, for the algorithms that it supports."""

from __future__ import annotations

import lief
import pytest

from signer.algorithms import DigestAlgorithm
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from tests.support.files import patched
from tests.support.images import PeSpec
from tests.support.judges import hello

OK = lief.PE.Signature.VERIFICATION_FLAGS.OK


def signed(pki, algorithm: str = "sha256", data: bytes | None = None, **how: bool) -> bytes:
    data = data or hello()
    options = SigningOptions(DigestAlgorithm.named(algorithm))
    return patched(data, sign_file(data, pki("rsa2048").identity, options, **how).changes)


@pytest.mark.parametrize(
    ("algorithm", "page_hashes"),
    [("sha1", False), ("sha256", False), ("sha384", False), ("sha512", False), ("sha1", True), ("sha256", True)],
)
def test_lief_verifies_every_digest(algorithm, page_hashes, pki):
    image = lief.PE.parse(signed(pki, algorithm, page_hashes=page_hashes))
    assert image.verify_signature() == OK
    assert [str(s.digest_algorithm).split(".")[-1].replace("_", "").lower() for s in image.signatures] == [algorithm]


@pytest.mark.parametrize("machine", ["x86", "x64", "arm64"])
@pytest.mark.parametrize("overlay", [b"", b"odd"], ids=["no-overlay", "overlay"])
def test_lief_verifies_every_layout(machine, overlay, pki):
    assert lief.PE.parse(signed(pki, data=PeSpec(machine=machine, overlay=overlay).build())).verify_signature() == OK


def test_lief_detects_one_changed_byte(pki):
    data = bytearray(signed(pki))
    data[0x420] ^= 1
    assert lief.PE.parse(bytes(data)).verify_signature() & lief.PE.Signature.VERIFICATION_FLAGS.BAD_DIGEST


def test_lief_finds_no_signature_in_an_unsigned_image():
    assert lief.PE.parse(hello()).verify_signature() == lief.PE.Signature.VERIFICATION_FLAGS.NO_SIGNATURE
