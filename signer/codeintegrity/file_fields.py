"""Collect what event fields say about a file: its name, hashes and version strings.

Names are those of `field_values.plain_name`. What was not read is None; what a file lacks is an empty string.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from signer.algorithms import DigestAlgorithm
from signer.codeintegrity.signer_fields import signer_fields
from signer.verify.evidence import Evidence

if TYPE_CHECKING:
    from signer.codeintegrity.field_values import FieldValue
    from signer.pe.file_facts import FileFacts

_KERNEL_SCENARIO = 0
"""SI Signing Scenario of a driver; user mode is 1."""
_LOADER = "System"
"""The process that loads drivers."""
_HASHES = {"SHA1": DigestAlgorithm.SHA1, "SHA256": DigestAlgorithm.SHA256}
_VERSION_STRINGS = {
    "OriginalFileName": "OriginalFilename",
    "InternalName": "InternalName",
    "FileDescription": "FileDescription",
    "ProductName": "ProductName",
}
"""Fields of events by the names of the version resource."""


class EventSubject:
    """The file that events are about. Its fields are collected when the first target has an event with them."""

    def __init__(self, evidence: Evidence, read_facts: Callable[[], FileFacts] | None = None) -> None:
        """`read_facts` is called only for the events whose hashes and version strings it reads."""
        self.evidence = evidence
        self._read_facts = read_facts

    @cached_property
    def fields(self) -> Mapping[str, FieldValue]:
        """The fields that the evidence knows: the name, and the digests that signatures asked for."""
        return _file_fields(self.evidence)

    @cached_property
    def fact_fields(self) -> Mapping[str, FieldValue]:
        """The fields that need the file's bytes: every hash, and the version strings; none if they can't be read."""
        return _fact_fields(self._read_facts()) if self._read_facts is not None else {}

    @cached_property
    def signers(self) -> tuple[Mapping[str, FieldValue], ...]:
        """The fields about the signer of each signature."""
        return tuple(map(signer_fields, self.evidence.signatures))


def _file_fields(evidence: Evidence) -> dict[str, FieldValue]:
    return {
        "FileName": evidence.name,
        "param1": evidence.name,
        "ProcessName": _LOADER,
        "SISigningScenario": _KERNEL_SCENARIO,
        "PackageFamilyName": "",
        **_hashes("Hash", evidence.digests),
    }


def _fact_fields(facts: FileFacts) -> dict[str, FieldValue]:
    return {
        **_hashes("Hash", facts.digests),
        **_hashes("FlatHash", facts.flat_digests),
        **_version_fields(facts),
    }


def _hashes(suffix: str, digests: Mapping[DigestAlgorithm, bytes]) -> dict[str, FieldValue]:
    return {
        f"{name}{suffix}": digests[algorithm].hex().upper()
        for name, algorithm in _HASHES.items()
        if algorithm in digests
    }


def _version_fields(facts: FileFacts) -> dict[str, FieldValue]:
    if facts.strings is None:
        return {}
    strings: dict[str, FieldValue] = {field: facts.strings.get(key, "") for field, key in _VERSION_STRINGS.items()}
    version = ".".join(map(str, facts.version)) if facts.version is not None else None
    return {**strings, "FileVersion": version}
