"""Microsoft's Authenticode types as classes of asn1crypto, an independent reader to compare with.

Source: "Windows Authenticode Portable Executable Signature Format", version 1.0 (2008), in the section that each class
names.
"""

from __future__ import annotations

from asn1crypto.core import Any, BitString, BMPString, Choice, IA5String, ObjectIdentifier, OctetString, Sequence


class SpcUuid(OctetString):
    """SpcUuid ::= OCTETSTRING (section "SpcSerializedObject")."""


class SpcSerializedObject(Sequence):
    """A serialized object, which holds page hashes or an enhanced hash (section "SpcSerializedObject").

    SpcSerializedObject ::= SEQUENCE { classId SpcUuid, serializedData OCTETSTRING }
    """

    _fields = [("class_id", SpcUuid), ("serialized_data", OctetString)]


class SpcString(Choice):
    """Text in Unicode or ASCII (section "SpcString").

    SpcString ::= CHOICE { unicode [0] IMPLICIT BMPSTRING, ascii [1] IMPLICIT IA5STRING }
    """

    _alternatives = [("unicode", BMPString, {"implicit": 0}), ("ascii", IA5String, {"implicit": 1})]


class SpcLink(Choice):
    """A link to a URL, a serialized object or a file (section "SpcLink").

    SpcLink ::= CHOICE {
        url [0] IMPLICIT IA5STRING, moniker [1] IMPLICIT SpcSerializedObject, file [2] EXPLICIT SpcString }
    """

    _alternatives = [
        ("url", IA5String, {"implicit": 0}),
        ("moniker", SpcSerializedObject, {"implicit": 1}),
        ("file", SpcString, {"explicit": 2}),
    ]


class SpcPeImageData(Sequence):
    """Flags of a PE image, and its page hashes (section "SpcPeImageData").

    SpcPeImageData ::= SEQUENCE {
        flags SpcPeImageFlags DEFAULT { includeResources }, file [0] EXPLICIT SpcLink OPTIONAL }
    """

    _fields = [("flags", BitString, {"optional": True}), ("file", SpcLink, {"explicit": 0, "optional": True})]


class SpcAttributeTypeAndOptionalValue(Sequence):
    """The type of the file that was hashed, and data about it (section "SpcAttributeTypeAndOptionalValue").

    SpcAttributeTypeAndOptionalValue ::= SEQUENCE { type ObjectID, value [0] EXPLICIT ANY OPTIONAL }
    Signatures in the field have no explicit tag: the value is SpcPeImageData or SpcLink itself.
    """

    _fields = [("type", ObjectIdentifier), ("value", Any, {"optional": True})]


class SpcSpOpusInfo(Sequence):
    """The publisher's name and URL for the program (section "SpcSpOpusInfo").

    SpcSpOpusInfo ::= SEQUENCE {
        programName [0] EXPLICIT SpcString OPTIONAL, moreInfo [1] EXPLICIT SpcLink OPTIONAL,
        publisherInfo [2] EXPLICIT SpcLink OPTIONAL }
    """

    _fields = [
        ("program_name", SpcString, {"explicit": 0, "optional": True}),
        ("more_info", SpcLink, {"explicit": 1, "optional": True}),
        ("publisher_info", SpcLink, {"explicit": 2, "optional": True}),
    ]
