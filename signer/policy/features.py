"""The releases of Windows that have what rules and switches depend on. Their builds are in `data/releases.tsv`."""

from __future__ import annotations

from signer.policy.targets import Releases

OUTER_SIGNATURE_ONLY = Releases(before="win8")
"""Nested signatures are not looked at."""
SHA2 = Releases(since="win8")
"""Code Integrity understands SHA-2 without an update."""
SHA2_UPDATE = Releases(since="win7")
"""An update that adds SHA-2 is taken for installed unless the machine says otherwise."""
SHA1_DEPRECATED = Releases(since="win10-1507")
LIFETIME_SIGNING = Releases(since="win10-1507")
"""Code Integrity looks at the lifetime signing EKU of a driver's signer."""
ATTESTATION = Releases(since="win10-1507")
"""Attestation signatures of the portal are accepted."""
BOOT_START_CATALOG = Releases(since="win10-1507")
"""A boot-start driver may load by its catalog alone; earlier releases need an embedded signature."""
MEMORY_INTEGRITY = Releases(since="win10-1507", architectures=("x64", "arm64"))
"""Then called hypervisor-protected code integrity (HVCI)."""
WHQL_ENFORCED = Releases(since="win10-1607")
"""New kernel drivers must be signed by the portal."""
BLOCK_LIST = Releases(since="win10-1607")
"""The driver block list can be on."""
BLOCK_LIST_DEFAULT = Releases(since="win11-22h2", servers=False)
"""The driver block list is on by default."""
UEFI_SB_TEST = Releases(since="win11-22h2")
"""EnableUefiSbTest provisions a machine for preproduction drivers."""
DRIVER_POLICY = Releases(since="win11-24h2")
"""In scope of the Windows Driver Policy of 2026."""
