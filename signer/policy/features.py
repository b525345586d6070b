"""The Windows releases that have the features of rules and settings. Their builds are in `data/releases.tsv`."""

from __future__ import annotations

from signer.policy.targets import Releases

OUTER_SIGNATURE_ONLY = Releases(before="win8")
"""Only the outer signature of an image is checked."""
ADMINISTRATOR_PROMPT = Releases(before="win8")
"""An administrator can install a package whose signature does not verify; later releases refuse it."""
SHA2 = Releases(since="win8")
"""Code Integrity supports SHA-2 without an update."""
SHA2_UPDATE = Releases(since="win7")
"""The update that adds SHA-2 is assumed to be installed unless the machine state says otherwise."""
SHA1_DEPRECATED = Releases(since="win10-1507")
LIFETIME_SIGNING = Releases(since="win10-1507")
"""Code Integrity checks the lifetime-signing EKU of a driver's signer."""
ATTESTATION = Releases(since="win10-1507")
"""Attestation signatures of the portal are accepted."""
BOOT_START_CATALOG = Releases(since="win10-1507")
"""A boot-start driver may load with only a catalog signature; earlier releases require an embedded one."""
EARLY_LAUNCH = Releases(since="win8")
"""Early-launch antimalware drivers start before the other boot-start drivers."""
MEMORY_INTEGRITY = Releases(since="win10-1507", architectures=("x64", "arm64"))
"""Memory integrity, formerly called hypervisor-protected code integrity (HVCI)."""
HVCI_IMPORTS = Releases(since="win10-1709")
"""Driver Verifier's page of 2017-09-14 lists an import address table in code as a violation (0x2005)."""
HVCI_RELOCATIONS = Releases(since="win10-1507", before="win10-1703")
"""Memory integrity does not support relocations across a page boundary."""
HVCI_REASONS = Releases(since="win10-2004")
"""Code Integrity's own list says which layouts memory integrity refuses."""
WHQL_ENFORCED = Releases(since="win10-1607")
"""New kernel drivers must be signed by the portal."""
BLOCK_LIST = Releases(since="win10-1607")
"""The driver block list is available."""
BLOCK_LIST_DEFAULT = Releases(since="win11-22h2", editions=("client", "iot"))
"""The driver block list is on by default."""
UEFI_SB_TEST = Releases(since="win11-22h2")
"""EnableUefiSbTest provisions a machine for preproduction drivers."""
DRIVER_POLICY = Releases(since="win11-24h2")
"""Releases in scope of the Windows Driver Policy of 2026."""

OF_RULES = frozenset(
    (ADMINISTRATOR_PROMPT, SHA1_DEPRECATED, LIFETIME_SIGNING, ATTESTATION, BOOT_START_CATALOG, UEFI_SB_TEST)
)
"""The features that the checks of rules ask for, beside the settings of the context."""
OF_MEMORY_INTEGRITY = frozenset((MEMORY_INTEGRITY, HVCI_IMPORTS, HVCI_RELOCATIONS, HVCI_REASONS))
"""Those that they ask for only with memory integrity."""
