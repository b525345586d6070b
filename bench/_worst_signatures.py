"""Files of ASN.1 that take the most time or memory to read: signatures, certificates, PFX files and catalogs."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import NameOID

from bench._worst_files import HELLO, NOON, Maker
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, hash_file, subjects
from catalogs.catalog.trust_list import CertificateTrustList, NameValue, TrustedSubject
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.pe.digest import PageHashes
from signer.pkcs7 import indirect_data

SHA256 = DigestAlgorithm.SHA256


def image_of_table(entry: bytes) -> Maker:
    """An image whose certificate table consists of copies of an entry."""

    def made(size: int) -> bytes:
        data = bytearray((HELLO / "hello.sys").read_bytes())
        data += bytes(-len(data) % 8)
        header = int.from_bytes(data[0x3C:0x40], "little")
        table = entry * ((size - len(data)) // len(entry))
        struct.pack_into("<II", data, header + 24 + 112 + 32, len(data), len(table))
        return bytes(data) + table

    return made


def certificate_entry(content: bytes) -> bytes:
    """A WIN_CERTIFICATE with PKCS #7 content."""
    content += bytes(-len(content) % 8)
    return struct.pack("<IHH", 8 + len(content), 0x0200, 2) + content


def image_of_signed_data(make: Maker) -> Maker:
    """An image whose certificate table is one entry with this SignedData."""

    def made(size: int) -> bytes:
        entry = certificate_entry(make(size - (1 << 16)))
        return image_of_table(entry)(len((HELLO / "hello.sys").read_bytes()) + len(entry) + 8)

    return made


def signed_data(digests: bytes = b"", certificates: bytes = b"", crls: bytes = b"", signers: bytes = b"") -> bytes:
    """A SignedData of these parts."""
    content = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(b"x")))
    parts = [der.integer(1), der.tlv(der.SET, digests), content]
    parts += [der.explicit(0, certificates)] if certificates else []
    parts += [der.explicit(1, crls)] if crls else []
    body = der.sequence(*parts, der.tlv(der.SET, signers))
    return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, body))


