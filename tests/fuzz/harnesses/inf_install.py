"""INF as a whole: the checks of `inf lint`, and what every release and architecture copies and installs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from catalogs.catalog import os_names
from catalogs.inf import references, rules, services
from catalogs.inf.driver import DriverInf
from catalogs.inf.lookup import Lookup, MachineInstall
from catalogs.inf.targets import ARCHITECTURES
from catalogs.package.copied_files import copied_files
from signer.errors import InfError
from tests.fuzz.harness import Harness
from tests.fuzz.harnesses import inf

INSTRUMENTED = ("catalogs.inf", "catalogs.package.copied_files")


NEEDS = """[Version]
Signature="$Windows NT$"
[DefaultInstall.NTamd64]
Needs=A
[A]
Needs=B
CopyFiles=@x.sys
[B]
Needs=A
"""


def seeds() -> Iterator[bytes]:
    yield from inf.seeds()
    yield NEEDS.encode()


def run(data: bytes) -> bool:
    try:
        driver = DriverInf.parse(data, Path("fuzz.inf"))
    except InfError:
        return False
    assert all(item.copy.target for item in copied_files(driver, ARCHITECTURES).items)
    assert all(problem.message for problem in rules.check(driver))
    assert set(driver.releases) <= set(os_names.ALL)
    for machine in driver.lookup.on_any(os_names.ALL):
        assert machine.files is not None
        for one in machine.installs:
            tuple(services.incomplete_services(driver.inf, machine, one))
    return True


HARNESS = Harness(
    "inf_install",
    run,
    seeds,
    (references.references, services.incomplete_services, Lookup.on, MachineInstall.related),
    mutate=inf.MUTATE,
    extra=inf.extra,
    max_size=1536,
)
