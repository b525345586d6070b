"""The lines of add-registry and del-registry sections: `reg-root,[subkey],[value-entry-name],[flags],[value]`.

Source: "INF AddReg Directive" (windows-driver-docs, install/inf-addreg-directive.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.rules.numbers import flags
from catalogs.inf.syntax import Entry
from catalogs.inf.uses import Role, Use, Uses
from signer.records import dataclass

BINARY, DELETE, APPEND, KEY_ONLY, KEY_ONLY_COMMON = 0x1, 0x4, 0x8, 0x10, 0x2000
TYPE_MULTI_SZ, TYPE_DWORD, TYPE_QWORD = 0x10000, 0x10001, 0xB0001


@dataclass(frozen=True, slots=True)
class Value:
    """A line of an add-registry section."""

    use: Use
    entry: Entry
    root: str
    key: str
    name: str
    flags: int | None
    """None if the field is not a number."""

    @property
    def data(self) -> tuple[str, ...]:
        """The fields after the flags."""
        return self.entry.values[4:]

    @property
    def path(self) -> str:
        """Root and key."""
        return f"{self.root}\\{self.key}" if self.key else self.root

    @property
    def writes_data(self) -> bool:
        """Tell whether the line writes data, instead of a key or a deletion."""
        return self.flags is not None and not self.flags & (KEY_ONLY | DELETE | KEY_ONLY_COMMON)


def registry_values(uses: Uses, role: Role) -> Iterator[Value]:
    """Yield the lines of the sections in a role: `Role.ADD_REG` or `Role.DEL_REG`."""
    for use in uses.of(role):
        for entry in use.section.entries:
            values = entry.values
            if entry.key is None and values[0]:
                key, name, bits = (*values[1:4], "", "", "")[:3]
                yield Value(use, entry, values[0].upper(), key.strip("\\"), name, flags(bits))
