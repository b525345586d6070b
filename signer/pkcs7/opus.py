"""Read the Authenticode attributes of a signer: program name and URL, and the statement type.

Source: "Windows Authenticode Portable Executable Signature Format", sections "SpcSpOpusInfo" and "SpcStatementType".
"""

from __future__ import annotations

from dataclasses import dataclass

from signer.asn1 import der, oids
from signer.asn1.spc import explicit, read_link, read_string
from signer.errors import SignatureFormatError
from signer.pkcs7.fields import optional
from signer.pkcs7.parse import ParsedSignerInfo

_PROGRAM_NAME, _MORE_INFO, _PUBLISHER_INFO = 0xA0, 0xA1, 0xA2


@dataclass(frozen=True, slots=True)
class Opus:
    """SpcSpOpusInfo: name and URL of the program."""

    program_name: str | None = None
    url: str | None = None


def read_opus(signer: ParsedSignerInfo) -> Opus:
    """Read SpcSpOpusInfo of a signer; an empty `Opus` if the attribute is absent. Raises SignatureFormatError.

    SpcSpOpusInfo ::= SEQUENCE {
        programName [0] EXPLICIT SpcString OPTIONAL, moreInfo [1] EXPLICIT SpcLink OPTIONAL,
        publisherInfo [2] EXPLICIT SpcLink OPTIONAL }
    """
    value = signer.signed(oids.SPC_SP_OPUS_INFO)
    if value is None:
        return Opus()
    try:
        info = der.expect(value, 0, der.SEQUENCE, "SpcSpOpusInfo")
        name, url, publisher = optional(list(der.children(value, info)), _PROGRAM_NAME, _MORE_INFO, _PUBLISHER_INFO)
        if publisher is not None:
            read_link(value, explicit(value, publisher))
        return Opus(
            _text(read_string(value, explicit(value, name))) if name is not None else None,
            _text(read_link(value, explicit(value, url))) if url is not None else None,
        )
    except SignatureFormatError as error:
        raise SignatureFormatError("the SpcSpOpusInfo of the signer is malformed") from error


def read_statement(signer: ParsedSignerInfo) -> str | None:
    """Read SpcStatementType of a signer: the OID of individual or commercial code signing, or None if it is absent.

    SpcStatementType ::= SEQUENCE OF OBJECT IDENTIFIER; only the first OID is read. Raises SignatureFormatError.
    """
    value = signer.signed(oids.SPC_STATEMENT_TYPE)
    if value is None:
        return None
    first = der.expect(
        value, der.expect(value, 0, der.SEQUENCE, "SpcStatementType").body, der.OID, "an OID", len(value)
    )
    return der.read_oid(first.contents(value))


def _text(value: str | tuple[bytes, bytes]) -> str | None:
    """Return the text of an SpcString or SpcLink, or None if it is empty or an object."""
    return value.rstrip("\0") or None if isinstance(value, str) else None
