"""Change signed files byte by byte and verify each copy, to find the regions that can change without effect.

`python -m tests.support.tampering` does it for the files of the corpus, and exits with 1 if a byte can change that the
table in docs/security.md does not list.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.errors import SignerError
from signer.formats.detect import detect
from signer.operations.signatures import attach
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.policy.trust import Trust
from signer.trust.path import CertificatePath
from signer.verify.evidence import Evidence
from signer.verify.gather import gather
from tests.support.files import ROOT, corpus_files, corpus_id, patched
from tests.support.regions import Roles, regions_of

TARGET = Target.parse("win11-24h2-x64")
FEW = 128
"""The size up to which every bit of a region is flipped; in larger ones, one bit of every byte."""
Flip = tuple[int, int]
"""A place and a mask."""


@dataclass(frozen=True)
class Verified:
    """An accepted file: what it states, and the codes of its peculiarities."""

    statement: tuple[object, ...]
    codes: frozenset[str]


@dataclass(frozen=True)
class Sample:
    """A signed file, and the trust under which it is accepted."""

    name: str
    kind: str
    """image, cabinet, catalog, or signature: a separate file, which is attached to `base`."""
    data: bytes = field(repr=False)
    trust: Trust = field(repr=False)
    at: datetime
    base: bytes = field(default=b"", repr=False)

    def verified(self, data: bytes) -> Verified | None:
        """Verify a copy; return None if it is not accepted."""
        try:
            evidence = self._evidence(data)
        except SignerError:
            return None
        if not self._is_accepted(evidence):
            return None
        (signature,), stamp = evidence.signatures, evidence.signatures[0].timestamp
        stamps = () if stamp is None else (stamp.time, stamp.kind, stamp.signer, stamp.intact)
        described = signature.program_name, signature.url, signature.statement, signature.page_hashes
        found = [*evidence.problems, *signature.notes, *(stamp.notes if stamp is not None else ())]
        return Verified(
            (signature.digest, signature.digest_algorithm, signature.signer, *described, *stamps),
            frozenset(one.code for one in found),
        )

    def _evidence(self, data: bytes) -> Evidence:
        if self.kind != "signature":
            return gather(data, self.kind, self.name)
        return gather(patched(self.base, attach(self.base, data).changes), "image", self.name)

    def _is_accepted(self, evidence: Evidence) -> bool:
        """Return whether the policy accepts it, as none does without an intact signature (test_policy_invariants).

        The kernel also loads drivers whose signer has expired, so that it would not miss their timestamp.
        """
        if not any(signature.intact for signature in evidence.signatures):
            return False
        paths = self.trust.paths_of(evidence, self.at)
        machine = MachineState(at=self.at, roots=self.trust.mode)
        return judge("authenticode", evidence, paths, TARGET, machine).outcome == "accepted"

    @cached_property
    def regions(self) -> list[str]:
        """The name of the region of each byte."""
        evidence = self._evidence(self.data)
        (signature,), (paths,) = evidence.signatures, self.trust.paths_of(evidence, self.at)
        stamp = signature.timestamp
        signers = [one for one in (signature.signer, stamp.signer if stamp else None) if one is not None]
        issuers = _required(paths.signer) | _required(paths.timestamp)
        encoded = [[one.public_bytes(Encoding.DER) for one in certificates] for certificates in (signers, issuers)]
        return regions_of(self.data, self.kind, Roles(*encoded))

    def flips(self, limit: int | None = None) -> Iterator[Flip]:
        """Yield every bit of small regions, and one bit of every byte of the others; at most `limit` for each region.

        Which ones these are is random, and the same in every run.
        """
        places = defaultdict[str, list[int]](list)
        for place, region in enumerate(self.regions):
            places[region].append(place)
        for region, own in places.items():
            every = [
                (place, 1 << bit)
                for number, place in enumerate(own)
                for bit in (range(8) if len(own) <= FEW else (number % 8,))
            ]
            yield from every if limit is None or len(every) <= limit else random.Random(region).sample(every, limit)

    def flipped(self, flip: Flip) -> bytes:
        place, mask = flip
        return self.data[:place] + bytes((self.data[place] ^ mask,)) + self.data[place + 1 :]


def _required(paths: Iterable[CertificatePath]) -> set[x509.Certificate]:
    """Return the issuers below the root that every path to a root has: the file needs no other ones."""
    anchored = [(path.certificates[1:], path.anchor) for path in paths if path.anchor is not None]
    roots = {anchor.certificate for _, anchor in anchored}
    return set.intersection(*({*certificates} for certificates, _ in anchored)) - roots if anchored else set()


class Row(NamedTuple):
    """A region that can change: in which kinds of files, and the codes that report it."""

    kinds: frozenset[str]
    codes: frozenset[str]


def documented() -> dict[str, Row]:
    """Return the table of docs/security.md by region."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    section = page.partition("\n## Bytes that can change\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|`-][^|]*) \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)[1:]
    return {
        region: Row(frozenset(kinds.split(", ")), frozenset(re.findall(r"`([a-z-]+)`", codes)))
        for region, kinds, codes in rows
    }


