"""Evidence of images: every signature is found and compared, and every flipped byte is detected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import ImageError
from signer.operations.sign import sign_file
from signer.pe import certificate_table
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.pkcs7 import nested
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.verify.evidence import Evidence
from signer.verify.gather import gather
from tests.support.files import content_of, patched
from tests.support.identities import identity
from tests.support.images import PeSpec


def signed(spec: PeSpec | None = None, kind: str = "rsa2048", *, page_hashes: bool = False, **options: object) -> bytes:
    data = (spec or PeSpec()).build()
    return patched(data, sign_file(data, identity(kind), SigningOptions(**options), page_hashes=page_hashes).changes)  # type: ignore[arg-type]


def with_signature(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The image with its signature's DER changed."""
    image = Image.parse(data)
    (entry,) = certificate_table.read(image)
    return patched(data, embed(image, [change(entry.signed_data())]))


def flipped(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes((data[offset] ^ 1,)) + data[offset + 1 :]


def codes(evidence: Evidence, index: int = 0) -> list[str]:
    return [problem.code for problem in evidence.signatures[index].problems]


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
@pytest.mark.parametrize("algorithm", [one for one in DigestAlgorithm if one is not DigestAlgorithm.MD5])
def test_a_signature_of_every_kind_is_intact(kind: str, algorithm: DigestAlgorithm) -> None:
    data = signed(kind=kind, digest=algorithm, description="Drv", url="https://drv.example/")
    evidence = gather(data, "image", "a.sys")
    (signature,) = evidence.signatures
    assert not signature.problems and not signature.notes and not evidence.problems
    assert evidence.digests == {algorithm: signature.digest}
    assert (signature.source, signature.index, evidence.architecture) == ("embedded", 0, "x64")
    assert (signature.program_name, signature.url) == ("Drv", "https://drv.example/")
    assert signature.statement == oids.SPC_INDIVIDUAL
    assert signature.signer == identity(kind).certificate


def test_an_unsigned_image_has_no_signature() -> None:
    evidence = gather(PeSpec().build(), "image", "a.sys")
    assert evidence.signatures == () and evidence.problems == ()


def test_nested_signatures_are_found_at_any_depth() -> None:
    data = PeSpec().build()
    signatures = [
        sign_file(data, identity(), SigningOptions(digest)).signature
        for digest in (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512)
    ]
    inner = nested.append(signatures[1], signatures[2])
    outer = nested.append(nested.append(signatures[0], inner), signatures[3])
    evidence = gather(patched(data, embed(Image.parse(data), [outer])), "image", "a.sys")
    assert [one.source for one in evidence.signatures] == ["embedded", "nested", "nested", "nested"]
    assert [one.index for one in evidence.signatures] == [0, 1, 2, 3]
    assert {one.digest_algorithm.label for one in evidence.signatures if one.digest_algorithm} == {  # one pass for all
        "sha1",
        "sha256",
        "sha384",
        "sha512",
    }
    assert all(one.intact for one in evidence.signatures)


def test_the_nesting_depth_of_signatures_is_limited() -> None:
    data = PeSpec().build()
    one = sign_file(data, identity(), SigningOptions()).signature
    deep = one
    for _ in range(10):
        deep = nested.append(one, deep)
    evidence = gather(patched(data, embed(Image.parse(data), [deep])), "image", "a.sys")
    assert codes(evidence, -1) == ["signature-format"]
    assert len(evidence.signatures) == 10


def test_the_number_of_signatures_is_limited() -> None:
    data = PeSpec().build()
    one = sign_file(data, identity("p256"), SigningOptions()).signature
    many = nested.with_unsigned(one, oids.NESTED_SIGNATURE, (one,) * 500)
    evidence = gather(patched(data, embed(Image.parse(data), [many])), "image", "a.sys")
    assert codes(evidence, -1) == ["signature-format"]
    assert len(evidence.signatures) == 66
    assert all(signature.intact for signature in evidence.signatures[:-1])


@pytest.mark.parametrize("where", [0x10, 0x210, 0x410, 0x5FF, 0x600])
def test_a_changed_byte_of_the_image_changes_the_digest(where: int) -> None:
    data = signed(PeSpec(overlay=b"overlay"))
    assert codes(gather(flipped(data, where), "image", "a.sys")) == ["digest-mismatch"]


def test_the_checksum_is_not_covered() -> None:
    data = signed()
    assert gather(flipped(data, Image.parse(data).checksum_offset), "image", "a.sys").signatures[0].intact


def mutation(name: str) -> tuple[Callable[[bytes], int], str]:
    """Return where to flip a byte in a signature's DER, and the problem code that follows."""
    places: dict[str, tuple[Callable[[bytes], int], str]] = {
        "signature value": (lambda data: len(data) - 5, "signature-mismatch"),
        "message digest": (
            lambda data: data.index(der.oid(oids.MESSAGE_DIGEST)) + 20,
            "message-digest-mismatch",
        ),
        "content type": (
            lambda data: data.index(der.oid(oids.CONTENT_TYPE)) + len(der.oid(oids.CONTENT_TYPE)) + 11,
            "content-type-attribute",
        ),
        "opus": (lambda data: data.index("Drv".encode("utf-16-be")), "signature-mismatch"),
        "digest in the content": (lambda data: data.index(b"\x00\x04\x20") + 5, "message-digest-mismatch"),
        "certificate's key": (
            lambda data: data.index(_modulus()) + 9,
            "signature-mismatch",
        ),
        "certificate's serial": (lambda data: data.index(b"\x02\x08Drvsign ") + 3, "signer-certificate-missing"),
    }
    return places[name]


def _modulus() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = identity().certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key.public_numbers().n.to_bytes(256, "big")


@pytest.mark.parametrize(
    "name",
    [
        "signature value",
        "message digest",
        "content type",
        "opus",
        "digest in the content",
        "certificate's key",
        "certificate's serial",
    ],
)
def test_a_changed_byte_of_the_signature_is_reported(name: str) -> None:
    where, code = mutation(name)
    data = signed(description="Drv")
    changed = with_signature(data, lambda signature: flipped(signature, where(signature)))
    assert code in codes(gather(changed, "image", "a.sys"))


def test_a_signature_of_a_different_image_is_rejected() -> None:
    other = Image.parse(signed(PeSpec(fill=1)))
    stolen = certificate_table.read(other)[0].signed_data()
    data = PeSpec(fill=2).build()
    assert codes(gather(patched(data, embed(Image.parse(data), [stolen])), "image", "a.sys")) == ["digest-mismatch"]


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_page_hashes_are_recomputed(kind: str) -> None:
    spec = PeSpec(sections=[(".text", 0x400, 0x1800), (".data", 0x1C00, 0x200)])
    data = signed(spec, digest=DigestAlgorithm.named(kind), page_hashes=True)
    (signature,) = gather(data, "image", "a.sys").signatures
    assert (signature.page_hashes, signature.page_hashes_intact) == (kind, True)
    (changed,) = gather(flipped(data, 0x1500), "image", "a.sys").signatures
    assert changed.page_hashes_intact is False
    assert "0x1400" in changed.notes[0].message


def test_a_layout_with_an_ambiguous_digest_is_refused() -> None:
    with pytest.raises(ImageError, match="must end the file"):
        gather(signed() + b"more", "image", "a.sys")


def test_content_in_an_octet_string_is_read_as_windows_reads_it() -> None:
    """.NET's SignedCms wraps the signed content in an OCTET STRING, as CMS does; Windows accepts such signatures."""
    _, content = content_of(PeSpec().build(), DigestAlgorithm.SHA256)
    wrapped = sign(Content(content.oid, der.octets(content.der)), identity(), SigningOptions())
    (found,) = gather(with_signature(signed(), lambda _: wrapped), "image", "a.sys").signatures
    assert (found.problems, [note.code for note in found.notes]) == ((), ["cms-content"])


def test_a_damaged_nested_signature_does_not_affect_the_others() -> None:
    """Drivers in the field carry damaged copies of other signatures beside an intact one."""
    damaged = bytes.fromhex("30 03 30 05 00")
    evidence = gather(with_signature(signed(), lambda data: nested.append(data, damaged)), "image", "a.sys")
    assert [codes(evidence, index) for index in (0, 1)] == [[], ["signature-format"]]


def test_a_digest_of_an_unknown_data_type_is_undecided() -> None:
    """Debian's boot loader signatures use the OID of individual code signing as the data type."""
    _, content = content_of(PeSpec().build(), DigestAlgorithm.SHA256)
    misnamed = content.der.replace(der.oid(oids.SPC_PE_IMAGE_DATA), der.oid(oids.SPC_INDIVIDUAL))
    resigned = sign(Content(content.oid, misnamed), identity(), SigningOptions())
    evidence = gather(with_signature(signed(), lambda _: resigned), "image", "a.sys")
    (found,) = evidence.signatures
    assert (codes(evidence), found.intact, found.state) == (["indirect-data-type"], False, "undecided")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\x30\x80" + der.read(data).contents(data) + bytes(2),
        lambda data: b"\x30\x83" + (len(data) - 4).to_bytes(3) + der.read(data).contents(data),
    ],
    ids=["indefinite length", "long form of a short length"],
)
def test_a_ber_encoded_signature_is_undecidable(change: Callable[[bytes], bytes]) -> None:
    (found,) = gather(with_signature(signed(), change), "image", "a.sys").signatures
    assert ([problem.code for problem in found.problems], found.intact, found.undecidable) == (
        ["signature-ber"],
        False,
        True,
    )


@dataclass(frozen=True)
class ListsByAll:
    """A catalog without members that lists them by every algorithm."""

    name: str = "a.cat"
    signed_data: bytes = b""

    def digest_algorithms(self) -> frozenset[DigestAlgorithm]:
        return frozenset(DigestAlgorithm)

    def page_hash_algorithms(self) -> frozenset[DigestAlgorithm]:
        return frozenset()

    def contains(self, digest: bytes) -> bool:
        return False

    def page_hashes(self, digest: bytes) -> None:
        return None


@pytest.mark.parametrize("kind", ["image", "file"])
def test_digests_are_in_the_same_order_in_every_process(kind: str) -> None:
    found = gather(PeSpec().build(), kind, "a.sys", [ListsByAll()])
    assert list(found.digests) == list(DigestAlgorithm)
