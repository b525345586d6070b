"""[SignatureAttributes]: what an INF asks the catalog to say about its files.

Source: "INF SignatureAttributes Section" (windows-driver-docs, install/inf-signatureattributes-section.md), and what
real catalogs of INFs with such a section hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalogs.inf.syntax import Inf

_SECTION = "SignatureAttributes"
_ATTRIBUTES = ("PETrust", "DRMLevel", "Elam", "HalExt", "WindowsHello")
_SECTIONS = "signatureattributes."
_TRUE = ("true", "1")


@dataclass(frozen=True)
class SignatureAttribute:
    """An attribute that [SignatureAttributes] asks for one file, such as PETrust = true."""

    name: str
    """`PETrust`, `DRMLevel`, `Elam`, `HalExt` or `WindowsHello`, in Microsoft's spelling where it is one of these."""
    value: str
    """What stands to the right of the equals sign, such as `true` or `1300`."""


def signature_attributes(inf: Inf) -> dict[str, tuple[SignatureAttribute, ...]]:
    """What [SignatureAttributes] asks for each file, by its name in lower case. The INF's %strings% are replaced."""
    section = inf.section(_SECTION)
    found: dict[str, tuple[SignatureAttribute, ...]] = {}
    for entry in section.entries if section else ():
        named = inf.section(entry.value())
        if entry.key is not None and named is not None:
            wanted = ((line.key, line.value()) for line in named.entries if line.key is not None)
            found[entry.key.lower()] = tuple(SignatureAttribute(_spelled(key), value) for key, value in wanted)
    return found


def asks_for_trust(inf: Inf) -> bool:
    """Whether a section of [SignatureAttributes] says PETrust = true.

    One that is called [SignatureAttributes.…] counts even if no file is under it (in 12 of 12 catalogs with such INFs).
    """
    named = inf.section(_SECTION)
    wanted = {entry.value().lower() for entry in named.entries} if named else set()
    sections = (s for name, s in inf.sections.items() if name in wanted or name.startswith(_SECTIONS))
    return any(is_true(entry.value()) for section in sections for entry in section.all("PETrust"))


def is_true(value: str) -> bool:
    """Whether an attribute's value asks for it."""
    return value.lower() in _TRUE


def _spelled(name: str) -> str:
    """An attribute's name in Microsoft's spelling."""
    return next((known for known in _ATTRIBUTES if known.lower() == name.lower()), name)
