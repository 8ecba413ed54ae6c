"""How a proto name reads in our JSON: the one place that says so.

Fields are lowerCamelCase; enum values lose the prefix that buf's STANDARD
demands: `STATE_WAITING` of `State` reads `WAITING`. Both forms are read.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

TIMESTAMP = "google.protobuf.Timestamp"
DURATION = "google.protobuf.Duration"


def prefix_of(enum_name: str) -> str:
    """`StopReason` → `STOP_REASON_`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum_name).upper() + "_"


@cache
def names_of(enum: EnumDescriptor) -> Mapping[int, str]:
    """Each number's name in JSON; of aliases the first."""
    prefix = prefix_of(enum.name)
    names: dict[int, str] = {}
    for value in enum.values:
        names.setdefault(value.number, value.name.removeprefix(prefix))
    return names


@cache
def numbers_of(enum: EnumDescriptor) -> Mapping[str, int]:
    """Each name that is read, with the prefix and without, and its number."""
    prefix = prefix_of(enum.name)
    short = {value.name.removeprefix(prefix): value.number for value in enum.values}
    return short | {value.name: value.number for value in enum.values}


def message_of(field: FieldDescriptor) -> Descriptor:
    """The message type of a field that has one."""
    return cast(Descriptor, field.message_type)


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """The enum of a field that has one."""
    return cast(EnumDescriptor, field.enum_type)


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
