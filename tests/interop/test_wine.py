"""Wine's WinVerifyTrust and catalog functions verify signed files, called by wincheck.c.

Wine 8 verifies an image's digest, the signature and its certificate; it trusts every root, and enumerates only members
of version 1 catalogs. It does not support page hashes, and does not recompute the digest of a catalog's content.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, build
from catalogs.catalog.file import Catalog
from catalogs.catalog.sign import sign_catalog
from catalogs.package.driver_package import read_packages
from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.operations.sign import sign_file
from signer.pe.digest import digest_image
from signer.pe.image import Image
from signer.pkcs7.signed_data import SigningOptions
from signer.pkcs7.timestamp import TimestampClient
from signer.pkcs7.timestamp_request import RFC3161_QUERY
from tests.support.files import patched
from tests.support.judges import HELLO, hello
from tests.support.timestamping import tsa

GOOD, BAD_DIGEST, UNSIGNED = "00000000", "80096010", "800b0100"
"""S_OK, TRUST_E_BAD_DIGEST, TRUST_E_NOSIGNATURE (winerror.h)."""
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogs(pki) -> dict[int, Catalog]:
    (package,) = read_packages(HELLO)
    options = [CatalogOptions(NOW, version) for version in (1, 2)]
    return {o.version: sign_catalog(build(package, o), pki("rsa2048").identity, SigningOptions()) for o in options}


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_an_image_verifies_and_a_changed_one_does_not(algorithm, pki, wincheck, tmp_path):
    options = SigningOptions(DigestAlgorithm.named(algorithm))
    data = patched(hello(), sign_file(hello(), pki("rsa2048").identity, options).changes)
    changed = bytearray(data)
    changed[0x420] ^= 1  # in .text
    verdicts = wincheck(
        ("verify", write(tmp_path, "good.sys", data)),
        ("verify", write(tmp_path, "changed.sys", bytes(changed))),
        ("verify", HELLO / "hello.sys"),
    )
    assert verdicts == [GOOD, BAD_DIGEST, UNSIGNED]


def test_an_image_with_page_hashes_and_a_nested_signature_verifies(pki, wincheck, tmp_path):
    identity = pki("rsa2048").identity
    pages = patched(hello(), sign_file(hello(), identity, SigningOptions(), page_hashes=True).changes)
    nested = patched(pages, sign_file(pages, identity, SigningOptions(DigestAlgorithm.SHA512), append=True).changes)
    assert wincheck(
        ("verify", write(tmp_path, "pages.sys", pages)), ("verify", write(tmp_path, "nested.sys", nested))
    ) == [GOOD, GOOD]


@pytest.mark.parametrize("kind", ["rfc3161", "authenticode"])
def test_a_timestamped_image_verifies(kind, pki, wincheck, tmp_path):
    identity = pki("rsa2048").identity
    stamper = TimestampClient(["http://tsa.example/"], kind, post=answer)
    image = patched(hello(), sign_file(hello(), identity, SigningOptions(), timestamper=stamper).changes)
    (package,) = read_packages(HELLO)
    catalog = sign_catalog(build(package, CatalogOptions(NOW)), identity, SigningOptions(), stamper)
    files = write(tmp_path, "stamped.sys", image), write(tmp_path, "stamped.cat", catalog.to_bytes())
    assert wincheck(*(("verify", path) for path in files)) == [GOOD, GOOD]


def answer(url: str, body: bytes, content_type: str, seconds: float) -> bytes:
    return tsa().answer(body) if content_type == RFC3161_QUERY else tsa().answer_legacy(body)


def test_the_signer_certificate_is_found(pki, wincheck, tmp_path):
    data = patched(hello(), sign_file(hello(), pki("rsa2048").identity, SigningOptions()).changes)
    (output,) = wincheck(("signer", write(tmp_path, "good.sys", data)))
    subject, issuer, digest = output.split(" / ")
    assert (subject, digest) == ("Contoso Drivers", DigestAlgorithm.SHA256.oid)
    assert re.fullmatch("Contoso Drivers Issuing CA [0-9a-f]{8}", issuer)


@pytest.mark.parametrize("version", [1, 2])
def test_a_catalog_verifies_and_a_changed_one_does_not(version, catalogs, wincheck, tmp_path):
    data = catalogs[version].to_bytes()
    changed = bytearray(data)
    changed[-1] ^= 1  # in the signature value, which is at the end of the file
    good, bad, unsigned = wincheck(
        ("verify", write(tmp_path, "good.cat", data)),
        ("verify", write(tmp_path, "changed.cat", bytes(changed))),
        ("verify", write(tmp_path, "unsigned.cat", catalogs[version].unsigned().to_bytes())),
    )
    assert good == GOOD
    assert bad not in (GOOD, unsigned)
    assert unsigned != GOOD


def test_wine_lists_the_members_of_a_catalog(catalogs, wincheck, tmp_path):
    (output,) = wincheck(("members", write(tmp_path, "good.cat", catalogs[1].to_bytes())))
    image = digest_image(Image.parse(hello()), [DigestAlgorithm.SHA1])[DigestAlgorithm.SHA1].hex()
    inf = DigestAlgorithm.SHA1.hash((HELLO / "hello.inf").read_bytes()).hex()
    expected = {f"{image.upper()} {image} {oids.SPC_PE_IMAGE_DATA}", f"{inf.upper()} {inf} {oids.SPC_CAB_DATA}"}
    assert set(output.splitlines()) == expected


def test_the_catalog_has_the_hash_of_a_flat_file(catalogs, wincheck):
    """Wine 8 also computes this flat hash for images; Windows does not."""
    (output,) = wincheck(("hash", HELLO / "hello.inf"))
    assert catalogs[2].contains(bytes.fromhex(output))
