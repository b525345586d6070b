"""Check the drivers of a package against its INF: the architecture, and the signature of boot-start drivers."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from catalogs.catalog.os_names import OsName
from catalogs.inf.driver import DriverInf
from catalogs.inf.install import CopiedFile
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.package.compressed import open_decompressed
from catalogs.package.folder import Folder
from signer.errors import ImageError, SignerError
from signer.formats.detect import detect
from signer.formats.table import IMAGE
from signer.pe.image import Image
from signer.records import dataclass
from signer.storage.files import mapped

if TYPE_CHECKING:
    from catalogs.package.driver_package import DriverPackage

_DECORATIONS = {"x64": "amd64"}
_BOOT_START = 0
_EARLY_LAUNCH = "early-launch"


def check_images(
    driver: DriverInf, found: Iterable[tuple[CopiedFile, Path]], names: Iterable[OsName]
) -> Iterator[PackageProblem]:
    """Check the drivers (.sys) that machines with the target releases install.

    Programs and libraries may be for other architectures than the machine; kernel services may not. Raises FileError.
    """
    machines = driver.lookup.on_any(names)
    targets = {
        (machine.architecture, file.location) for machine in machines for file in machine.files if _is_driver(file)
    }
    installed: dict[Path, dict[str, CopiedFile]] = {}
    for item, path in found:
        if _is_driver(item) and (item.architecture, item.location) in targets:
            installed.setdefault(path, {}).setdefault(item.architecture, item)
    starts = service_binaries(driver)
    for path, items in installed.items():
        with open_decompressed(path, is_compressed(next(iter(items.values())), path)) as data:
            if detect(data) is not IMAGE:
                yield _no_image(
                    driver, path, next(iter(items.values())), is_service=not _names(path, items).isdisjoint(starts)
                )
                continue
            try:
                image = Image.parse(data)
            except ImageError as error:
                yield _bad_image(driver, path, next(iter(items.values())), error)
                continue
            machine, signed = _DECORATIONS.get(image.architecture, image.architecture), image.is_signed
        if machine not in items or len(items) > 1:
            yield from _wrong_machine(driver, path, items, machine, starts)
        service = starts.get(path.name.lower())
        if not signed and service is not None and service.boot_start:
            yield _unsigned(driver, path, next(iter(items.values())))


def _is_driver(item: CopiedFile) -> bool:
    return item.copy.source.lower().endswith(".sys")


def kernel_images(packages: Iterable[DriverPackage]) -> list[Path]:
    """Return the drivers (kernel-mode PE images) of packages, each file under one of its names.

    Raises SignerError with the path.
    """
    named: dict[str, Path] = {}
    for package in packages:
        for file in package.files:
            if file.new is None:
                named.setdefault(os.path.realpath(file.path), file.path)
    return [path for path in named.values() if _is_kernel_image(path)]


def driver_architecture(folder: Path) -> str | None:
    """Return the architecture of the drivers (.sys) in a folder, as decorations name it; None unless all have the same.

    Raises FileError.
    """
    found = {_architecture(path) for path in Folder(folder).files() if path.suffix.lower() == ".sys"}
    found.discard(None)
    return found.pop() if len(found) == 1 else None


def _architecture(path: Path) -> str | None:
    with mapped(path) as data:
        if detect(data) is not IMAGE:
            return None
        try:
            name = Image.parse(data).architecture
        except ImageError:  # reported when the package is surveyed
            return None
    return _DECORATIONS.get(name, name)


def _is_kernel_image(path: Path) -> bool:
    """Tell whether a file is a kernel-mode image, by its extension (.sys) or its PE subsystem (native)."""
    try:
        with mapped(path) as data:
            return detect(data) is IMAGE and (path.suffix.lower() == ".sys" or Image.parse(data).is_native)
    except SignerError as error:
        raise error.at(path) from error


def is_compressed(item: CopiedFile, path: Path) -> bool:
    """Tell whether `path` is the compressed file (driver.sy_) for an item (driver.sys)."""
    return path.name.lower() != item.copy.source.lower()


@dataclass(frozen=True, slots=True)
class Service:
    """A service that an INF installs."""

    start: int | None
    """StartType; None if it is not a number."""
    group: str
    """LoadOrderGroup; empty without one."""

    @property
    def boot_start(self) -> bool:
        """Whether the boot loader starts it."""
        return self.start == _BOOT_START

    @property
    def early_launch(self) -> bool:
        """Whether it starts before other boot-start drivers, as antimalware (elam-driver-requirements.md)."""
        return self.boot_start and self.group.lower() == _EARLY_LAUNCH


def service_binaries(driver: DriverInf) -> dict[str, Service]:
    """Return the services that the INF installs, by the lower-case file name of their binary."""
    inf = driver.inf
    found: dict[str, Service] = {}
    for section in inf.sections.values():
        for entry in section.all("AddService"):
            service = inf.section(entry.value(2))
            start = service and service.first("StartType")
            binary = service and service.first("ServiceBinary")
            if service and start and binary:
                name = binary.value().replace("/", "\\").rpartition("\\")[2].lower()
                group = service.first("LoadOrderGroup")
                found.setdefault(name, Service(_number(start.value()), group.value() if group else ""))
    return found


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _wrong_machine(
    driver: DriverInf, path: Path, items: dict[str, CopiedFile], machine: str, services: Collection[str]
) -> Iterator[PackageProblem]:
    """Yield an error if no target architecture can load a service, and a warning if another one can."""
    unusable = machine not in items and not _names(path, items).isdisjoint(services)
    others = [architecture for architecture in items if architecture != machine]
    if others:
        named = " and ".join(others)
        yield PackageProblem(
            "wrong-architecture",
            f"{path.name} is built for {machine}, but the INF installs it on {named}",
            driver.path,
            items[others[0]].copy.line,
            f"Build it for {named}, or restrict its install section to {machine} with a decoration.",
            Severity.ERROR if unusable else Severity.WARNING,
        )


def _names(path: Path, items: dict[str, CopiedFile]) -> set[str]:
    """Return the names of a file in the package and after installation, in lower case."""
    return {item.copy.target.lower() for item in items.values()} | {path.name.lower()}


def _no_image(driver: DriverInf, path: Path, item: CopiedFile, *, is_service: bool) -> PackageProblem:
    """Return an error for the binary of a service, and a warning for another file named .sys."""
    return PackageProblem(
        "no-image",
        f"{path.name} is not a PE image: Windows can't load it as a driver",
        driver.path,
        item.copy.line,
        "Replace it with the driver that the build creates.",
        Severity.ERROR if is_service else Severity.WARNING,
    )


def _bad_image(driver: DriverInf, path: Path, item: CopiedFile, error: ImageError) -> PackageProblem:
    return PackageProblem(
        error.code,
        f"{path.name}: {error.message}",
        driver.path,
        item.copy.line,
        error.hint or "Build the driver again.",
    )


def _unsigned(driver: DriverInf, path: Path, item: CopiedFile) -> PackageProblem:
    return PackageProblem(
        "unsigned-image",
        f"{path.name} is a boot-start driver without an embedded signature, which the boot loader requires",
        driver.path,
        item.copy.line,
        "Sign it with drvsign sign. A catalog that lists it stays valid: hashes do not cover signatures.",
        Severity.WARNING,
    )
