"""JSON Schemas of messages, by the rules of `encode` (answers) and `decode` (requests).

In an answer every field is there but absent messages and unset `optional` ones, and more may
come; a request has what `field_behavior` says at least, and nothing unknown. Schemas of messages
and enums of answers are components; those of requests have names that end in Request or Input.
"""

import re
from collections.abc import Collection
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from services.gateway.comments import Comments
from services.gateway.names import (
    DURATION,
    TIMESTAMP,
    enum_of,
    is_map,
    message_of,
    names_of,
)

Schema = dict[str, Any]

# How the comments of values begin that no answer holds.
UNSAID = re.compile(r"Never (sent|used|accepted)\.|Reads as ")
_LINK = re.compile(r"\[(\w+)\]\[[\w.]+\]")
_WIDE = {"type": "string", "pattern": "^-?[0-9]{1,20}$", "format": "int64"}
_NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
_SCALARS: dict[int, Schema] = {
    FieldDescriptor.CPPTYPE_INT32: {
        "type": "integer",
        "format": "int32",
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    },
    FieldDescriptor.CPPTYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    FieldDescriptor.CPPTYPE_INT64: _WIDE,
    FieldDescriptor.CPPTYPE_UINT64: _WIDE,
    FieldDescriptor.CPPTYPE_DOUBLE: _NUMBER,
    FieldDescriptor.CPPTYPE_FLOAT: _NUMBER,
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
}
_SPECIAL: dict[str, Schema] = {
    TIMESTAMP: {"type": "string", "format": "date-time"},
    DURATION: {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"},
}


def plain(text: str) -> str:
    """A comment without its links: `[Board][tunggu.queue.v1.Board]` reads `Board`."""
    return _LINK.sub(r"`\1`", text)


def required(field: FieldDescriptor) -> bool:
    """Whether a request must have the field."""
    behaviors = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.REQUIRED in behaviors


class Schemas:
    """Makes schemas and gathers in `components` what they refer to, by name."""

    def __init__(self, comments: Comments) -> None:
        self.components: dict[str, Schema] = {}
        self._comments = comments
        self._owners: dict[str, str] = {}

    def answer(self, message: Descriptor) -> Schema:
        """A reference to the schema of a message as answers show it."""
        if message.full_name in _SPECIAL:
            return _SPECIAL[message.full_name]
        name = self._claim(_path(message), message.full_name)
        if name not in self.components:
            self.components[name] = {}  # a message may hold itself
            always = [field.json_name for field in message.fields if not field.has_presence]
            self.components[name] = self._object(message, True, message.fields, always)
        return _ref(name)

    def request(self, message: Descriptor, without: Collection[str] = ()) -> Schema:
        """A reference to the schema of what a request may hold; `without` are names of fields."""
        if message.full_name in _SPECIAL:
            return _SPECIAL[message.full_name]
        path = _path(message)
        name = self._claim(path if path.endswith("Request") else path + "Input", message.full_name)
        if name not in self.components:
            self.components[name] = {}
            fields = [field for field in message.fields if field.name not in without]
            needed = [field.json_name for field in fields if required(field)]
            schema = self._object(message, False, fields, needed)
            self.components[name] = schema | {"additionalProperties": False}
        return _ref(name)

    def field(self, field: FieldDescriptor, answer: bool) -> Schema:
        """A field's schema with its comment."""
        text = plain(self._comments.of(field.full_name).text)
        return self._several(field, answer) | ({"description": text} if text else {})

    def _object(
        self, message: Descriptor, answer: bool, fields: Collection[Any], needed: list[str]
    ) -> Schema:
        schema: Schema = {"type": "object"}
        if text := plain(self._comments.of(message.full_name).text):
            schema["description"] = text
        schema["properties"] = {field.json_name: self.field(field, answer) for field in fields}
        return schema | ({"required": needed} if needed else {})

    def _several(self, field: FieldDescriptor, answer: bool) -> Schema:
        if is_map(field):
            value = message_of(field).fields_by_name["value"]
            return {"type": "object", "additionalProperties": self._one(value, answer)}
        one = self._one(field, answer)
        return {"type": "array", "items": one} if field.is_repeated else one

    def _one(self, field: FieldDescriptor, answer: bool) -> Schema:
        if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            message = message_of(field)
            return self.answer(message) if answer else self.request(message)
        if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
            return self._enum_component(enum_of(field)) if answer else self._enum(enum_of(field))
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return dict(_SCALARS[field.cpp_type])

    def _enum_component(self, enum: EnumDescriptor) -> Schema:
        name = self._claim(_path(enum), enum.full_name)
        if name not in self.components:
            texts = {names_of(enum)[v.number]: self._value_text(v) for v in enum.values}
            shown = {value: text for value, text in texts.items() if not UNSAID.match(text)}
            lines = [self._comments.of(enum.full_name).text, ""]
            lines += [f"- `{value}`: {text}" for value, text in shown.items()]
            self.components[name] = {
                "type": "string",
                "enum": list(shown),
                "description": "\n".join(lines),
            }
        return _ref(name)

    def _enum(self, enum: EnumDescriptor) -> Schema:
        """What requests may say; the prefixed names, which are read too, are not told."""
        return {
            "type": "string",
            "enum": [name for number, name in names_of(enum).items() if number],
        }

    def _value_text(self, value: Any) -> str:
        return self._comments.of(f"{value.type.full_name}.{value.name}").text

    def _claim(self, name: str, full_name: str) -> str:
        """The component's name; with its package where another message has it already."""
        if self._owners.setdefault(name, full_name) == full_name:
            return name
        return self._claim(f"{full_name.split('.')[1]}.{name}", full_name)


def _path(declared: Descriptor | EnumDescriptor) -> str:
    """`Ticket.State`: the full name without the package."""
    return str(declared.full_name.removeprefix(declared.file.package + "."))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
