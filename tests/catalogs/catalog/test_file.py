"""Parsing and writing catalogs: identical to Inf2Cat and MakeCat byte for byte, and every real catalog round-trips."""

from __future__ import annotations

import contextlib
import os
import pickle
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs import cdf
from catalogs.build import CatalogOptions, assemble, build
from catalogs.catalog import os_names, trust_list
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, hash_file, interpret, subjects, text_tag
from catalogs.catalog.sign import sign_catalog
from catalogs.catalog.trust_list import NameValue, TrustedSubject
from catalogs.diff import differences
from catalogs.folder_check import check_folder
from catalogs.package.driver_package import read_packages
from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import CatalogError, FileError, SignatureFormatError, UsageError
from signer.keys.local import load_pfx
from signer.pe.digest import hash_pages
from signer.pe.image import Image
from signer.pkcs7 import indirect_data
from signer.pkcs7.signed_data import SigningOptions
from signer.verify.catalogs import signature_of
from signer.verify.evidence import Signature
from signer.verify.gather import gather
from tests.support.files import corpus_files, corpus_id, patched
from tests.support.identities import identity
from tests.support.images import PeSpec

NOW = datetime(2026, 5, 14, 13, 30, 5, tzinfo=UTC)
OPTIONS = CatalogOptions(NOW)


def small(version: int = 2, *names: str) -> Catalog:
    entries = [
        entry
        for name in names or ("a.inf", "b.sys")
        for entry in subjects(hash_file(memoryview(name.encode())), [NameValue("File", MEMBER_FLAGS, name)], version)
    ]
    return assemble(entries, [NameValue("OS", MEMBER_FLAGS, "7X64")], replace(OPTIONS, version=version), "small.cat")


@pytest.mark.parametrize("path", corpus_files("**/*.cat"), ids=corpus_id)
def test_every_real_catalog_round_trips(path: Path) -> None:
    data = path.read_bytes()
    catalog = Catalog.parse(data)
    assert catalog.to_bytes() == data
    assert all(member.digest or member.tag for member in catalog.members)


def test_the_catalog_of_an_inf_is_identical_to_inf2cats(corpus: Path) -> None:
    folder = corpus / "golden/generated-unsigned/catalog"
    real = Catalog.parse((folder / "sample.cat").read_bytes())
    (package,) = read_packages(folder, os_names.parse_list("10_X64"))
    ours = build(package, CatalogOptions(real.this_update, list_identifier=real.list_identifier))
    assert ours.to_bytes() == (folder / "sample.cat").read_bytes()


@pytest.mark.parametrize("name", ["single-pe", "single-text"])
def test_the_catalog_of_a_cdf_is_identical_to_makecats_and_when_signed_to_signtools(name: str, corpus: Path) -> None:
    folder = corpus / "golden/catalog-workflows"
    data = (folder / f"{name}.cat").read_bytes()
    real = Catalog.parse(data)
    definition = cdf.parse((folder / f"cdf/{name}.cdf").read_text("utf-8"), folder / f"{name}.cdf")
    ours = cdf.build(definition, CatalogOptions(real.this_update, list_identifier=real.list_identifier))
    pfx = (corpus / "golden/devolutions-authenticode/authenticode-test-cert.pfx").read_bytes()
    assert ours.to_bytes() == real.unsigned().to_bytes()
    assert sign_catalog(ours, load_pfx(pfx, "CodeSign123!"), SigningOptions()).to_bytes() == data


@pytest.mark.parametrize("version", [1, 2])
def test_members_are_sorted_by_tag_and_have_a_kind(version: int) -> None:
    catalog = small(version, *(f"{n}.sys" for n in range(20)))
    tags = [member.tag for member in catalog.members]
    assert tags == sorted(tags)
    assert {member.kind for member in catalog.members} == {"flat"}
    assert len(tags) == 20 * version
    assert Catalog.parse(catalog.to_bytes()) == replace(catalog, name="")


def test_signing_keeps_the_trust_list_and_replaces_the_signature() -> None:
    catalog = small()
    once = sign_catalog(catalog, identity(), SigningOptions())
    twice = sign_catalog(once, identity(), SigningOptions())
    assert once.is_signed
    assert twice.to_bytes() == once.to_bytes()
    assert once.unsigned().to_bytes() == catalog.to_bytes()
    assert catalog.to_bytes()[-4:] != once.to_bytes()[-4:]