@dataclass
class Totals:
    """What flips and truncations of several files led to."""

    files: int = 0
    copies: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    """Accepted copies by region."""
    wrong: list[str] = field(default_factory=list)
    """Accepted copies that docs/security.md does not list, or that state something else."""

    def add(self, other: Totals) -> None:
        """Add the results of other files."""
        self.files += other.files
        self.copies += other.copies
        self.accepted += other.accepted
        self.wrong += other.wrong


def corpus_sample(path: Path) -> Sample | None:
    """Return a file of the corpus as a sample, if it is accepted and has one signature.

    Stamped ones are verified as of the day after their signer expired.
    """
    data = path.read_bytes()
    row = detect(data)
    at = _time_of(data, row.name) if row is not None else None
    if row is None or at is None:
        return None
    sample = Sample(corpus_id(path), row.name, data, Trust.release(), at)
    return sample if sample.verified(data) is not None else None


def _time_of(data: bytes, kind: str) -> datetime | None:
    """Return when only the timestamp keeps the signature valid, or today; None without exactly one signature."""
    try:
        signatures = gather(data, kind, "").signatures
    except SignerError:
        return None
    if len(signatures) != 1 or signatures[0].signer is None:
        return None
    ends = signatures[0].signer.not_valid_after_utc
    return ends + timedelta(days=1) if signatures[0].timestamp is not None else datetime(2026, 11, 27, tzinfo=UTC)


def tamper(sample: Sample, limit: int) -> Totals:
    """Try at most `limit` flips in each region, and truncate at as many places."""
    original, allowed, totals = sample.verified(sample.data), documented(), Totals(1)
    assert original is not None
    for flip in sample.flips(limit):
        totals.copies += 1
        copy, region = sample.verified(sample.flipped(flip)), sample.regions[flip[0]]
        if copy is not None:
            totals.accepted[region] += 1
            if region not in allowed or copy.statement != original.statement:
                totals.wrong.append(f"{sample.name}: {region}, byte {flip[0]:#x} with mask {flip[1]:#04x}")
    chance = random.Random(sample.name)
    for size in chance.sample(range(len(sample.data)), min(limit, len(sample.data))):
        totals.copies += 1
        if sample.verified(sample.data[:size]) is not None:
            totals.wrong.append(f"{sample.name}: truncated to {size} bytes")
    return totals


def tamper_path(path: Path, limit: int) -> Totals:
    """Do the same for a file of the corpus; nothing if it is not accepted as it is."""
    sample = corpus_sample(path)
    return Totals() if sample is None else tamper(sample, limit)


def main() -> int:
    """Tamper with the corpus, several files at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only files whose path contains this text")
    parser.add_argument("--flips", type=int, default=64, help="flips in each region that permits more; default: 64")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="processes; default: one for each processor"
    )
    arguments = parser.parse_args()
    found = corpus_files("drivers/*", "catalogs/*", "packages/**/*.sys", "packages/**/*.cat")
    paths = [path for path in found if arguments.only in Path(corpus_id(path)).as_posix()]
    totals = Totals()
    with ProcessPoolExecutor(arguments.workers) as workers:
        for done in workers.map(tamper_path, paths, itertools.repeat(arguments.flips)):
            totals.add(done)
    if not totals.files:
        sys.stdout.write("No file of the corpus with this text in its path has one accepted signature.\n")
        return 1
    lines = [f"{totals.files} files, {totals.copies:,} changed copies"]
    lines += [f"{count:>9,}  {region}" for region, count in sorted(totals.accepted.items())]
    sys.stdout.write("\n".join([*lines, *(totals.wrong[:50] or ["No other change was accepted."]), ""]))
    return 1 if totals.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
