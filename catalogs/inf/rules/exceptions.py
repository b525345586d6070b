"""Exceptions of InfVerif's mode `h`: registry keys and dirids that isolated drivers must not use, but may use for now.

Source: "InfVerif /h" (windows-driver-docs, devtest/infverif_h.md), requirements as of April 2024.
"""

from __future__ import annotations

HARDWARE_PROGRAM_CODES = frozenset({"1304", "1306", "1320", "1321", "1322", "2660"})
"""Codes whose level in mode `h` follows from the published lists."""

REGISTRY_KEYS = tuple(
    f"HKLM\\{key}".lower()
    for key in (
        r"SYSTEM\CurrentControlSet",
        r"SOFTWARE\Classes",
        r"SOFTWARE\Khronos",
        r"SOFTWARE\Microsoft\Analog\Providers",
        r"SOFTWARE\Microsoft\Cellular\MVSettings\DeviceSpecific\CellUX",
        r"SOFTWARE\Microsoft\Cryptography\Calais\Readers",
        r"SOFTWARE\Microsoft\Cryptography\Calais\SmartCards",
        r"SOFTWARE\Microsoft\Cryptography\DRM_RNG",
        r"SOFTWARE\Microsoft\EAPOL",
        r"SOFTWARE\Microsoft\Palm\DelayManipulationDuration",
        r"SOFTWARE\Microsoft\Shell\OEM\QuickActions\ColorProfileQuickAction",
        r"SOFTWARE\Microsoft\Speech_OneCore\AudioInput",
        r"SOFTWARE\Microsoft\Windows Media Foundation",
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\AdaptiveDisplayBrightness",
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\drivers.desc",
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Drivers32",
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ICM",
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\OpenGlDrivers",
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\ScCertProp",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Audio",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Control Panel",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Controls Folder",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Reliability\UserDefined",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
        r"SOFTWARE\Wow6432Node\Microsoft\Windows Media Foundation",
        r"SOFTWARE\Wow6432Node\Khronos",
        r"SOFTWARE\WowAA32Node\Microsoft\Windows Media Foundation",
        r"SOFTWARE\WowAA32Node\Khronos",
    )
)
"""Registry keys, in lower case; their subkeys are exceptions too. Any key of HKCR is one."""

DIRIDS = frozenset(
    "10 11 12 23 51 52 55 16422 16425 16426 16427 16428 66000 66001 66002 66003 66004".split()  # noqa: SIM905
)
"""Destinations of files other than dirid 13."""


def allows_key(root: str, key: str) -> bool:
    """Tell whether a registry key is an exception."""
    path = f"{root}\\{key}".lower().rstrip("\\")
    return root.upper() == "HKCR" or any(path == known or path.startswith(known + "\\") for known in REGISTRY_KEYS)
