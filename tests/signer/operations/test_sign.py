"""Signed files equal SignTool's byte for byte, for every layout, and other tools accept them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import DigestChanged, ImageError
from signer.keys.identity import SigningIdentity
from signer.keys.local import load_pfx
from signer.operations.sign import Signed, sign_file
from signer.operations.signatures import without_signatures
from signer.pe import certificate_table
from signer.pe.digest import digest_image, hash_pages
from signer.pe.embed import require_same_digest
from signer.pe.image import Image
from signer.pkcs7 import indirect_data, nested
from signer.pkcs7.opus import read_statement
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.storage.patching import PatchSet
from tests.support.files import corpus_files, corpus_id, corpus_root, patched
from tests.support.identities import identity
from tests.support.images import PeSpec
from tests.support.timestamping import CODE_SIGNING, TIME_STAMPING, tsa_identity

GOLDEN_PASSWORD = "CodeSign123!"  # published with the test certificate
needs_osslsigncode = pytest.mark.skipif(not shutil.which("osslsigncode"), reason="osslsigncode is not installed")


def digest_of(data: bytes, signed: Signed) -> bytes:
    """Compute the digest of a signed image."""
    return digest_image(Image.parse(data), [signed.algorithm])[signed.algorithm]


def only_signature(data: bytes) -> bytes:
    (entry,) = certificate_table.read(Image.parse(data))
    return entry.signed_data()


@pytest.fixture(scope="module")
def golden_identity(corpus: Path) -> SigningIdentity:
    pfx = corpus / "golden/devolutions-authenticode/authenticode-test-cert.pfx"
    return load_pfx(pfx.read_bytes(), GOLDEN_PASSWORD)


GOLDEN = "golden/generated-signed"
GOLDEN_FILES = [
    path.relative_to(corpus_root() / GOLDEN).as_posix()
    for path in corpus_files(*(f"{GOLDEN}/{folder}/*" for folder in ("pe", "winmd", "cab")))
]


@pytest.mark.parametrize("name", GOLDEN_FILES or ["pe/tiny64-pe-alias.sys"])
def test_a_signed_file_equals_signtool_s_byte_for_byte(
    name: str, corpus: Path, golden_identity: SigningIdentity
) -> None:
    unsigned = (corpus / "golden/generated-unsigned" / name).read_bytes()
    signed = sign_file(unsigned, golden_identity, SigningOptions())
    assert patched(unsigned, signed.changes) == (corpus / GOLDEN / name).read_bytes()


def test_a_signed_catalog_equals_signtool_s_byte_for_byte(corpus: Path, golden_identity: SigningIdentity) -> None:
    unsigned = parse((corpus / "golden/generated-unsigned/catalog/sample.cat").read_bytes())
    signed = sign(Content(unsigned.content_type, unsigned.content), golden_identity, SigningOptions())
    assert signed == (corpus / "golden/generated-signed/catalog/sample.cat").read_bytes()


@pytest.mark.parametrize(
    ("usages", "commercial", "statement"),
    [
        ((CODE_SIGNING,), False, oids.SPC_INDIVIDUAL),
        ((CODE_SIGNING, TIME_STAMPING), False, oids.SPC_INDIVIDUAL),
        ((TIME_STAMPING,), False, None),
        ((), False, None),
        ((CODE_SIGNING,), True, oids.SPC_COMMERCIAL),
        ((), True, oids.SPC_COMMERCIAL),
    ],
    ids=["code signing", "code signing and more", "another EKU", "no EKU", "commercial", "commercial without EKU"],
)
def test_the_statement_depends_on_the_eku_of_the_certificate(
    usages: tuple[x509.ObjectIdentifier, ...], commercial: bool, statement: str | None
) -> None:
    """In 1,100 of 1,100 signatures, SignTool writes SpcStatementType only if the EKU contains code signing."""
    by = tsa_identity(usages=usages)
    signed = sign_file(PeSpec().build(), by, SigningOptions(commercial=commercial))
    assert read_statement(parse(signed.signature).signers[0]) == statement


@pytest.mark.parametrize(
    ("kind", "name"), [("rsa2048", oids.RSA), ("p256", oids.EC_PUBLIC_KEY), ("p384", oids.EC_PUBLIC_KEY)]
)
def test_the_signature_algorithm_names_only_the_key_type(kind: str, name: str) -> None:
    """SignTool and PowerShell write id-ecPublicKey with NULL for ECDSA, never ecdsa-with-SHA256."""
    (signer,) = parse(sign_file(PeSpec().build(), identity(kind), SigningOptions()).signature).signers
    assert signer.signature_algorithm == der.sequence(der.oid(name), der.null())


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_signatures_with_every_key_and_digest_verify(kind: str, algorithm: str) -> None:
    digest = DigestAlgorithm.named(algorithm)
    data = PeSpec(overlay=b"odd").build()
    signed = sign_file(data, identity(kind), SigningOptions(digest))
    result = patched(data, signed.changes)
    assert digest_of(result, signed) == signed.digest
    parsed = parse(only_signature(result))
    (signer,) = parsed.signers
    key = parsed.certificate_of(signer).public_key()  # type: ignore[union-attr]
    prehashed = Prehashed(digest.for_cryptography())
    attributes = digest.hash(signer.signed_attributes_der)
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signer.signature, attributes, padding.PKCS1v15(), prehashed)
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(signer.signature, attributes, ec.ECDSA(prehashed))
    assert signer.signed(oids.MESSAGE_DIGEST)[2:] == digest.hash(parsed.content_octets)  # type: ignore[index]
    assert indirect_data.parse(parsed.content).digest == signed.digest


def test_a_signature_is_replaced_by_a_shorter_and_a_longer_one() -> None:
    data = PeSpec().build()
    long = patched(data, sign_file(data, identity(), SigningOptions(description="x" * 500)).changes)
    short = patched(long, sign_file(long, identity(), SigningOptions()).changes)
    assert short == patched(data, sign_file(data, identity(), SigningOptions()).changes)
    assert patched(short, sign_file(short, identity(), SigningOptions(description="x" * 500)).changes) == long


def test_stripping_restores_the_image_except_checksum_and_padding() -> None:
    data = PeSpec(overlay=b"12345678").build()
    checked = bytearray(data)
    signed = patched(data, sign_file(data, identity(), SigningOptions()).changes)
    stripped = without_signatures(signed)
    assert stripped is not None
    result = patched(signed, stripped)
    at = Image.parse(data).checksum_offset
    checked[at : at + 4] = result[at : at + 4]
    assert result == bytes(checked)
    assert without_signatures(result) is None


def test_appended_signatures_keep_their_order_and_do_not_change_the_first() -> None:
    data = PeSpec().build()
    for description in ("first", "second", "third"):
        signed = sign_file(data, identity(), SigningOptions(description=description), append=True)
        data = patched(data, signed.changes)
        assert digest_of(data, signed) == signed.digest
    primary = only_signature(data)
    inner = nested.nested_in(primary)
    assert len(inner) == 2
    assert "first".encode("utf-16-be") in parse(primary).signers[0].signed_attributes_der
    assert nested.with_unsigned(primary, oids.NESTED_SIGNATURE, ()) == only_signature(
        patched(PeSpec().build(), sign_file(PeSpec().build(), identity(), SigningOptions(description="first")).changes)
    )


@pytest.mark.parametrize("algorithm", [DigestAlgorithm.SHA1, DigestAlgorithm.SHA256])
def test_page_hashes_are_embedded_and_read_back(algorithm: DigestAlgorithm) -> None:
    data = PeSpec(sections=[(".a", 0x400, 0x3200)]).build()
    signed = sign_file(data, identity(), SigningOptions(algorithm), page_hashes=True)
    result = patched(data, signed.changes)
    pages = indirect_data.parse(parse(only_signature(result)).content).page_hashes
    assert pages == hash_pages(Image.parse(result), algorithm)


def corrupt(fault: str, data: bytes, changes: PatchSet) -> PatchSet:
    """Introduce a fault into the changes of a signature."""
    image = Image.parse(data)
    checksum, entry, tail = changes.patches
    return {
        "section": PatchSet((*changes.patches, (0x500, b"\1")), changes.size),
        "longer-field": PatchSet(((checksum[0], checksum[1] + b"\0"), entry, tail), changes.size),
        "no-entry": PatchSet((checksum, tail), changes.size),
        "entry-points-elsewhere": PatchSet((checksum, (entry[0], bytes(8)), tail), changes.size),
        "entry-of-no-size": PatchSet((checksum, (entry[0], entry[1][:4] + bytes(4)), tail), changes.size),
        "entry-of-another-size": PatchSet((checksum, (entry[0], entry[1][:4] + b"\x08\0\0\0"), tail), changes.size),
        "gap": PatchSet((checksum, entry, (tail[0] + 8, tail[1])), changes.size),
        "field-twice": PatchSet((checksum, *changes.patches), changes.size),
        "table-twice": PatchSet((*changes.patches, tail), changes.size + len(tail[1])),
        "padding": PatchSet((checksum, entry, (tail[0], b"\1" + tail[1][1:])), changes.size),
        "truncated": PatchSet(changes.patches, image.content_end),
    }[fault]


@pytest.mark.parametrize(
    "fault",
    [
        "section",
        "longer-field",
        "no-entry",
        "entry-points-elsewhere",
        "entry-of-no-size",
        "entry-of-another-size",
        "gap",
        "field-twice",
        "table-twice",
        "padding",
        "truncated",
    ],
)
def test_changes_that_alter_the_digest_are_refused(fault: str) -> None:
    data = PeSpec(overlay=b"odd").build()
    changes = sign_file(data, identity(), SigningOptions(), replace=True).changes
    require_same_digest(Image.parse(data), changes)
    with pytest.raises(DigestChanged):
        require_same_digest(Image.parse(data), corrupt(fault, data, changes))


@needs_osslsigncode
@pytest.mark.parametrize("path", corpus_files("drivers/*.sys")[::4], ids=corpus_id)
def test_osslsigncode_accepts_signed_drivers(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    image = Image.parse(data)
    pages = image.section_alignment == image.page_size
    signed = sign_file(data, identity(), SigningOptions(), replace=True, page_hashes=pages)
    result = tmp_path / "signed.sys"
    result.write_bytes(patched(data, signed.changes))
    output = subprocess.run(["osslsigncode", "verify", "-in", result], capture_output=True, text=True).stdout
    assert "MISMATCH" not in output
    assert "Calculated message digest" in output
    assert "Calculated PE checksum:" not in output or "invalid" not in output.lower()


@pytest.mark.parametrize("path", corpus_files("drivers/*.sys", "packages/*/**/*.sys"), ids=corpus_id)
def test_every_real_driver_can_be_signed(path: Path) -> None:
    data = path.read_bytes()
    signed = sign_file(data, identity(), SigningOptions(), replace=True)
    result = patched(data, signed.changes)
    assert digest_of(result, signed) == signed.digest
    image = Image.parse(result)
    assert image.table_offset + image.table_size == len(result)


@pytest.mark.parametrize(
    "path", corpus_files("drivers/*.sys", "packages/*/**/*.sys", "packages-media/*/*.sys"), ids=corpus_id
)
def test_computed_page_hashes_equal_the_embedded_ones(path: Path) -> None:
    image = Image.parse(path.read_bytes())
    for entry in certificate_table.read(image):
        primary = entry.signed_data()
        for signature in (primary, *nested.nested_in(primary)):
            pages = indirect_data.parse(parse(signature).content).page_hashes
            assert pages is None or pages == hash_pages(image, pages.algorithm)


def test_signing_twice_gives_equal_results() -> None:
    data = PeSpec().build()
    assert isinstance(sign_file(data, identity(), SigningOptions()), Signed)
    assert sign_file(data, identity(), SigningOptions()) == sign_file(data, identity(), SigningOptions())


@pytest.mark.parametrize("entry", [(0x600, 0), (0, 0x600)], ids=["no-size", "no-offset"])
def test_a_directory_entry_without_offset_or_size_is_ignored(entry: tuple[int, int]) -> None:
    data = PeSpec(table=entry).build()
    signed = sign_file(data, identity(), SigningOptions())
    result = patched(data, signed.changes)
    assert digest_of(result, signed) == signed.digest
    assert only_signature(result) == signed.signature


def test_an_image_with_an_unaligned_pe_header_is_refused() -> None:
    data = PeSpec().build()
    moved = data[:0x3C] + b"\x81" + data[0x3D:0x80] + b"\0" + data[0x80:0x3FF] + data[0x400:]
    with pytest.raises(ImageError, match="multiple of 4"):
        sign_file(moved, identity(), SigningOptions())
