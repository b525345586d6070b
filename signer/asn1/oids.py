"""The object identifiers of code signing, and their display names. Those of digests are in `signer.algorithms`.

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

# Key derivation from passwords (RFC 7292, appendix C; RFC 8018; RFC 9579)
PBKDF2 = "1.2.840.113549.1.5.12"
PBMAC1 = "1.2.840.113549.1.5.14"
HMAC_SHA256 = "1.2.840.113549.2.9"
PKCS12_PBE = "1.2.840.113549.1.12.1"
"""The arc of the algorithms of PKCS #12."""
PKCS12_KEY_BAG = "1.2.840.113549.1.12.10.1.1"

# Signature algorithms
RSA = "1.2.840.113549.1.1.1"
RSA_PSS = "1.2.840.113549.1.1.10"
MD5_WITH_RSA = "1.2.840.113549.1.1.4"
SHA1_WITH_RSA = "1.2.840.113549.1.1.5"
SHA256_WITH_RSA = "1.2.840.113549.1.1.11"
SHA384_WITH_RSA = "1.2.840.113549.1.1.12"
SHA512_WITH_RSA = "1.2.840.113549.1.1.13"
# Of the OSI Implementers' Workshop; old versions of MakeCert write them.
OIW_MD5_WITH_RSA = "1.3.14.3.2.3"
OIW_SHA1_WITH_RSA = "1.3.14.3.2.29"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
ECDSA_WITH = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}

# Certificate and revocation list extensions
KEY_USAGE_RESTRICTION = "2.5.29.4"
"""Obsolete; Authenticode's certificates of 1996 to 2000 have it."""
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
ANY_POLICY = "2.5.29.32.0"
NETSCAPE_CERT_TYPE = "2.16.840.1.113730.1.1"
APPLICATION_POLICIES = "1.3.6.1.4.1.311.21.10"

# Extended key usages (RFC 5280, 4.2.1.12; wincrypt.h)
EKU_ANY = "2.5.29.37.0"
EKU_SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
EKU_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
EKU_CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
EKU_EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
EKU_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
"""Critical, and the only usage of its certificate (RFC 3161, 2.3)."""
EKU_OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
EKU_WHQL = "1.3.6.1.4.1.311.10.3.5"
"""szOID_WHQL_CRYPTO: Windows Hardware Driver Verification."""
EKU_WHQL_ATTESTED = "1.3.6.1.4.1.311.10.3.5.1"
"""szOID_ATTEST_WHQL_CRYPTO: Windows Hardware Driver Attested Verification."""
EKU_WINDOWS_SYSTEM = "1.3.6.1.4.1.311.10.3.6"
"""szOID_NT5_CRYPTO: Windows System Component Verification."""
EKU_WHQL_OEM = "1.3.6.1.4.1.311.10.3.7"
"""szOID_OEM_WHQL_CRYPTO: OEM Windows System Component Verification."""
EKU_LIFETIME_SIGNING = "1.3.6.1.4.1.311.10.3.13"
"""szOID_KP_LIFETIME_SIGNING: a timestamp does not prolong the life of the signature."""
EKU_PROTECTED_PROCESS_LIGHT = "1.3.6.1.4.1.311.10.3.22"
"""szOID_PROTECTED_PROCESS_LIGHT_SIGNER."""
EKU_WINDOWS_TCB = "1.3.6.1.4.1.311.10.3.23"
"""szOID_WINDOWS_TCB_SIGNER."""
EKU_PROTECTED_PROCESS = "1.3.6.1.4.1.311.10.3.24"
"""szOID_PROTECTED_PROCESS_SIGNER."""
EKU_FLIGHT_SIGNING = "1.3.6.1.4.1.311.10.3.27"
"""szOID_KP_FLIGHT_SIGNING: preview builds."""
EKU_WHQL_EXTENDED = "1.3.6.1.4.1.311.10.3.39"
"""szOID_EV_WHQL_CRYPTO: Windows Hardware Driver Extended Verification."""
EKU_DRM = "1.3.6.1.4.1.311.10.5.1"
"""szOID_DRM: Digital Rights."""
EKU_ELAM = "1.3.6.1.4.1.311.61.4.1"
"""Early Launch Antimalware Driver."""
EKU_HAL_EXTENSION = "1.3.6.1.4.1.311.61.5.1"
EKU_STORE = "1.3.6.1.4.1.311.76.3.1"
"""Windows Store."""

# Authenticode
SPC_SP_AGENCY_INFO = "1.3.6.1.4.1.311.2.1.10"
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
"""SpcSerializedObject.classId of the serialized objects that hold page hashes or an enhanced hash."""

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

EKU_NAMES = {
    EKU_CODE_SIGNING: "code signing",
    EKU_TIME_STAMPING: "time stamping",
    EKU_SERVER_AUTH: "server authentication",
    EKU_WHQL: "WHQL",
    EKU_WHQL_ATTESTED: "WHQL attested",
    EKU_WHQL_EXTENDED: "WHQL extended",
    EKU_ELAM: "early launch antimalware",
    EKU_HAL_EXTENSION: "HAL extension",
    EKU_LIFETIME_SIGNING: "lifetime signing",
    EKU_PROTECTED_PROCESS_LIGHT: "protected process light",
    EKU_WINDOWS_TCB: "Windows TCB",
    EKU_PROTECTED_PROCESS: "protected process",
    EKU_DRM: "digital rights",
}
"""Display names of extended key usages."""


def name_of(oid: str) -> str:
    """Return the display name of an object identifier, or its dotted form if it has none in `NAMES`."""
    return NAMES.get(oid, oid)
