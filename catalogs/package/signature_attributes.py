"""[SignatureAttributes]: attributes that an INF requests for its files in the catalog.

Source: "INF SignatureAttributes Section" (windows-driver-docs, install/inf-signatureattributes-section.md), and real
catalogs of INFs with such a section.
"""

from __future__ import annotations

from catalogs.inf.syntax import Inf
from signer.records import dataclass

_SECTION = "SignatureAttributes"
_ATTRIBUTES = ("PETrust", "DRMLevel", "Elam", "HalExt", "WindowsHello")
_SECTIONS = "signatureattributes."
_TRUE = ("true", "1")


@dataclass(frozen=True)
class SignatureAttribute:
    """An attribute requested for a file, such as PETrust = true."""

    name: str
    """`PETrust`, `DRMLevel`, `Elam`, `HalExt` or `WindowsHello`, in Microsoft's spelling if it is one of these."""
    value: str
    """The value, such as `true` or `1300`."""


def signature_attributes(inf: Inf) -> dict[str, tuple[SignatureAttribute, ...]]:
    """Return the requested attributes by lower-case file name. The %strings% of `inf` are replaced already."""
    section = inf.section(_SECTION)
    found: dict[str, tuple[SignatureAttribute, ...]] = {}
    for entry in section.entries if section else ():
        named = inf.section(entry.value())
        if entry.key is not None and named is not None:
            requested = ((line.key, line.value()) for line in named.entries if line.key is not None)
            found[entry.key.lower()] = tuple(SignatureAttribute(_spelled(key), value) for key, value in requested)
    return found


def requests_pe_trust(inf: Inf) -> bool:
    """Tell whether the INF requests PETrust = true.

    A [SignatureAttributes.…] section counts even if it applies to no file (in 12 of 12 catalogs of such INFs).
    """
    named = inf.section(_SECTION)
    referenced = {entry.value().lower() for entry in named.entries} if named else set()
    sections = (s for name, s in inf.sections.items() if name in referenced or name.startswith(_SECTIONS))
    return any(is_true(entry.value()) for section in sections for entry in section.all("PETrust"))


def is_true(value: str) -> bool:
    """Tell whether the value requests the attribute."""
    return value.lower() in _TRUE


def _spelled(name: str) -> str:
    """Return an attribute name in Microsoft's spelling."""
    return next((known for known in _ATTRIBUTES if known.lower() == name.lower()), name)
