"""What readers yield: one record for each event, message, log section or code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from signer.codeintegrity.field_values import FieldValue
from signer.records import dataclass

MachineFact = str | int | bool


@dataclass(frozen=True, slots=True)
class Record:
    """One statement of a log about a file, or about the machine."""

    file: str | None = None
    """The path or name of the file that it is about; None if it names none."""
    events: tuple[int, ...] = ()
    """The ids of events that it can be: several if only a text is known, which more than one event prints."""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    """The fields of an event by plain name (`field_values.plain_name`)."""
    codes: tuple[str, ...] = ()
    """Codes in their canonical spelling."""
    signs: tuple[str, ...] = ()
    """Keys of `phrases.tsv`: sentences of Windows that no code has."""
    machine: Mapping[str, MachineFact] = field(default_factory=dict)
    """Facts about the machine: `build`, `architecture`, `secure_boot`, `testsigning`, `hvci`, `s_mode`."""
    activity: str | None = None
    """ActivityID, which an event shares with the 3089 events about its signatures."""
    time: str = ""
    """The time in the form of `times.sortable`; empty if it is unknown."""
    typed: bool = True
    """False for a message with a value that its field's type can't have."""
    computer: str = ""
    """The name of the computer, as the event has it; empty if the export lacks it."""
    language: str = ""
    """The language of a text that is not in English; only its codes, paths and fields were read."""
