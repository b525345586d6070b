"""Convert the values of event fields to the text of a message, and back.

Values have the form that event XML gives them: numbers of the types UInt and Int as int, hexadecimal numbers as
"0xc0e90002", binary data as upper-case hex, GUIDs in lower case with braces, times as "2024-09-02T18:23:41.0000000Z".
None means unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from signer.codeintegrity.event_tables import EventField, EventSchema, numbers_of, words_of

FieldValue = str | int | bool | None

_DECIMAL = re.compile(r"-?[0-9]{1,20}")
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,16}")
_GUID = re.compile(r"\{[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}")
_BOOLEANS = {"true": True, "false": False}
_SIZED = ("UnicodeString", "Binary")
_NOT_FILLED_IN = re.compile(r"%[0-9]{1,2}")
"""The placeholder itself: some texts were copied without their fields."""


def text_of(field: EventField, value: FieldValue, build: int) -> str:
    """Return a value as the message of a build prints it; an unknown value is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and field.words is not None:
        return words_of(field.words, build).get(value, str(value))
    return str(value)


def value_of(field: EventField, text: str) -> FieldValue:
    """Parse a value in a message. Raises ValueError for a text that the field's type can't have."""
    if field.type in ("UnicodeString", "AnsiString"):
        return text
    if not text or _NOT_FILLED_IN.fullmatch(text):
        return None
    if field.words is not None and text in numbers_of(field.words):
        return numbers_of(field.words)[text]
    if field.type.startswith(("UInt", "Int")):
        return int(_checked(_DECIMAL, text))
    if field.type.startswith("HexInt"):
        return _checked(_HEX, text).lower()
    if field.type == "GUID":
        return _checked(_GUID, text).lower()
    if field.type == "Boolean":
        return _BOOLEANS[_checked(re.compile("true|false"), text)]
    return text


@lru_cache(maxsize=1024)
def plain_name(name: str) -> str:
    """Return one name for a field that versions of the manifest spell differently: "File Name", FileNameBuffer."""
    return name.replace(" ", "").removesuffix("Buffer")


def field_data(schema: EventSchema, known: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """Return the fields of an event in their order, from values by plain name; what is not known is None.

    A field before a string or binary field whose name ends in Length or Size has the size of that field.
    """
    values = [_typed(field, known.get(plain_name(field.name))) for field in schema.fields]
    data: dict[str, FieldValue] = {}
    for number, (field, value) in enumerate(zip(schema.fields, values, strict=True)):
        following = schema.fields[number + 1] if number + 1 < len(values) else None
        if following is not None and following.type in _SIZED and field.name.endswith(("Length", "Size")):
            value = _size(following, values[number + 1])
        data[field.name] = value
    return data


def _typed(field: EventField, value: FieldValue) -> FieldValue:
    """Return a hexadecimal number in the form of the field: some versions have Status as a decimal number."""
    if not field.type.startswith(("UInt", "HexInt")) or not isinstance(value, str) or not _HEX.fullmatch(value):
        return value
    return int(value, 16) if field.type.startswith("UInt") else value.lower()


def _size(field: EventField, value: FieldValue) -> int | None:
    """Return the size of a string in UTF-16 units or of binary data in bytes; None for an unknown value."""
    if not isinstance(value, str):
        return None
    return len(value) // 2 if field.type == "Binary" else len(value.encode("utf-16-le", "surrogatepass")) // 2


def _checked(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(text)
    return text
