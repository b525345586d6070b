"""Attacks on the structure of a signature: its signers, its attributes and its encoding."""

from __future__ import annotations

from collections.abc import Callable

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.pkcs7 import nested
from signer.pkcs7.encode import attribute
from signer.pkcs7.indirect_data import for_image
from signer.pkcs7.signed_data import Content, Prepared, SigningOptions, sign
from tests.attacks.attack import Attempt, attack
from tests.attacks.cases.certificate_table import with_table
from tests.support.files import content_of
from tests.support.signed_samples import CA, LEAF, OTHER, SIGNER, UNSIGNED, signature_of
from tests.support.tables import entry, padded

AUTHENTICODE = "Authenticode PE Format, SignerInfo"
SHA1, SHA256, SHA512 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256, DigestAlgorithm.SHA512
Parts = list[bytes]


def image_with(signature: bytes) -> Attempt:
    return Attempt(with_table(entry(padded(signature))))


def split(data: bytes) -> Parts:
    return [one.whole(data) for one in der.children(data, der.read(data))]


def with_signers(change: Callable[[Parts], Parts]) -> bytes:
    """Return the signature of the image with other SignerInfos."""
    oid, wrapped = split(signature_of(UNSIGNED))
    *head, signers = split(split(wrapped)[0])
    return der.sequence(oid, der.explicit(0, der.sequence(*head, der.tlv(der.SET, *change(split(signers))))))


def with_field(place: int, change: Callable[[bytes], bytes]) -> bytes:
    """Return the signature with one changed field of its SignerInfo."""

    def changed(signers: Parts) -> Parts:
        fields = split(signers[0])
        return [der.sequence(*fields[:place], change(fields[place]), *fields[place + 1 :])]

    return with_signers(changed)


def signed_with(attributes: Parts, *, algorithm: DigestAlgorithm = SHA256) -> bytes:
    """Sign the image with exactly these signed attributes, and the key of the signer."""
    _, content = content_of(UNSIGNED, SHA256)
    prepared = Prepared(content, LEAF.certificate, (CA.certificate,), algorithm, der.set_of(attributes))
    return prepared.finish(SIGNER.key.sign(prepared.digest, algorithm))


def _octets() -> bytes:
    _, content = content_of(UNSIGNED, SHA256)
    return der.read(content.der).contents(content.der)


TYPE = attribute(oids.CONTENT_TYPE, (der.oid(oids.SPC_INDIRECT_DATA),))
DIGEST = attribute(oids.MESSAGE_DIGEST, (der.octets(SHA256.hash(_octets())),))


@attack("SigFlip (med0x2e, 2021)", authenticode="accepted", kernel="accepted", code="unsigned-attribute")
def data_in_an_unsigned_attribute() -> Attempt:
    """Data in an unsigned attribute."""
    return image_with(nested.with_unsigned(signature_of(UNSIGNED), "2.999.1", (der.octets(b"payload" * 100),)))


@attack(f"{AUTHENTICODE}: one signer", code="signer-count")
def two_signers() -> Attempt:
    """Two SignerInfos: a verifier could check one and trust the other."""
    return image_with(with_signers(lambda signers: signers * 2))


@attack(f"{AUTHENTICODE}: one signer", code="signer-count")
def no_signer() -> Attempt:
    """No SignerInfo, so that there is nothing to fail."""
    return image_with(with_signers(lambda signers: []))


@attack("RFC 5652, 5.3", code="attributes-missing")
def no_signed_attributes() -> Attempt:
    """No signed attributes: the signature is over the content, which can then be attributes of another signature."""
    return image_with(with_field(3, lambda attributes: b""))


@attack("RFC 5652, 11.2", code="message-digest-attribute")
def no_message_digest() -> Attempt:
    """No message digest, so that the signature covers no content."""
    return image_with(signed_with([TYPE]))


@attack("RFC 5652, 11.2", code="message-digest-attribute")
def two_message_digests() -> Attempt:
    """Two message digests, one of them of other content."""
    other = attribute(oids.MESSAGE_DIGEST, (der.octets(bytes(32)),))
    return image_with(signed_with([TYPE, DIGEST, other]))


@attack("RFC 5652, 11.2", code="message-digest-attribute")
def message_digest_with_two_values() -> Attempt:
    """A message digest with two values, one of them of other content."""
    both = attribute(oids.MESSAGE_DIGEST, (der.octets(SHA256.hash(_octets())), der.octets(bytes(32))))
    return image_with(signed_with([TYPE, both]))


