"""Sign content, such as the indirect data of an image or the trust list of a catalog.

The output matches SignTool's: version 1, signed attributes in DER order, no signing time, and the chain without its
root. Source: RFC 2315, 9; "Windows Authenticode Portable Executable Signature Format", section "Authenticode-Specific
Structures in SignerInfo"; SignTool's output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.oids import EKU_CODE_SIGNING
from signer.certificates import extended_key_usages, is_self_signed
from signer.keys.identity import SigningIdentity
from signer.pkcs7.content import Content as Content
from signer.pkcs7.encode import Attribute, attribute, signed_data, signer_info
from signer.pkcs7.problem import SignatureProblem
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class TimestampAttribute:
    """A timestamp of a signature, as an unsigned attribute."""

    attribute: Attribute
    """The unsigned attribute with the timestamp."""
    certificates: tuple[bytes, ...] = ()
    """DER certificates to add to those of the signature: the chain of a legacy timestamp."""
    notes: tuple[SignatureProblem, ...] = ()
    """Unusual properties of the timestamp that do not invalidate it."""


Timestamper = Callable[[bytes], TimestampAttribute]
"""Requests a timestamp for the octets of a signature. Raises TimestampError."""


@dataclass(frozen=True, slots=True)
class SigningOptions:
    """Digest algorithm, attributes and additional certificates of a signature."""

    digest: DigestAlgorithm = DigestAlgorithm.SHA256
    description: str | None = None
    """Name of the program (SpcSpOpusInfo.programName)."""
    url: str | None = None
    """URL with more information about the program (SpcSpOpusInfo.moreInfo)."""
    commercial: bool = False
    """Whether SpcStatementType is commercial instead of individual code signing."""
    certificates: tuple[x509.Certificate, ...] = ()
    """Additional certificates to include, such as cross-certificates."""
    signing_time: datetime | None = None
    """Time to write in the attribute signingTime. SignTool omits it, because the time is not proven."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """SignedData that lacks only the signature value, for keys that sign elsewhere."""

    content: Content
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    algorithm: DigestAlgorithm
    attributes: bytes
    """The signed attributes as a DER SET OF, which the signature covers."""

    @property
    def digest(self) -> bytes:
        """The digest to sign with the key."""
        return self.algorithm.hash(self.attributes)

    def finish(self, signature: bytes, unsigned: Iterable[Attribute] = (), certificates: Iterable[bytes] = ()) -> bytes:
        """Return the DER of a ContentInfo with SignedData, given the signature over `digest`.

        Adds the `unsigned` attributes and the DER `certificates`.
        """
        signer = signer_info(self.certificate, self.algorithm, self.attributes, signature, unsigned)
        included = [*_encoded(self.certificate, *self.chain), *certificates]
        return signed_data(1, self.algorithm, self.content.oid, self.content.der, included, signer)


def sign(
    content: Content, identity: SigningIdentity, options: SigningOptions, timestamper: Timestamper | None = None
) -> bytes:
    """Sign `content` and return the DER of a ContentInfo with SignedData. Raises IdentityError and TimestampError."""
    prepared = prepare(content, identity.certificate, identity.chain, options)
    signature = identity.key.sign(prepared.digest, options.digest)
    if timestamper is None:
        return prepared.finish(signature)
    timestamp = timestamper(signature)
    return prepared.finish(signature, [timestamp.attribute], timestamp.certificates)


def prepare(
    content: Content,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate],
    options: SigningOptions,
) -> Prepared:
    """Prepare SignedData without the signature value. Omits roots in `chain`, as SignTool does."""
    included = [issuer for issuer in chain if not is_self_signed(issuer)]
    included += [extra for extra in options.certificates if extra not in included and extra != certificate]
    attributes = signed_attributes(content, options, certificate)
    return Prepared(content, certificate, tuple(dict.fromkeys(included)), options.digest, attributes)


def signed_attributes(content: Content, options: SigningOptions, certificate: x509.Certificate | None = None) -> bytes:
    """Return the signed attributes as a DER SET OF. `certificate` is the signer's, or None if it is not known yet."""
    octets = der.read(content.der).contents(content.der)
    attributes = [
        attribute(oids.SPC_SP_OPUS_INFO, (_opus(options.description, options.url),)),
        attribute(oids.CONTENT_TYPE, (der.oid(content.oid),)),
        attribute(oids.MESSAGE_DIGEST, (der.octets(options.digest.hash(octets)),)),
    ]
    if options.commercial or _needs_statement(certificate):
        statement = oids.SPC_COMMERCIAL if options.commercial else oids.SPC_INDIVIDUAL
        attributes.append(attribute(oids.SPC_STATEMENT_TYPE, (der.sequence(der.oid(statement)),)))
    if options.signing_time is not None:
        attributes.append(attribute(oids.SIGNING_TIME, (der.time(options.signing_time),)))
    return der.set_of(attributes)


def _needs_statement(certificate: x509.Certificate | None) -> bool:
    """Return whether SignTool writes SpcStatementType: only if the certificate's EKU contains code signing.

    Without a certificate, assume one from a certificate authority, which has this EKU.
    """
    return certificate is None or EKU_CODE_SIGNING in (extended_key_usages(certificate) or ())


def _opus(description: str | None, url: str | None) -> bytes:
    """Encode SpcSpOpusInfo as SignTool does: the name as a BMPString, the link as a URL."""
    parts = []
    if description:
        parts.append(der.explicit(0, der.tlv(0x80, description.encode("utf-16-be", "surrogatepass"))))
    if url:
        parts.append(der.explicit(1, der.tlv(0x80, ascii_url(url).encode("ascii"))))
    return der.sequence(*parts)


def ascii_url(url: str) -> str:
    """Return `url` in ASCII, for an IA5String: other characters are percent-encoded as UTF-8 (RFC 3987, 3.1)."""
    from urllib.parse import quote

    return url if url.isascii() else quote(url, safe="%/:?#[]@!$&'()*+,;=-._~")


def _encoded(*certificates: x509.Certificate) -> list[bytes]:
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]