def test_the_identifier_is_derived_from_content_and_date() -> None:
    assert small().list_identifier == small().list_identifier
    assert small().list_identifier != small(2, "a.inf").list_identifier
    later = assemble([], [], CatalogOptions(NOW.replace(second=6)), "")
    assert later.list_identifier != assemble([], [], OPTIONS, "").list_identifier


def test_page_hashes_are_in_the_sha256_entry() -> None:
    data = PeSpec(sections=[(".a", 0x400, 0x1400)]).build()
    sha1, sha256 = (
        interpret(one, 2) for one in subjects(hash_file(memoryview(data), page_hashes=DigestAlgorithm.SHA256), [], 2)
    )
    assert sha1.page_hashes is None
    assert sha256.page_hashes == hash_pages(Image.parse(data), DigestAlgorithm.SHA256)


def test_a_new_entry_passes_between_processes_as_its_der() -> None:
    new = entry(b"a", "a.inf")[1]
    copy = pickle.loads(pickle.dumps(new))
    assert copy.to_der() == new.to_der()
    assert copy == TrustedSubject(new.identifier, new.attributes) != entry(b"a", "b.inf")[1]
    assert interpret(copy, 2).file == "a.inf"
    parsed = Catalog.parse(assemble([new], [], OPTIONS, "").to_bytes()).trust_list.subjects[0]
    assert pickle.loads(pickle.dumps(parsed)) == parsed == new


def test_a_later_signature_does_not_change_the_member() -> None:
    from signer.operations.sign import sign_file

    data = PeSpec().build()
    signed = patched(data, sign_file(data, identity(), SigningOptions()).changes)
    assert hash_file(memoryview(signed)) == hash_file(memoryview(data))


def with_tag(version: int, identifier: bytes) -> bytes:
    """Return a catalog in which the entry with a digest has another tag."""
    entries = [
        TrustedSubject(identifier, one.attributes) if oids.SPC_INDIRECT_DATA in dict(one.attributes) else one
        for one in small(version, "a.inf").trust_list.subjects
    ]
    return assemble(entries, [], replace(OPTIONS, version=version), "").to_bytes()


@pytest.mark.parametrize(
    ("version", "identifier"),
    [
        pytest.param(2, bytes(32), id="another digest"),
        pytest.param(2, b"a name", id="a name in version 2"),
        pytest.param(2, bytes(20), id="a digest of the other algorithm"),
        pytest.param(1, text_tag("00" * 20), id="another digest in version 1"),
        pytest.param(1, text_tag("00" * 32), id="a longer digest in version 1"),
    ],
)
def test_a_tag_other_than_the_digest_in_the_entry_is_rejected(version: int, identifier: bytes) -> None:
    with pytest.raises(CatalogError, match=r"the tag of entry \d \(a.inf\) differs from the digest in it"):
        Catalog.parse(with_tag(version, identifier))


@pytest.mark.parametrize("name", ["a name", "hello.sys", "fifteen.symbols", "abcdef"])
def test_a_name_as_tag_is_accepted_in_version_1(name: str) -> None:
    """Also one that has as many bytes as a digest, or hexadecimal digits."""
    (member,) = Catalog.parse(with_tag(1, text_tag(name))).members
    assert member.digest == DigestAlgorithm.SHA1.hash(b"a.inf")


@pytest.mark.parametrize("name", ["hello.sys", "fifteen.symbols"])
def test_a_name_of_version_1_is_not_read_as_a_digest(name: str) -> None:
    assert interpret(TrustedSubject(text_tag(name), ()), 1).digest is None


def test_an_entry_with_two_digests_is_rejected() -> None:
    """A reader that takes the second one would accept another file."""
    listed, other = entry(b"a", "a.inf")[1], entry(b"evil", "evil.sys")[1]
    content = next(one for one in other.attributes if one[0] == oids.SPC_INDIRECT_DATA)
    for attributes in ((*listed.attributes, content), (content, *listed.attributes)):
        two = TrustedSubject(listed.identifier, attributes)
        with pytest.raises(CatalogError, match=r"entry 1 \(a.inf\) contains several digests"):
            Catalog.parse(assemble([two], [], OPTIONS, "").to_bytes())


