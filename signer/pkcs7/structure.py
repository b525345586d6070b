"""Check the structure of a SignedData for parts that its definition does not have.

Decoders skip such parts, and no signature covers them, so they can hide data. They are notes, unless a public source
shows that Windows or the format refuses them. Sources: RFC 2315, 7 and 9; RFC 5652, 5; X.690, 8.3 and 8.19.2;
wincrypt.h (CMSG_SIGNER_INFO.dwVersion has 32 bits); OpenSSL, which refuses fields after the signers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.numbers import counted
from signer.pkcs7.problem import SignatureProblem
from signer.records import dataclass

_CERTIFICATES, _CRLS = 0xA0, 0xA1
_SIGNED, _UNSIGNED = 0xA0, 0xA1
_MAX_VERSION_SIZE = 4
_SIGNED_DATA_VERSIONS, _SIGNER_VERSIONS = (1, 3, 4, 5), (1, 3)
_HEAD_FIELDS = 3
"""SignedData's fields before the optional ones: version, digest algorithms and content."""

_Deviation = tuple[SignatureProblem, bool]
"""A deviation, and whether it makes the signature invalid."""


@dataclass(frozen=True, slots=True)
class Structure:
    """Deviations from the definition of SignedData."""

    problems: tuple[SignatureProblem, ...] = ()
    """Deviations that make the signature invalid."""
    notes: tuple[SignatureProblem, ...] = ()


def check_structure(data: bytes) -> Structure:
    """Check a ContentInfo with SignedData (DER), which `signer.pkcs7.parse` could parse."""
    return _separated(_content_info(data))


def check_signer_structure(data: bytes) -> Structure:
    """Check a single SignerInfo (DER), such as a counter-signature."""
    return _separated(_signer(data, der.read(data)))


def _separated(found: Iterator[_Deviation]) -> Structure:
    every = tuple(found)
    return Structure(
        tuple(problem for problem, invalid in every if invalid),
        tuple(problem for problem, invalid in every if not invalid),
    )


def _content_info(data: bytes) -> Iterator[_Deviation]:
    fields = list(der.children(data, der.read(data)))
    yield from _trailing(data, fields[2:], "ContentInfo")
    yield from _oid(data, fields[0], "the content type")
    yield from _signed_data(data, der.read(data, fields[1].body))


def _signed_data(data: bytes, signed: der.Element) -> Iterator[_Deviation]:
    fields = list(der.children(data, signed))
    version, digests, content = fields[:_HEAD_FIELDS]
    optional = list(takewhile(lambda field: field.tag in (_CERTIFICATES, _CRLS), fields[_HEAD_FIELDS:]))
    signers, *rest = fields[_HEAD_FIELDS + len(optional) :]
    yield from _trailing(data, rest, "SignedData", invalid=True)
    yield from _version(data, version, "SignedData", _SIGNED_DATA_VERSIONS)
    for algorithm in der.children(data, digests):
        yield from _algorithm(data, algorithm, "a digest algorithm of SignedData")
    inner = list(der.children(data, content))
    yield from _trailing(data, inner[2:], "encapContentInfo")
    yield from _oid(data, inner[0], "the type of the signed content")
    for field in optional:
        if field.tag == _CRLS:
            yield from _revocation_lists(data, field)
    for signer in der.children(data, signers):
        yield from _signer(data, signer)


def _signer(data: bytes, signer: der.Element) -> Iterator[_Deviation]:
    fields = list(der.children(data, signer))
    version, identifier, digest, *rest = fields
    yield from _version(data, version, "SignerInfo", _SIGNER_VERSIONS)
    if identifier.tag == der.SEQUENCE:
        yield from _trailing(data, list(der.children(data, identifier))[2:], "the signer's issuer and serial number")
    yield from _algorithm(data, digest, "the signer's digest algorithm")
    if rest[0].tag == _SIGNED:
        yield from _attributes(data, rest.pop(0))
    yield from _algorithm(data, rest[0], "the signature algorithm")
    rest = rest[2:]  # the signature follows its algorithm
    if rest and rest[0].tag == _UNSIGNED:
        yield from _attributes(data, rest.pop(0))
    yield from _trailing(data, rest, "SignerInfo")


def _attributes(data: bytes, attributes: der.Element) -> Iterator[_Deviation]:
    for attribute in der.children(data, attributes):
        oid, values, *rest = der.children(data, attribute)
        yield from _oid(data, oid, "the type of an attribute")
        yield from _trailing(data, rest, "an attribute")
        if values.body == values.end:
            yield SignatureProblem("malformed-structure", "an attribute has no value"), False


def _algorithm(data: bytes, algorithm: der.Element, name: str) -> Iterator[_Deviation]:
    fields = list(der.children(data, algorithm))
    if fields:  # `signer.keys.check` reports an empty one
        yield from _oid(data, fields[0], name)
    yield from _trailing(data, fields[2:], name)
    if fields[1:] and not _are_parameters(data, *fields[:2]):
        size = fields[1].end - fields[1].start
        message = f"{name} has {counted(size, 'byte')} of undefined parameters, which no signature covers"
        yield SignatureProblem("malformed-structure", message), False


_PARAMETERS = {der.oid(oids.RSA_PSS): der.SEQUENCE, der.oid(oids.EC_PUBLIC_KEY): der.OID}
"""Other parameters than NULL: RSASSA-PSS-params (RFC 4055, 3.1), and a named curve (RFC 5480, 2.1.1)."""


def _are_parameters(data: bytes, algorithm: der.Element, parameters: der.Element) -> bool:
    """Return whether an algorithm of code signing has such parameters."""
    if parameters.whole(data) == der.null():
        return True
    return _PARAMETERS.get(algorithm.whole(data)) == parameters.tag


def _trailing(data: bytes, fields: Sequence[der.Element], name: str, *, invalid: bool = False) -> Iterator[_Deviation]:
    """Report fields after the last one of a structure. `name` is that of the structure."""
    if fields:
        size = sum(field.end - field.start for field in fields)
        message = f"{name} has {counted(size, 'byte')} of undefined fields at its end, which no signature covers"
        yield SignatureProblem("trailing-fields", message), invalid


def _version(data: bytes, version: der.Element, name: str, known: tuple[int, ...]) -> Iterator[_Deviation]:
    contents = version.contents(data)
    if not 0 < len(contents) <= _MAX_VERSION_SIZE:
        message = f"the version of {name} has {len(contents)} bytes; Windows reads 1 to {_MAX_VERSION_SIZE}"
        yield SignatureProblem("malformed-structure", message), True
    elif int.from_bytes(contents, "big", signed=True) not in known:
        number = int.from_bytes(contents, "big", signed=True)
        yield SignatureProblem("malformed-structure", f"{name} has the undefined version {number}"), False


def _oid(data: bytes, oid: der.Element, name: str) -> Iterator[_Deviation]:
    try:
        der.read_oid(oid.contents(data))
    except SignatureFormatError as error:
        yield SignatureProblem("malformed-structure", f"{name}: {error.message}"), True


def _revocation_lists(data: bytes, lists: der.Element) -> Iterator[_Deviation]:
    """Report entries that are not revocation lists (RFC 2315, 6.3)."""
    from cryptography import x509

    for entry in der.children(data, lists):
        try:
            x509.load_der_x509_crl(entry.whole(data))
        except (ValueError, TypeError, x509.InvalidVersion):
            size = entry.end - entry.start
            message = (
                f"an entry of {counted(size, 'byte')} among the embedded revocation lists is not a revocation list"
            )
            yield SignatureProblem("malformed-structure", message), False
