"""Examples: what a day of Kecamatan Makassar could say, in the shape of any message.

Written ones (samples.json) go before made ones; a made one takes each field's value by the
field's name, or the literal that its comment shows in backquotes. Problems are those that a
client would get, in English.
"""

import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from services.chassis.errors import Problem
from services.gateway.comments import Comments
from services.gateway.names import DURATION, TIMESTAMP, enum_of, is_map, message_of, names_of
from services.gateway.problems import body_of

MOMENT = "2026-03-02T02:14:31.007Z"
REQUEST_ID = "5f0c2a91b7d34e68"

_SPECIAL: Mapping[str, str] = {TIMESTAMP: MOMENT, DURATION: "90s"}
_PLAIN: Mapping[int, Any] = {
    FieldDescriptor.CPPTYPE_BOOL: False,
    FieldDescriptor.CPPTYPE_INT64: "1",
    FieldDescriptor.CPPTYPE_UINT64: "1",
}
_LITERAL = re.compile(r"^`([^`]+)`")


@cache
def written() -> Mapping[str, Mapping[str, Any]]:
    """samples.json: `fields`, `numbers`, `messages`, `bodies` by media type, `problems`."""
    found: Mapping[str, Mapping[str, Any]] = json.loads(
        Path(__file__).with_name("samples.json").read_text("utf-8")
    )
    return found


def problem(reason: str) -> Any:
    """The document that a client gets."""
    metadata = written()["problems"].get(reason, {})
    return json.loads(body_of(Problem(reason, metadata), "en", REQUEST_ID))


class Samples:
    """Makes an example of any message."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments

    def message(self, message: Descriptor, without: Collection[str] = ()) -> Any:
        """As JSON; `without` are names of fields that stand elsewhere."""
        if message.full_name in _SPECIAL:
            return _SPECIAL[message.full_name]
        ready = written()["messages"].get(message.name)
        if ready is not None:
            return ready
        fields = [field for field in message.fields if field.name not in without]
        return {field.json_name: self.field(field) for field in fields if _shown(field)}

    def field(self, field: FieldDescriptor) -> Any:
        """A value of the field."""
        if is_map(field):
            return {}
        one = self._one(field)
        return [one] if field.is_repeated else one

    def _one(self, field: FieldDescriptor) -> Any:
        if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            return self.message(message_of(field))
        if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
            return next(name for number, name in names_of(enum_of(field)).items() if number)
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return self._text(field)
        if field.cpp_type in _PLAIN:
            return _PLAIN[field.cpp_type]
        return written()["numbers"].get(field.json_name, 1)

    def _text(self, field: FieldDescriptor) -> str:
        literal = _LITERAL.match(self._comments.of(field.full_name).text)
        if literal and "YYYY" not in literal[1] and "HH:" not in literal[1]:
            return literal[1]
        return str(written()["fields"].get(field.json_name, ""))


def _shown(field: FieldDescriptor) -> bool:
    """Of a oneof the first member is enough."""
    oneof = field.containing_oneof
    return oneof is None or oneof.fields[0] is field
