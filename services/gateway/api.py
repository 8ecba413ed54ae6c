"""The unary half of the API: a message to its RPC, the answer to a reply."""

import asyncio
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.chassis.client import AUTHORIZATION, DEADLINE
from services.chassis.turns import Turns
from services.gateway.admission import Admission, Visitor
from services.gateway.batch import Batches
from services.gateway.exchange import Exchange, Gone, Headers, Reply
from services.gateway.routes import Route
from services.gateway.transcode import Answer, bind, render
from tunggu.queue.v1.queue_pb2 import CreateTicketRequest, CreateTicketResponse
from tunggu.queue.v1.ticket_pb2 import Channel, Ticket

BODY_LIMIT = 64 * 1024
FILE_LIMIT = 512 * 1024  # bytes of a Kecamatan file

PRIVATE = b"no-store"
FOREVER = b"public, max-age=31536000, immutable"
CACHING = {"GetBoard": b"max-age=1", "GetPolicy": FOREVER}  # by RPC; the rest is PRIVATE
PAGE_POLICY = (
    b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'"
)
RUNNING, EACH = 64, 8  # calls on their way at once, in all and of one office
WAITING = 2048  # requests that wait for their turn
PUBLIC_CHANNELS = (Channel.CHANNEL_UNSPECIFIED, Channel.CHANNEL_WEB)


def call_path(rpc: MethodDescriptor) -> str:
    """`/tunggu.queue.v1.QueueService/GetTicket`"""
    return f"/{rpc.containing_service.full_name}/{rpc.name}"


class Calls:
    """Unary calls by descriptor. The channel repeats what is safe and raises Problem."""

    def __init__(
        self, channel: grpc.aio.Channel, others: Mapping[str, grpc.aio.Channel] | None = None
    ) -> None:
        """`others` are the channels of packages that are not the queue's."""
        self._channel = channel
        self._others = others or {}
        self._known: dict[str, Any] = {}

    async def __call__(
        self, rpc: MethodDescriptor, request: Message, seconds: float | None = None
    ) -> Any:
        """The answer, within the channel's deadline or `seconds`."""
        path = call_path(rpc)
        if path not in self._known:
            channel = self._others.get(rpc.containing_service.file.package, self._channel)
            self._known[path] = channel.unary_unary(
                path,
                request_serializer=GetMessageClass(rpc.input_type).SerializeToString,
                response_deserializer=GetMessageClass(rpc.output_type).FromString,
            )
        return await self._known[path](request, timeout=seconds)


class Api:
    """Answers every route that is not a stream."""

    def __init__(self, calls: Calls, batches: Batches, admission: Admission) -> None:
        self._calls = calls
        self._batches = batches
        self._admission = admission
        self._turns = Turns(RUNNING, EACH, WAITING, DEADLINE)

    async def answer(
        self, route: Route, variables: Mapping[str, str], exchange: Exchange, visitor: Visitor
    ) -> Reply:
        """Problem: whatever is wrong with the request, or what the service says."""
        limit = FILE_LIMIT if route.method == "PUT" else BODY_LIMIT
        body = await exchange.json_body(limit)
        AUTHORIZATION.set(exchange.authorization())
        request = bind(route, variables, exchange.query, exchange.headers, body)
        if isinstance(request, CreateTicketRequest):
            self._admission.holder(visitor, request.kecamatan, request.holder)
        if isinstance(request, CreateTicketRequest) and _is_public(request):
            message: Any = CreateTicketResponse(ticket=await self._gathered(request, exchange))
        else:
            async with self._turns.turn(_line(variables)):
                message = await self._calls(route.rpc, request)
        return _reply(route, message, exchange.headers)

    async def _gathered(self, request: CreateTicketRequest, exchange: Exchange) -> Ticket:
        """A number by way of a batch; a client that hangs up before it is sent drops out."""
        answer = self._batches.submit(request, exchange.hung_up)
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.cancelled() and exchange.hung_up():
                raise Gone from None
            raise


def _line(variables: Mapping[str, str]) -> str:
    """Whose turn it takes: an office's, and apart from it that of its staff."""
    office = variables.get("kecamatan", "").replace(".", "")
    digits = office or variables.get("ticket_id", "")[:6]
    return f"{digits} staff" if AUTHORIZATION.get() else digits


def _is_public(request: CreateTicketRequest) -> bool:
    return request.channel in PUBLIC_CHANNELS and not AUTHORIZATION.get()


def _reply(route: Route, message: Any, headers: Mapping[bytes, bytes]) -> Reply:
    answer = render(route, message)
    caching = CACHING.get(route.rpc.name, PRIVATE)
    if route.rpc.name == "GetDay" and message.day.closed:
        caching = FOREVER  # a closed day's figures are final
    common: Headers = [(b"cache-control", caching)]
    if answer.etag:
        common.append((b"etag", b'"%s"' % answer.etag.encode()))
        if matches(headers.get(b"if-none-match", b""), answer.etag.encode()):
            return Reply(304, common)
    common += _document_headers(answer, getattr(message, "filename", ""))
    return Reply(route.status, [(b"content-type", _media_type(answer)), *common], answer.body)


def _document_headers(answer: Answer, filename: str) -> Headers:
    """For what people open by itself: a page may neither run nor fetch anything, a table is saved
    under its name."""
    if answer.content_type.startswith("text/html"):
        return [(b"content-security-policy", PAGE_POLICY), (b"referrer-policy", b"no-referrer")]
    if filename:
        return [(b"content-disposition", b'attachment; filename="%s"' % filename.encode("ascii"))]
    return []


def _media_type(answer: Answer) -> bytes:
    return answer.content_type.encode()


def matches(condition: bytes, etag: bytes) -> bool:
    """Whether If-None-Match names the tag; weak or not is all the same to a GET."""
    tags = [tag.strip().removeprefix(b"W/") for tag in condition.split(b",")]
    return b"*" in tags or b'"%s"' % etag in tags
