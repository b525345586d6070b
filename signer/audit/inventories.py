"""Judge what inventories list: without the file, only a hash on the block list decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from signer.algorithms import DigestAlgorithm
from signer.audit.examine import Question
from signer.audit.inventory_values import Entry
from signer.audit.rows import Identity, PackageUse, Reason, Sighting, inf_link, published_link
from signer.pe.file_facts import FileFacts
from signer.policy import remedies, sources
from signer.policy.evaluation import EvaluationContext
from signer.policy.subjects import FileSubject
from signer.verify.evidence import Evidence

_SIZES = {64: DigestAlgorithm.SHA256, 40: DigestAlgorithm.SHA1}
"""The algorithm of a hexadecimal hash by its length."""
_NEEDS_FILE = (
    "Audit the files: a copy of System32\\DriverStore\\FileRepository of the machine, or its packages, exported with: "
    "pnputil /export-driver * FOLDER"
)


class InfNames:
    """The original names of INFs on machines, by the names that the machines gave them."""

    def __init__(self) -> None:
        self._original: dict[tuple[str, str], tuple[str, str]] = {}

    def learn(self, machine: str, one: Entry) -> None:
        """Remember an entry that has both names."""
        if one.published and one.original:
            self._original[machine, one.published.lower()] = (one.original, one.version)

    def find(self, machine: str, one: Entry) -> tuple[str, str]:
        """Return the original name and the version of the INF of an entry; empty for what nothing says."""
        original, version = self._original.get((machine, one.published.lower()), ("", ""))
        if one.original or (version and one.version and version != one.version):
            return one.original, one.version
        return original, one.version or version


def inventory_sightings(
    path: Path, entries: Iterable[Entry], machine: str, names: InfNames, question: Question
) -> Iterator[Sighting]:
    """Yield what an inventory says about each driver. `machine` is the name that the call gave, or empty."""
    for one in entries:
        here = machine or one.machine
        original, version = names.find(here, one)
        inf = original or one.published
        links = list(one.hashes)
        if original and version:
            links.append(inf_link(original, version))
        elif one.published:
            links.append(published_link(here, one.published))
        hardware_ids = (one.hardware_id,) if one.hardware_id else ()
        yield Sighting(
            one.path or inf,
            "",
            _reason(path, one, question.of(here)),
            Identity(version, one.signer or one.provider),
            (PackageUse(inf, one.device_class, hardware_ids, version, one.date, one.published),) if inf else (),
            here,
            tuple(links),
            devices=one.devices,
        )


def _reason(path: Path, one: Entry, question: Question) -> Reason:
    target, machine = question.target_for(None), question.query.machine
    if machine.block_list is not None and EvaluationContext.of(target, machine).block_list_on:
        digests = {_SIZES[len(text)]: bytes.fromhex(text) for text in one.hashes}
        name = Path(one.path).name
        subject = FileSubject(Evidence(name, "image", digests), (), facts=FileFacts(None, digests=digests))
        if machine.block_list.denies(subject):
            policy = "Microsoft's driver block list"
            return Reason("stops", policy, "", "block-listed", sources.BLOCK_RULES, remedies.BLOCK_LIST, "inventory")
    return Reason("needs-file", rule="inventory", source=path.name, remedy=_NEEDS_FILE, origin="inventory")
