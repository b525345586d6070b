"""Sign content: an image's indirect data or a catalog's trust list, it does not matter which.

What is written is what SignTool writes: version 1, signed attributes in DER order, no signing time, the certificates up
to the root but without it. Source: RFC 2315, 9; "Windows Authenticode Portable Executable Signature Format", section
"Authenticode-Specific Structures in SignerInfo"; SignTool's output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.oids import EKU_CODE_SIGNING
from signer.certificates import extended_key_usages, is_self_signed
from signer.keys.identity import SigningIdentity
from signer.pkcs7.encode import Attribute, attribute, signed_data, signer_info
from signer.pkcs7.problem import Problem


@dataclass(frozen=True, slots=True)
class TimestampAttribute:
    """What vouches for the time of a signature."""

    attribute: Attribute
    """The unsigned attribute that it is."""
    certificates: tuple[bytes, ...] = ()
    """The DER of certificates that have to stand with the signature's own: those of a legacy timestamp."""
    notes: tuple[Problem, ...] = ()
    """What is unusual about it and breaks nothing."""


Timestamper = Callable[[bytes], TimestampAttribute]
"""Has a signature timestamped: from the signature's octets to what vouches for its time."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is signed: a content type and the content's DER."""

    oid: str
    der: bytes


@dataclass(frozen=True, slots=True)
class SigningOptions:
    """What a signature says besides what it covers."""

    digest: DigestAlgorithm = DigestAlgorithm.SHA256
    description: str | None = None
    """The program's name (SpcSpOpusInfo.programName)."""
    url: str | None = None
    """Where to read more about it (SpcSpOpusInfo.moreInfo)."""
    commercial: bool = False
    """Claim commercial instead of individual code signing (SpcStatementType)."""
    certificates: tuple[x509.Certificate, ...] = ()
    """Further certificates to carry, such as cross-certificates."""
    signing_time: datetime | None = None
    """Say when it was signed. Kernel-mode signatures don't: an unvouched time proves nothing."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A signature that lacks only the signature: for keys that are held elsewhere."""

    content: Content
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    algorithm: DigestAlgorithm
    attributes: bytes
    """The signed attributes as DER SET OF: what is to be signed."""

    @property
    def digest(self) -> bytes:
        """The digest that the key is to sign."""
        return self.algorithm.hash(self.attributes)

    def finish(self, signature: bytes, unsigned: Iterable[Attribute] = (), certificates: Iterable[bytes] = ()) -> bytes:
        """The DER of ContentInfo with SignedData, given the signature over `digest`; `certificates` go in as well."""
        signer = signer_info(self.certificate, self.algorithm, self.attributes, signature, unsigned)
        carried = [*_encoded(self.certificate, *self.chain), *certificates]
        return signed_data(1, self.algorithm, self.content.oid, self.content.der, carried, signer)


def sign(
    content: Content, identity: SigningIdentity, options: SigningOptions, timestamper: Timestamper | None = None
) -> bytes:
    """The DER of ContentInfo with SignedData over `content`. Raises IdentityError, TimestampError."""
    prepared = prepare(content, identity.certificate, identity.chain, options)
    signature = identity.key.sign(prepared.digest, options.digest)
    if timestamper is None:
        return prepared.finish(signature)
    stamp = timestamper(signature)
    return prepared.finish(signature, [stamp.attribute], stamp.certificates)


def prepare(
    content: Content,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate],
    options: SigningOptions,
) -> Prepared:
    """All of a signature but the signature itself. Roots in `chain` are left out, as SignTool does."""
    carried = [issuer for issuer in chain if not is_self_signed(issuer)]
    carried += [extra for extra in options.certificates if extra not in carried and extra != certificate]
    attributes = signed_attributes(content, options, certificate)
    return Prepared(content, certificate, tuple(dict.fromkeys(carried)), options.digest, attributes)


def signed_attributes(content: Content, options: SigningOptions, certificate: x509.Certificate | None = None) -> bytes:
    """What is to be signed: the signed attributes as DER SET OF. `certificate` is who signs, where that is known."""
    octets = der.read(content.der).contents(content.der)
    attributes = [
        attribute(oids.SPC_SP_OPUS_INFO, (_opus(options.description, options.url),)),
        attribute(oids.CONTENT_TYPE, (der.oid(content.oid),)),
        attribute(oids.MESSAGE_DIGEST, (der.octets(options.digest.hash(octets)),)),
    ]
    if options.commercial or _claims_code_signing(certificate):
        statement = oids.SPC_COMMERCIAL if options.commercial else oids.SPC_INDIVIDUAL
        attributes.append(attribute(oids.SPC_STATEMENT_TYPE, (der.sequence(der.oid(statement)),)))
    if options.signing_time is not None:
        attributes.append(attribute(oids.SIGNING_TIME, (der.time(options.signing_time),)))
    return der.set_of(attributes)


def _claims_code_signing(certificate: x509.Certificate | None) -> bool:
    """Whether SignTool would write SpcStatementType: it does so for certificates that are named for code signing only.

    Where nobody is known, as for a request, a certificate of an authority is expected, and those are.
    """
    return certificate is None or EKU_CODE_SIGNING in (extended_key_usages(certificate) or ())


def _opus(description: str | None, url: str | None) -> bytes:
    """SpcSpOpusInfo: both texts as SignTool encodes them, the name in Unicode and the link as a URL."""
    parts = []
    if description:
        parts.append(der.explicit(0, der.tlv(0x80, description.encode("utf-16-be", "surrogatepass"))))
    if url:
        parts.append(der.explicit(1, der.tlv(0x80, ascii_url(url).encode("ascii"))))
    return der.sequence(*parts)


def ascii_url(url: str) -> str:
    """`url` as an IA5String can hold it: what is not ASCII is percent-encoded as UTF-8 (RFC 3987, 3.1)."""
    from urllib.parse import quote

    return url if url.isascii() else quote(url, safe="%/:?#[]@!$&'()*+,;=-._~")


def _encoded(*certificates: x509.Certificate) -> list[bytes]:
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]
