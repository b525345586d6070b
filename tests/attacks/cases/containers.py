"""Attacks with other files: page hashes, catalogs, cabinets and PFX files."""

from __future__ import annotations

import struct
import tempfile
from dataclasses import replace
from pathlib import Path

from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, hash_file, subjects
from catalogs.catalog.trust_list import NameValue, TrustedSubject
from catalogs.submission.cabinet import check
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.cab.read import Listing
from signer.errors import MalformedInput
from signer.keys.local import load_pfx
from signer.pe.digest import hash_pages
from signer.pe.image import Image
from signer.pkcs7.indirect_data import for_image
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from tests.attacks.attack import Attempt, attack
from tests.attacks.cases.signed_data import image_with
from tests.support.cabinets import cabinet
from tests.support.files import content_of
from tests.support.signed_samples import CABINET, OTHER, SIGNER, UNSIGNED, catalog, signed

SHA256 = DigestAlgorithm.SHA256
PFX_BOMB, TWO_BILLION = "RFC 7292, appendix B; CWE-400", (1 << 31) - 1
CABINET_FORMAT = "Microsoft Cabinet Format, CFHEADER"


@attack("Authenticode PE Format, SpcPeImagePageHashes2", authenticode="accepted", code="page-hash-mismatch")
def page_hashes_of_another_image() -> Attempt:
    """The page hashes of another image beside the right digest: the kernel checks pages as it reads them."""
    digest, _ = content_of(UNSIGNED, SHA256)
    content = for_image(SHA256, digest, hash_pages(Image.parse(OTHER), SHA256))
    return image_with(sign(Content(oids.SPC_INDIRECT_DATA, content), SIGNER, SigningOptions()))


@attack("wincrypt.h, CTL_ENTRY", authenticode="refused", kernel="refused", code="CatalogError")
def tag_of_another_file() -> Attempt:
    """A catalog member with the tag of one file and the digest of another."""
    trust_list = catalog().trust_list
    first, *rest = trust_list.subjects
    changed = replace(trust_list, subjects=(TrustedSubject(bytes(len(first.identifier)), first.attributes), *rest))
    Catalog.parse(replace(catalog(), trust_list=changed).to_bytes())
    return Attempt(b"a.inf", "file")


@attack("RFC 2315, 9.3", code="message-digest-mismatch")
def member_added_to_a_signed_catalog() -> Attempt:
    """A file that was added to a signed catalog."""
    listed = catalog().trust_list
    first, *rest = listed.subjects
    added = der.octets(SHA256.hash(b"evil"))
    attributes = tuple((oid, value.replace(der.octets(first.identifier), added)) for oid, value in first.attributes)
    member = TrustedSubject(SHA256.hash(b"evil"), attributes)
    changed = replace(catalog(), trust_list=replace(listed, subjects=(member, *rest)))
    return Attempt(b"evil", "file", catalogs=(changed,))


@attack("CryptCATAdminEnumCatalogFromHash", authenticode="accepted", kernel="accepted", code="named-root")
def member_under_the_name_of_another() -> Attempt:
    """A file of a catalog under the name of another one: Windows finds catalogs by the hash of a file."""
    return Attempt(b"b.dll", "file", catalogs=(catalog(),))


def stuffed(signature_end: bytes = b"", at: int | None = None, value: bytes = b"") -> Attempt:
    """Return a signed cabinet with bytes at the end of the area of its signature, or at another place."""
    data = bytearray(signed(CABINET) + signature_end)
    offset, size = struct.unpack_from("<II", data, 44)
    struct.pack_into("<II", data, 44, offset, size + len(signature_end))
    if at is not None:
        data[at : at + len(value)] = value
    return Attempt(bytes(data), "cabinet")


@attack(CABINET_FORMAT, authenticode="refused", kernel="refused", code="MalformedInput")
def bytes_after_a_cabinet() -> Attempt:
    """Bytes behind the signature of a cabinet, which no hash covers."""
    return Attempt(signed(CABINET) + b"payload", "cabinet")


@attack(CABINET_FORMAT, authenticode="unknown", kernel="unknown", code="cabinet-trailing-data")
def bytes_behind_the_signature_of_a_cabinet() -> Attempt:
    """Bytes behind the signature of a cabinet, in the area that the header gives to the signature."""
    return stuffed(b"payload " * 4)


@attack(CABINET_FORMAT, authenticode="unknown", kernel="unknown", code="cabinet-reserved-data")
def data_in_the_reserved_area_of_a_cabinet() -> Attempt:
    """Data in the bytes of the reserved area that no hash covers."""
    return stuffed(at=52, value=b"evil")


@attack(CABINET_FORMAT, code="digest-mismatch")
def end_of_a_cabinet_moved() -> Attempt:
    """A place of the signature before the end of the data, so that less of the cabinet is hashed."""
    data = bytearray(signed(CABINET))
    offset, size = struct.unpack_from("<II", data, 44)
    del data[offset - 8 : offset]
    struct.pack_into("<II", data, 44, offset - 8, size)
    return Attempt(bytes(data), "cabinet")


@attack("CWE-22; CVE-2018-1002200 (Zip Slip)", authenticode="refused", kernel="refused", code="MalformedInput")
def traversal_from_a_cabinet() -> Attempt:
    """A file in a cabinet whose name leads out of the folder."""
    names = ("..\\evil.sys", "d\\..\\..\\evil.sys", "\\evil.sys", "C:\\evil.sys", "//host/evil.sys", "d\\nul")
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / "inside"
        inside.mkdir()
        problems = check(cabinet(dict.fromkeys(names, b"evil")), inside).problems
        assert [path.name for path in Path(folder).rglob("*")] == ["inside"]
    assert [problem.code for problem in problems].count("name") == len(names)
    raise MalformedInput("nothing was written")


