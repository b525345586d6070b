"""Make records from events, whatever form they were exported in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from signer.codeintegrity.event_tables import schemas
from signer.codeintegrity.field_values import FieldValue, plain_name
from signer.codeintegrity.message_text import read_message
from signer.explain.codes import codes_in, parse_code
from signer.explain.records import Record

_CODE_INTEGRITY = "codeintegrity"
_SECURITY_IDS = frozenset({5038, 6281})
_PREFERRED = (3077, 3076, 3033, 3034, 3004, 3002, 3023, 3036, 3111, 3087)
"""Of several events with one text, those that report a driver that was loaded or blocked; the others belong to user
mode, to virtualization-based security, or to a verbose log."""
_SERVICE_IDS = frozenset({7000, 7001, 7026, 7045})
_KERNEL_PNP_IDS = frozenset({219, 411, 441, 442})
_DEVICE_PATH = re.compile(
    r"(?:\\Device\\HarddiskVolume\d+|\\\?\?\\[A-Z]:|\\SystemRoot|[A-Z]:)\\[^\r\n\"<>|*?]{1,260}?\.(?:sys|dll|exe|cat)",
    re.IGNORECASE,
)
_GUID = re.compile(r"\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?", re.IGNORECASE)
_SERVICE_CODE = re.compile(r"%%(\d+)")
_SERVICE_NAME = re.compile(r"The (.{1,80}?) service failed to start")


def event_record(
    event_id: int,
    provider: str,
    named: Mapping[str, FieldValue],
    message: str,
    *,
    activity: str | None = None,
    time: str = "",
) -> Record | None:
    """Return the record of an event; None for an event that says nothing about drivers.

    `provider` may be empty if the export lacks it; `named` are the fields by their names in the manifest.
    """
    fields = {plain_name(name): value for name, value in named.items()}
    lower = provider.lower().replace("-", "").replace(" ", "")
    if "servicecontrolmanager" in lower or (not provider and event_id in _SERVICE_IDS):
        return _service(event_id, fields, message, time)
    if "kernelpnp" in lower or "userpnp" in lower or (not provider and event_id in _KERNEL_PNP_IDS):
        return _plug_and_play(fields, message, time)
    ours = _CODE_INTEGRITY in lower or event_id in _SECURITY_IDS or (not provider and _is_known(event_id))
    if not ours:
        return None
    localised = False
    if not fields and message:
        fields, localised = _from_message(event_id, message)
    return Record(
        file=file_of(fields),
        events=(event_id,),
        fields=fields,
        activity=activity,
        time=time,
        localised=localised,
    )


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


def loose_fields(text: str) -> dict[str, FieldValue]:
    """Return what a text in any language says about a file: its path, a policy's GUID and a status."""
    found: dict[str, FieldValue] = {}
    path, guid = _DEVICE_PATH.search(text), _GUID.search(text)
    paths = [one[0] for one in _DEVICE_PATH.finditer(text)]
    if path is not None:
        # A text can name the process too; the driver is the one that ends in .sys.
        found["FileName"] = next((one for one in paths if one.lower().endswith(".sys")), path[0])
    if guid is not None:
        found["PolicyGUID"] = f"{{{guid[1].lower()}}}"
    status = next((code for code in codes_in(text) if code.kind == "NTSTATUS"), None)
    if status is not None:
        found["Status"] = status.text
    return found


def _from_message(event_id: int, message: str) -> tuple[dict[str, FieldValue], bool]:
    """Return the fields that a message shows, and whether it is in another language."""
    readings = [one for one in read_message(message) if one.id == event_id]
    if readings:
        return {plain_name(name): value for name, value in readings[-1].fields.items()}, False
    return loose_fields(message), bool(message.strip()) and not _is_english(message)


def _is_english(text: str) -> bool:
    return bool(re.search(r"\b(?:Code Integrity|the file|Windows is|Signature information)\b", text))


def _service(event_id: int, fields: Mapping[str, FieldValue], message: str, time: str) -> Record | None:
    """Return what the Service Control Manager says about a service that did not start."""
    text = " ".join([*(str(value) for value in fields.values()), message])
    numbers = [parse_code(f"error {number}") for number in _SERVICE_CODE.findall(text)]
    codes: dict[str, None] = dict.fromkeys(code.text for code in [*numbers, *codes_in(text)] if code is not None)
    if event_id != 7000 and not codes:
        return None
    named = _SERVICE_NAME.search(message)
    name = fields.get("param1") or (named[1] if named is not None else None)
    return Record(file=str(name) if name else None, codes=tuple(codes), time=time) if codes else None


def _plug_and_play(fields: Mapping[str, FieldValue], message: str, time: str) -> Record | None:
    """Return what Plug and Play says about a driver that was not loaded, or a device with a problem."""
    values = [str(fields.get(name) or "") for name in ("Status", "ProblemStatus", "FailureStatus")]
    problem = fields.get("Problem")
    values += [f"Code {_number(problem)}"] if problem is not None else []
    found = [*map(parse_code, values), *codes_in(message)]
    codes = dict.fromkeys(code.text for code in found if code is not None)
    driver = str(fields.get("FailureName") or fields.get("DriverName") or fields.get("ServiceName") or "")
    return Record(file=driver.rpartition("\\")[2] or None, codes=tuple(codes), time=time) if codes else None


def _number(value: FieldValue) -> int:
    return int(str(value), 0) if re.fullmatch(r"0x[0-9a-fA-F]{1,8}|\d{1,9}", str(value)) else -1


def _is_known(event_id: int) -> bool:
    return any(one.id == event_id for one in schemas())


def _preference(event_id: int) -> tuple[int, int]:
    return (_PREFERRED.index(event_id) if event_id in _PREFERRED else len(_PREFERRED), event_id)
