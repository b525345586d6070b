"""Attacks with other files: page hashes, catalogs, cabinets and PFX files."""

from __future__ import annotations

import struct
import tempfile
from dataclasses import replace
from pathlib import Path

from catalogs.catalog.file import Catalog
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
    changed = replace(trust_list, subjects=(replace(first, identifier=bytes(len(first.identifier))), *rest))
    Catalog.parse(replace(catalog(), trust_list=changed).to_bytes())
    return Attempt(b"a.inf", "file")


@attack("RFC 2315, 9.3", code="message-digest-mismatch")
def member_added_to_a_signed_catalog() -> Attempt:
    """A file that was added to a signed catalog."""
    listed = catalog().trust_list
    first, *rest = listed.subjects
    added = der.octets(SHA256.hash(b"evil"))
    attributes = tuple((oid, value.replace(der.octets(first.identifier), added)) for oid, value in first.attributes)
    member = replace(first, identifier=SHA256.hash(b"evil"), attributes=attributes)
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


@attack("RFC 7292, appendix B; CWE-400", authenticode="refused", kernel="refused", code="IdentityError")
def pfx_with_two_billion_iterations() -> Attempt:
    """A PFX whose password takes 2,147,483,647 iterations to check."""
    algorithm = der.sequence(der.oid(SHA256.oid), der.null())
    mac = der.sequence(der.sequence(algorithm, der.octets(bytes(32))), der.octets(bytes(8)), der.integer((1 << 31) - 1))
    content = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(der.sequence())))
    load_pfx(der.sequence(der.integer(3), content, mac), "secret")
    return Attempt(b"")


@attack("CWE-409", authenticode="refused", kernel="refused", code="MalformedInput")
def cabinet_bomb() -> Attempt:
    """A cabinet whose data blocks promise two gigabytes."""
    data = bytearray(cabinet({"d\\a.sys": b"evil"}))
    struct.pack_into("<H", data, 36 + 4, 0xFFFF)
    list(Listing.parse(bytes(data)).contents())
    return Attempt(b"")
