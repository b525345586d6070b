"""The documents that the rules are based on. WDD is MicrosoftDocs/windows-driver-docs, as of November 2025."""

from __future__ import annotations

WDD = "windows-driver-docs"
POLICY = f"{WDD} install/kernel-mode-code-signing-policy--windows-vista-and-later-.md"
REQUIREMENTS = f"{WDD} install/kernel-mode-code-signing-requirements--windows-vista-and-later-.md"
PORTAL = f"{WDD} dashboard/code-signing-reqs.md"
PUBLIC_RELEASE = f"{WDD} develop/signing-a-driver-for-public-release.md"
PNP = f"{WDD} install/pnp-device-installation-signing-requirements--windows-vista-and-later-.md"
CATEGORIES = f"{WDD} install/signature-categories-and-driver-installation.md"
ADMINISTRATOR_PROMPT = (
    f"{CATEGORIES}; reports that Windows 8 and later refuse: luigirizzo/dummynet 11, Zero3K/ERAM 30 and "
    "microsoft/Windows-rust-driver-samples 17"
)
CATALOGS = f"{WDD} install/catalog-files.md"
VISTA_PACKAGES = "Driver Package Compatibility for Windows Vista (Microsoft, 2006-11-13)"
VERSION_SECTION = f"{WDD} install/inf-version-section.md"
TEST_MODE = f"{WDD} install/the-testsigning-boot-configuration-option.md"
STARTUP_SETTINGS = (
    f"{WDD} develop/installing-an-unsigned-driver-during-development-and-test.md; reports that it lifts the Windows "
    "Driver Policy too"
)
ELAM = f"{WDD} install/elam-driver-requirements.md; {WDD} install/elam-driver-submission.md"
TEST_CERTIFICATES = f"{WDD} install/makecert-test-certificate.md"
PREPRODUCTION = f"{WDD} install/preproduction-driver-signing-and-install.md"
DUAL_SIGNING = f"{WDD} install/appendix-4--driver-signing-issues.md"
EMBEDDED = f"{WDD} install/embedded-signatures-in-a-driver-file.md"
DEPRECATION = f"{WDD} install/deprecation-of-software-publisher-certificates-and-commercial-release-certificates.md"
S_MODE = f"{WDD} install/Windows10SDriverRequirements.md"
LOG_MESSAGES = f"{WDD} install/code-integrity-event-log-messages.md"
DEBUGGING = f"{WDD} install/appendix-1--enforcing-kernel-mode-signature-verification-in-kernel-debugging-mode.md"
HVCI = f"{WDD} driversecurity/implement-hvci-compatible-code.md; {WDD} devtest/code-integrity-checking.md (2017-09-14)"
WEAK_CRYPTO_EVENTS = "ci.dll, texts of events 3069 to 3071 since Windows 10 1507: a policy for weak cryptography"
HVCI_EVENTS = "ci.dll, texts of events 3072 and 3073 since Windows 10 1507"
HVCI_REASONS = "Code Integrity's event manifest, map HvciAuditFailures (Windows 10 2004 and later)"
MEDIA = "Code Signing for Protected Media Components in Windows Vista (pmp-sign.doc, 2006-08-25)"
SIGNATURE_ATTRIBUTES = f"{WDD} install/inf-signatureattributes-section.md"
DRIVER_POLICY = (
    "techcommunity.microsoft.com 4504818, Advancing Windows driver security (2026-03-26); support.microsoft.com "
    "The Windows Driver Policy (ecd2a78c)"
)
AUTHENTICODE = "Windows Authenticode Portable Executable Signature Format (Authenticode_PE.docx, 2008)"
WIN_VERIFY_TRUST = "Win32 WinVerifyTrust, WINTRUST_ACTION_GENERIC_VERIFY_V2"
WEAK_CHAINS = (
    "Microsoft KB 2661254 (only chains that CertGetCertificateChain builds; signatures before 2010 are exempt); "
    "Microsoft Security Advisory 2862973 (roots of the root program; signatures before March 2009 are exempt)"
)
PADDING = "Microsoft Security Advisory 2915720 (MS13-098)"
EVENTS = "windows-itpro-docs app-control-for-business/operations/event-tag-explanations.md"
EVENT_IDS = "windows-itpro-docs app-control-for-business/operations/event-id-explanations.md"
SIGNER_RULES = "windows-itpro-docs app-control-for-business/design/select-types-of-rules-to-create.md"
BLOCK_RULES = "windows-itpro-docs app-control-for-business/design/microsoft-recommended-driver-block-rules.md"
EXPIRED_IN_THE_FIELD = (
    f"{DEPRECATION}; contradicted by drivers with the expired NVIDIA certificates of 2011 to 2018, which loaded in 2022"
)
ATTESTED_ON_SERVERS = (
    f'{PORTAL}, "Windows Server signed drivers"; Microsoft KB 4519013: not supported; {WDD} issues 1068, 1868, '
    "2552 and pull request 2062: not enforced"
)
EXPIRED_CROSS = (
    f"{DEPRECATION}; contradicted by cpuz141.sys, signed in 2016-11 under a cross-certificate that expired in 2016-05"
)
