"""What is written is read again the same, for random messages of all kinds and of ours."""

import json

import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.errors import Problem
from services.gateway.decode import decode, parse
from services.gateway.encode import to_json
from services.gateway.names import is_map
from tests.gateway.every_kind import Every
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2, ticket_pb2

F = FieldDescriptor
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = {
    F.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    F.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    F.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    F.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    F.CPPTYPE_DOUBLE: st.floats(allow_nan=False),
    F.CPPTYPE_FLOAT: st.floats(width=32, allow_nan=False),
    F.CPPTYPE_BOOL: st.booleans(),
    F.CPPTYPE_STRING: TEXT,
}


def scalar(field):
    if field.type == F.TYPE_BYTES:
        return st.binary(max_size=8)
    if field.cpp_type == F.CPPTYPE_ENUM:
        return st.sampled_from([value.number for value in field.enum_type.values])
    return SCALARS[field.cpp_type]


def fill(draw, message, depth):
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if draw(st.booleans()) or (oneof and message.WhichOneof(oneof.name)):
            continue
        if is_map(field):
            fill_map(draw, field, getattr(message, field.name), depth)
        elif field.cpp_type == F.CPPTYPE_MESSAGE:
            fill_part(draw, field, message, depth)
        elif field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(scalar(field), max_size=3)))
        else:
            setattr(message, field.name, draw(scalar(field)))


def fill_map(draw, field, target, depth):
    entry = field.message_type.fields_by_name
    for key in draw(st.lists(scalar(entry["key"]), max_size=2, unique=True)):
        if entry["value"].cpp_type == F.CPPTYPE_MESSAGE:
            special(draw, target[key], depth)
        else:
            target[key] = draw(scalar(entry["value"]))


def fill_part(draw, field, message, depth):
    if field.is_repeated:
        for _ in range(draw(st.integers(0, 2)) if depth else 0):
            special(draw, getattr(message, field.name).add(), depth)
    elif depth:
        part = getattr(message, field.name)
        part.SetInParent()
        special(draw, part, depth)


def special(draw, part, depth):
    name = part.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        part.seconds = draw(st.integers(-62135596800, 253402300799))
        part.nanos = draw(st.integers(0, 999)) * 1_000_000
    elif name == "google.protobuf.Duration":
        total = draw(st.integers(-(10**9) * 315_576_000_000, 10**9 * 315_576_000_000))
        sign = -1 if total < 0 else 1
        part.seconds, part.nanos = (sign * half for half in divmod(abs(total), 10**9))
    else:
        fill(draw, part, depth - 1)


@st.composite
def messages(draw, kind):
    message = kind()
    fill(draw, message, 2)
    return message


def read(kind, text):
    message = kind()
    decode(parse(text), message)
    return message


@given(messages(Every))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_message_of_every_kind_survives_json(message):
    assert read(Every, to_json(message)) == message


OURS = [
    ticket_pb2.Ticket,
    kecamatan_pb2.Kecamatan,
    kecamatan_pb2.Office,
    queue_pb2.CreateTicketRequest,
    queue_pb2.Day,
    queue_pb2.ListEventsRequest,
]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.DESCRIPTOR.name)
def test_our_own_messages_survive_json(kind):
    @given(messages(kind))
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def survives(message):
        assert read(kind, to_json(message)) == message

    survives()


def refusal_of(work):
    try:
        work()
    except Problem as problem:
        return problem
    return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([field.json_name for field in Every.DESCRIPTOR.fields]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_is_either_read_or_refused(value):
    problem = refusal_of(lambda: decode(value, Every()))
    if problem is not None:
        assert problem.reason in ("INVALID_REQUEST", "UNKNOWN_FIELD")
        json.dumps(problem.metadata, ensure_ascii=False).encode()


@given(st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_either_json_or_not_json(body):
    problem = refusal_of(lambda: parse(body))
    assert problem is None or problem.reason == "NOT_JSON"
