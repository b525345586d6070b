"""Rules about legacy operations: INFs only describe what they add (InfVerif 1300 to 1309).

Source: "Using a Universal INF File" (windows-driver-docs, install/using-a-universal-inf-file.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.rules.finding import Finding, Subject, checks, found
from catalogs.inf.uses import Role

_SECTIONS = (Role.CO_INSTALLERS, Role.FACT_DEF, Role.LOG_CONFIG_OVERRIDE)
_OPERATIONS = ("BitReg", "Ini2Reg", "ProfileItems", "UpdateIniFields", "UpdateInis")
_DELETIONS = ("DelReg", "DelProperty")
_LISTED = {Role.REGISTER_DLLS: "1302", Role.UNREGISTER_DLLS: "1302", Role.DEL_FILES: "1309", Role.REN_FILES: "1309"}


@checks("1300", "1307")
def sections(subject: Subject) -> Iterator[Finding]:
    """Find legacy sections and directives."""
    used = {use.section.name.lower() for use in subject.of(Role.CO_INSTALLERS)}
    for use in subject.of(*_SECTIONS):
        yield found("1300", use.section.line, "section", f"[{use.section.name}]")
    for name, section in subject.inf.sections.items():
        if name.endswith(".coinstallers") and name not in used:
            yield found("1300", section.line, "section", f"[{section.name}]")
    for use in subject.directive_uses:
        for entry in use.section.all("LogConfig"):
            yield found("1300", entry.line, "directive", entry.key or "")
    for use in subject.of(Role.CLASS_INSTALL):
        yield found("1307", use.section.line, "section", f"[{use.section.name}]")
    for models in subject.driver.models:
        if models.target.product_type is not None or models.target.suite_mask:
            yield found("1307", models.line, "decoration", models.target.text)


@checks("1301", "1308")
def operations(subject: Subject) -> Iterator[Finding]:
    """Find directives that change or delete what exists."""
    for use in subject.directive_uses:
        for code, names in (("1301", _OPERATIONS), ("1308", _DELETIONS)):
            for name in names:
                for entry in use.section.all(name) if use.role in _WITH_OPERATIONS else ():
                    yield found(code, entry.line, name, "")


_WITH_OPERATIONS = frozenset(
    {
        Role.INSTALL,
        Role.HARDWARE,
        Role.CO_INSTALLERS,
        Role.INTERFACE,
        Role.SERVICE,
        Role.EVENT_LOG,
        Role.CLASS_INSTALL,
        Role.UNINSTALL,
    }
)


@checks("1302", "1309")
def listed_operations(subject: Subject) -> Iterator[Finding]:
    """Find lists of files to register, delete or rename, and services to delete."""
    for role, code in _LISTED.items():
        for use in subject.of(role):
            for entry in use.section.entries:
                yield found(code, entry.line, role.value, ",".join(filter(None, entry.texts))[:100], "")
    for use in subject.of(Role.SERVICES):
        for entry in use.section.all("DelService"):
            yield found("1309", entry.line, "DelService", entry.value(), "")
