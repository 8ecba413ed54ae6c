"""The routes under /v1/streams/: which view of which feed a client follows."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor

from services.chassis.client import AUTHORIZATION
from services.chassis.errors import Problem
from services.gateway import sse
from services.gateway.addresses import client_of
from services.gateway.api import Calls, call_path
from services.gateway.boards import Board, TicketView, ticket_frame
from services.gateway.city import City
from services.gateway.door import Door
from services.gateway.encode import to_json
from services.gateway.exchange import Exchange, Reply
from services.gateway.hub import Hub
from services.gateway.routes import Route
from services.gateway.satisfaction import Survey
from services.gateway.streams import Fanout, View
from services.gateway.transcode import bind
from tunggu.queue.v1 import kecamatan_pb2, queue_pb2
from tunggu.queue.v1.kecamatan_pb2 import ListKecamatanRequest
from tunggu.queue.v1.queue_pb2 import GetTicketRequest, WatchBoardRequest, WatchBoardResponse
from tunggu.queue.v1.ticket_pb2 import Ticket
from tunggu.survey.v1 import survey_pb2
from tunggu.survey.v1.survey_pb2 import WatchSatisfactionRequest, WatchSatisfactionResponse

_QUEUE = queue_pb2.DESCRIPTOR.services_by_name["QueueService"].methods_by_name
_OFFICES = kecamatan_pb2.DESCRIPTOR.services_by_name["KecamatanService"].methods_by_name
_SURVEY = survey_pb2.DESCRIPTOR.services_by_name["SurveyService"].methods_by_name
GET_TICKET: MethodDescriptor = _QUEUE["GetTicket"]
LIST_KECAMATAN: MethodDescriptor = _OFFICES["ListKecamatan"]


Serve = Callable[[Any, Exchange], Awaitable[Reply | None]]

# When thousands come back at once other requests go on between them: this many streams begin at
# one turn of the event loop (some 8 ms), and this many tickets are asked for at the same time.
ADMITTED = 128
ASKED = 32


class Watching:
    """All streams of this process."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        calls: Calls,
        fanout: Fanout,
        survey: grpc.aio.Channel | None = None,
    ) -> None:
        self._calls = calls
        self._places = fanout.places
        self._entrance = Door(ADMITTED, fanout.timing.ready)
        self._asking = Door(ASKED, fanout.timing.ready)
        linger = fanout.timing.linger
        self._watch_board = channel.unary_stream(
            call_path(_QUEUE["WatchBoard"]),
            request_serializer=WatchBoardRequest.SerializeToString,
            response_deserializer=WatchBoardResponse.FromString,
        )
        self._boards = Hub(lambda key: Board(key, self._messages, fanout), linger)
        self._cities = Hub(lambda _: City(self._offices, fanout), linger)
        self._routes: dict[str, Serve] = {
            "WatchBoard": self._board,
            "GetTicket": self._ticket,
            "ListKecamatan": self._city,
        }
        self._watch_satisfaction = (survey or channel).unary_stream(
            call_path(_SURVEY["WatchSatisfaction"]),
            request_serializer=WatchSatisfactionRequest.SerializeToString,
            response_deserializer=WatchSatisfactionResponse.FromString,
        )
        self._surveys = Hub(lambda key: Survey(key, self._satisfactions, fanout), linger)
        self._routes["WatchSatisfaction"] = self._satisfaction

    def check(self, routes: Iterable[Route]) -> None:
        """Stops the start when the protos declare a stream that nothing here serves."""
        for route in routes:
            if route.rpc.server_streaming and not route.stream:
                raise ValueError(f"{route.rpc.full_name} streams outside of /v1/streams/")
            if route.stream and route.rpc.name not in self._routes:
                raise ValueError(f"nothing serves the stream {route.template}")

    def drain(self) -> None:
        """Ends all streams with a word on when to come back."""
        self._boards.drain()
        self._cities.drain()
        self._surveys.drain()

    async def answer(
        self, route: Route, variables: Mapping[str, str], exchange: Exchange
    ) -> Reply | None:
        """None: a stream has begun, and goes on without its request. Problem: before it did.

        HEAD finds out what GET would, and is told how the stream would begin.
        """
        AUTHORIZATION.set(exchange.authorization())
        request: Any = bind(route, variables, exchange.query, exchange.headers, b"")
        address = client_of(exchange.scope)
        self._places.take(address)
        try:
            await self._entrance.passed()
            reply = await self._routes[route.rpc.name](request, exchange)
        finally:
            if not exchange.started:
                self._places.leave(address)
        return reply if reply or exchange.started else Reply(200, sse.HEADERS)

    def _messages(self, kecamatan: str) -> AsyncIterable[WatchBoardResponse]:
        return self._watch_board(WatchBoardRequest(kecamatan=kecamatan))

    async def _offices(self) -> bytes:
        return to_json(await self._calls(LIST_KECAMATAN, ListKecamatanRequest()))

    async def _board(self, request: Any, exchange: Exchange) -> None:
        async with self._boards.following(request.kecamatan) as board:
            _begin("board", board.feed.whole, exchange)

    async def _city(self, request: Any, exchange: Exchange) -> None:  # noqa: ARG002
        async with self._cities.following("") as city:
            _begin("city", city.feed.whole, exchange)

    def _satisfactions(self, kecamatan: str) -> AsyncIterable[WatchSatisfactionResponse]:
        return self._watch_satisfaction(WatchSatisfactionRequest(kecamatan=kecamatan))

    async def _satisfaction(self, request: Any, exchange: Exchange) -> None:
        async with self._surveys.following(request.kecamatan) as survey:
            _begin("satisfaction", survey.feed.whole, exchange)

    async def _ticket(self, request: GetTicketRequest, exchange: Exchange) -> Reply | None:
        """A client that comes back with the last frame there is need not come again (204)."""
        ticket = await self._asked(request)
        async with self._boards.following(ticket.kecamatan) as board:
            view = TicketView(board, ticket, self._outcome)
            if exchange.seen and view.news(exchange.seen) is None and view.over():
                return Reply(204, [(b"cache-control", b"no-store")])
            _begin("ticket", view, exchange)
        return None

    async def _asked(self, request: GetTicketRequest) -> Ticket:
        async with self._asking.inside():
            return (await self._calls(GET_TICKET, request)).ticket  # type: ignore[no-any-return]

    async def _outcome(self, ticket_id: str) -> bytes:
        """How its day ended for a ticket whose board has gone on to the next."""
        with suppress(Problem):
            return ticket_frame(await self._asked(GetTicketRequest(ticket_id=ticket_id))).data
        return b""


def _begin(kind: str, view: View, exchange: Exchange) -> None:
    """Leaves the connection to the fan-out. Gone."""
    if exchange.method == "HEAD":
        return
    client = sse.Client(kind, view, exchange.seen, client_of(exchange.scope))
    headers = [*sse.HEADERS, *exchange.reply_headers]
    transport, head = exchange.hand_over(client, headers)
    exchange.started = True
    client.begin(transport, head)
