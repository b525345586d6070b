"""Read the Authenticode attributes of a signer: program name and URL, and the statement type.

Source: "Windows Authenticode Portable Executable Signature Format", sections "SpcSpOpusInfo" and "SpcStatementType".
"""

from __future__ import annotations

from signer.asn1 import der, oids, spc
from signer.errors import SignatureFormatError
from signer.pkcs7.parse import ParsedSignerInfo
from signer.records import dataclass

_NAME, _MORE_INFO, _PUBLISHER = 0xA0, 0xA1, 0xA2


@dataclass(frozen=True, slots=True)
class Opus:
    """SpcSpOpusInfo: name and URL of the program."""

    program_name: str | None = None
    url: str | None = None


def read_opus(signer: ParsedSignerInfo) -> Opus:
    """Read SpcSpOpusInfo of a signer; an empty `Opus` if the attribute is absent. Raises SignatureFormatError."""
    value = signer.signed(oids.SPC_SP_OPUS_INFO)
    if value is None:
        return Opus()
    try:
        return _parse_opus(value)
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


def _parse_opus(value: bytes) -> Opus:
    """Parse the DER of SpcSpOpusInfo. Raises SignatureFormatError.

    SpcSpOpusInfo ::= SEQUENCE { programName [0] EXPLICIT SpcString OPTIONAL,
        moreInfo [1] EXPLICIT SpcLink OPTIONAL, publisherInfo [2] EXPLICIT SpcLink OPTIONAL }
    """
    info = der.expect(value, 0, der.SEQUENCE, "SpcSpOpusInfo")
    fields = list(der.children(value, info))
    tags = [field.tag for field in fields]
    if info.end != len(value) or tags != sorted({_NAME, _MORE_INFO, _PUBLISHER} & set(tags)):
        raise SignatureFormatError("SpcSpOpusInfo has undefined fields", offset=info.start)
    found = {field.tag: spc.only_child(value, field) for field in fields}
    name, more_info = found.get(_NAME), found.get(_MORE_INFO)
    return Opus(
        _text(spc.string(value, name)) if name is not None else None,
        _text(spc.link_text(value, more_info)) if more_info is not None else None,
    )


def _text(text: str | None) -> str | None:
    """Return the text before the zeros at its end; None for an empty one."""
    return text.rstrip("\0") or None if text is not None else None
