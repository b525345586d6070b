"""osslsigncode verifies images and catalogs: digest, page hashes, signature, and chain to the test root."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, build
from catalogs.catalog.sign import sign_catalog
from catalogs.package.driver_package import read_packages
from signer.algorithms import DigestAlgorithm
from signer.operations.sign import sign_file
from signer.operations.signatures import without_signatures
from signer.pkcs7.signed_data import SigningOptions
from tests.support.files import patched
from tests.support.images import PeSpec
from tests.support.judges import HELLO, hello, osslsigncode

OK = "Signature verification: ok"
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def options(algorithm: str) -> SigningOptions:
    return SigningOptions(DigestAlgorithm.named(algorithm), description="Hello", url="https://example.com/hello")


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_every_key_and_digest_verifies(kind, algorithm, pki, tmp_path):
    data = patched(hello(), sign_file(hello(), pki(kind).identity, options(algorithm)).changes)
    result = osslsigncode(pki(kind), write(tmp_path, "hello.sys", data))
    assert (result.code, result.count(OK)) == (0, 1), result.text
    assert result.count(rf"Message digest algorithm *: {algorithm.upper()}") >= 1
    assert "Text description: Hello" in result.text and "URL description: https://example.com/hello" in result.text


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_page_hashes_match(algorithm, pki, tmp_path):
    data = patched(hello(), sign_file(hello(), pki("rsa2048").identity, options(algorithm), page_hashes=True).changes)
    result = osslsigncode(pki("rsa2048"), write(tmp_path, "hello.sys", data))
    assert (result.code, result.count(OK)) == (0, 1), result.text
    assert result.count(rf"Page hash algorithm *: {algorithm.upper()}") == 1
    assert "MISMATCH" not in result.text


def test_every_nested_signature_verifies(pki, tmp_path):
    identity, data = pki("rsa2048").identity, hello()
    for algorithm in ("sha1", "sha256", "sha384"):
        data = patched(data, sign_file(data, identity, options(algorithm), append=True).changes)
    result = osslsigncode(pki("rsa2048"), write(tmp_path, "hello.sys", data))
    assert (result.code, result.count(OK)) == (0, 3), result.text
    assert "Number of verified signatures: 3" in result.text


def test_signatures_of_two_keys_verify(pki, tmp_path):
    first = patched(hello(), sign_file(hello(), pki("rsa2048").identity, options("sha1")).changes)
    both = patched(first, sign_file(first, pki("p256").identity, options("sha256"), append=True).changes)
    roots = write(tmp_path, "roots.pem", pki("rsa2048").root.read_bytes() + pki("p256").root.read_bytes())
    result = osslsigncode(pki("rsa2048"), write(tmp_path, "hello.sys", both), "-CAfile", roots)
    assert (result.code, result.count(OK)) == (0, 2), result.text


@pytest.mark.parametrize("machine", ["x86", "x64", "arm", "arm64", "ia64"])
@pytest.mark.parametrize("overlay", [b"", b"odd", b"eight by"], ids=["no-overlay", "overlay-of-3", "overlay-of-8"])
def test_every_architecture_and_overlay_verifies(machine, overlay, pki, tmp_path):
    data = PeSpec(machine=machine, overlay=overlay).build()
    signed = patched(data, sign_file(data, pki("p256").identity, options("sha256")).changes)
    result = osslsigncode(pki("p256"), write(tmp_path, "made.sys", signed))
    assert (result.code, result.count(OK)) == (0, 1), result.text


@pytest.mark.parametrize("offset", [0x3C8, 0x420, -1], ids=["headers", "text", "signature"])
def test_one_changed_byte_is_detected(offset, pki, tmp_path):
    data = bytearray(patched(hello(), sign_file(hello(), pki("rsa2048").identity, options("sha256")).changes))
    if offset < 0:
        offset = data.rindex(pki("rsa2048").identity.certificate.signature) + 1
    data[offset] ^= 1
    assert osslsigncode(pki("rsa2048"), write(tmp_path, "hello.sys", bytes(data))).code != 0


def test_a_stripped_image_is_unsigned_and_osslsigncode_can_sign_it(pki, tmp_path):
    signed = patched(hello(), sign_file(hello(), pki("rsa2048").identity, options("sha256")).changes)
    stripped = without_signatures(signed)
    assert stripped is not None
    result = osslsigncode(pki("rsa2048"), write(tmp_path, "hello.sys", patched(signed, stripped)))
    assert result.code != 0
    assert "No signature found" in result.text


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_catalog_and_its_members_verify(version, kind, pki, tmp_path):
    (package,) = read_packages(HELLO)
    signed = sign_catalog(build(package, CatalogOptions(NOW, version)), pki(kind).identity, SigningOptions())
    catalog = write(tmp_path, "hello.cat", signed.to_bytes())
    itself = osslsigncode(pki(kind), catalog)
    assert (itself.code, itself.count(OK)) == (0, 1), itself.text
    member = osslsigncode(pki(kind), HELLO / "hello.sys", "-catalog", catalog)
    assert (member.code, member.count("File is signed in catalog")) == (0, 1), member.text
    stranger = osslsigncode(pki(kind), write(tmp_path, "other.sys", PeSpec().build()), "-catalog", catalog)
    assert stranger.code != 0


def test_a_signed_image_remains_a_member(pki, tmp_path):
    """The digest of an image does not cover its signature, so it may be signed after the catalog is built."""
    (package,) = read_packages(HELLO)
    signed = sign_catalog(build(package, CatalogOptions(NOW)), pki("rsa2048").identity, SigningOptions())
    image = patched(hello(), sign_file(hello(), pki("rsa2048").identity, SigningOptions()).changes)
    result = osslsigncode(
        pki("rsa2048"),
        write(tmp_path, "hello.sys", image),
        "-catalog",
        write(tmp_path, "hello.cat", signed.to_bytes()),
    )
    assert (result.code, result.count("File is signed in catalog")) == (0, 1), result.text
