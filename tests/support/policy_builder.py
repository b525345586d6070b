"""Synthetic evidence: files, signatures, paths and anchors for single cases, without files, network or clock.

Paths are given, not built, so certificates need only the fields that the rules read: one key signs all, and the OID of
an old signature algorithm is inserted after signing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_CODE_SIGNING, EKU_TIME_STAMPING
from signer.certificates import load_der
from signer.pe.protection import Fault
from signer.policy.subjects import CertificatePaths
from signer.trust.path import Anchor, AnchorKind, CertificatePath, PathProblem
from signer.verify.evidence import Evidence, Signature, SignatureProblem, Source, Timestamp

KeyKind = Literal["rsa2048", "rsa1024", "rsa1023", "rsa4096", "rsa4097", "rsa8192", "p256"]

_RSA_OID = bytes.fromhex("06092a864886f70d0101")
_HASH_BYTE = {"sha256": b"\x0b", "sha1": b"\x05", "md5": b"\x04"}
_ROOTS: dict[int, str] = {
    3: "Microsoft Authenticode(tm) Root Authority",
    4: "Microsoft Root Authority",
    5: "Microsoft Root Certificate Authority",
    6: "Microsoft Root Certificate Authority 2010",
    7: "Microsoft Root Certificate Authority 2011",
    8: "Microsoft Code Verification Root",
    10: "Microsoft Testing Root Certificate Authority 2010",
    14: "Microsoft Development Root Certificate Authority 2014",
    15: "Microsoft Corporation Third Party Marketplace Root",
    18: "Microsoft ECC Product Root Certificate Authority 2018",
}
_CONTENT = b"the bytes of the driver"


def day(text: str) -> datetime:
    """Convert a date to an aware time at noon; a time is interpreted as UTC."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T12:00:00").replace(tzinfo=UTC)


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _public(kind: KeyKind, subject: str) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """Return the key of a subject."""
    if kind == "p256":
        return ec.derive_private_key(
            int.from_bytes(sha256(subject.encode()).digest()) >> 1, ec.SECP256R1()
        ).public_key()
    # These keys never sign, so any odd number of the right size can be the modulus.
    number = int.from_bytes(sha256(subject.encode()).digest()) | 1
    return rsa.RSAPublicNumbers(65537, (1 << (int(kind[3:]) - 1)) + number).public_key()


@cache
def certificate(
    subject: str,
    issuer: str | None = None,
    *,
    usages: tuple[str, ...] | None = None,
    begins: str = "2012-01-01",
    ends: str = "2032-01-01",
    key: KeyKind = "rsa2048",
    digest: str = "sha256",
) -> x509.Certificate:
    """Return a certificate, self-signed by default."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer or subject))
        .public_key(_public(key, subject))
        .serial_number(x509.random_serial_number())
        .not_valid_before(day(begins))
        .not_valid_after(day(ends))
    )
    if usages is not None:
        oids = [x509.ObjectIdentifier(usage) for usage in usages]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    made = builder.sign(_key(), hashes.SHA256())
    der = made.public_bytes(Encoding.DER)
    return load_der(der.replace(_RSA_OID + _HASH_BYTE["sha256"], _RSA_OID + _HASH_BYTE[digest]))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def anchor(kind: AnchorKind, root_id: int | None = None, name: str | None = None) -> Anchor:
    """Return a trust anchor, with its number in Code Integrity's root table if it has one."""
    known = name or (_ROOTS[root_id] if root_id is not None else "Some Root")
    return Anchor(known, kind, spki_sha256=f"{kind}-{root_id}-{known}", root_id=root_id)


def chain(
    leaf: x509.Certificate, end: Anchor | None, *between: x509.Certificate, problems: tuple[PathProblem, ...] = ()
) -> CertificatePath:
    """Return a path from a leaf to an anchor."""
    return CertificatePath((leaf, *between), end, problems)


