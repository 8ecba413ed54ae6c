"""Messages as JSON, by the rules of our API, not by proto's own mapping.

All fields are printed, absent messages and unset `optional` fields left out;
32-bit integers are numbers, 64-bit ones strings; a Timestamp is RFC 3339 UTC with
exactly three digits of milliseconds, a Duration `"90s"`, bytes are base64. The
field tables are made once a descriptor; an answer costs a few microseconds.
"""

import base64
import json
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.gateway.names import DURATION, TIMESTAMP, enum_of, is_map, message_of, names_of

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (UTC by definition; naive is faster to print)

_Write = Callable[[Any], Any]
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_json(message: Message) -> bytes:
    """The message on one line, UTF-8."""
    return dumped(encode(message))


def dumped(value: Any) -> bytes:
    """A plain value on one line, UTF-8."""
    return _ENCODER.encode(value).encode()


def encode(message: Message) -> Any:
    """The message as plain values that JSON knows."""
    special = _SPECIAL.get(message.DESCRIPTOR.full_name)
    return special(message) if special else _object(message)


def _object(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for json_name, name, write, presence in _table(message.DESCRIPTOR):
        if presence and not message.HasField(name):
            continue
        value = getattr(message, name)
        found[json_name] = value if write is None else write(value)
    return found


@cache
def _table(descriptor: Descriptor) -> tuple[tuple[str, str, _Write | None, bool], ...]:
    return tuple(
        (field.json_name, field.name, _writer(field), field.has_presence)
        for field in descriptor.fields
    )


def _writer(field: FieldDescriptor) -> _Write | None:
    if is_map(field):
        return _map_writer(field)
    write = _scalar_writer(field)
    if not field.is_repeated:
        return write
    return list if write is None else lambda values: [write(value) for value in values]


def _map_writer(field: FieldDescriptor) -> _Write:
    """Keys as JSON has them, sorted: a map has no order of its own."""
    write = _scalar_writer(message_of(field).fields_by_name["value"]) or (lambda value: value)
    return lambda values: {_key_text(name): write(values[name]) for name in sorted(values)}


def _key_text(key: Any) -> str:
    return ("false", "true")[key] if isinstance(key, bool) else str(key)


def _scalar_writer(field: FieldDescriptor) -> _Write | None:
    """None where the value itself is what JSON shows."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        write: _Write = _SPECIAL.get(message_of(field).full_name, _object)
        return write
    if field.type == FieldDescriptor.TYPE_BYTES:
        return lambda value: base64.b64encode(value).decode("ascii")
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        names = names_of(enum_of(field))
        return lambda value: names.get(value, value)  # a newer queue's value stays a number
    return _NUMBERS.get(field.cpp_type)


def _float(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def timestamp(value: Timestamp) -> str:
    """RFC 3339, UTC, with milliseconds."""
    moment = EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
    return moment.isoformat(timespec="milliseconds") + "Z"


def _duration(value: Duration) -> str:
    """Whole seconds where they are; else with 3, 6 or 9 digits after the point."""
    sign = "-" if value.seconds < 0 or value.nanos < 0 else ""
    whole, digits = f"{sign}{abs(value.seconds)}", f"{abs(value.nanos):09}"
    if value.nanos == 0:
        return f"{whole}s"
    for end in (3, 6):
        if not digits[end:].strip("0"):
            return f"{whole}.{digits[:end]}s"
    return f"{whole}.{digits}s"


_SPECIAL: dict[str, _Write] = {TIMESTAMP: timestamp, DURATION: _duration}
_NUMBERS: dict[int, _Write] = {
    FieldDescriptor.CPPTYPE_INT64: str,
    FieldDescriptor.CPPTYPE_UINT64: str,
    FieldDescriptor.CPPTYPE_FLOAT: _float,
    FieldDescriptor.CPPTYPE_DOUBLE: _float,
}
