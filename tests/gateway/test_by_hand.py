"""What is spelt out for speed is what the general encoder says, byte for byte."""

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway import by_hand, encode
from services.gateway.routes import Routes
from services.gateway.transcode import bind
from tunggu.queue.v1 import queue_pb2
from tunggu.queue.v1.queue_pb2 import CreateTicketResponse, GetTicketResponse
from tunggu.queue.v1.ticket_pb2 import Ticket

SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: st.text(max_size=12),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-62_135_596_800, 253_402_300_799),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 12),
}


@st.composite
def messages(draw, kind):
    """Each field set or not; enums also with numbers that only a newer queue knows."""
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        if not draw(st.booleans()):
            continue
        if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            part = getattr(message, field.name)
            part.SetInParent()
            part.MergeFrom(draw(messages(type(part))))
        elif field.name == "nanos":
            message.nanos = draw(st.integers(0, 999_999_999))
        else:
            setattr(message, field.name, draw(SCALARS[field.cpp_type]))
    return message


@settings(max_examples=400, deadline=None)
@given(messages(Ticket))
def test_a_ticket_is_the_general_encoders(ticket):
    assert by_hand.to_json(ticket) == encode.to_json(ticket)
    answer = CreateTicketResponse(ticket=ticket)
    assert by_hand.to_json(answer) == encode.to_json(answer)


def test_what_is_not_spelt_out_is_left_to_the_general_encoder():
    for message in (CreateTicketResponse(), GetTicketResponse(ticket=Ticket(number="A001"))):
        assert by_hand.to_json(message) == encode.to_json(message)


def test_a_time_out_of_its_range_is_written_all_the_same():
    ticket = Ticket()
    ticket.issued_at.seconds, ticket.issued_at.nanos = 1, -1_000_000
    assert by_hand.to_json(ticket) == encode.to_json(ticket)


def test_a_body_that_was_read_before_is_no_message_that_another_request_can_change():
    routes = Routes([queue_pb2.DESCRIPTOR.services_by_name["QueueService"]])
    route, variables = routes.match("POST", b"/v1/kecamatan/73.71.03/tickets")
    first, second = (
        bind(route, variables, b"", {b"idempotency-key": key}, b'{"service":"A"}')
        for key in (b"one", b"two")
    )
    assert (first.service, first.request_id, first.kecamatan) == ("A", "one", "73.71.03")
    assert (second.service, second.request_id) == ("A", "two")
