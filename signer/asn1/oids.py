"""The object identifiers of code signing, and what to call them.

Sources: "Windows Authenticode Portable Executable Signature Format" (2008), wintrust.h and wincrypt.h of the Windows
SDK, RFC 5652, RFC 2985, RFC 3161.
"""

from __future__ import annotations

# CMS and PKCS #9
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
COUNTER_SIGNATURE = "1.2.840.113549.1.9.6"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

# Signature algorithms
RSA = "1.2.840.113549.1.1.1"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
ECDSA_WITH = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}

# Authenticode
SPC_INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
SPC_STATEMENT_TYPE = "1.3.6.1.4.1.311.2.1.11"
SPC_SP_OPUS_INFO = "1.3.6.1.4.1.311.2.1.12"
SPC_PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
SPC_INDIVIDUAL = "1.3.6.1.4.1.311.2.1.21"
SPC_COMMERCIAL = "1.3.6.1.4.1.311.2.1.22"
SPC_CAB_DATA = "1.3.6.1.4.1.311.2.1.25"
SPC_LINK = "1.3.6.1.4.1.311.2.1.28"
SPC_PAGE_HASHES_V1 = "1.3.6.1.4.1.311.2.3.1"
SPC_PAGE_HASHES_V2 = "1.3.6.1.4.1.311.2.3.2"
NESTED_SIGNATURE = "1.3.6.1.4.1.311.2.4.1"
ENHANCED_HASH = "1.3.6.1.4.1.311.2.5.1"
SPC_TIMESTAMP_REQUEST = "1.3.6.1.4.1.311.3.2.1"
RFC3161_TIMESTAMP = "1.3.6.1.4.1.311.3.3.1"

# Catalogs
CTL = "1.3.6.1.4.1.311.10.1"
CATALOG_LIST = "1.3.6.1.4.1.311.12.1.1"
CATALOG_MEMBER_V1 = "1.3.6.1.4.1.311.12.1.2"
CATALOG_MEMBER_V2 = "1.3.6.1.4.1.311.12.1.3"
CAT_NAMEVALUE = "1.3.6.1.4.1.311.12.2.1"
CAT_MEMBERINFO = "1.3.6.1.4.1.311.12.2.2"
CAT_MEMBERINFO2 = "1.3.6.1.4.1.311.12.2.3"

# App Control
SI_POLICY = "1.3.6.1.4.1.311.79.1"

PAGE_HASH_CLASS = bytes.fromhex("a6b586d5b4a12466ae05a217da8e60d6")
"""The class of the serialized object that carries page hashes or an enhanced hash (SpcSerializedObject.classId)."""

NAMES = {
    DATA: "data",
    SIGNED_DATA: "signed data",
    TST_INFO: "timestamp",
    CONTENT_TYPE: "content type",
    MESSAGE_DIGEST: "message digest",
    SIGNING_TIME: "signing time",
    COUNTER_SIGNATURE: "counter-signature",
    SPC_INDIRECT_DATA: "SpcIndirectDataContent",
    SPC_STATEMENT_TYPE: "SpcStatementType",
    SPC_SP_OPUS_INFO: "SpcSpOpusInfo",
    SPC_INDIVIDUAL: "individual code signing",
    SPC_COMMERCIAL: "commercial code signing",
    NESTED_SIGNATURE: "nested signature",
    RFC3161_TIMESTAMP: "RFC 3161 timestamp",
    CTL: "certificate trust list",
    CATALOG_LIST: "catalog list",
    CATALOG_MEMBER_V1: "catalog member, version 1",
    CATALOG_MEMBER_V2: "catalog member, version 2",
    SI_POLICY: "App Control policy",
}


def name_of(oid: str) -> str:
    """What to call an object identifier: its name where it is one of code signing, else the dotted number."""
    return NAMES.get(oid, oid)
