"""Read events of the System log: the Service Control Manager's and Plug and Play's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from signer.codeintegrity.field_values import FieldValue
from signer.explain.codes import codes_in, parse_code
from signer.explain.phrases import language_of, means_of
from signer.explain.records import Record

SERVICE_IDS = frozenset({7000, 7001, 7026, 7045})
PLUG_AND_PLAY_IDS = frozenset({219, 411, 441, 442})
_NOT_STARTED, _NOT_LOADED_AT_BOOT = 7000, 7026
_CODE = re.compile(r"%%(\d+)")
_SERVICE = re.compile(r"The (.{1,80}?) service failed to start")
_DRIVER = re.compile(r"\\Driver\\([\w.$-]{1,120})")
_NAME = re.compile(r"[\w.$-]{1,120}")


def service_records(event_id: int, fields: Mapping[str, FieldValue], message: str, time: str) -> list[Record]:
    """Return what the Service Control Manager says about services that did not start."""
    if event_id == _NOT_LOADED_AT_BOOT:
        return [Record(file=name, signs=("driver-not-loaded",), time=time) for name in _boot_drivers(fields, message)]
    text = " ".join([*(str(value) for value in fields.values()), message])
    numbers = [parse_code(f"error {number}") for number in _CODE.findall(text)]
    codes = [code.text for code in [*numbers, *codes_in(text)] if code is not None]
    codes += means_of(message)[0]
    if not codes:
        return []
    named = _SERVICE.search(message)
    name = fields.get("param1") or (named[1] if named is not None else None)
    unique = tuple(dict.fromkeys(codes))
    return [Record(file=str(name) if name else None, codes=unique, time=time, language=language_of(message))]


def plug_and_play_records(fields: Mapping[str, FieldValue], message: str, time: str) -> list[Record]:
    """Return what Plug and Play says about a driver that was not loaded, or a device with a problem."""
    values = [str(fields.get(name) or "") for name in ("Status", "ProblemStatus", "FailureStatus")]
    problem = fields.get("Problem")
    values += [f"Code {_number(problem)}"] if problem is not None else []
    codes = dict.fromkeys(code.text for code in [*map(parse_code, values), *codes_in(message)] if code is not None)
    signs = means_of(message)[1]
    if not codes and not signs:
        return []
    named = _DRIVER.search(message)
    driver = str(fields.get("FailureName") or fields.get("DriverName") or fields.get("ServiceName") or "")
    driver = driver or (named[1] if named is not None else "")
    return [Record(file=driver.rpartition("\\")[2] or None, codes=tuple(codes), signs=signs, time=time)]


def _boot_drivers(fields: Mapping[str, FieldValue], message: str) -> list[str]:
    """Return the names in event 7026: one in each line behind the first."""
    listed = str(fields["param1"]) if fields.get("param1") else message.partition(":")[2]
    return [name for name in map(str.strip, listed.splitlines()) if _NAME.fullmatch(name)]


def _number(value: FieldValue) -> int:
    return int(str(value), 0) if re.fullmatch(r"0x[0-9a-fA-F]{1,8}|\d{1,9}", str(value)) else -1