def test_an_attribute_with_two_values_is_rejected() -> None:
    listed = entry(b"a", "a.inf")[1]
    doubled = tuple((oid, value * 2 if oid == oids.CAT_NAMEVALUE else value) for oid, value in listed.attributes)
    with pytest.raises(CatalogError, match="an attribute has several values"):
        Catalog.parse(assemble([TrustedSubject(listed.identifier, doubled)], [], OPTIONS, "").to_bytes())


def retagged(data: bytes, old: bytes, new: int) -> bytes:
    """Change the tag of the element that begins with `old`."""
    assert data.count(old) >= 1
    at = data.index(old)
    return data[:at] + bytes((new,)) + data[at + 1 :]


@pytest.mark.parametrize(
    ("at", "tag"),
    [
        pytest.param(der.oid(oids.SIGNED_DATA), der.OCTET_STRING, id="the type"),
        pytest.param(b"\xa0", 0xA1, id="the explicit tag of SignedData"),
        pytest.param(der.oid(oids.CTL), der.OCTET_STRING, id="the type of the list"),
        pytest.param(b"\xa0" + small().trust_list.to_der()[:0], 0x30, id="a sequence for the explicit tag"),
    ],
)
def test_a_wrong_asn1_tag_is_rejected_and_not_repaired(at: bytes, tag: int) -> None:
    with pytest.raises((CatalogError, SignatureFormatError)):
        Catalog.parse(retagged(small().to_bytes(), at, tag))


def test_the_explicit_tag_of_the_list_contains_only_the_list() -> None:
    catalog = small()
    content = der.sequence(der.oid(oids.CTL), der.explicit(0, catalog.trust_list.to_der(), der.null()))
    signed_data = der.sequence(catalog.head, content, catalog.tail)
    with pytest.raises(SignatureFormatError, match="the certificate trust list is followed by 2 extra bytes"):
        Catalog.parse(der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, signed_data)))


@pytest.mark.parametrize("number", ["\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT ONE}", "1" * 5000, "", "x"])
def test_a_hardware_id_with_a_number_that_is_none_is_ignored(number: str) -> None:
    names = [NameValue(f"HWID{each}", MEMBER_FLAGS, each) for each in ("2", number, "10", "1")]
    assert assemble([], names, OPTIONS, "").hardware_ids == ("1", "2", "10")


@given(st.integers(0, 600), st.integers(1, 255))
def test_a_damaged_catalog_is_parsed_or_rejected(offset: int, flip: int) -> None:
    data = bytearray(small().to_bytes())
    data[offset % len(data)] ^= flip
    with contextlib.suppress(CatalogError, SignatureFormatError):
        _ = Catalog.parse(bytes(data)).members


@given(st.integers(0, 500))
def test_a_truncated_catalog_is_rejected(length: int) -> None:
    with pytest.raises(SignatureFormatError):
        Catalog.parse(small().to_bytes()[:length])


def test_differences_are_listed_field_by_field() -> None:
    first, second = small(2, "a.inf", "b.sys"), small(2, "a.inf", "c.sys")
    found = {(d.what, d.subject) for d in differences(first, second)}
    assert found == {("identifier", ""), ("member", "b.sys"), ("member", "c.sys")}
    assert differences(first, first) == []
    assert [d.what for d in differences(first, sign_catalog(first, identity(), SigningOptions()))] == ["signature"]


def entry(
    data: bytes, name: str, tag: bytes | None = None, version: int = 2, page_hashes: bool = False
) -> list[TrustedSubject]:
    """Return the entries of a file, optionally with another tag."""
    hashed = hash_file(memoryview(data), page_hashes=DigestAlgorithm.SHA256 if page_hashes else None)
    return subjects(hashed, [NameValue("File", MEMBER_FLAGS, name)], version, tag=tag)


