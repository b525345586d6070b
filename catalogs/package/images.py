"""The images of a package, held against the INF that installs them: the right machine, and signed where it must be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Problem, Severity
from catalogs.package.compressed import opened
from catalogs.package.copied_files import Item
from signer.errors import ImageError
from signer.formats.detect import detect
from signer.formats.table import IMAGE
from signer.pe.image import Image

_DECORATIONS = {"x64": "amd64"}
_BOOT_START = 0


def check_images(driver: DriverInf, found: Iterable[tuple[Item, Path]], wanted: Iterable[str]) -> Iterator[Problem]:
    """What is wrong with the drivers (.sys) that an INF installs on the architectures that are wanted.

    Programs and libraries may be for other machines than the one they are installed on; services of the kernel may not.
    Raises FileError.
    """
    asked = set(wanted)
    installed: dict[Path, dict[str, Item]] = {}
    for item, path in found:
        if item.copy.source.lower().endswith(".sys") and item.architecture in asked:
            installed.setdefault(path, {}).setdefault(item.architecture, item)
    starts = service_binaries(driver)
    for path, items in installed.items():
        with opened(path, is_packed(next(iter(items.values())), path)) as data:
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
        if not signed and starts.get(path.name.lower()) == _BOOT_START:
            yield _unsigned(driver, path, next(iter(items.values())))


def is_packed(item: Item, path: Path) -> bool:
    """Whether the file that was found for an item is a packed one: driver.sy_ for driver.sys."""
    return path.name.lower() != item.copy.source.lower()


def boot_start_drivers(driver: DriverInf) -> Iterator[str]:
    """The file names, in lower case, of the services that the boot loader starts (StartType = 0)."""
    return (name for name, start in service_binaries(driver).items() if start == _BOOT_START)


def service_binaries(driver: DriverInf) -> dict[str, int | None]:
    """The file names, in lower case, of the services that the INF installs, and the StartType of each."""
    inf = driver.inf
    found: dict[str, int | None] = {}
    for section in inf.sections.values():
        for entry in section.all("AddService"):
            service = inf.section(entry.value(2))
            start = service and service.first("StartType")
            binary = service and service.first("ServiceBinary")
            if start and binary:
                name = binary.value().replace("/", "\\").rpartition("\\")[2].lower()
                found.setdefault(name, _number(start.value()))
    return found


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _wrong_machine(
    driver: DriverInf, path: Path, items: dict[str, Item], machine: str, services: Collection[str]
) -> Iterator[Problem]:
    """An error where a service can't be loaded on any machine that was asked for; a warning where it can on another."""
    hopeless = machine not in items and not _names(path, items).isdisjoint(services)
    for architecture, item in items.items():
        if architecture != machine:
            yield Problem(
                "wrong-architecture",
                f"{path.name} is for {machine}, and the INF installs it on {architecture}",
                driver.path,
                item.copy.line,
                f"Build it for {architecture}, or decorate the section that installs it.",
                Severity.ERROR if hopeless else Severity.WARNING,
            )


def _names(path: Path, items: dict[str, Item]) -> set[str]:
    """What a file is called in the folder and where it is installed, in lower case."""
    return {item.copy.target.lower() for item in items.values()} | {path.name.lower()}


def _no_image(driver: DriverInf, path: Path, item: Item, *, is_service: bool) -> Problem:
    """An error where a service is to run it; other files may be called .sys too."""
    return Problem(
        "no-image",
        f"{path.name} is no PE image, so that Windows can't load it as a driver",
        driver.path,
        item.copy.line,
        "Check the build.",
        Severity.ERROR if is_service else Severity.WARNING,
    )


def _bad_image(driver: DriverInf, path: Path, item: Item, error: ImageError) -> Problem:
    return Problem(
        error.code, f"{path.name}: {error.message}", driver.path, item.copy.line, error.hint or "Check the build."
    )


def _unsigned(driver: DriverInf, path: Path, item: Item) -> Problem:
    return Problem(
        "unsigned-image",
        f"{path.name} starts with the boot loader, which asks for a signature in the file, and has none",
        driver.path,
        item.copy.line,
        "Sign it before the catalog is made: a signature added later is fine too, for the catalog ignores it.",
        Severity.WARNING,
    )
