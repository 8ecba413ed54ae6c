"""JSON as messages, strictly: what is not understood is refused, never guessed.

A refusal is a Problem: NOT_JSON for the text, UNKNOWN_FIELD and INVALID_REQUEST
with the path of the `field` (`spec.hours.weekly.mon[0].open`) and, in English for
developers, `why`. Stricter than proto's own mapping: lowerCamelCase only, no
`null`, no number for an enum, no string for a 32-bit integer, no key twice.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NoReturn

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from services.chassis.errors import Problem
from services.gateway.names import is_map, message_of
from services.gateway.scalars import SPECIAL, Read, from_text, reader, refuse

MOST_DIGITS = 400  # of an integer; the largest double has 309


def parse(body: bytes) -> Any:
    """The JSON value of a body. NOT_JSON: wrong text, a key twice, NaN, too deep."""
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Problem("NOT_JSON", {"why": "the body is not UTF-8"}) from None
    except RecursionError:
        raise Problem("NOT_JSON", {"why": "it is nested too deeply"}) from None
    except ValueError as error:
        raise Problem("NOT_JSON", {"why": str(error)}) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"an integer has more than {MOST_DIGITS} digits")
    return int(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer
)


def decode(value: Any, message: Message, path: str = "") -> None:
    """Fills an empty message from a JSON object."""
    if not isinstance(value, dict):
        refuse(path or "(body)", "an object is expected")
    fields = _table(message.DESCRIPTOR)
    for name, item in value.items():
        place = f"{path}.{name}" if path else name
        if name not in fields:
            raise Problem("UNKNOWN_FIELD", {"field": _clean(place)})
        fields[name](message, item, place)


def _clean(place: str) -> str:
    """A client's own text as it may be shown back: valid UTF-8 of bounded length."""
    return place.encode("utf-8", "replace").decode()[:200]


_Fill = Callable[[Message, Any, str], None]


@cache
def _table(descriptor: Descriptor) -> Mapping[str, _Fill]:
    return {field.json_name: _filler(field) for field in descriptor.fields}


def _filler(field: FieldDescriptor) -> _Fill:
    if is_map(field):
        return partial(_fill_map, field)
    if field.is_repeated:
        return partial(_fill_list, field)
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return _once(field, partial(_fill_message, field))
    return _once(field, partial(_fill_scalar, field.name, reader(field)))


def _once(field: FieldDescriptor, fill: _Fill) -> _Fill:
    """Refuses a second member of a oneof."""
    if field.containing_oneof is None:
        return fill
    oneof = field.containing_oneof.name

    def checked(message: Message, value: Any, path: str) -> None:
        if message.WhichOneof(oneof):
            refuse(path, "excludes another field that is set")
        fill(message, value, path)

    return checked


def _fill_scalar(name: str, read: Read, message: Message, value: Any, path: str) -> None:
    setattr(message, name, read(value, path))


def _fill_message(field: FieldDescriptor, message: Message, value: Any, path: str) -> None:
    part = getattr(message, field.name)
    part.SetInParent()
    _merge(part, value, path)


def _merge(part: Message, value: Any, path: str) -> None:
    special = SPECIAL.get(part.DESCRIPTOR.full_name)
    if special is None:
        decode(value, part, path)
    else:
        part.seconds, part.nanos = special(value, path)  # type: ignore[attr-defined]


def _fill_list(field: FieldDescriptor, message: Message, value: Any, path: str) -> None:
    if not isinstance(value, list):
        refuse(path, "a list is expected")
    target = getattr(message, field.name)
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        for index, item in enumerate(value):
            _merge(target.add(), item, f"{path}[{index}]")
    else:
        read = reader(field)
        target.extend([read(item, f"{path}[{index}]") for index, item in enumerate(value)])


def _fill_map(field: FieldDescriptor, message: Message, value: Any, path: str) -> None:
    if not isinstance(value, dict):
        refuse(path, "an object is expected")
    target = getattr(message, field.name)
    entry = message_of(field).fields_by_name
    read_key, item_field = from_text(entry["key"]), entry["value"]
    for name, item in value.items():
        place = _clean(f"{path}.{name}")
        key = read_key(name, place)
        if item_field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            _merge(target[key], item, place)
        else:
            target[key] = reader(item_field)(item, place)