IMAGE = PeSpec(sections=[(".a", 0x400, 0x1400)]).build()
PAGED = hash_file(memoryview(IMAGE), page_hashes=DigestAlgorithm.SHA256)
PAGES_OF_ANOTHER = hash_pages(Image.parse(PeSpec().build()), DigestAlgorithm.SHA256)
OTHER_PAGES = replace(
    PAGED, contents={one: indirect_data.for_image(one, PAGED.digests[one], PAGES_OF_ANOTHER) for one in PAGED.digests}
)
AGREEING = [
    ("the-same-entry-twice", entry(b"a", "a.inf") * 2, 2),
    ("same-content-other-name", entry(b"a", "a.inf") + entry(b"a", "b.inf"), 2),
    ("with-and-without-page-hashes", entry(IMAGE, "a.sys") + entry(IMAGE, "b.sys", page_hashes=True), 2),
    ("a-name-as-tag-twice", entry(b"a", "a.inf", text_tag("a"), 1) * 2, 1),
]
CONTRADICTING = [
    ("another-digest", entry(b"a", "a.inf", text_tag("a"), 1) + entry(b"b", "b.inf", text_tag("a"), 1), 1, "digests"),
    (
        "digest-differs-from-the-tag",
        [entry(b"a", "a.inf")[1], TrustedSubject(entry(b"a", "")[1].identifier, entry(b"b", "b.inf")[1].attributes)],
        2,
        "digests",
    ),
    (
        "another-kind",
        entry(IMAGE, "a.sys", text_tag("a"), 1) + entry(b"b", "b.inf", text_tag("a"), 1),
        1,
        "kinds and digests",
    ),
    (
        "other-page-hashes",
        [entry(IMAGE, "a.sys", page_hashes=True)[1], subjects(OTHER_PAGES, [], 2)[1]],
        2,
        "page hashes",
    ),
]


@pytest.mark.parametrize(("entries", "version"), [pytest.param(*case[1:], id=case[0]) for case in AGREEING])
def test_entries_may_have_the_same_tag(entries: list[TrustedSubject], version: int) -> None:
    """As in 23 of 521 real catalogs: Inf2Cat writes an entry for each file, even if it is the same twice."""
    catalog = assemble(entries, [], replace(OPTIONS, version=version), "")
    assert Catalog.parse(catalog.to_bytes()) == catalog


@pytest.mark.parametrize(
    ("entries", "version", "what"), [pytest.param(*case[1:], id=case[0]) for case in CONTRADICTING]
)
def test_entries_with_the_same_tag_must_agree(entries: list[TrustedSubject], version: int, what: str) -> None:
    data = assemble(entries, [], replace(OPTIONS, version=version), "").to_bytes()
    with pytest.raises(CatalogError, match=f"contradictory entries: entry 2.* different {what}$"):
        Catalog.parse(data)


@pytest.mark.parametrize("info", [der.sequence(), der.null(), b"\x30\x02\x1e\x09"], ids=["empty", "null", "too-long"])
def test_a_malformed_member_info_is_an_error(info: bytes) -> None:
    """Found by fuzzing: an empty one ended the call, which compares two entries of one tag."""
    (first,) = entry(b"a", "a.inf", version=1)
    attributes = tuple((oid, info if oid == oids.CAT_MEMBERINFO else value) for oid, value in first.attributes)
    entries = [first, TrustedSubject(first.identifier, attributes)]
    data = assemble(entries, [], replace(OPTIONS, version=1), "").to_bytes()
    with pytest.raises(CatalogError, match="malformed catalog member"):
        Catalog.parse(data)


def test_members_with_the_same_content_are_compared_by_name_and_number() -> None:
    first = assemble(entry(b"a", "a.inf") + entry(b"a", "b.inf"), [], OPTIONS, "")
    other_order = replace(first.trust_list, subjects=first.trust_list.subjects[::-1])
    assert not [d for d in differences(first, replace(first, trust_list=other_order)) if d.what != "order"]
    third = assemble(entry(b"a", "a.inf") + entry(b"a", "c.inf"), [], OPTIONS, "")
    assert {(d.what, d.subject) for d in differences(first, third)} == {
        ("identifier", ""),
        ("member-attribute", "b.inf File"),
    }
    once = assemble(entry(b"a", "a.inf"), [], OPTIONS, "")
    assert [d.subject for d in differences(first, once) if d.what == "member"] == ["b.inf", "b.inf"]


def test_a_folder_is_checked_file_by_file(tmp_path: Path) -> None:
    catalog = small(2, "a.inf", "b.sys", "gone.dll")
    for name, data in {"a.inf": b"a.inf", "b.sys": b"changed", "new.txt": b"new"}.items():
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (0, 0))
    states = {state.name: state.state for state in check_folder(catalog, sorted(tmp_path.iterdir()))}
    assert states == {"a.inf": "listed", "b.sys": "changed", "new.txt": "extra", "gone.dll": "missing"}
    os.utime(tmp_path / "b.sys")
    assert {s.name: s.state for s in check_folder(catalog, [tmp_path / "b.sys"])}["b.sys"] == "stale"