@dataclass(frozen=True)
class Sign:
    """A signature and the paths of its signer; `having` changes fields of the signature."""

    leaf: x509.Certificate | None
    paths: tuple[CertificatePath, ...]
    source: Source = "embedded"
    algorithm: DigestAlgorithm | None = DigestAlgorithm.SHA256
    digest: bytes | None = None
    problems: tuple[SignatureProblem, ...] = ()
    stamp: Timestamp | None = None
    stamp_anchor: Anchor | None = None
    stamp_path: tuple[PathProblem, ...] = ()
    page_hashes_intact: bool | None = None
    notes: tuple[SignatureProblem, ...] = ()
    catalog: str | None = None
    program_name: str | None = None
    judged_by_test_roots: bool = False
    released: tuple[CertificatePath, ...] = ()
    """Paths to release roots, with test roots as trusted roots."""

    def having(self, **changes: object) -> Sign:
        """Return the signature with changed fields."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def in_catalog(self, name: str = "driver.cat") -> Sign:
        """Return it as the signature of a catalog that lists the file."""
        return replace(self, source="catalog", catalog=name)

    def under_test_roots(self) -> Sign:
        """Return it with test roots as trusted roots, to which it has no path."""
        return replace(self, judged_by_test_roots=True)

    def nested(self) -> Sign:
        """Return it as a nested signature."""
        return replace(self, source="nested")

    def broken(self, code: str = "digest-mismatch", message: str = "the digest is another") -> Sign:
        """Return it with a problem."""
        return replace(self, problems=(*self.problems, SignatureProblem(code, message)))

    def stamped(
        self, when: str, *, intact: bool = True, known: bool = True, usages: tuple[str, ...] | None = None
    ) -> Sign:
        """Return it with a timestamp; `known` tells whether the authority's chain ends at a root."""
        authority = certificate(
            "Some Time Authority", "Some Root", usages=usages or (EKU_TIME_STAMPING,), begins="1999-01-01"
        )
        problems = () if intact else (SignatureProblem("timestamp-imprint", "it is for another signature"),)
        stamp = Timestamp("rfc3161", day(when), DigestAlgorithm.SHA256, authority, (authority,), problems)
        return replace(self, stamp=stamp, stamp_anchor=anchor("commercial") if known else None)

    def stamp_path_breaks(self, *codes: str) -> Sign:
        """Return it with these problems of the timestamp's path."""
        return replace(self, stamp_path=tuple(PathProblem(code, "a rule of issuing is broken", 1) for code in codes))

    def signature(self, index: int) -> Signature:
        """Return the signature as evidence."""
        hashed = self.algorithm.hash(_CONTENT) if self.algorithm is not None else b""
        carried = tuple(dict.fromkeys(cert for path in self.paths for cert in path.certificates))
        return Signature(
            index=index,
            source=self.source,
            catalog=self.catalog,
            digest_algorithm=self.algorithm,
            digest=self.digest or hashed,
            signer=self.leaf,
            certificates=carried,
            signer_digest_algorithm=self.algorithm,
            program_name=self.program_name,
            page_hashes="none" if self.page_hashes_intact is None else "sha256",
            page_hashes_intact=self.page_hashes_intact,
            notes=self.notes,
            timestamp=self.stamp,
            problems=self.problems,
        )

    def known_paths(self) -> CertificatePaths:
        """Return the paths of signer and timestamp."""
        paths = CertificatePaths(self.paths, public=self.released)
        if self.judged_by_test_roots:
            paths = CertificatePaths(tuple(replace(path, anchor=None) for path in self.paths), public=self.paths)
        if self.stamp is None or self.stamp.signer is None:
            return paths
        return replace(paths, timestamp=(chain(self.stamp.signer, self.stamp_anchor, problems=self.stamp_path),))


@dataclass(frozen=True)
class Sample:
    """A file, as input of the rules."""

    evidence: Evidence
    paths: tuple[CertificatePaths, ...]
    attributes: dict[str, str] | None = None


def driver(
    *signs: Sign,
    architecture: str | None = "x64",
    name: str = "sample.sys",
    kind: str = "image",
    problems: tuple[SignatureProblem, ...] = (),
    protection: tuple[Fault, ...] = (),
    attributes: dict[str, str] | None = None,
) -> Sample:
    """Return a file with these signatures."""
    evidence = Evidence(
        name=name,
        kind=kind,
        digests={algorithm: algorithm.hash(_CONTENT) for algorithm in DigestAlgorithm},
        architecture=architecture if kind not in ("catalog", "cabinet", "file") else None,
        signatures=tuple(sign.signature(place) for place, sign in enumerate(signs)),
        problems=problems,
        protection=protection,
    )
    return Sample(evidence, tuple(sign.known_paths() for sign in signs), attributes)