@attack("CWE-409", authenticode="refused", kernel="refused", code="MalformedInput")
def cabinet_bomb() -> Attempt:
    """A cabinet whose data blocks promise two gigabytes."""
    data = bytearray(cabinet({"d\\a.sys": b"evil"}))
    struct.pack_into("<H", data, 36 + 4, 0xFFFF)
    list(Listing.parse(bytes(data)).contents())
    return Attempt(b"")


@attack("CVE-2020-1464 (GlueBall)", authenticode="refused", kernel="refused", code="SignatureFormatError")
def bytes_behind_a_catalog() -> Attempt:
    """Bytes behind a signed catalog, which another program reads as a file of its own."""
    return Attempt(b"a.inf", "file", catalogs=(Catalog.parse(catalog().to_bytes() + b"PK\3\4 payload"),))


@attack(
    "CryptCATPutAttrInfo; CryptCATAdminEnumCatalogFromHash",
    authenticode="accepted",
    kernel="accepted",
    code="named-root",
)
def member_with_two_names() -> Attempt:
    """A catalog member with two attributes File: the hash finds the member, whatever it is called."""
    names = [NameValue("File", MEMBER_FLAGS, name) for name in ("a.inf", "evil.sys")]
    return Attempt(b"a.inf", "file", catalogs=(listing(subjects(hash_file(memoryview(b"a.inf")), names, 2)),))


@attack("wincrypt.h, CTL_ENTRY", authenticode="refused", kernel="refused", code="CatalogError")
def one_tag_with_two_digests() -> Attempt:
    """Two catalog members with one tag, and the digests of two files."""
    one, other = (subjects(hash_file(memoryview(data)), [], 1)[0] for data in (b"a.inf", b"evil"))
    entries = [one, TrustedSubject(one.identifier, other.attributes)]
    return Attempt(b"evil", "file", catalogs=(listing(entries, version=1),))


def listing(entries: list[TrustedSubject], version: int = 2) -> Catalog:
    """Return a signed catalog of these entries, as a reader of its file gets it."""
    listed = replace(catalog().trust_list, version=version, subjects=tuple(entries))
    return Catalog.parse(sign(replace(catalog(), trust_list=listed).content, SIGNER, SigningOptions()), "a.cat")


def pfx(contents: bytes = der.sequence(), mac_iterations: int = 1) -> Attempt:
    """Open a PFX with these authenticated contents and a wrong MAC."""
    algorithm = der.sequence(der.oid(SHA256.oid), der.null())
    digest = der.sequence(algorithm, der.octets(bytes(32)))
    mac = der.sequence(digest, der.octets(bytes(8)), der.integer(mac_iterations))
    content = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(contents)))
    load_pfx(der.sequence(der.integer(3), content, mac), "secret")
    return Attempt(b"")


def bag(key_derivation: bytes) -> bytes:
    """Return a bag with a key that a password encrypts: PKCS8ShroudedKeyBag with PBES2."""
    cipher = der.sequence(der.oid("2.16.840.1.101.3.4.1.42"), der.octets(bytes(16)))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.5.13"), der.sequence(key_derivation, cipher))
    key = der.explicit(0, der.sequence(algorithm, der.octets(bytes(32))))
    return der.sequence(der.oid("1.2.840.113549.1.12.10.1.2"), key)


def safe(*bags: bytes) -> bytes:
    return der.sequence(der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(der.sequence(*bags)))))


def pbkdf2(count: int) -> bytes:
    return der.sequence(der.oid("1.2.840.113549.1.5.12"), der.sequence(der.octets(bytes(8)), der.integer(count)))


@attack(PFX_BOMB, authenticode="refused", kernel="refused", code="IdentityError")
def pfx_with_two_billion_iterations() -> Attempt:
    """A PFX whose password takes 2,147,483,647 iterations to check."""
    return pfx(mac_iterations=TWO_BILLION)


@attack(PFX_BOMB, authenticode="refused", kernel="refused", code="IdentityError")
def pfx_with_malformed_contents() -> Attempt:
    """The same PFX with contents that can't be parsed: the MAC is checked before anybody parses them."""
    return pfx(b"\x30\5ab", TWO_BILLION)


@attack(PFX_BOMB, authenticode="refused", kernel="refused", code="IdentityError")
def pfx_with_two_billion_iterations_for_a_key() -> Attempt:
    """A PFX whose key takes 2,147,483,647 iterations to decrypt."""
    return pfx(safe(bag(pbkdf2(TWO_BILLION))))


@attack(PFX_BOMB, authenticode="refused", kernel="refused", code="IdentityError")
def pfx_with_ten_thousand_keys() -> Attempt:
    """A PFX of 10,000 keys with 100,000 iterations each: a limit of each count is no limit of the time."""
    return pfx(safe(*[bag(pbkdf2(100_000))] * 10_000))


@attack("RFC 7914, 7; CWE-400", authenticode="refused", kernel="refused", code="IdentityError")
def pfx_with_scrypt() -> Attempt:
    """A PFX whose key is encrypted with scrypt, at a cost of 2,147,483,648 and 8 blocks."""
    numbers = (der.integer(1 << 31), der.integer(8), der.integer(1))
    parameters = der.sequence(der.octets(bytes(8)), *numbers)
    return pfx(safe(bag(der.sequence(der.oid("1.3.6.1.4.1.11591.4.11"), parameters))))