def test_a_file_as_old_as_the_catalog_was_not_changed_after_it(tmp_path: Path) -> None:
    catalog, path = small(2, "b.sys"), tmp_path / "b.sys"
    path.write_bytes(b"changed")
    made = int(catalog.this_update.timestamp())
    states = []
    for seconds in (made, made + 1):
        os.utime(path, (seconds, seconds))
        states += [state.state for state in check_folder(catalog, [path])]
    assert states == ["changed", "stale"]


CDF = "[CatalogHeader]\nName=x.cat\nCatalogVersion=2\nHashAlgorithms=SHA256\n[CatalogFiles]\n<HASH>a=a.txt\n"


def test_a_cdf_names_members_by_hash_with_their_attributes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    text = CDF + "<HASH>aATTR1=0x10010001:File:a.txt\n<HASH>aATTR2=0x11010001:Once:only\n"
    catalog = cdf.build(cdf.parse(text, tmp_path / "x.cdf"), OPTIONS)
    assert {m.digest_algorithm: dict(m.attributes) for m in catalog.members} == {
        DigestAlgorithm.SHA1: {"File": "a.txt"},
        DigestAlgorithm.SHA256: {"File": "a.txt", "Once": "only"},
    }


@pytest.mark.parametrize(
    ("text", "sentence", "line"),
    [
        (CDF.replace("=2", "=3"), "CatalogVersion is '3'", 3),
        (CDF.replace("SHA256", "MD5"), "HashAlgorithms is 'MD5'", 4),
        (CDF.replace("SHA256", "SHA1"), "requires SHA256", 4),
        (CDF.replace("Name=x.cat", "Other=1"), "has no Name", None),
        (CDF.replace("<HASH>a", "a"), "does not start with <HASH>", 6),
        (CDF + "<hash>A=b.txt\n", "the tag '<hash>A' is already used in line 6", 7),
        (CDF + "nonsense\n", "neither a section header nor KEY=VALUE", 7),
        (CDF + "<HASH>aATTR1=zz\n", "not an attribute", 7),
    ],
)
def test_an_invalid_cdf_is_rejected_with_the_line(text: str, sentence: str, line: int | None) -> None:
    with pytest.raises(CatalogError, match=sentence) as raised:
        cdf.parse(text, Path("x.cdf"))
    assert raised.value.line == line
    assert raised.value.hint


@pytest.mark.parametrize("number", ["\N{SUPERSCRIPT TWO}", "1" * 5000])
def test_a_cdf_attribute_with_a_number_that_is_none_is_ignored(tmp_path: Path, number: str) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    header, attribute = "[CatalogHeader]\n", "=0x10010001:OS:7X64\n"
    text = CDF.replace(header, f"{header}CATATTR{number}{attribute}CATATTR1{attribute}")
    assert cdf.parse(text, Path("x.cdf")).attributes == (NameValue("OS", MEMBER_FLAGS, "7X64"),)


def test_a_missing_file_of_a_cdf_is_reported_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a\.txt") as raised:
        cdf.build(cdf.parse(CDF, tmp_path / "x.cdf"), OPTIONS)
    assert raised.value.line == 6
    assert raised.value.hint


def test_files_of_a_cdf_are_found_ignoring_case(tmp_path: Path) -> None:
    (tmp_path / "Sub").mkdir()
    (tmp_path / "Sub/A b.TXT").write_bytes(b"a")
    text = CDF.replace("a.txt", "sub\\a B.txt")
    assert len(cdf.build(cdf.parse(text, tmp_path / "x.cdf"), OPTIONS).members) == 2


def test_the_callers_version_overrides_an_empty_version() -> None:
    empty = CDF.replace("=2", "=").replace("=SHA256", "=")
    assert cdf.parse(empty, Path("x.cdf")).version == 1
    assert cdf.parse(empty, Path("x.cdf"), 2).version == 2


def test_a_result_folder_on_a_windows_drive_is_rejected() -> None:
    definition = cdf.parse(CDF.replace("[CatalogFiles]", "ResultDir=C:\\out\n[CatalogFiles]"), Path("x.cdf"))
    with pytest.raises(CatalogError, match="on a Windows drive"):
        _ = definition.target


