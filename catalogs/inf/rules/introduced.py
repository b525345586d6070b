"""Directives and flags with the first Windows build that reads them.

Sources (windows-driver-docs, install/): the page of each directive.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.syntax import Entry
from catalogs.inf.uses import Role, Use

Release = tuple[int, int, int]

DIRECTIVES: dict[Role, dict[str, Release]] = {
    Role.COMPONENTS: {"AddComponent": (10, 0, 15063)},  # inf-addcomponent-directive.md: version 1703
    Role.SOFTWARE_LIST: {"AddSoftware": (10, 0, 15063)},  # inf-addsoftware-directive.md: version 1703
    Role.EVENTS: {
        "AddEventProvider": (10, 0, 17763),  # inf-addeventprovider-directive.md: version 1809
        "AddAutoLogger": (10, 0, 22000),  # inf-addupdateautologger-directive.md: Windows 11
        "UpdateAutoLogger": (10, 0, 22000),
    },
    Role.FILTERS: {"AddFilter": (10, 0, 18362)},  # inf-addfilter-directive.md: version 1903
    Role.COM: {"AddComServer": (10, 0, 26100)},  # inf-addcomserver-directive.md: Windows 11 24H2
    Role.SERVICE: {  # inf-addservice-directive.md
        "AddTrigger": (10, 0, 19041),
        "ServiceSidType": (10, 0, 19041),
        "DelayedAutoStart": (10, 0, 19041),
        "FailureActions": (10, 0, 22621),
        "BootFlags": (10, 0, 25398),
    },
}
"""First build, by the role of the section that contains the directive."""


def introduced(use: Use) -> Iterator[tuple[Entry, str, Release]]:
    """Yield the directives of a section that are newer than INFs, each with its name and first build."""
    for name, release in DIRECTIVES.get(use.role, {}).items():
        for entry in use.section.all(name):
            yield entry, name, release
