"""The results of an audit: what was found at one path, and the row of a distinct driver."""

from __future__ import annotations

from dataclasses import asdict, field
from typing import Any, Literal

from signer.audit.span import ALWAYS, Span
from signer.records import dataclass

Answer = Literal[
    "stops",
    "stops-unless-allowed",
    "already-refused",
    "unknown",
    "needs-file",
    "loads",
    "not-for-target",
    "not-a-driver",
]
"""stops: it loaded before a policy took effect, and no longer does; stops-unless-allowed: the same unless the policy's
allow list, which was not given, names it; already-refused: it did not load before either; unknown: no public source
decides; needs-file: the file can't be read or was not given; not-for-target: it is built for another architecture than
the target's; not-a-driver: the kernel never loads it."""

ANSWERS: tuple[Answer, ...] = (
    "stops",
    "stops-unless-allowed",
    "already-refused",
    "unknown",
    "needs-file",
    "loads",
    "not-for-target",
    "not-a-driver",
)
"""From the one that matters most."""
STOPPING: tuple[Answer, ...] = ("stops", "stops-unless-allowed")
"""The answers with which an audit ends in exit code 1."""
Origin = Literal["file", "log", "inventory", "elsewhere"]
"""What an answer follows from: the file itself, an event in a log of the machine, or an inventory without files.

elsewhere: a file of another place, judged with the state of a machine of whose drivers there are only inventories. Rows
have "file" for it.
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """An answer and what it follows from."""

    answer: Answer
    policy: str = ""
    """The policy that stops the driver, such as "Windows Driver Policy"."""
    date: str = ""
    """The day from which the policy applies, as YYYY-MM-DD; empty for one that a machine turns on."""
    rule: str = ""
    """The code of the deciding finding."""
    source: str = ""
    """The document that the rule is based on; the name of the log for an answer from an event."""
    remedy: str = ""
    origin: Origin = "file"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who made a driver, as far as its version resource and its deciding signature say."""

    version: str = ""
    """The fixed file version, such as 10.0.19041.1."""
    publisher: str = ""
    submitter: str = ""
    """The company that submitted the driver to Microsoft's portal."""
    signature_class: str = ""
    """A class of `signer.policy.findings.Classification`; empty without a signature."""
    issued: str = ""
    """The day on which the signer's certificate became valid, as YYYY-MM-DD."""


@dataclass(frozen=True, slots=True)
class PackageUse:
    """A driver package that installs the driver."""

    inf: str
    """The path of its INF."""
    device_class: str = ""
    hardware_ids: tuple[str, ...] = ()
    version: str = ""
    """The version of its DriverVer with four numbers, such as 10.0.19041.1; empty without one."""
    date: str = ""
    """The date of its DriverVer, as YYYY-MM-DD."""
    published: str = ""
    """The name of the INF on its machine, such as oem12.inf, if that is known."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """What an event of Code Integrity says about the driver on one machine."""

    id: int
    time: str
    """The time of the newest such event, as YYYY-MM-DDTHH:MM:SS in UTC; empty if the export lacks it."""
    policy: str
    """The GUID of the policy, in braces and lower case; empty if the event lacks it."""
    policy_name: str
    log: str
    """The path of the log."""
    machine: str

    def __str__(self) -> str:
        """Return the event in one line, as tables have it."""
        name = f"policy {self.policy_name or self.policy}" if self.policy_name or self.policy else ""
        where = f"on {self.machine}" if self.machine else ""
        return " ".join(filter(None, (f"event {self.id}", self.time, name, where)))


@dataclass(frozen=True, slots=True)
class Sighting:
    """One file that was found, or that an event or an inventory names, and its answer there."""

    path: str
    authentihash: str
    """SHA-256, hexadecimal; empty for a file that can't be read or whose digest is not known."""
    reason: Reason
    identity: Identity = Identity()
    packages: tuple[PackageUse, ...] = ()
    machine: str = ""
    """The name of the machine; empty if it has none."""
    links: tuple[str, ...] = ()
    """Further names of the driver, by which events and inventories are joined with files: its other hashes, hexadecimal
    in lower case, and INF and version of its packages."""
    events: tuple[LoggedEvent, ...] = ()
    devices: tuple[str, ...] = ()
    """The names of devices that use the driver, from inventories."""
    span: Span = field(default=ALWAYS, compare=False)
    """The time of the check for which the answer is the same. Databases of sightings leave it out."""

    @property
    def key(self) -> str:
        """The digest of the driver; for one whose digest is not known another name."""
        if self.authentihash:
            return self.authentihash
        return f"link:{self.links[0]}" if self.links else f"path:{self.path}"


def row_key(digest: str, file: str, version: str) -> str:
    """Return the name of a driver: its digest, or if that is not known its path with the version of its package."""
    return digest or f"path:{file}|{version}"


def inf_link(inf: str, version: str) -> str:
    """Return the name of a driver by its INF and the version of its DriverVer, as `Sighting.links` has it."""
    return f"inf:{inf.lower()}|{version}"


def published_link(machine: str, inf: str) -> str:
    """Return the name of a driver by the name that a machine gave to its INF, as `Sighting.links` has it."""
    return f"published:{machine}|{inf.lower()}"


@dataclass(frozen=True, slots=True)
class MachineAnswer:
    """The answer on one machine."""

    machine: str
    """The name of the machine; empty for files of a place without one."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class Row:
    """A distinct driver: all files with its Authenticode digest, on all machines."""

    file: str
    """The first of `paths` with the answer."""
    paths: tuple[str, ...]
    authentihash: str
    reason: Reason
    """The reason of the worst answer of all machines."""
    identity: Identity
    packages: tuple[PackageUse, ...] = ()
    machines: tuple[str, ...] = ()
    answers: tuple[MachineAnswer, ...] = ()
    """The answer on each machine, from the worst."""
    events: tuple[LoggedEvent, ...] = ()
    present: bool = True
    """Whether a file was found; otherwise logs or inventories name it."""
    devices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name of the driver among rows."""
        return row_key(self.authentihash, self.file, self.identity.version)

    @property
    def hardware_ids(self) -> tuple[str, ...]:
        """The hardware IDs of all packages, without duplicates."""
        return tuple(dict.fromkeys(one for package in self.packages for one in package.hardware_ids))

    def as_json(self) -> dict[str, Any]:
        """Return the row as the command line's JSON and tables have it."""
        return {
            "file": self.file,
            "paths": list(self.paths),
            "authentihash": self.authentihash,
            "version": self.identity.version,
            "publisher": self.identity.publisher,
            "submitter": self.identity.submitter,
            "class": self.identity.signature_class,
            "issued": self.identity.issued,
            "packages": [
                {
                    "inf": one.inf,
                    "class": one.device_class,
                    "version": one.version,
                    "date": one.date,
                    "published": one.published,
                }
                for one in self.packages
            ],
            "hardware_ids": list(self.hardware_ids),
            "machines": list(self.machines),
            **asdict(self.reason),
            "answers": [
                {"machine": one.machine, "answer": one.reason.answer, "rule": one.reason.rule} for one in self.answers
            ],
            "events": [asdict(one) for one in self.events],
            "present": self.present,
            "devices": list(self.devices),
        }


COLUMNS = (
    *("file", "paths", "authentihash", "version", "publisher", "submitter", "class", "issued", "packages"),
    *("hardware_ids", "machines", "answer", "policy", "date", "rule", "source", "remedy", "origin", "answers"),
    *("events", "present", "devices"),
)
"""The names of a row's values, in the order of a table."""