def test_an_unknown_version_is_rejected() -> None:
    with pytest.raises(UsageError, match="unknown catalog version 3"):
        assemble([], [], CatalogOptions(NOW, 3), "")


def test_a_catalog_of_tiny_elements_is_rejected_quickly() -> None:
    inside = der.sequence() * 10_000_000
    started = time.process_time()
    with pytest.raises(SignatureFormatError):
        Catalog.parse(der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, der.sequence(inside))))
    assert time.process_time() - started < 5


ODD_VALUES = {
    "no-nul": der.tlv(der.OCTET_STRING, "7X64".encode("utf-16-le")),
    "odd-length": der.tlv(der.OCTET_STRING, b"7\0X"),
    "lone-surrogate": der.tlv(der.OCTET_STRING, b"\x00\xd8\0\0"),
    "empty": der.tlv(der.OCTET_STRING),
}


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES)
def test_a_value_that_is_not_text_round_trips(value: bytes) -> None:
    odd = der.sequence(der.bmp_string("OS"), der.integer(MEMBER_FLAGS), value)
    data = _with_attribute(small(), der.oid(oids.CAT_NAMEVALUE), der.octets(odd))
    assert Catalog.parse(data).to_bytes() == data


def test_an_attribute_identified_by_an_oid_round_trips() -> None:
    data = _with_attribute(small(), der.oid("1.3.6.1.4.1.99999.1"), der.octets(b"\x01\xff"))
    catalog = Catalog.parse(data)
    assert catalog.attributes == (("1.3.6.1.4.1.99999.1", "01ff"),)
    assert sign_catalog(catalog, identity(), SigningOptions()).unsigned().to_bytes() == data


def _with_attribute(catalog: Catalog, *attribute: bytes) -> bytes:
    """Return the bytes of the catalog with its attributes replaced by another one."""
    trust_list = catalog.trust_list.to_der()
    parts = [part.whole(trust_list) for part in der.children(trust_list, der.read(trust_list))][:-1]
    content = der.sequence(*parts, der.explicit(0, der.sequence(der.sequence(*attribute))))
    wrapped = der.sequence(der.oid(oids.CTL), der.explicit(0, content))
    signed_data = der.sequence(catalog.head, wrapped, catalog.tail)
    return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, signed_data))


def test_the_signature_of_a_catalog_is_read_once_for_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cached signature is found by the digest of the whole catalog; hashing it takes longer than the rest."""
    files = [f"file {number}".encode() for number in range(3)]
    entries = [entry for one in files for entry in subjects(hash_file(memoryview(one)), [], 2)]
    catalog = sign_catalog(assemble(entries, [], OPTIONS, "small.cat"), identity(), SigningOptions())
    read: list[bytes] = []

    def counted(data: bytes) -> Signature | None:
        read.append(data)
        return signature_of(data)

    monkeypatch.setattr("signer.verify.catalogs.signature_of", counted)
    found = [gather(one, "file", "a.dll", [catalog]).signatures for one in files]
    assert [(one.source, one.intact) for signatures in found for one in signatures] == [("catalog", True)] * 3
    assert read == [catalog.signed_data]
    assert small().signature is None


@given(name=st.text(max_size=40), value=st.text(max_size=40), place=st.integers(0, 140), byte=st.integers(-1, 255))
def test_a_short_named_value_is_read_like_any_other(name: str, value: str, place: int, byte: int) -> None:
    """The direct reading of one with lengths of one octet finds the same fields, and the same ones malformed."""
    data = bytearray(NameValue(name, MEMBER_FLAGS, value).to_der())
    if byte >= 0:
        data[place % len(data)] = byte
    short = trust_list._fields_of_short(bytes(data))
    try:
        fields = [part.contents(data) for part in der.children(data, der.read(data))]
        tags = [part.tag for part in der.children(data, der.read(data))]
    except SignatureFormatError:
        fields, tags = [], []
    if tags != [der.BMP_STRING, der.INTEGER, der.OCTET_STRING]:
        assert short is None
    elif len(data) <= 129 and der.read(data).tag == der.SEQUENCE and der.read(data).end == len(data):
        assert short is not None
        assert list(short) == fields
    else:
        assert short is None
