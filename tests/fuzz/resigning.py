"""Sign changed structures again with test keys, so that the code behind the check of a signature is reached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.errors import SignatureFormatError
from tests.fuzz.identities import AUTHORITY, ROOT, SIGNER, RepeatableKey

_SHA256 = DigestAlgorithm.SHA256
_Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Keys:
    """The keys that sign: content by its signer, timestamps by an authority, certificates by their issuer."""

    signer: RepeatableKey = SIGNER
    authority: RepeatableKey = AUTHORITY
    issuer: RepeatableKey | None = ROOT
    """None leaves the certificates as they are."""


GENUINE = Keys()


def resigned(data: bytes, keys: Keys = GENUINE) -> bytes:
    """Sign a ContentInfo with SignedData again, inside out: certificates, attributes, signature, then its timestamps.

    Data that is too damaged to find the parts is returned as it is.
    """
    try:
        return _Resigner(keys).content_info(data)
    except (SignatureFormatError, IndexError, ValueError):
        return data


def resigned_answer(data: bytes) -> bytes:
    """Sign the token of a TimeStampResp again."""
    try:
        status, token, *rest = parts(data)
    except (SignatureFormatError, ValueError):
        return data
    return der.sequence(status, resigned(token), *rest)


def reissued(certificate: bytes, issuer: RepeatableKey = ROOT) -> bytes:
    """Sign a certificate or revocation list again: a SEQUENCE of content, algorithm and signature."""
    try:
        content, algorithm, _ = parts(certificate)
    except (SignatureFormatError, ValueError):
        return certificate
    signature = issuer.sign(_SHA256.hash(content), _SHA256)
    return der.sequence(content, algorithm, der.tlv(der.BIT_STRING, b"\0", signature))


def parts(data: bytes) -> list[bytes]:
    """Return the encoded elements inside `data`. Raises SignatureFormatError."""
    return [one.whole(data) for one in der.children(data, der.read(data))]


class _Resigner:
    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def content_info(self, data: bytes) -> bytes:
        """Sign a ContentInfo again."""
        kind, wrapped, *rest = parts(data)
        version, algorithms, content, *others, signers = parts(parts(wrapped)[0])
        oid, *values = parts(content)
        octets = _contents(parts(values[0])[0]) if values else b""
        issuer = self._keys.issuer
        if issuer is not None:
            others = [_all(one, lambda each: reissued(each, issuer)) if one[0] == 0xA0 else one for one in others]
        certificates = [one for other in others if other[0] == 0xA0 for one in parts(other)]
        own = oid in (der.oid(oids.TST_INFO), der.oid(oids.DATA))
        key = self._keys.authority if own else self._keys.signer
        signers = _all(signers, lambda each: self._signer(each, octets, key, certificates))
        signed = der.sequence(version, algorithms, content, *others, signers)
        return der.sequence(kind, der.explicit(0, signed), *rest)

    def _signer(self, info: bytes, octets: bytes, key: RepeatableKey, certificates: list[bytes]) -> bytes:
        """Sign a SignerInfo again, over the hash of the content."""
        version, identifier, algorithm, *rest = parts(info)
        digest = DigestAlgorithm.by_oid(_oid(parts(algorithm)[0])) or _SHA256
        attributes = rest.pop(0) if rest and rest[0][0] == 0xA0 else b""
        if attributes:
            named = next((one for one in certificates if _names(one) == identifier), b"")
            attributes = _all(attributes, lambda each: _signed_attribute(each, digest.hash(octets), named))
        covered = bytes((der.SET,)) + attributes[1:] if attributes else octets
        signature = key.sign(digest.hash(covered), digest)
        unsigned = [_all(one, lambda each: self._unsigned(each, signature)) for one in rest[2:]]
        return der.sequence(version, identifier, algorithm, attributes, rest[0], der.octets(signature), *unsigned)

    def _unsigned(self, attribute: bytes, signature: bytes) -> bytes:
        """Sign the timestamp or nested signature of an unsigned attribute again."""
        kind, values = parts(attribute)
        change: dict[bytes, _Change] = {
            der.oid(oids.RFC3161_TIMESTAMP): lambda value: self.content_info(with_imprint(value, signature)),
            der.oid(oids.COUNTER_SIGNATURE): lambda value: self._signer(value, signature, self._keys.authority, []),
            der.oid(oids.NESTED_SIGNATURE): self.content_info,
        }
        return der.sequence(kind, _all(values, change[kind])) if kind in change else attribute


def with_imprint(token: bytes, signature: bytes) -> bytes:
    """Return a timestamp token whose SHA-256 imprint is that of `signature`."""
    position = token.find(IMPRINT)
    start = position + len(IMPRINT)
    return token if position < 0 else token[:start] + _SHA256.hash(signature) + token[start + _SHA256.size :]


IMPRINT = der.sequence(der.oid(_SHA256.oid), der.null()) + b"\x04\x20"
"""The bytes before the hash in a MessageImprint; elsewhere in a token, no hash follows this algorithm."""


def _signed_attribute(attribute: bytes, digest: bytes, certificate: bytes) -> bytes:
    """Return a signed attribute that fits the content, or the authority's certificate."""
    kind, values = parts(attribute)
    if kind == der.oid(oids.MESSAGE_DIGEST):
        return der.sequence(kind, der.tlv(der.SET, der.octets(digest)))
    if kind == der.oid(oids.SIGNING_CERTIFICATE_V2) and certificate:
        named = hashlib.sha256(certificate).digest()
        position = values.find(b"\x04\x20")
        if position >= 0:
            values = values[: position + 2] + named + values[position + 2 + len(named) :]
        return der.sequence(kind, values)
    return attribute


def _all(parent: bytes, change: _Change) -> bytes:
    """Return a constructed element with `change` applied to each element inside that can be changed."""
    return der.tlv(parent[0], *(_tried(change, one) for one in parts(parent)))


def _tried(change: _Change, one: bytes) -> bytes:
    try:
        return change(one)
    except (SignatureFormatError, IndexError, ValueError):
        return one


def _contents(data: bytes) -> bytes:
    return der.read(data).contents(data)


def _oid(data: bytes) -> str:
    return der.read_oid(_contents(data))


def _names(certificate: bytes) -> bytes:
    """Return the issuer and serial number of a certificate as a SignerInfo names it."""
    try:
        issuer, serial = certificate_names(certificate)
    except SignatureFormatError:
        return b""
    return der.sequence(issuer, der.integer(serial))
