"""What a check gets and yields: the INF with the uses of its sections, and findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Severity
from catalogs.inf.rules.copies import FileCopy, file_copies
from catalogs.inf.rules.registry_values import Value, registry_values
from catalogs.inf.rules.rule import Mode
from catalogs.inf.syntax import Inf
from catalogs.inf.uses import WITHOUT_DIRECTIVES, Role, Use, Uses
from signer.records import dataclass


class Finding(NamedTuple):
    """A place where a rule is broken."""

    code: str
    line: int | None
    values: tuple[str, ...] = ()
    """Values of the message."""
    fix: str | None = None
    """How to fix this one, if the rule's own text can be more exact."""
    at_most: Severity = Severity.ERROR
    """The severity, if it is lower than the level of the rule."""


def found(code: str, line: int | None, *values: str, fix: str | None = None, warning: bool = False) -> Finding:
    """Return a finding."""
    return Finding(code, line, values, fix, Severity.WARNING if warning else Severity.ERROR)


@dataclass(frozen=True, eq=False)
class Subject:
    """An INF to check."""

    driver: DriverInf
    mode: Mode = Mode.W
    provider: str | None = None
    """The Provider that the INF must have; None if any is right."""

    @property
    def inf(self) -> Inf:
        """The INF with its %strings% replaced."""
        return self.driver.inf

    @cached_property
    def uses(self) -> Uses:
        """The used sections."""
        return Uses(self.driver)

    def of(self, *roles: Role) -> Iterator[Use]:
        """Yield the uses in some roles."""
        return self.uses.of(*roles)

    @cached_property
    def copies(self) -> tuple[FileCopy, ...]:
        """The files that used sections copy."""
        return tuple(file_copies(self.inf, self.uses))

    @cached_property
    def directive_uses(self) -> tuple[Use, ...]:
        """The uses of sections that contain directives."""
        return tuple(use for use in self.uses if use.role not in WITHOUT_DIRECTIVES)

    @cached_property
    def added_values(self) -> tuple[Value, ...]:
        """The lines of the add-registry sections."""
        return tuple(registry_values(self.uses, Role.ADD_REG))

    @cached_property
    def deleted_values(self) -> tuple[Value, ...]:
        """The lines of the del-registry sections."""
        return tuple(registry_values(self.uses, Role.DEL_REG))

    @cached_property
    def list_sections(self) -> set[str]:
        """The lower-case names of sections that are lists in every use: they contain no directives."""
        lists = {use.section.name.lower() for use in self.uses if use.role in WITHOUT_DIRECTIVES}
        return lists - {use.section.name.lower() for use in self.directive_uses}

    @cached_property
    def device_class(self) -> str:
        """The name of the setup class, in lower case."""
        return self.driver.version.value("Class").lower()

    @cached_property
    def is_extension(self) -> bool:
        """Tell whether it is an extension INF."""
        return self.device_class == "extension"


@dataclass(frozen=True)
class Check:
    """A function that finds the places where some rules are broken."""

    codes: tuple[str, ...]
    run: Callable[[Subject], Iterator[Finding]]


def checks(*codes: str) -> Callable[[Callable[[Subject], Iterator[Finding]]], Check]:
    """Decorate a function that yields findings with these codes."""
    return lambda function: Check(codes, function)
