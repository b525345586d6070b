"""OpenSSL verifies SignedData as PKCS #7 and as CMS, without knowing Authenticode."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, build
from catalogs.catalog.sign import sign_catalog
from catalogs.package.driver_package import read_packages
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.operations import signatures as surgery
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from tests.support.files import patched
from tests.support.judges import HELLO, Pki, ProgramResult, hello, openssl

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def image_signature(pki: Pki, algorithm: str = "sha256") -> bytes:
    return sign_file(hello(), pki.identity, SigningOptions(DigestAlgorithm.named(algorithm))).signature


def catalog_signature(pki: Pki) -> bytes:
    (package,) = read_packages(HELLO)
    return sign_catalog(build(package, CatalogOptions(NOW)), pki.identity, SigningOptions()).to_bytes()


def detached(signature: bytes) -> tuple[bytes, bytes]:
    """Return the signature without its content, and the octets of the content that the digest covers.

    CMS content is an OCTET STRING, but Authenticode content is not (PKCS #7 allows any type), so a CMS verifier needs
    it as detached content.
    """
    content_info = der.read(signature)
    oid, wrapped = der.children(signature, content_info)
    signed_data = der.read(signature, wrapped.body)
    version, algorithms, encapsulated, *rest = der.children(signature, signed_data)
    content_type, explicit = der.children(signature, encapsulated)
    octets = der.read(signature, explicit.body).contents(signature)
    parts = [version.whole(signature), algorithms.whole(signature), der.sequence(content_type.whole(signature))]
    parts += [part.whole(signature) for part in rest]
    return der.sequence(oid.whole(signature), der.explicit(0, der.sequence(*parts))), octets


def verify(command: str, pki: Pki, signature: bytes, folder: Path) -> ProgramResult:
    bare, octets = detached(signature)
    (folder / "bare.p7").write_bytes(bare)
    (folder / "content").write_bytes(octets)
    arguments = ["-inform", "DER", "-in", folder / "bare.p7", "-content", folder / "content"]
    return openssl(
        command, "-verify", "-binary", *arguments, "-CAfile", pki.root, "-purpose", "any", "-out", folder / "out"
    )


@pytest.mark.parametrize("command", ["cms", "smime"])
@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_a_signature_of_an_image_verifies(command, kind, algorithm, pki, tmp_path):
    result = verify(command, pki(kind), image_signature(pki(kind), algorithm), tmp_path)
    assert result.code == 0, result.text
    assert "successful" in result.text


@pytest.mark.parametrize("kind", ["rsa2048", "p256"])
def test_a_signature_of_a_catalog_verifies(kind, pki, tmp_path):
    result = verify("cms", pki(kind), catalog_signature(pki(kind)), tmp_path)
    assert result.code == 0, result.text


def test_an_extracted_nested_signature_verifies(pki, tmp_path):
    once = patched(hello(), sign_file(hello(), pki("rsa2048").identity, SigningOptions()).changes)
    twice = patched(once, sign_file(once, pki("p384").identity, SigningOptions(), append=True).changes)
    first, second = surgery.signatures(twice)
    assert verify("cms", pki("rsa2048"), first, tmp_path).code == 0
    assert verify("cms", pki("p384"), second, tmp_path).code == 0


def test_other_content_and_another_root_are_rejected(pki, tmp_path):
    signature = image_signature(pki("rsa2048"))
    assert verify("cms", pki("p256"), signature, tmp_path).code != 0
    assert verify("cms", pki("rsa2048"), signature[:120] + b"\xff" + signature[121:], tmp_path).code != 0


@pytest.mark.parametrize("make", [image_signature, catalog_signature], ids=["image", "catalog"])
def test_the_signature_is_valid_asn1_with_the_certificates(make, pki, tmp_path):
    path = tmp_path / "signature.p7"
    path.write_bytes(make(pki("rsa2048")))
    assert openssl("asn1parse", "-inform", "DER", "-in", path).code == 0
    result = openssl("pkcs7", "-inform", "DER", "-in", path, "-print_certs", "-noout")
    assert result.code == 0
    assert result.count(r"subject=.*Contoso Drivers Issuing CA") == 1
    assert result.count(r"subject=.*CN ?= ?Contoso Drivers\n") == 1
    assert result.count(r"subject=.*Root CA") == 0
