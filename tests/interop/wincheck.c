/*
 * Call signature functions of Windows on files. It runs on Windows, and under Wine, which is a second implementation of
 * these functions. The arguments are pairs of a function and a file; the output of each pair starts with a line
 * "== function". The exit code is 1 if a call failed.
 *
 *     wincheck verify FILE           WinVerifyTrust, WINTRUST_ACTION_GENERIC_VERIFY_V2: the result in hexadecimal
 *     wincheck hash FILE             CryptCATAdminCalcHashFromFileHandle: the digest of a file in catalogs
 *     wincheck members FILE.cat      CryptCATOpen and the members that it enumerates: tag, digest, OID of the hashed content
 *     wincheck signer FILE           CryptQueryObject: subject and issuer of the signer certificate
 */

#include <stdio.h>

#include <windows.h>
#include <wincrypt.h>
#include <wintrust.h>
#include <softpub.h>
#include <mscat.h>

static HANDLE open_file(const WCHAR *path)
{
    return CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
}

static void print_hex(const BYTE *data, DWORD size)
{
    DWORD i;

    for (i = 0; i < size; i++)
        printf("%02x", data[i]);
}

static int failed(const char *what)
{
    printf("%s failed: %08lx\n", what, GetLastError());
    return 1;
}

static int verify(const WCHAR *path)
{
    GUID action = WINTRUST_ACTION_GENERIC_VERIFY_V2;
    WINTRUST_FILE_INFO file = { .cbStruct = sizeof file, .pcwszFilePath = path };
    WINTRUST_DATA data = {
        .cbStruct = sizeof data,
        .dwUIChoice = WTD_UI_NONE,
        .fdwRevocationChecks = WTD_REVOKE_NONE,
        .dwUnionChoice = WTD_CHOICE_FILE,
        .pFile = &file,
        .dwStateAction = WTD_STATEACTION_VERIFY,
        .dwProvFlags = WTD_CACHE_ONLY_URL_RETRIEVAL,
    };
    LONG result = WinVerifyTrust(INVALID_HANDLE_VALUE, &action, &data);

    data.dwStateAction = WTD_STATEACTION_CLOSE;
    WinVerifyTrust(INVALID_HANDLE_VALUE, &action, &data);
    printf("%08lx\n", (unsigned long)result);
    return 0;
}

static int hash(const WCHAR *path)
{
    HANDLE file = open_file(path);
    BYTE digest[64];
    DWORD size = sizeof digest;

    if (file == INVALID_HANDLE_VALUE)
        return failed("opening the file");
    if (!CryptCATAdminCalcHashFromFileHandle(file, &size, digest, 0))
        return failed("CryptCATAdminCalcHashFromFileHandle");
    print_hex(digest, size);
    printf("\n");
    return 0;
}

static int members(const WCHAR *path)
{
    HANDLE catalog = CryptCATOpen((WCHAR *)path, CRYPTCAT_OPEN_EXISTING, 0, 0, 0);
    CRYPTCATMEMBER *member = NULL;

    if (catalog == INVALID_HANDLE_VALUE || !catalog)
        return failed("CryptCATOpen");
    while ((member = CryptCATEnumerateMember(catalog, member))) {
        printf("%ls ", member->pwszReferenceTag);
        if (member->pIndirectData) {
            print_hex(member->pIndirectData->Digest.pbData, member->pIndirectData->Digest.cbData);
            printf(" %s", member->pIndirectData->Data.pszObjId);
        }
        printf("\n");
    }
    CryptCATClose(catalog);
    return 0;
}

static int signer(const WCHAR *path)
{
    HCERTSTORE store;
    HCRYPTMSG message;
    CERT_INFO wanted = { 0 };
    CMSG_SIGNER_INFO *info;
    const CERT_CONTEXT *certificate;
    WCHAR name[256];
    DWORD size;

    if (!CryptQueryObject(CERT_QUERY_OBJECT_FILE, path,
                          CERT_QUERY_CONTENT_FLAG_PKCS7_SIGNED | CERT_QUERY_CONTENT_FLAG_PKCS7_SIGNED_EMBED,
                          CERT_QUERY_FORMAT_FLAG_BINARY, 0, NULL, NULL, NULL, &store, &message, NULL))
        return failed("CryptQueryObject");
    if (!CryptMsgGetParam(message, CMSG_SIGNER_INFO_PARAM, 0, NULL, &size))
        return failed("CryptMsgGetParam");
    info = LocalAlloc(LPTR, size);
    if (!info || !CryptMsgGetParam(message, CMSG_SIGNER_INFO_PARAM, 0, info, &size))
        return failed("CryptMsgGetParam");
    wanted.Issuer = info->Issuer;
    wanted.SerialNumber = info->SerialNumber;
    certificate = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_CERT, &wanted, NULL);
    if (!certificate)
        return failed("CertFindCertificateInStore");
    CertGetNameStringW(certificate, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, 256);
    printf("%ls", name);
    CertGetNameStringW(certificate, CERT_NAME_SIMPLE_DISPLAY_TYPE, CERT_NAME_ISSUER_FLAG, NULL, name, 256);
    printf(" / %ls / %s\n", name, info->HashAlgorithm.pszObjId);
    return 0;
}

int wmain(int argc, WCHAR **argv)
{
    static const struct {
        const WCHAR *name;
        int (*run)(const WCHAR *path);
    } commands[] = {
        { L"verify", verify }, { L"hash", hash }, { L"members", members }, { L"signer", signer },
    };
    int i, j, result = 0;

    for (i = 1; i + 1 < argc; i += 2) {
        for (j = 0; j < (int)ARRAYSIZE(commands); j++)
            if (!lstrcmpW(argv[i], commands[j].name))
                break;
        if (j == (int)ARRAYSIZE(commands))
            return 2;
        printf("== %ls\n", argv[i]);
        result |= commands[j].run(argv[i + 1]);
    }
    return argc < 3 ? 2 : result;
}