def commercial_chain_with(*codes: str, key: KeyKind = "rsa2048") -> Sign:
    """Return a signature of a publisher under a published root, whose path has these problems."""
    leaf = certificate("Fabrikam GmbH", "Public CA", usages=(EKU_CODE_SIGNING,), begins="2005-01-01", key=key)
    path = chain(leaf, anchor("commercial"), certificate("Public CA", "Public Root", begins="2001-01-01"))
    problems = tuple(PathProblem(code, "the CA issued it with MD5", 1) for code in codes)
    return Sign(leaf, (replace(path, problems=problems),))


def by_microsoft(
    *usages: str, root_id: int = 6, ends: str = "2032-01-01", key: KeyKind = "rsa2048", digest: str = "sha256"
) -> Sign:
    """Return a signature of Microsoft under one of its production roots."""
    issuer = "Microsoft Windows Third Party Component CA 2012"
    leaf = certificate(
        "Microsoft Windows Hardware Compatibility Publisher",
        issuer,
        usages=(EKU_CODE_SIGNING, *usages),
        ends=ends,
        key=key,
        digest=digest,
    )
    between = certificate(issuer, _ROOTS[root_id], digest=digest)
    return Sign(leaf, (chain(leaf, anchor("microsoft", root_id), between),))


def cross_signed(
    begins: str = "2014-03-01",
    ends: str = "2032-01-01",
    *,
    cross_ends: str = "2021-02-22",
    usages: tuple[str, ...] | None = (EKU_CODE_SIGNING,),
    digest: str = "sha1",
    also: tuple[CertificatePath, ...] = (),
) -> Sign:
    """Return a vendor's signature with a cross-certificate of the Code Verification Root."""
    leaf = certificate("Contoso Ltd.", "Some CA 2010", usages=usages, begins=begins, ends=ends, digest=digest)
    issuing = certificate("Some CA 2010", "Some Root", digest=digest, begins="2010-01-01", ends=ends)
    cross = certificate("Some Root", _ROOTS[8], digest="sha1", begins="2011-02-22", ends=cross_ends)
    return Sign(leaf, (chain(leaf, anchor("code-verification", 8), issuing, cross), *also))


def commercial(
    ends: str = "2032-01-01", *, begins: str = "2022-01-01", usages: tuple[str, ...] | None = (EKU_CODE_SIGNING,)
) -> Sign:
    """Return a vendor's signature under a public root, without a cross-certificate."""
    leaf = certificate("Contoso Ltd.", "Some CA 2020", usages=usages, begins=begins, ends=ends)
    return Sign(leaf, (chain(leaf, anchor("commercial"), certificate("Some CA 2020", "Some Root")),))


def of_test_root(*, named: bool, key: KeyKind = "rsa2048", usages: tuple[str, ...] = (EKU_CODE_SIGNING,)) -> Sign:
    """Return a signature under a test root, which the user trusts or not."""
    leaf = certificate("Contoso Test Signing", "Contoso Test CA", usages=usages, key=key)
    issuing = certificate("Contoso Test CA", "Contoso Test Root")
    end = anchor("test", name="Contoso Test Root") if named else None
    return Sign(leaf, (chain(leaf, end, issuing),))


def self_signed(*, named: bool = False) -> Sign:
    """Return a signature of a self-signed certificate, like those of Visual Studio."""
    leaf = certificate("WDKTestCert somebody,133640507385332792", usages=(EKU_CODE_SIGNING,))
    return Sign(leaf, (chain(leaf, anchor("test", name="WDKTestCert") if named else None),))


def by_microsoft_test(*usages: str, root_id: int = 10) -> Sign:
    """Return a signature of Microsoft's portal under one of its test roots."""
    leaf = certificate(
        "Microsoft Windows Hardware Compatibility PreProd", "Some PCA", usages=(EKU_CODE_SIGNING, *usages)
    )
    return Sign(leaf, (chain(leaf, anchor("microsoft-test", root_id), certificate("Some PCA", _ROOTS[root_id])),))


def unknown_issuer() -> Sign:
    """Return a signature whose issuer certificate is missing."""
    leaf = certificate("Fabrikam GmbH", "Fabrikam Issuing CA", usages=(EKU_CODE_SIGNING,))
    return Sign(leaf, (chain(leaf, None),))
