"""docs/security.md: its numbers are those of the code, and each limit has an error."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12

from catalogs import cdf
from catalogs.catalog.trust_list import CertificateTrustList
from catalogs.inf import install, rules
from catalogs.inf.driver import DriverInf
from catalogs.inf.strings import expand_strings
from catalogs.inf.syntax import Inf
from signer import config, limits
from signer.asn1 import der, oids
from signer.asn1.iterations import MAX_ELEMENTS, iterations
from signer.cab import szdd
from signer.cab.read import MAX_EXPANSION, Listing
from signer.cab.write import NewFile, write
from signer.certificates import load_all, load_der
from signer.config import parse_profiles
from signer.errors import (
    CatalogError,
    CertificateError,
    ConfigError,
    IdentityError,
    InfError,
    MalformedInput,
    SignatureFormatError,
    UsageError,
)
from signer.keys.local import LocalKey, load_pfx
from signer.keys.open import open_identity
from signer.pkcs7.parse import MAX_PARTS, parse
from signer.policy.si_policy.xml import read_xml
from tests.support.cabinets import szdd_header
from tests.support.files import ROOT
from tests.support.identities import identity
from tests.support.timestamping import NOON

PAGE = (ROOT / "docs/security.md").read_text("utf-8").partition("## Limits on input")[2].partition("\n## ")[0]
RAISED = re.findall(r"^\| `([a-z-]+)` \| ([\d,]+) \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)
FIXED = re.findall(r"^\| [^|]+ \| ([\d,]+) \| `([\w.]+)` \|(?: [^|]+ \|)?$", PAGE, re.MULTILINE)
OTHERS = {
    "catalogs.inf.syntax.MAX_NAME_LENGTH": "Windows' limit on section names",
    "catalogs.inf.rules.services.MAX_NAME_LENGTH": "Windows' limit on service names",
    "catalogs.inf.rules.version_section.MAX_CLASS_LENGTH": "Windows' limit on class names",
    "catalogs.inf.rules.directives.MAX_VALUES": "numbers of values in Windows' documentation",
    "catalogs.submission.names.MAX_FOLDER_LENGTH": "the portal's limit",
    "catalogs.submission.names.MAX_PATH_LENGTH": "the portal's limit",
    "catalogs.verification.gathered.MAX_SIZE": "chooses which evidence is kept",
    "signer.asn1.alike.MAX_SIZE": "chooses which elements are compared",
    "signer.audit.cache.MAX_UNITS": "size of the cache",
    "signer.cab.data.MAX_BLOCKS": "of the format",
    "signer.cab.lzx.MAX_WINDOW": "of the format",
    "signer.cab.write.MAX_NAME_LENGTH": "of the format",
    "signer.cab.write.MAX_FOLDER_SIZE": "of the format",
    "signer.cli.terminal.MAX_DRAWN_ROWS": "chooses how a table is written",
    "signer.cli.terminal.MAX_DRAWN_TEXT": "chooses how a table is written",
    "signer.pe.layout_check.MAX_HASHED": "chooses how lief hashes",
    "signer.pe.layout_check.MAX_READ_WHOLE": "chooses how a file is read",
    "signer.policy.si_policy.layout.MAX_VERSION": "the newest version of the format",
    "signer.reports.audit_page.embedded.MAX_ROWS": "of a report",
    "signer.reports.html.MAX_FINDINGS": "of a report",
    "signer.reports.markdown.MAX_ROWS": "of a report",
    "signer.storage.leftovers.MAX_NAME_PART": "of names that drvsign makes",
    "testcerts.issue.MAX_DAYS": "of certificates that drvsign makes",
}
"""Constants that bound no input."""


def constants() -> set[str]:
    """Return every public constant `MAX_…` of the code."""
    found = set()
    for package in ("signer", "catalogs", "testcerts"):
        for path in (ROOT / package).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for names in re.findall(r"^((?:\w+, )*\w+)(?:: [^=\n]+)? = ", path.read_text("utf-8"), re.MULTILINE):
                found |= {f"{module}.{name}" for name in names.split(", ") if name.startswith("MAX_")}
    return found


def test_the_page_has_each_limit_once() -> None:
    assert [name for name, _ in RAISED] == list(dict.fromkeys(name for name, _ in RAISED))
    assert {name for name, _ in RAISED} == limits.LIMITS.keys()
    assert [name for _, name in FIXED] == list(dict.fromkeys(name for _, name in FIXED))
    listed = {name for _, name in FIXED} - {"signer.explain.budget.CHARACTERS_PER_UNIT"}
    assert constants() == listed | OTHERS.keys()


def test_the_rows_of_the_page_are_short() -> None:
    assert [line for line in PAGE.splitlines() if len(line) > 120 and line.startswith("|")] == []


@pytest.mark.parametrize(("name", "number"), RAISED, ids=[name for name, _ in RAISED])
def test_the_number_is_that_of_the_table(name: str, number: str) -> None:
    assert limits.LIMITS[name] == int(number.replace(",", ""))


@pytest.mark.parametrize(("number", "name"), FIXED, ids=[name for _, name in FIXED])
def test_the_number_is_that_of_the_code(number: str, name: str) -> None:
    module, _, constant = name.rpartition(".")
    assert getattr(import_module(module), constant) == int(number.replace(",", ""))


def cabinet(size: int, files: int = 1) -> bytes:
    """Return a cabinet with zeros, which MSZIP compresses a thousand times."""
    return write([NewFile(f"d\\{number}.bin", bytes(size), NOON) for number in range(files)])


def test_a_cabinet_expands_to_16_times_its_size_or_64_mib() -> None:
    small = cabinet(limits.LIMITS["cabinet-size"] // 2)
    assert len(small) * MAX_EXPANSION < limits.LIMITS["cabinet-size"]
    ((_, data),) = Listing.parse(small).contents()
    assert len(data) == limits.LIMITS["cabinet-size"] // 2
    with pytest.raises(MalformedInput, match="would decompress to 67,141,632 bytes; the limit is 67,108,864"):
        list(Listing.parse(cabinet(limits.LIMITS["cabinet-size"] + 1)).contents())


def test_a_cabinet_whose_files_share_their_data_is_refused() -> None:
    """Two files of one piece each, both at offset 0 of a folder with one piece."""
    data = bytearray(cabinet(0x4000, 2))
    first = struct.unpack_from("<I", data, 16)[0]
    second = first + 16 + len("d\\0.bin\0")
    struct.pack_into("<I", data, first, 0x8000)
    struct.pack_into("<II", data, second, 0x8000, 0)
    with pytest.raises(MalformedInput, match="the files of the cabinet have 65,536 bytes, but its data has at most"):
        list(Listing.parse(bytes(data)).contents())


def test_the_files_of_many_folders_are_found_in_one_pass() -> None:
    """65,535 folders without data and 65,535 files took minutes."""
    count = 0xFFFF
    folders = struct.pack("<IHH", 0, 0, 1) * count
    entries = struct.pack("<IIHHHH", 0, 0, 0, 0x5000, 0, 0x20) + b"a\0"
    first = 36 + len(folders)
    size = first + len(entries) * count
    header = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, size, 0, first, 0, 3, 1, count, count, 0, 0, 0)
    assert sum(1 for _ in Listing.parse(header + folders + entries * count).contents()) == count


def test_an_szdd_file_expands_to_8_mib() -> None:
    with pytest.raises(MalformedInput, match="gives 8,388,609 bytes as the expanded size; the limit is 8,388,608"):
        szdd.expand(szdd_header(limits.LIMITS["szdd-size"] + 1))


def test_an_szdd_file_is_expanded_only_to_the_size_in_its_header() -> None:
    packed = szdd_header(3) + (b"\0" + b"\0\x0f" * 8) * 100_000
    tracemalloc.start()
    with pytest.raises(MalformedInput, match="but the data expands to 144 or more"):
        szdd.expand(packed)
    assert tracemalloc.get_traced_memory()[1] < 4 * len(packed)
    tracemalloc.stop()


def test_an_inf_with_too_many_sections_is_refused() -> None:
    def inf(count: int) -> bytes:
        return b"".join(b"[s%d]\r\n" % number for number in range(count))

    assert len(Inf.parse(inf(limits.LIMITS["inf-sections"])).sections) == limits.LIMITS["inf-sections"]
    with pytest.raises(InfError, match="more than 20,000 sections"):
        Inf.parse(inf(limits.LIMITS["inf-sections"] + 1))


def test_an_inf_with_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMITS, "inf-entries", 3)
    assert len(Inf.parse(b"[a]\r\nx=1\r\ny=2\r\n[b]\r\nz=3\r\n").sections) == 2
    with pytest.raises(InfError, match="more than 3 entries"):
        Inf.parse(b"[a]\r\nx=1\r\ny=2\r\n[b]\r\nz=3\r\nw=4\r\n")


def test_a_file_of_profiles_has_a_largest_size_and_depth() -> None:
    """10 MB of profiles took half a minute, and nested lists ended with an internal error."""
    profile = b"[profile.a]\n"
    assert set(parse_profiles(profile.ljust(config.MAX_SIZE, b"\n"), Path("drvsign.toml"))) == {"a"}
    with pytest.raises(ConfigError, match="profiles have at most 65,536"):
        parse_profiles(profile.ljust(config.MAX_SIZE + 1, b"\n"), Path("drvsign.toml"))
    with pytest.raises(ConfigError, match="nested too deep"):
        parse_profiles(b"a=" + b"[" * 20_000 + b"]" * 20_000, Path("drvsign.toml"))


def test_a_catalog_with_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMITS, "catalog-entries", 2)
    entry = der.sequence(der.octets(b"tag"), der.tlv(der.SET))
    head = [der.sequence(der.oid(oids.CATALOG_LIST)), der.octets(bytes(16)), der.time(NOON)]
    kind = der.sequence(der.oid(oids.CATALOG_MEMBER_V2), der.null())
    assert len(CertificateTrustList.parse(der.sequence(*head, kind, der.sequence(entry * 2))).subjects) == 2
    with pytest.raises(CatalogError, match="more than 2 entries"):
        CertificateTrustList.parse(der.sequence(*head, kind, der.sequence(entry * 3)))


@pytest.mark.parametrize("place", ["digest algorithms", "revocation lists", "signers"])
def test_a_set_of_a_signature_with_too_many_parts_is_refused(place: str) -> None:
    many = der.sequence(der.oid(oids.DATA)) * (MAX_PARTS + 1)
    content = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(b"x")))
    signed = der.sequence(
        der.integer(1),
        der.tlv(der.SET, many if place == "digest algorithms" else b""),
        content,
        *([der.explicit(1, many)] if place == "revocation lists" else []),
        der.tlv(der.SET, many if place == "signers" else b""),
    )
    with pytest.raises(SignatureFormatError, match="a set with more than 1,000 parts"):
        parse(der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, signed)))


def pfx(rounds: int) -> bytes:
    own = identity()
    assert isinstance(own.key, LocalKey)
    encryption = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(rounds).build(b"secret")
    return pkcs12.serialize_key_and_certificates(b"x", own.key.private, own.certificate, None, encryption)


ITERATIONS = 3000 + 3000 + 2 * 2048
"""Of a PFX with the count 3,000: for its key, its certificates and its MAC, whose count is fixed and counts twice."""


def test_a_pfx_with_too_many_iterations_is_refused() -> None:
    data = pfx(3000)
    assert iterations(data) == ITERATIONS
    assert load_pfx(data, "secret", ITERATIONS).certificate == identity().certificate
    with pytest.raises(IdentityError, match="requires 10,096 iterations to be opened; the limit is 10,095"):
        load_pfx(data, "secret", ITERATIONS - 1)


@pytest.mark.parametrize("data", [b"", b"no PFX", b"\x1f", b"\x30\x84\xff", der.sequence()])
def test_a_file_that_is_no_pfx_has_no_iterations(data: bytes) -> None:
    assert iterations(data) == 0


SALTED = der.octets(b"12345678") + der.integer(5)


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (der.sequence(SALTED), 5),
        (der.sequence(SALTED, SALTED), 10),
        (der.sequence(SALTED, der.integer(32)), 5),
        (der.sequence(SALTED, der.integer(8), der.integer(2)), 80),
        (der.sequence(der.octets(der.sequence(SALTED)), SALTED), 10),
        (b"\x30\x80" + SALTED + b"\0\0" + SALTED + b"\0\0", 10),
        (b"\x24\x80" + b"".join(der.octets(der.sequence(SALTED)[at : at + 3]) for at in (0, 3, 6, 9, 12, 15)), 5),
        (b"\x3f\x81\x01\x0d" + SALTED, 5),
        (b"\x30\x84\0\0\0\x0d" + SALTED, 5),
        (der.sequence(der.octets(bytes(8)), der.integer(1 << 64)), 0),
        (der.sequence(der.integer(5), der.octets(bytes(8))), 0),
        (SALTED[:-1], 0),
    ],
    ids=[
        *("one", "two", "length", "scrypt", "nested", "indefinite", "split"),
        *("long-tag", "long-length", "order", "before", "truncated"),
    ],
)
def test_the_counts_behind_salts_are_added_up(data: bytes, count: int) -> None:
    assert iterations(data) == 2 * count


PBKDF2, HMAC_SHA256, HMAC_SHA512 = (der.oid(one) for one in (oids.PBKDF2, oids.HMAC_SHA256, "1.2.840.113549.2.11"))


@pytest.mark.parametrize(
    ("data", "times"),
    [
        (PBKDF2 + SALTED + HMAC_SHA256, 1),
        (PBKDF2 + SALTED + HMAC_SHA512, 2),
        (PBKDF2 + SALTED + der.integer(32), 2),
        (der.oid("1.2.840.113549.1.12.1.3") + SALTED, 3),
        (der.oid("1.2.840.113549.1.12.1.3") + SALTED + HMAC_SHA256, 3),
        (der.oid("2.16.840.1.101.3.4.2.1") + der.octets(b"digest") + SALTED, 2),
        (der.oid("2.16.840.1.101.3.4.2.3") + der.octets(b"digest") + SALTED, 3),
    ],
    ids=["pbkdf2", "sha512", "sha1", "pkcs12", "pkcs12-hmac", "mac", "long-mac"],
)
def test_an_iteration_of_a_slow_algorithm_counts_several_times(data: bytes, times: int) -> None:
    assert iterations(der.sequence(data)) == 5 * times


def test_a_key_file_of_too_many_elements_is_refused() -> None:
    most = der.sequence(der.null() * (MAX_ELEMENTS - 1))
    assert iterations(most) == 0
    with pytest.raises(IdentityError, match="more than 250,000 elements"):
        iterations(der.sequence(der.null() * MAX_ELEMENTS))


def test_the_uri_of_a_pfx_gives_another_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.LIMITS, "key-iterations", ITERATIONS - 1)
    path = tmp_path / "key.pfx"
    path.write_bytes(pfx(3000))

    def opened(uri: str) -> object:
        return open_identity(uri=uri, secret=lambda prompt: "secret").certificate

    with pytest.raises(IdentityError, match="the limit is 10,095") as caught:
        opened(f"pfx:{path}")
    assert caught.value.hint is not None
    assert "?iterations=10096" in caught.value.hint
    assert opened(f"pfx:{path}?iterations=10096") == identity().certificate
    for option in ("iterations=many", "iteration=1", "iterations=3000&cert=a.cer"):
        with pytest.raises(UsageError, match="an option that a PFX does not have"):
            opened(f"pfx:{path}?{option}")


def test_an_inf_with_too_many_copied_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    inf = Inf.parse(b"[I]\nCopyFiles=F\n[F]\na.sys\nb.sys\n")
    monkeypatch.setitem(limits.LIMITS, "inf-copies", 2)
    install.Installation(inf, "amd64").install(inf.sections["i"])
    monkeypatch.setitem(limits.LIMITS, "inf-copies", 1)
    with pytest.raises(InfError, match="copies more than 1 files"):
        install.Installation(inf, "amd64").install(inf.sections["i"])


@pytest.mark.parametrize("texts", ["%L%%L%", "%L%,%L%", "%L%=%L%"], ids=["value", "values", "key"])
def test_an_inf_whose_strings_insert_too_much_is_refused(texts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """80,000 values with one string of 60 KB took 9 GB."""
    inf = Inf.parse(f"[a]\n{texts}\n[Strings]\nL=12345\n".encode())
    monkeypatch.setitem(limits.LIMITS, "inf-text", 10)
    expand_strings(inf)
    monkeypatch.setitem(limits.LIMITS, "inf-text", 9)
    with pytest.raises(InfError, match="line 2: the INF inserts more than 9 characters"):
        expand_strings(inf)


def test_a_line_does_not_insert_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    inf = Inf.parse(f"[a]\n{'%L%' * 5000}\n[Strings]\nL={'x' * 5000}\n".encode())
    monkeypatch.setitem(limits.LIMITS, "inf-text", 9)
    tracemalloc.start()
    with pytest.raises(InfError, match="inserts more than"):
        expand_strings(inf)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_policy_with_too_many_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><FileRules>{}</FileRules></SiPolicy>'
    monkeypatch.setitem(limits.LIMITS, "policy-elements", 5)
    read_xml(text.format("<x/>" * 3).encode())
    with pytest.raises(ConfigError, match="more than 5 elements"):
        read_xml(text.format("<x/>" * 4).encode())


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ('a="" b="" c="" d="" e=""', "more than 4 attributes"),
        (f'a="{"x" * 70_000}"', "a tag, a text or a namespace is too long"),
        (f'xmlns="{"x" * 1025}"', "a tag, a text or a namespace is too long"),
        (f"xmlns:b = '{'x' * 1025}'", "a tag, a text or a namespace is too long"),
        (f'xmlns:b="{"x" * 1024}"', "the document element is 'SiPolicy'"),
    ],
    ids=["many", "long", "long-namespace", "long-prefixed-namespace", "namespace-up-to-the-limit"],
)
def test_a_policy_with_many_or_long_attributes_is_refused(
    attributes: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attribute of 10 MB took four seconds, and 830,000 attributes five, with 350 MB.

    A namespace of 60,000 characters for 250,000 elements took eighteen.
    """
    monkeypatch.setitem(limits.LIMITS, "policy-elements", 2)
    with pytest.raises(ConfigError, match=problem):
        read_xml(f"<SiPolicy {attributes}/>".encode())


