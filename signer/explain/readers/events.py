"""Make records from events, whatever form they were exported in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from signer.codeintegrity.event_tables import known_events, schemas
from signer.codeintegrity.field_values import FieldValue, plain_name
from signer.codeintegrity.message_text import read_message
from signer.explain.codes import codes_in
from signer.explain.phrases import ANOTHER_LANGUAGE, language_of
from signer.explain.readers.system_events import (
    PLUG_AND_PLAY_IDS,
    SERVICE_IDS,
    plug_and_play_records,
    service_records,
)
from signer.explain.records import Record
from signer.explain.times import sortable

_PROVIDERS = ("codeintegrity", "servicecontrolmanager", "kernelpnp", "userpnp")
_SECURITY_IDS = frozenset({5038, 6281})
_PREFERRED = (3077, 3076, 3033, 3034, 3004, 3002, 3023, 3036, 3111, 3087)
"""Of several events with one text, those that report a driver that was loaded or blocked; the others belong to user
mode, to virtualization-based security, or to a verbose log."""
_DEVICE_PATH = re.compile(
    r"(?:\\Device\\HarddiskVolume\d+|\\\?\?\\[A-Z]:|\\SystemRoot|[A-Z]:)\\[^\r\n\"<>|*?:]{1,260}?\.(?:sys|dll|exe|cat)",
    re.IGNORECASE,
)
_MIN_TEXT = 24
"""Characters of the shortest message whose language is judged."""
_GUID = re.compile(r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?", re.IGNORECASE)


def event_records(
    event_id: int,
    provider: str,
    named: Mapping[str, FieldValue],
    message: str,
    *,
    activity: str | None = None,
    time: str = "",
    computer: str = "",
) -> list[Record]:
    """Return the records of an event; nothing for an event that says nothing about drivers.

    `provider` may be empty if the export lacks it; `named` are the fields by their names in the manifest; `time` is as
    the export has it.
    """
    if not is_relevant(event_id, provider):
        return []
    time = sortable(time)
    fields = {plain_name(name): value for name, value in named.items()}
    lower = _provider(provider)
    if "servicecontrolmanager" in lower or (not provider and event_id in SERVICE_IDS):
        return service_records(event_id, fields, message, time)
    if "kernelpnp" in lower or "userpnp" in lower or (not provider and event_id in PLUG_AND_PLAY_IDS):
        return plug_and_play_records(fields, message, time)
    language = ""
    if not fields and message:
        fields, language = _from_message(event_id, message)
    file = file_of(fields)
    return [Record(file, (event_id,), fields, activity=activity, time=time, computer=computer, language=language)]


def is_relevant(event_id: int, provider: str) -> bool:
    """Return whether an event can say something about drivers. `provider` may be empty."""
    lower = _provider(provider)
    if any(name in lower for name in _PROVIDERS) or event_id in _SECURITY_IDS:
        return True
    return not provider and (event_id in SERVICE_IDS or event_id in PLUG_AND_PLAY_IDS or _is_known(event_id))


def message_record(text: str) -> Record | None:
    """Return the record of a message without an id; None if no release prints it."""
    readings = read_message(text)
    if not readings:
        return None
    ids = tuple(sorted({one.id for one in readings}, key=_preference))
    chosen = [one for one in readings if one.id == ids[0]][-1]
    fields = {plain_name(name): value for name, value in chosen.fields.items()}
    return Record(file=file_of(fields), events=ids, fields=fields, typed=chosen.typed)


def file_of(fields: Mapping[str, FieldValue]) -> str | None:
    """Return the file that an event is about."""
    for name in ("FileName", "param1"):
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value
    return None


def known_field(name: str) -> str | None:
    """Return the plain name of a field of Code Integrity's events, in whatever case; None for any other name."""
    return known_fields().get(name.replace(" ", "").replace("_", "").casefold().removesuffix("buffer"))


@cache
def known_fields() -> Mapping[str, str]:
    """Return the plain name of each field of Code Integrity's events by its name in lower case."""
    names = {plain_name(field.name) for one in schemas() for field in one.fields}
    return {name.casefold(): name for name in names}


def loose_fields(text: str) -> dict[str, FieldValue]:
    """Return what a text in any language says about a file: its path, a policy's GUID and a status."""
    found: dict[str, FieldValue] = {}
    guid = _GUID.search(text)
    paths = list(_DEVICE_PATH.finditer(text))
    # Messages name the process in brackets, before the file.
    process = next((one[0] for one in paths if text[: one.start()].endswith("(")), None)
    images = [one[0] for one in paths if one[0] != process] or [one[0] for one in paths]
    if images:
        found["FileName"] = next((one for one in images if one.lower().endswith(".sys")), images[0])
    if process is not None:
        found["ProcessName"] = process
    if guid is not None:
        found["PolicyGUID"] = f"{{{guid[1].lower()}}}"
    status = next((code for code in codes_in(text) if code.kind == "NTSTATUS"), None)
    if status is not None:
        found["Status"] = status.text
    return found


def _from_message(event_id: int, message: str) -> tuple[dict[str, FieldValue], str]:
    """Return the fields that a message shows, and its language if that is not English."""
    readings = [one for one in read_message(message) if one.id == event_id]
    if readings:
        return {plain_name(name): value for name, value in readings[-1].fields.items()}, ""
    foreign = len(message) >= _MIN_TEXT and not _is_english(message)
    return loose_fields(message), (language_of(message) or ANOTHER_LANGUAGE) if foreign else ""


def _is_english(text: str) -> bool:
    return bool(re.search(r"\b(?:Code Integrity|the file|Windows is|Signature information)\b", text))


def _provider(name: str) -> str:
    return name.lower().replace("-", "").replace(" ", "")


def _is_known(event_id: int) -> bool:
    return event_id in known_events()


def _preference(event_id: int) -> tuple[int, int]:
    return (_PREFERRED.index(event_id) if event_id in _PREFERRED else len(_PREFERRED), event_id)
