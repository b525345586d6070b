"""Rules about devices: [Manufacturer], Models, [DefaultInstall], and the services that devices need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalogs.inf.install import section_for
from catalogs.inf.lookup import DEFAULT_INSTALL
from catalogs.inf.models import ModelsSection
from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.rules.introduced import introduced
from catalogs.inf.rules.text import stampinf_variable
from catalogs.inf.services import class_needs_function_driver, uses_another_inf
from catalogs.inf.targets import ARCHITECTURES
from catalogs.inf.uses import SUFFIXES

FIRST_BUILD = 14310
"""First build that a decoration may name (windows-driver-docs, install/inf-manufacturer-section.md)."""
_WINDOWS_10 = (10, 0)
_DEFAULT_INSTALLS = [f"{DEFAULT_INSTALL}{suffix}" for suffix in ("", ".NT", *(f".NT{each}" for each in ARCHITECTURES))]
_ARCHITECTURE = re.compile(r"nt(?:x86|amd64|ia64|arm64|arm)\b", re.IGNORECASE)


@checks("1011", "2010")
def manufacturers(subject: Subject) -> Iterator[Finding]:
    """Find entries of [Manufacturer] without a Models section or without a decoration."""
    section = subject.inf.section("Manufacturer")
    for entry in section.entries if section is not None else ():
        if entry.key is not None and not entry.value():
            yield found("1011", entry.line)
    for models in subject.driver.models:
        if models.models and models.target.architecture is None:
            yield found("2010", models.line, models.name, "NTx86")


@checks("1287", "1288")
def targets(subject: Subject) -> Iterator[Finding]:
    """Find invalid TargetOS decorations."""
    for bad in subject.driver.invalid_targets:
        if not stampinf_variable(bad.text):
            yield found("1287", bad.line, bad.text, _models_name(subject, bad.line), "Manufacturer")
    for models in subject.driver.models:
        target = models.target
        if target.build is None:
            continue
        major, minor, build = target.release
        if (major, minor) < _WINDOWS_10 or ((major, minor) == _WINDOWS_10 and build < FIRST_BUILD):
            yield found("1288", models.line, *map(str, (major, minor, build, 10, 0, FIRST_BUILD)))


def _models_name(subject: Subject, line: int) -> str:
    entries = subject.inf.sections["manufacturer"].entries
    return next((entry.value() for entry in entries if entry.line == line), "")


@checks("1261", "1271")
def install_sections(subject: Subject) -> Iterator[Finding]:
    """Find models that name no install section, or one that does not exist."""
    for models in _models(subject):
        section = subject.inf.section(models.name)
        for entry in section.entries if section is not None else ():
            if entry.key is not None and not entry.value() and entry.value(1):
                yield found("1271", entry.line)
        for model in models.models or ():
            if section_for(subject.inf, model.install, models.target.architecture or "x86") is None and model.ids:
                yield found("1261", model.line, model.ids[0], model.install)


def _models(subject: Subject) -> list[ModelsSection]:
    """Return the Models sections, each once."""
    return list({models.name.lower(): models for models in reversed(subject.driver.models)}.values())


@checks("1297", "1270")
def devices(subject: Subject) -> Iterator[Finding]:
    """Find an INF that installs no device, and devices that it creates and does not install."""
    driver = subject.driver
    manufacturer = driver.inf.section("Manufacturer")
    if manufacturer is not None and not driver.hardware_ids and not driver.invalid_targets:
        yield found("1297", manufacturer.line)
    for name, section in driver.inf.sections.items():
        if name.partition(".")[0] != "deviceinstall32":
            continue
        created = {
            value.lower() for entry in section.all("AddDevice") for value in _device_ids(subject, entry.value(2))
        }
        if not created & set(driver.hardware_ids):
            yield found("1270", section.line)


def _device_ids(subject: Subject, name: str) -> list[str]:
    section = subject.inf.section(name)
    return [value for entry in section.all("HardwareIds") for value in entry.values] if section is not None else []


@checks("1296")
def services(subject: Subject) -> Iterator[Finding]:
    """Find devices without a function driver."""
    if not class_needs_function_driver(subject.driver.version):
        return
    for models in _models(subject):
        installs = {model.install.lower(): model for model in reversed(models.models or ())}
        for model in installs.values():
            section = section_for(subject.inf, model.install, models.target.architecture or "x86")
            if section is None or subject.inf.section(f"{section.name}.Services") or uses_another_inf(section):
                continue
            device = model.ids[0] if model.ids else model.install
            fix = f"Add [{section.name}.Services] with an AddService directive."
            yield found("1296", model.line, device, section.name, fix=fix)


@checks("1199")
def new_syntax(subject: Subject) -> Iterator[Finding]:
    """Find directives that are newer than the oldest release on which their install section is used."""
    oldest = _oldest_targets(subject)
    for use in subject.directive_uses:
        root = use.origin or use
        name = root.section.name.lower()
        suffix = next((each for each in SUFFIXES if name.endswith(each)), "")
        release = oldest.get(name.removesuffix(suffix))
        for entry, syntax, since in introduced(use) if release is not None else ():
            if release is not None and release < since:
                numbers = tuple(map(str, since))
                yield found("1199", entry.line, syntax, *numbers, *numbers)


def _oldest_targets(subject: Subject) -> dict[str, tuple[int, int, int]]:
    """Return the oldest target release of each install section, by lower-case name."""
    found_releases: dict[str, tuple[int, int, int]] = {}
    for models in _models(subject):
        architecture = models.target.architecture or "x86"
        for install in dict.fromkeys(model.install.lower() for model in models.models or ()):
            for name in (f"{install}.nt{architecture}", f"{install}.nt", install):
                if name in subject.inf.sections:
                    found_releases[name] = min(found_releases.get(name, models.target.release), models.target.release)
                    break
    return found_releases


@checks("1212", "1420", "1421", "1422", "1423")
def primitive_driver(subject: Subject) -> Iterator[Finding]:
    """Find [DefaultInstall] sections that do not make a primitive driver."""
    driver = subject.driver
    present = [section for section in map(driver.inf.section, _DEFAULT_INSTALLS) if section is not None]
    if present and driver.inf.section("Manufacturer") is not None:
        yield found("1212", present[0].line, DEFAULT_INSTALL, "Manufacturer")
        return
    undecorated = driver.inf.section(DEFAULT_INSTALL)
    if undecorated is not None:
        yield found("1420", undecorated.line)
    if present and not any(_ARCHITECTURE.search(section.name) for section in present):
        yield found("1423", present[0].line, DEFAULT_INSTALL)
    for name in (DEFAULT_INSTALL, "DefaultUninstall"):
        section = driver.inf.section(name)
        if section is not None:
            fix = f"Write [{section.name}.NTamd64], and add a section for each other architecture."
            yield found("1421", section.line, section.name, fix=fix)
    for name, section in driver.inf.sections.items():
        if name.startswith("defaultuninstall.nt") and not name.endswith(".services"):
            legacy = section.first("LegacyUninstall")
            if legacy is None or legacy.value() != "1":
                yield found("1422", section.line)