def test_continued_lines_without_tokens_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five million of them took five seconds."""
    monkeypatch.setitem(limits.LIMITS, "inf-tokens", 10)
    Inf.parse(b"[x]\nk=v" + b"\\\n" * 7 + b"\n")
    with pytest.raises(InfError, match="more than 10 tokens"):
        Inf.parse(b"[x]\nk=v" + b"\\\n" * 9 + b"\n")


def test_a_policy_with_too_many_levels_is_refused() -> None:
    text = '<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy">{}</SiPolicy>'
    read_xml(text.format("<x>" * 31 + "</x>" * 31).encode())
    with pytest.raises(ConfigError, match="more than 32 levels"):
        read_xml(text.format("<x>" * 32 + "</x>" * 32).encode())
    with pytest.raises(ConfigError, match="more than 32 levels"):
        read_xml(b"<a>" * 100_000)


def test_a_file_of_too_many_certificates_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = identity().certificate.public_bytes(Encoding.PEM)
    monkeypatch.setitem(limits.LIMITS, "certificates", 2)
    assert len(load_all(one * 2)) == 2
    with pytest.raises(CertificateError, match="the file has 3 certificates; the limit is 2"):
        load_all(one * 3)


@pytest.mark.parametrize("field", [3, 5], ids=["issuer", "subject"])
@pytest.mark.parametrize("load", [load_der, load_all])
def test_a_certificate_with_a_long_name_is_refused(field: int, load: Callable[[bytes], object]) -> None:
    """Python objects for the names of a certificate of 10 MB took 550 MB."""

    def certificate(count: int) -> bytes:
        data = identity().certificate.public_bytes(Encoding.DER)
        tbs, *rest = (part.whole(data) for part in der.children(data, der.read(data)))
        fields = [part.whole(tbs) for part in der.children(tbs, der.read(tbs))]
        one = der.tlv(der.SET, der.sequence(der.oid("2.5.4.3"), der.tlv(der.UTF8_STRING, b"n" * 50)))
        fields[field] = der.sequence(one * count)
        return der.sequence(der.sequence(*fields), *rest)

    load(certificate(16))
    with pytest.raises(CertificateError, match=r"a name in the certificate has 1,0.. bytes; the limit is 1,024"):
        load(certificate(17))


@pytest.mark.parametrize("parts", [257, 258])
def test_a_toml_key_of_many_parts_is_refused(parts: int) -> None:
    """One of 32,000 parts took 1.6 GB."""
    text = f"[profile.x]\n{'.'.join('a' * parts)} = 1\n".encode()
    expected = "a line has more than 256 dots outside of strings" if parts == 258 else "unknown key 'a'"
    with pytest.raises(ConfigError, match=expected):
        parse_profiles(text, Path("drvsign.toml"))


def test_a_cdf_with_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[CatalogHeader]\nName=a.cat\n[CatalogFiles]\n<HASH>a=a.sys\n<HASH>b=b.sys\n"
    monkeypatch.setitem(limits.LIMITS, "cdf-lines", 3)
    assert len(cdf.parse(text, Path("a.cdf")).members) == 2
    monkeypatch.setitem(limits.LIMITS, "cdf-lines", 1)
    with pytest.raises(CatalogError, match="more than 1 lines of definitions"):
        cdf.parse(text, Path("a.cdf"))


@pytest.mark.parametrize("text", ["k=" + "v" * (1 << 20), "k=v,\\\n" + "v" * ((1 << 20) + 1)], ids=["one", "continued"])
def test_an_inf_with_a_line_that_is_too_long_is_refused(text: str) -> None:
    with pytest.raises(InfError, match="longer than 1,048,576 characters"):
        Inf.parse(b"[s]\n" + text.encode())


def test_a_check_that_finds_many_problems_lists_the_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = b"[Version]\nSignature=x\n[x]\n" + b"".join(b"k=%%t%d%%\n" % number for number in range(5))
    driver = DriverInf.parse(text, tmp_path / "a.inf")
    monkeypatch.setitem(limits.LIMITS, "inf-problems", 3)
    found = [(problem.code, problem.line) for problem in rules.check(driver)]
    assert [line for code, line in found if code == "1235"] == [4, 5, 6]
    assert ("too-many-problems", 7) in found


@pytest.mark.parametrize(
    "text", ["", " ", "inf-entries=5", "inf-entries=5,log-work=off", "inf-entries=5 log-work=off "]
)
def test_a_variable_sets_limits(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIMITS", dict(limits.LIMITS))
    before = dict(limits.LIMITS)
    limits.raise_limits(text)
    assert limits.LIMITS["inf-entries"] == (5 if "5" in text else before["inf-entries"])
    assert limits.LIMITS["log-work"] == (limits.OFF if "off" in text else before["log-work"])
    assert {name for name in before if limits.LIMITS[name] != before[name]} <= {"inf-entries", "log-work"}


@pytest.mark.parametrize("text", ["inf-entries", "inf-entries=", "inf-entries=x", "inf-entries=-1", "inf=5", "=5"])
def test_a_word_that_sets_no_limit_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a limit") as caught:
        limits.raise_limits(text)
    assert caught.value.hint is not None
    assert "inf-entries" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        ("inf-entries=2", 3, "DRVSIGN_LIMITS=inf-entries=off"),
        ("inf-entries=off", 0, ""),
        ("inf-entry=1", 2, "'inf-entry=1' is not a limit"),
    ],
)
def test_the_command_line_reads_the_variable(value: str, code: int, text: str) -> None:
    command = [sys.executable, "-m", "signer", "inf", "show", "hello.inf"]
    environment = {**os.environ, "DRVSIGN_LIMITS": value}
    folder = ROOT / "examples" / "hello"
    ran = subprocess.run(command, env=environment, capture_output=True, cwd=folder, text=True, check=False)
    assert ran.returncode == code
    assert text in ran.stderr