def set_of_nulls(size: int) -> bytes:
    """A SignedData whose digest algorithms are millions of small elements."""
    return signed_data(digests=der.sequence(der.oid(oids.DATA)) * (size // 13))


def signed_by_many(size: int) -> bytes:
    """A SignedData with 999 large certificates."""
    one = large_certificate(size // 999)
    return signed_data(certificates=one * 999)


def deeply_nested(size: int) -> bytes:
    """Sequences in sequences."""
    inner = der.null()
    for _ in range(95):
        inner = der.sequence(inner)
    return signed_data(digests=inner * (size // len(inner)))


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(*extensions: x509.ExtensionType, subject: str = "Worst", serial: int = 7) -> x509.Certificate:
    builder = x509.CertificateBuilder(_name("Worst"), _name(subject), _key().public_key(), serial)
    builder = builder.not_valid_before(NOON).not_valid_after(NOON + timedelta(days=3650))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(_key(), hashes.SHA256())


def large_certificate(size: int) -> bytes:
    """A certificate with one large extension."""
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(size))
    return _certificate(extension).public_bytes(Encoding.DER)


def certificate_of_names(size: int) -> bytes:
    """A certificate with many alternative names."""
    names = [x509.DNSName(f"n{number}.example") for number in range(size // 18)]
    return _certificate(x509.SubjectAlternativeName(names)).public_bytes(Encoding.DER)


def certificates(size: int) -> bytes:
    """Many certificates in PEM."""
    one = _certificate().public_bytes(Encoding.PEM)
    return one * (size // len(one))


def revocation_list(size: int) -> bytes:
    """A revocation list with many serial numbers."""
    entry = der.sequence(der.integer(0x40000000), der.time(NOON))
    start = 0x40000000
    builder = x509.CertificateRevocationListBuilder(_name("Worst"), NOON, NOON + timedelta(days=30))
    revoked = x509.RevokedCertificateBuilder(start, NOON).build()
    one = builder.add_revoked_certificate(revoked).sign(_key(), hashes.SHA256()).public_bytes(Encoding.DER)
    whole = der.read(one)
    tbs, algorithm, value = (part.whole(one) for part in der.children(one, whole))
    fields = [part.whole(tbs) for part in der.children(tbs, der.read(tbs))]
    many = b"".join(der.sequence(der.integer(start + number), der.time(NOON)) for number in range(size // len(entry)))
    fields[-1] = der.sequence(many)
    return der.sequence(der.sequence(*fields), algorithm, value)


def pfx(size: int) -> bytes:
    """A PFX with many certificates, without iterations to speak of."""
    count = size // len(_certificate().public_bytes(Encoding.DER)) // 2
    others = [_certificate(serial=number + 9) for number in range(count)]
    return pkcs12.serialize_key_and_certificates(b"x", _key(), _certificate(), others, BestAvailableEncryption(b"x"))


def catalog(size: int, seed: int = 1) -> bytes:
    """An unsigned catalog with as many files as fit; catalogs with other seeds have other files."""
    rng = random.Random(seed)  # the same file on every run
    model = hash_file(memoryview(b"x"))

    def entries(number: int) -> list[TrustedSubject]:
        digests = {one: rng.randbytes(len(digest)) for one, digest in model.digests.items()}
        contents = {one: part.replace(model.digests[one], digests[one]) for one, part in model.contents.items()}
        file = replace(model, digests=digests, contents=contents)
        return subjects(file, [NameValue("File", MEMBER_FLAGS, f"f{number}.sys")], 2)

    length = sum(len(one.to_der()) for one in entries(10_000))
    return _catalog(entry for number in range(size // length) for entry in entries(number))


def catalog_of_tags(size: int) -> bytes:
    """An unsigned catalog whose members have no attributes."""
    rng = random.Random(1)
    length = len(TrustedSubject.of(bytes(32), ()).to_der())
    return _catalog(TrustedSubject.of(rng.randbytes(32), ()) for _ in range(size // length))


def _catalog(entries: Iterable[TrustedSubject]) -> bytes:
    return Catalog(CertificateTrustList(2, bytes(16), NOON, tuple(entries), ())).to_bytes()


_SMALL = der.sequence(der.integer(1))
"""A small element, which is no certificate, revocation list or signer."""


def set_of_certificates(size: int) -> bytes:
    """A SignedData whose certificates are millions of small elements."""
    return signed_data(certificates=_SMALL * (size // len(_SMALL)))


def set_of_revocation_lists(size: int) -> bytes:
    """A SignedData whose revocation lists are millions of small elements."""
    return signed_data(crls=_SMALL * (size // len(_SMALL)))


def set_of_signers(size: int) -> bytes:
    """A SignedData with many signers."""
    one = _signer(b"")
    return signed_data(signers=one * (size // len(one)))


def set_of_attributes(size: int) -> bytes:
    """A SignedData whose signer has many unsigned attributes."""
    one = der.sequence(der.oid(oids.DATA), der.tlv(der.SET, der.null()))
    return signed_data(signers=_signer(one * (size // len(one))))


def set_of_values(size: int) -> bytes:
    """A SignedData whose signer has an unsigned attribute with many values."""
    one = der.sequence(der.oid(oids.DATA), der.tlv(der.SET, der.null() * (size // 2)))
    return signed_data(signers=_signer(one))


def signer_of_names(size: int) -> bytes:
    """A SignedData whose signer has an issuer of many names."""
    return signed_data(signers=_signer(b"", _many_names(size)))


def _many_names(size: int) -> bytes:
    one = der.tlv(der.SET, der.sequence(der.oid("2.5.4.3"), der.tlv(der.UTF8_STRING, b"n")))
    return der.sequence(one * (size // len(one)))


def _signer(unsigned: bytes, issuer: bytes = b"\x30\x00") -> bytes:
    sha256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.null())
    fields = [der.integer(1), der.sequence(issuer, der.integer(7)), sha256, sha256, der.octets(b"x")]
    return der.sequence(*fields, *([der.explicit(1, unsigned)] if unsigned else []))


def certificate_bag(size: int) -> bytes:
    """A PKCS #7 of many certificates."""
    one = _certificate().public_bytes(Encoding.DER)
    return signed_data(certificates=one * (size // len(one)))


def _rebuilt(change: dict[int, bytes]) -> bytes:
    """A self-issued certificate whose fields of these numbers are replaced; its signature is wrong."""
    data = _certificate().public_bytes(Encoding.DER)
    tbs, algorithm, value = (part.whole(data) for part in der.children(data, der.read(data)))
    fields = [part.whole(tbs) for part in der.children(tbs, der.read(tbs))]
    return der.sequence(der.sequence(*(change.get(at, one) for at, one in enumerate(fields))), algorithm, value)


_SERIAL, _ISSUER, _SUBJECT, _KEY = 1, 3, 5, 6
"""Fields of a certificate, behind its version."""


def certificate_of_long_names(size: int) -> bytes:
    """A certificate whose subject and issuer have names of 64 KB."""
    one = der.sequence(der.oid("2.5.4.3"), der.tlv(der.UTF8_STRING, b"n" * 65_000))
    name = der.sequence(der.tlv(der.SET, one) * (size // 2 // len(one)))
    return _rebuilt({_ISSUER: name, _SUBJECT: name})


def certificate_of_many_names(size: int) -> bytes:
    """A certificate whose subject and issuer have many names."""
    name = _many_names(size // 2)
    return _rebuilt({_ISSUER: name, _SUBJECT: name})


def certificate_of_serial(size: int) -> bytes:
    """A certificate with a long serial number."""
    return _rebuilt({_SERIAL: der.tlv(der.INTEGER, b"\x01" * size)})


def certificate_of_key(size: int) -> bytes:
    """A certificate with a long RSA key."""
    key = der.sequence(der.tlv(der.INTEGER, b"\x01" * size), der.integer(65537))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
    return _rebuilt({_KEY: der.sequence(algorithm, der.tlv(der.BIT_STRING, b"\0", key))})


def pfx_of_bags(size: int) -> bytes:
    """A PFX of many small bags, without encryption and MAC."""
    bag = der.sequence(der.oid("1.2.840.113549.1.12.10.1.6"), der.explicit(0, der.sequence()))
    content = der.sequence(bag * (size // len(bag)))
    info = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(content)))
    safe = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(der.sequence(info))))
    return der.sequence(der.integer(3), safe)


def catalog_of_attributes(size: int) -> bytes:
    """An unsigned catalog with many attributes of its own."""
    one = NameValue("HWID1000000", MEMBER_FLAGS, "pci\\ven_0000000")
    count = size // (len(one.to_der()) + 20)
    values = tuple(replace(one, name=f"HWID{number}", value=f"pci\\ven_{number:07}") for number in range(count))
    return Catalog(CertificateTrustList(2, bytes(16), NOON, (), values)).to_bytes()


def catalog_of_member_attributes(size: int, value: str = "v") -> bytes:
    """An unsigned catalog whose one member has many attributes, all with one value."""
    one = NameValue("N1000000", MEMBER_FLAGS, value)
    count = size // (len(one.to_der()) + 20)
    values = [(oids.CAT_NAMEVALUE, replace(one, name=f"N{number}").to_der()) for number in range(count)]
    return _catalog([TrustedSubject.of(bytes(32), values)])


def catalog_of_one_tag(size: int) -> bytes:
    """An unsigned catalog whose members have the same tag and different names."""
    model = hash_file(memoryview(b"x"))

    def entry(number: int) -> TrustedSubject:
        return subjects(model, [NameValue("File", MEMBER_FLAGS, f"f{number:07}.sys")], 2)[1]

    return _catalog(entry(number) for number in range(size // len(entry(0).to_der())))


def timestamp_answer(size: int) -> bytes:
    """An answer of a timestamp authority, as long as it may be."""
    token = set_of_certificates(min(size, (1 << 20) - 100))
    return der.sequence(der.sequence(der.integer(0)), token)


def catalog_of_page_hashes(size: int) -> bytes:
    """An unsigned catalog of images whose page hashes all differ."""
    rng = random.Random(1)

    def entry() -> TrustedSubject:
        digest, hashes = rng.randbytes(32), PageHashes(SHA256, rng.randbytes(36))
        content = indirect_data.for_image(SHA256, digest, hashes, flags=indirect_data.INCLUDE_RESOURCES)
        return TrustedSubject.of(digest, [(oids.SPC_INDIRECT_DATA, content)])

    return _catalog(entry() for _ in range(size // len(entry().to_der())))


def catalog_of_algorithms(size: int) -> bytes:
    """An unsigned catalog whose members have digest algorithms with different parameters."""

    def entry(number: int) -> TrustedSubject:
        digest = number.to_bytes(32, "big")
        kind = der.sequence(der.oid(oids.SPC_CAB_DATA), bytes.fromhex("a2028000"))
        algorithm = der.sequence(der.oid(SHA256.oid), der.octets(digest[-4:]))
        content = der.sequence(kind, der.sequence(algorithm, der.octets(digest)))
        return TrustedSubject.of(digest, [(oids.SPC_INDIRECT_DATA, content)])

    return _catalog(entry(number) for number in range(size // len(entry(0).to_der())))
