"""Single values: from JSON, or from the text of a query parameter or a map's key.

Each reader takes a value and its path, and refuses with INVALID_REQUEST; `why` is
English, for developers.
"""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, partial
from typing import Any, NoReturn

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from services.chassis.errors import Problem
from services.gateway.names import DURATION, TIMESTAMP, enum_of, numbers_of

Read = Callable[[Any, str], Any]  # a JSON value and its path → what the message takes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s", re.ASCII)
_LONGEST = 315_576_000_000  # seconds, what a Duration may hold
_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


def refuse(path: str, why: str) -> NoReturn:
    """INVALID_REQUEST for one field."""
    raise Problem("INVALID_REQUEST", {"field": path, "why": why})


@cache
def reader(field: FieldDescriptor) -> Read:
    """Reads one JSON value of a scalar field."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return partial(_enum, enum_of(field))
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes
    if field.cpp_type in _RANGES:
        wide = field.cpp_type in _WIDE
        return partial(_integer, *_RANGES[field.cpp_type], wide)
    return _READERS[field.cpp_type]


@cache
def from_text(field: FieldDescriptor) -> Read:
    """Reads one value of a scalar field from a query parameter or a map's key."""
    if field.cpp_type in _RANGES:
        return partial(_integer, *_RANGES[field.cpp_type], True)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _bool_text
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return lambda text, path: reader(field)(_number_text(text, path), path)
    return reader(field)


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        refuse(path, "a string is expected")
    try:
        value.encode()
    except UnicodeEncodeError:
        refuse(path, "holds half a surrogate pair")
    return value


def _bool(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        refuse(path, "true or false is expected")
    return value


def _bool_text(value: str, path: str) -> bool:
    if value not in ("true", "false"):
        refuse(path, "true or false is expected")
    return value == "true"


def _integer(low: int, high: int, text: bool, value: Any, path: str) -> int:
    """`text`: whether digits in a string count, as they do for 64 bits."""
    if text and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(path, "an integer is expected")
    if not low <= value <= high:
        refuse(path, f"is not between {low} and {high}")
    return value


def _double(value: Any, path: str) -> float:
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            number = float(value)
            if math.isfinite(number):
                return number
    except OverflowError:
        pass
    refuse(path, "a number is expected")


def _float(value: Any, path: str) -> float:
    number = _double(value, path)
    try:
        struct.pack(">f", number)
    except OverflowError:
        refuse(path, "is too large a number")
    return number


def _number_text(value: str, path: str) -> float:
    if not re.fullmatch(r"-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,3})?", value, re.ASCII):
        refuse(path, "a number is expected")
    return float(value)


def _enum(enum: EnumDescriptor, value: Any, path: str) -> int:
    numbers = numbers_of(enum)
    if not isinstance(value, str) or value not in numbers:
        names = [name for name in numbers if not name.endswith("UNSPECIFIED")]
        refuse(path, f"one of {', '.join(names[: len(enum.values) - 1])} is expected")
    return numbers[value]


def _bytes(value: Any, path: str) -> bytes:
    """Both alphabets of base64, with padding or without."""
    text = _string(value, path).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        refuse(path, "base64 is expected")


def _timestamp(value: Any, path: str) -> tuple[int, int]:
    found = _TIMESTAMP.fullmatch(_string(value, path))
    if found is None:
        refuse(path, "an RFC 3339 time is expected")
    date, time, digits, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=zone)
        seconds = (moment.astimezone(UTC) - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        refuse(path, "there is no such time")
    return seconds, int((digits or "").ljust(9, "0"))


def _duration(value: Any, path: str) -> tuple[int, int]:
    found = _DURATION.fullmatch(_string(value, path))
    if found is None or int(found[2]) > _LONGEST:
        refuse(path, 'a duration like "90s" is expected')
    seconds, nanos = int(found[2]), int((found[3] or "").ljust(9, "0"))
    return (-seconds, -nanos) if found[1] else (seconds, nanos)


_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_WIDE = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
_READERS: dict[int, Read] = {
    FieldDescriptor.CPPTYPE_STRING: _string,
    FieldDescriptor.CPPTYPE_BOOL: _bool,
    FieldDescriptor.CPPTYPE_DOUBLE: _double,
    FieldDescriptor.CPPTYPE_FLOAT: _float,
}
SPECIAL: Mapping[str, Callable[[Any, str], tuple[int, int]]] = {
    TIMESTAMP: _timestamp,
    DURATION: _duration,
}
