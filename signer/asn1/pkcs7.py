"""PKCS #7 SignedData in the form that Authenticode uses.

Authenticode follows PKCS #7 version 1.5 (RFC 2315), whose content can have any type. CMS (RFC 5652) wraps the content
in an OCTET STRING, and asn1crypto's classes implement CMS. The classes here keep the content and the attribute values
unparsed, so that they can be hashed byte for byte.
"""

from __future__ import annotations

from asn1crypto.algos import DigestAlgorithm, SignedDigestAlgorithm
from asn1crypto.cms import CertificateSet, RevocationInfoChoices, SignerIdentifier
from asn1crypto.core import Any, Integer, ObjectIdentifier, OctetString, Sequence, SetOf

from signer.asn1.der import read


class ContentInfo(Sequence):
    """A content and its type (RFC 2315, 7)."""

    _fields = [("content_type", ObjectIdentifier), ("content", Any, {"explicit": 0, "optional": True})]


class DigestAlgorithms(SetOf):
    """The digest algorithms that the signers used (RFC 2315, 9.1)."""

    _child_spec = DigestAlgorithm


class AttributeValues(SetOf):
    """The values of one attribute, unparsed."""

    _child_spec = Any


class Attribute(Sequence):
    """One attribute of a signer (RFC 2315, 6.2)."""

    _fields = [("type", ObjectIdentifier), ("values", AttributeValues)]


class Attributes(SetOf):
    """A signer's attributes; signed ones are hashed as a SET OF in DER (RFC 2315, 9.3)."""

    _child_spec = Attribute


class SignerInfo(Sequence):
    """The signature of one signer (RFC 2315, 9.2)."""

    _fields = [
        ("version", Integer),
        ("sid", SignerIdentifier),
        ("digest_algorithm", DigestAlgorithm),
        ("signed_attrs", Attributes, {"implicit": 0, "optional": True}),
        ("signature_algorithm", SignedDigestAlgorithm),
        ("signature", OctetString),
        ("unsigned_attrs", Attributes, {"implicit": 1, "optional": True}),
    ]


class SignerInfos(SetOf):
    """The signers; Authenticode allows one (RFC 2315, 9.1)."""

    _child_spec = SignerInfo


class SignedData(Sequence):
    """A content with its signers and their certificates (RFC 2315, 9.1)."""

    _fields = [
        ("version", Integer),
        ("digest_algorithms", DigestAlgorithms),
        ("content_info", ContentInfo),
        ("certificates", CertificateSet, {"implicit": 0, "optional": True}),
        ("crls", RevocationInfoChoices, {"implicit": 1, "optional": True}),
        ("signer_infos", SignerInfos),
    ]


def content_der(content_info: ContentInfo) -> bytes:
    """Return the encoded content of a ContentInfo without its explicit tag; empty for a detached signature."""
    wrapped = content_info["content"].dump()
    if not wrapped:
        return b""
    return read(wrapped).contents(wrapped)
