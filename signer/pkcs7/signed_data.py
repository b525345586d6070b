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
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.certificates import is_self_signed
from signer.keys.identity import PublicKey, SigningIdentity, require_supported
from signer.pkcs7.parse import certificate_names

Attribute = tuple[str, tuple[bytes, ...]]
"""An attribute: its type, and the DER of its values."""

Timestamper = Callable[[bytes], Attribute]
"""Has a signature timestamped: from the signature's octets to the unsigned attribute that vouches for its time."""


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

    def finish(self, signature: bytes, unsigned: Iterable[Attribute] = ()) -> bytes:
        """The DER of ContentInfo with SignedData, given the signature over `digest`."""
        digest_algorithm = _algorithm(self.algorithm.oid)
        content = der.sequence(der.oid(self.content.oid), der.explicit(0, self.content.der))
        return der.sequence(
            der.oid(oids.SIGNED_DATA),
            der.explicit(
                0,
                der.sequence(
                    der.integer(1),
                    der.tlv(der.SET, digest_algorithm),
                    content,
                    der.explicit(0, *sorted(_encoded(self.certificate, *self.chain))),
                    der.tlv(der.SET, self._signer_info(signature, tuple(unsigned))),
                ),
            ),
        )

    def _signer_info(self, signature: bytes, unsigned: tuple[Attribute, ...]) -> bytes:
        issuer, _ = certificate_names(self.certificate.public_bytes(Encoding.DER))
        return der.sequence(
            der.integer(1),
            der.sequence(issuer, der.integer(self.certificate.serial_number)),
            _algorithm(self.algorithm.oid),
            _retagged(self.attributes, 0),
            _signature_algorithm(require_supported(self.certificate.public_key()), self.algorithm),
            der.octets(signature),
            *([_retagged(der.set_of(_attribute(*attribute) for attribute in unsigned), 1)] if unsigned else ()),
        )


def sign(
    content: Content, identity: SigningIdentity, options: SigningOptions, timestamper: Timestamper | None = None
) -> bytes:
    """The DER of ContentInfo with SignedData over `content`. Raises IdentityError, TimestampError."""
    prepared = prepare(content, identity.certificate, identity.chain, options)
    signature = identity.key.sign(prepared.digest, options.digest)
    return prepared.finish(signature, [timestamper(signature)] if timestamper else [])


def prepare(
    content: Content,
    certificate: x509.Certificate,
    chain: Iterable[x509.Certificate],
    options: SigningOptions,
) -> Prepared:
    """All of a signature but the signature itself. Roots in `chain` are left out, as SignTool does."""
    carried = [issuer for issuer in chain if not is_self_signed(issuer)]
    carried += [extra for extra in options.certificates if extra not in carried and extra != certificate]
    attributes = signed_attributes(content, options)
    return Prepared(content, certificate, tuple(dict.fromkeys(carried)), options.digest, attributes)


def signed_attributes(content: Content, options: SigningOptions) -> bytes:
    """What is to be signed: the signed attributes as DER SET OF. They do not depend on who signs."""
    octets = der.read(content.der).contents(content.der)
    statement = oids.SPC_COMMERCIAL if options.commercial else oids.SPC_INDIVIDUAL
    attributes = [
        _attribute(oids.SPC_SP_OPUS_INFO, (_opus(options.description, options.url),)),
        _attribute(oids.CONTENT_TYPE, (der.oid(content.oid),)),
        _attribute(oids.SPC_STATEMENT_TYPE, (der.sequence(der.oid(statement)),)),
        _attribute(oids.MESSAGE_DIGEST, (der.octets(options.digest.hash(octets)),)),
    ]
    if options.signing_time is not None:
        attributes.append(_attribute(oids.SIGNING_TIME, (der.time(options.signing_time),)))
    return der.set_of(attributes)


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


def _attribute(oid: str, values: Iterable[bytes]) -> bytes:
    return der.sequence(der.oid(oid), der.set_of(values))


def _algorithm(oid: str) -> bytes:
    return der.sequence(der.oid(oid), der.null())


def _signature_algorithm(key: PublicKey, digest: DigestAlgorithm) -> bytes:
    """rsaEncryption with NULL, as SignTool has it; for ECDSA the digest is part of the name (RFC 5753, 7.1.3)."""
    if isinstance(key, rsa.RSAPublicKey):
        return _algorithm(oids.RSA)
    return der.sequence(der.oid(oids.ECDSA_WITH[digest.label]))


def _encoded(*certificates: x509.Certificate) -> list[bytes]:
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]


def _retagged(set_of: bytes, number: int) -> bytes:
    """A SET OF as `[number] IMPLICIT`."""
    return bytes((0xA0 | number,)) + set_of[1:]
