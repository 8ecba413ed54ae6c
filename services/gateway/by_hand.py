"""A ticket as JSON, spelt out: what a rush reads and writes thousands of times a second.

The bytes are those of `encode`, to which everything else is left; a test holds the two together
over tickets of every shape, so that a field that the proto gains is missed at once.
"""

from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.gateway import encode
from services.gateway.names import names_of
from tunggu.queue.v1.queue_pb2 import CreateTicketResponse
from tunggu.queue.v1.ticket_pb2 import Channel, Lane, Ticket

SECOND = 1_000_000_000  # nanoseconds


def _named(enum: Any) -> Mapping[int, str]:
    return {number: f'"{name}"' for number, name in names_of(enum.DESCRIPTOR).items()}


_LANES, _CHANNELS, _STATES = _named(Lane), _named(Channel), _named(Ticket.State)


def to_json(message: Message) -> bytes:
    """The message on one line, UTF-8."""
    if isinstance(message, Ticket):
        return _ticket(message).encode()
    if isinstance(message, CreateTicketResponse) and message.HasField("ticket"):
        return f'{{"ticket":{_ticket(message.ticket)}}}'.encode()
    return encode.to_json(message)


def _ticket(it: Ticket) -> str:
    return (
        f'{{"id":{quoted(it.id)},"kecamatan":{quoted(it.kecamatan)},'
        f'"serviceDay":{quoted(it.service_day)},"number":{quoted(it.number)},'
        f'"service":{quoted(it.service)},"lane":{_LANES.get(it.lane, it.lane)},'
        f'"channel":{_CHANNELS.get(it.channel, it.channel)},'
        f'"state":{_STATES.get(it.state, it.state)},"ahead":{it.ahead},'
        f'"counter":{quoted(it.counter)},"event":{it.event}{_forecast(it)}{_moments(it)},'
        f'"present":{"true" if it.present else "false"}}}'
    )


def _forecast(it: Ticket) -> str:
    if not it.HasField("forecast"):
        return ""
    wait = it.forecast
    return f',"forecast":{{"p50Seconds":{wait.p50_seconds},"p90Seconds":{wait.p90_seconds}}}'


def _moments(it: Ticket) -> str:
    return "".join(
        (
            f',"issuedAt":{_moment(it.issued_at)}' if it.HasField("issued_at") else "",
            f',"calledAt":{_moment(it.called_at)}' if it.HasField("called_at") else "",
            f',"startedAt":{_moment(it.started_at)}' if it.HasField("started_at") else "",
            f',"closedAt":{_moment(it.closed_at)}' if it.HasField("closed_at") else "",
            f',"returnBy":{_moment(it.return_by)}' if it.HasField("return_by") else "",
        )
    )


def _moment(value: Timestamp) -> str:
    if not 0 <= value.nanos < SECOND:
        return f'"{encode.timestamp(value)}"'
    return f'"{_second(value.seconds)}.{value.nanos // 1_000_000:03}Z"'


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    """`2026-03-02T02:00:00`"""
    return encode.timestamp(Timestamp(seconds=seconds)).partition(".")[0]