@attack("RFC 5652, 11.1", code="content-type-attribute")
def no_content_type() -> Attempt:
    """No content type, so that the signature is valid for content of any type."""
    return image_with(signed_with([DIGEST]))


@attack("RFC 5652, 11.1", code="content-type-attribute")
def content_type_of_other_content() -> Attempt:
    """The content type of a trust list: a catalog's signature on an image."""
    return image_with(signed_with([attribute(oids.CONTENT_TYPE, (der.oid(oids.CTL),)), DIGEST]))


@attack("X.690, 8.1.3.6", authenticode="unknown", kernel="unknown", code="signature-ber")
def indefinite_length() -> Attempt:
    """BER with an indefinite length, which two parsers can end at different places."""
    data = signature_of(UNSIGNED)
    return image_with(b"\x30\x80" + der.read(data).contents(data) + bytes(2))


@attack("X.690, 10.1", authenticode="unknown", kernel="unknown", code="signature-ber")
def longer_length_than_necessary() -> Attempt:
    """BER with a length in more bytes than necessary."""
    data = signature_of(UNSIGNED)
    contents = der.read(data).contents(data)
    return image_with(b"\x30\x83" + len(contents).to_bytes(3, "big") + contents)


@attack("X.690, 8.19.2", code="malformed-structure")
def padded_object_identifier() -> Attempt:
    """An object identifier with a superfluous 0x80, which compares as another one."""
    oid, wrapped = split(signature_of(UNSIGNED))
    body = der.read(oid).contents(oid)
    return image_with(der.sequence(der.tlv(der.OID, body[:1], b"\x80", body[1:]), wrapped))


@attack("RFC 8933; RFC 5652, 5.3", code="digest-algorithm-mismatch")
def weaker_digest_of_the_file() -> Attempt:
    """Algorithm confusion: a SHA-1 digest of the file in a signature with SHA-256."""
    digest, _ = content_of(UNSIGNED, SHA1)
    return image_with(sign(Content(oids.SPC_INDIRECT_DATA, for_image(SHA1, digest)), SIGNER, SigningOptions()))


@attack("RFC 5652, 5.3", code="digest-algorithm-mismatch")
def undeclared_digest_algorithm() -> Attempt:
    """Algorithm confusion: a signer with another digest algorithm than the SignedData declares."""
    old, new = der.oid(SHA256.oid), der.oid(SHA512.oid)
    return image_with(with_field(2, lambda algorithm: algorithm.replace(old, new)))


@attack("RFC 5754, 3", code="signature-mismatch")
def signature_algorithm_with_another_digest() -> Attempt:
    """Algorithm confusion: a signature algorithm that names another digest algorithm than the signer's."""
    return image_with(with_field(4, lambda _: der.sequence(der.oid(oids.SHA512_WITH_RSA), der.null())))


@attack("RFC 5754, 3", code="signature-mismatch")
def signature_algorithm_of_another_key() -> Attempt:
    """Algorithm confusion: an algorithm of elliptic curves for an RSA key."""
    return image_with(with_field(4, lambda _: der.sequence(der.oid(oids.ECDSA_WITH["sha256"]))))


@attack("SignTool writes one nested signature", code="signature-format")
def signatures_nested_without_end() -> Attempt:
    """Signatures nested twenty deep below a signature of another image: the right one is the innermost."""
    deep = signature_of(UNSIGNED)
    for _ in range(20):
        deep = nested.append(signature_of(OTHER), deep)
    return image_with(deep)


@attack("SignTool writes one nested signature", code="signature-format")
def more_nested_signatures_than_anyone_reads() -> Attempt:
    """A hundred signatures of another image in one unsigned attribute: the right one is the last."""
    return image_with(
        nested.with_unsigned(
            signature_of(OTHER), oids.NESTED_SIGNATURE, (*(signature_of(OTHER),) * 99, signature_of(UNSIGNED))
        )
    )


@attack("SignTool, option /as", kernel="accepted", code="digest-mismatch")
def right_signature_nested_in_that_of_another_image() -> Attempt:
    """The signature of another image, and the right one nested in it: WinVerifyTrust checks the outer one."""
    return image_with(nested.append(signature_of(OTHER), signature_of(UNSIGNED)))


@attack("RFC 6151; CVE-2004-2761", code="digest-md5")
def md5_digest_of_the_file() -> Attempt:
    """An MD5 digest of the file, so that two files with one digest have one signature."""
    _, content = content_of(UNSIGNED, DigestAlgorithm.MD5)
    return image_with(sign(content, SIGNER, SigningOptions(DigestAlgorithm.MD5)))
