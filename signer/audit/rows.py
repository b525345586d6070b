"""The results of an audit: what was found at one path, and the row of a distinct driver."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Answer = Literal["stops", "stops-unless-allowed", "already-refused", "unknown", "needs-file", "loads", "not-a-driver"]
"""stops: it loaded before a policy took effect, and no longer does; stops-unless-allowed: the same unless the policy's
allow list, which was not given, names it; already-refused: it did not load before either; unknown: no public source
decides; needs-file: the file can't be read or was not given; not-a-driver: the kernel never loads it."""

ANSWERS: tuple[Answer, ...] = (
    "stops",
    "stops-unless-allowed",
    "already-refused",
    "unknown",
    "needs-file",
    "loads",
    "not-a-driver",
)
"""From the one that matters most."""
STOPPING: tuple[Answer, ...] = ("stops", "stops-unless-allowed")
"""The answers with which an audit ends in exit code 1."""


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
    """The document that the rule is based on."""
    remedy: str = ""


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


@dataclass(frozen=True, slots=True)
class Sighting:
    """One file that was found, and its answer there."""

    path: str
    authentihash: str
    """SHA-256, hexadecimal; empty for a file that can't be read."""
    reason: Reason
    identity: Identity = Identity()
    packages: tuple[PackageUse, ...] = ()
    machine: str = ""
    """The name of the machine, if the call gave one."""

    @property
    def key(self) -> str:
        """The digest of the driver; the path for a file that can't be read."""
        return self.authentihash or f"path:{self.path}"


@dataclass(frozen=True, slots=True)
class Row:
    """A distinct driver: all files with its Authenticode digest."""

    file: str
    """The first of `paths` with the answer."""
    paths: tuple[str, ...]
    authentihash: str
    reason: Reason
    identity: Identity
    packages: tuple[PackageUse, ...] = ()
    machines: tuple[str, ...] = ()

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
            "packages": [{"inf": one.inf, "class": one.device_class} for one in self.packages],
            "hardware_ids": list(self.hardware_ids),
            "machines": list(self.machines),
            **asdict(self.reason),
        }


COLUMNS = (
    *("file", "paths", "authentihash", "version", "publisher", "submitter", "class", "issued", "packages"),
    *("hardware_ids", "machines", "answer", "policy", "date", "rule", "source", "remedy"),
)
"""The names of a row's values, in the order of a table."""


def merged(sightings: list[Sighting]) -> Row:
    """Merge the sightings of one driver, in the order of their paths.

    Of several answers the best counts: Windows finds a catalog by the digest, so the signature beside one copy serves
    all copies.
    """
    best = max(sightings, key=lambda one: ANSWERS.index(one.reason.answer))
    return Row(
        best.path,
        tuple(dict.fromkeys(one.path for one in sightings)),
        best.authentihash,
        best.reason,
        best.identity,
        tuple(dict.fromkeys(package for one in sightings for package in one.packages)),
        tuple(sorted({one.machine for one in sightings if one.machine})),
    )
