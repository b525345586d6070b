"""Find the folders of Windows on a disk: drivers, driver store, catalogs, INFs, active policies, release.

Names are compared without their case, because a disk may be mounted or copied where case counts. Source:
windows-driver-docs install/driver-store.md and catalog-files.md; windows-itpro-docs
app-control-for-business/deployment/deploy-appcontrol-policies-with-script.md.
"""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from signer.codeintegrity.app_control import app_control_policy
from signer.errors import SignerError
from signer.policy.machine_state import DriverPolicy
from signer.records import dataclass
from signer.storage.files import mapped, read
from signer.verify.gather import gather, read_facts

_CATALOGS = "{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"
"""DRIVER_ACTION_VERIFY: the catalogs of drivers and of Windows itself."""
_PARTS = (("drivers",), ("DriverStore", "FileRepository"))


@dataclass(frozen=True, slots=True)
class Disk:
    """The System32 folder of an installation of Windows."""

    system: Path

    @property
    def places(self) -> list[Path]:
        """The folders with drivers."""
        return [path for parts in _PARTS if (path := _below(self.system, *parts)) is not None]

    @property
    def catalogs(self) -> Path | None:
        """The folder of the catalogs that Windows searches for the digest of a driver."""
        return _below(self.system, "CatRoot", _CATALOGS)

    @property
    def infs(self) -> Path | None:
        """The folder with a copy of each INF, under the name that the machine gave it."""
        return _below(self.system.parent, "INF")

    @property
    def allow_list(self) -> Path | None:
        """The active Windows Driver Policy, in its last phase."""
        return self._policy(app_control_policy("enforced").id) or self._policy(app_control_policy("evaluation").id)

    @property
    def block_list(self) -> Path | None:
        """Microsoft's driver block list as Windows brings it along."""
        return _below(self.system, "CodeIntegrity", "driversipolicy.p7b")

    @property
    def driver_policy(self) -> DriverPolicy | None:
        """The phase of the Windows Driver Policy; None if neither of its policies is active."""
        phases: tuple[DriverPolicy, ...] = ("enforced", "evaluation")
        return next((one for one in phases if self._policy(app_control_policy(one).id) is not None), None)

    def kernel(self) -> tuple[int, str] | None:
        """Return the build and the architecture of the kernel; None if it can't be read."""
        path = _below(self.system, "ntoskrnl.exe")
        try:
            if path is None:
                return None
            with mapped(path) as data:
                version = read_facts(data, "image").version
                architecture = gather(data, "image", path.name).architecture
        except SignerError:
            return None
        return (version[2], architecture) if version is not None and architecture is not None else None

    def _policy(self, guid: str) -> Path | None:
        return _below(self.system, "CodeIntegrity", "CiPolicies", "Active", f"{guid}.cip")


def disk_at(path: Path) -> Disk | None:
    """Return the disk whose root, Windows folder or System32 folder `path` is."""
    for parts in (("Windows", "System32"), ("System32",), ()):
        system = _below(path, *parts)
        if system is not None and system.name.lower() == "system32" and _below(system, "drivers") is not None:
            return Disk(system)
    return None


@lru_cache(maxsize=64)
def disk_above(folder: Path) -> Disk | None:
    """Return the disk of a folder that is in its System32 folder."""
    path = Path(os.path.abspath(folder))  # noqa: PTH100 - `resolve` would follow links
    found = next((one for one in (path, *path.parents) if one.name.lower() == "system32"), None)
    return Disk(found) if found is not None and Disk(found).catalogs is not None else None


@lru_cache(maxsize=8)
def published_names(folder: Path) -> dict[bytes, str]:
    """Return the names that a machine gave to INFs (oemNN.inf), by the SHA-256 of their bytes."""
    names = {}
    for path in _children(folder):
        if not path.name.lower().startswith("oem") or path.suffix.lower() != ".inf":
            continue
        try:
            names[sha256(read(path)).digest()] = path.name.lower()
        except SignerError:
            continue
    return names


def _below(folder: Path, *names: str) -> Path | None:
    """Return the file or folder below a folder, whatever the case of its name; None if it does not exist."""
    for name in names:
        found = folder / name
        if not found.exists():
            found = next((one for one in _children(folder) if one.name.lower() == name.lower()), found)
        if not found.exists():
            return None
        folder = found
    return folder


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
