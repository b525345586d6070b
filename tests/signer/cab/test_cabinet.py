"""Signing and stripping cabinets, checked with cabextract and osslsigncode."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.cab.cabinet import Cabinet
from signer.cab.embed import embed, prepare
from signer.errors import MalformedInput, SignerError, SigningError
from signer.formats.detect import detect
from signer.formats.table import CABINET
from signer.operations.sign import sign_file
from signer.operations.signatures import without_signatures
from signer.pkcs7 import indirect_data, nested
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.verify.gather import gather
from tests.support.cabinets import cabinet
from tests.support.files import content_of
from tests.support.identities import identity

PLAIN = cabinet({"a.inf": b"[Version]", "b.sys": bytes(range(256)) * 4})
TWO_FOLDERS = cabinet({"a.inf": b"[Version]", "b.sys": bytes(range(256)) * 4}, folders=2)


def signed(data: bytes, **options: bool) -> bytes:
    result = sign_file(data, identity(), SigningOptions(), **options)  # type: ignore[arg-type]
    ((offset, whole),) = result.changes.patches
    assert (offset, len(whole)) == (0, result.changes.size)
    assert result.digest == content_of(whole, result.algorithm)[0]
    return whole


@pytest.mark.parametrize("data", [PLAIN, TWO_FOLDERS], ids=["one-folder", "two-folders"])
def test_stripping_restores_the_original_bytes(data: bytes) -> None:
    stripped = without_signatures(signed(data))
    assert stripped is not None
    assert stripped.patches == ((0, data),)
    assert without_signatures(data) is None


def test_signing_again_replaces_the_signature_and_append_nests_it() -> None:
    once = signed(PLAIN)
    assert signed(once) == once
    both = Cabinet.parse(signed(once, append=True)).signed_data()
    assert len(nested.nested_in(both)) == 1


def test_the_signature_covers_the_cabinet_with_its_reserved_bytes() -> None:
    found = Cabinet.parse(signed(PLAIN))
    content = indirect_data.parse(parse(found.signed_data()).content)
    assert content.type_oid == oids.SPC_LINK
    assert content.digest == DigestAlgorithm.SHA256.hash(b"".join(found.hashed_ranges()))
    assert content.enhanced_hash == DigestAlgorithm.SHA256.hash(struct.pack("<I", len(PLAIN) + 24))


SIGNTOOL_SHA256 = """
    3081 8b 3056 060a 2b06010401823702011c a148 0410 a6b586d5b4a12466ae05a217da8e60d6 0434
    3132 3030 060a 2b060104018237020501 3122 0420 {enhanced}
    3031 300d 0609 608648016503040201 0500 0420 {digest}"""
MICROSOFT_SHA1 = """
    306f 304a 060a 2b06010401823702011c a13c 0410 a6b586d5b4a12466ae05a217da8e60d6 0428
    3126 3024 060a 2b060104018237020501 3116 0414 {enhanced}
    3021 3009 0605 2b0e03021a 0500 0414 {digest}"""


@pytest.mark.parametrize(
    ("algorithm", "form"),
    [(DigestAlgorithm.SHA256, SIGNTOOL_SHA256), (DigestAlgorithm.SHA1, MICROSOFT_SHA1)],
    ids=["SignTool 10, SHA-256", "a Microsoft cabinet of 2012, SHA-1"],
)
def test_the_signed_content_has_the_bytes_that_microsoft_writes(algorithm: DigestAlgorithm, form: str) -> None:
    prepared = prepare(Cabinet.parse(PLAIN))
    digest, content = content_of(prepared, algorithm)
    enhanced = algorithm.hash(struct.pack("<I", len(PLAIN) + 24))
    assert content.der == bytes.fromhex(form.format(digest=digest.hex(), enhanced=enhanced.hex()))


def resigned_with(content: bytes) -> bytes:
    return embed(
        prepare(Cabinet.parse(PLAIN)), sign(Content(oids.SPC_INDIRECT_DATA, content), identity(), SigningOptions())
    )


def test_a_signature_in_the_form_before_windows_8_is_intact() -> None:
    digest, _ = content_of(PLAIN, DigestAlgorithm.SHA256)
    (signature,) = gather(
        resigned_with(indirect_data.for_link(DigestAlgorithm.SHA256, digest)), "cabinet", ""
    ).signatures
    assert signature.intact


def test_a_wrong_enhanced_hash_is_reported() -> None:
    digest, _ = content_of(PLAIN, DigestAlgorithm.SHA256)
    other = indirect_data.for_cabinet(DigestAlgorithm.SHA256, digest, DigestAlgorithm.SHA256.hash(bytes(4)))
    (signature,) = gather(resigned_with(other), "cabinet", "").signatures
    assert [problem.code for problem in signature.problems] == ["enhanced-hash-mismatch"]


def test_a_reserved_area_of_more_than_20_bytes_is_supported() -> None:
    """ReservePerCabinetSize=6144, which old signing instructions recommend."""
    size, more = 6144, 6144 + 4
    head = bytearray(PLAIN[:36])
    struct.pack_into("<I", head, 8, len(PLAIN) + more)
    struct.pack_into("<I", head, 16, struct.unpack_from("<I", head, 16)[0] + more)
    struct.pack_into("<H", head, 30, 4)
    rest = bytearray(PLAIN[36:])
    struct.pack_into("<I", rest, 0, struct.unpack_from("<I", rest, 0)[0] + more)
    reserve = struct.pack("<HBBHHIIQ", size, 0, 0, 0, 16, len(PLAIN) + more, 0, 0).ljust(size + 4, b"\0")
    prepared = bytes(head) + reserve + bytes(rest)
    whole = signed(prepared)
    (signature,) = gather(whole, "cabinet", "").signatures
    assert signature.intact
    assert whole[: len(prepared)][60 : 40 + size] == bytes(size - 20)
    stripped = without_signatures(whole)
    assert stripped is not None and not Cabinet.parse(stripped.patches[0][1]).is_signed


@pytest.mark.skipif(not shutil.which("cabextract"), reason="cabextract is not installed")
@pytest.mark.parametrize("data", [PLAIN, TWO_FOLDERS], ids=["one-folder", "two-folders"])
def test_cabextract_reads_a_signed_cabinet(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "signed.cab"
    path.write_bytes(signed(data))
    done = subprocess.run(["cabextract", "-t", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("osslsigncode"), reason="osslsigncode is not installed")
def test_osslsigncode_accepts_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "signed.cab"
    path.write_bytes(signed(PLAIN))
    output = subprocess.run(["osslsigncode", "verify", "-in", path], capture_output=True, text=True).stdout
    assert "Calculated message digest" in output
    assert "MISMATCH" not in output


@pytest.mark.skipif(not shutil.which("osslsigncode"), reason="osslsigncode is not installed")
def test_osslsigncode_hashes_the_same_bytes(tmp_path: Path) -> None:
    """With one folder: osslsigncode 2.9 writes a wrong data offset for the second of several folders."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from tests.support.identities import private_key

    plain, result, key, cert = (tmp_path / name for name in ("plain.cab", "result.cab", "key.pem", "cert.pem"))
    plain.write_bytes(PLAIN)
    key.write_bytes(
        private_key("rsa2048", "Drvsign Unit Test").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    cert.write_bytes(identity().certificate.public_bytes(Encoding.PEM))
    command = ["osslsigncode", "sign", "-certs", cert, "-key", key, "-h", "sha256", "-in", plain, "-out", result]
    subprocess.run(command, check=True, capture_output=True)
    theirs, ours = Cabinet.parse(result.read_bytes()), Cabinet.parse(signed(PLAIN))
    assert b"".join(theirs.hashed_ranges()) == b"".join(ours.hashed_ranges())


def changed(offset: int, form: str, value: int) -> bytes:
    data = bytearray(PLAIN)
    struct.pack_into(form, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"MSCF", "not a PE image, a catalog or a cabinet"),
        (b"MZ" + bytes(100), "not a PE image, a catalog or a cabinet"),
        (changed(30, "<H", 2), "part of a multi-cabinet set"),
        (changed(8, "<I", 5), "gives 5 bytes as the size"),
        (PLAIN[:-1], f"gives {len(PLAIN)} bytes as the size of the cabinet, but the file has {len(PLAIN) - 1}"),
        (changed(26, "<H", 60000), "truncated in its folder table"),
        (PLAIN[:36] + struct.pack("<HBB", 6, 0, 0) + bytes(80), "as the size of the cabinet"),
    ],
)
def test_a_cabinet_that_can_t_be_signed_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(SignerError, match=message):
        sign_file(data, identity(), SigningOptions())


@pytest.mark.parametrize("data", [PLAIN[:-1], changed(8, "<I", 0x20202020)], ids=["cut-off", "too-large"])
def test_a_truncated_cabinet_is_refused_instead_of_reported_as_unsigned(data: bytes) -> None:
    with pytest.raises(MalformedInput, match="as the size of the cabinet"):
        without_signatures(data)
    with pytest.raises(MalformedInput, match="as the size of the cabinet"):
        gather(memoryview(data), "cabinet", "cut.cab")


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_damaged_cabinet_is_signed_or_refused(offset: int, flip: int) -> None:
    data = bytearray(PLAIN)
    data[offset] ^= flip
    try:
        signed(bytes(data))
    except MalformedInput:
        assert offset < 60
    except SigningError:
        assert detect(bytes(data)) is not CABINET
