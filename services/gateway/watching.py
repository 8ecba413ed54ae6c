"""The routes under /v1/streams/: which view of which feed a client follows."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor

from services.chassis.client import AUTHORIZATION
from services.chassis.errors import Problem
from services.gateway import sse
from services.gateway.api import Calls, call_path
from services.gateway.boards import Board, TicketView, ticket_frame
from services.gateway.city import City
from services.gateway.encode import to_json
from services.gateway.exchange import Exchange, Reply
from services.gateway.hub import Hub
from services.gateway.routes import Route
from services.gateway.satisfaction import Survey
from services.gateway.streams import Timing, View, Whole
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


Last = Callable[[], Awaitable[bytes]]  # what is still to be said at a stream's end


async def _nothing() -> bytes:
    return b""


class Watching:
    """All streams of this process. A client may have `backlog` bytes unsent."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        calls: Calls,
        timing: Timing,
        backlog: int,
        survey: grpc.aio.Channel | None = None,
    ) -> None:
        self._calls = calls
        self._backlog = backlog
        self._watch_board = channel.unary_stream(
            call_path(_QUEUE["WatchBoard"]),
            request_serializer=WatchBoardRequest.SerializeToString,
            response_deserializer=WatchBoardResponse.FromString,
        )
        self._boards = Hub(lambda key: Board(key, self._messages, timing), timing)
        self._cities = Hub(lambda _: City(self._offices, timing), timing)
        self._routes = {
            "WatchBoard": self._board,
            "GetTicket": self._ticket,
            "ListKecamatan": self._city,
        }
        self._watch_satisfaction = (survey or channel).unary_stream(
            call_path(_SURVEY["WatchSatisfaction"]),
            request_serializer=WatchSatisfactionRequest.SerializeToString,
            response_deserializer=WatchSatisfactionResponse.FromString,
        )
        self._surveys = Hub(lambda key: Survey(key, self._satisfactions, timing), timing)
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
        """None: a stream was sent, and is over. Problem: before it began."""
        if exchange.method == "HEAD":
            return Reply(200, sse.HEADERS)
        AUTHORIZATION.set(exchange.authorization())
        request: Any = bind(route, variables, exchange.query, exchange.headers, b"")
        return await self._routes[route.rpc.name](request, exchange)

    def _messages(self, kecamatan: str) -> AsyncIterable[WatchBoardResponse]:
        return self._watch_board(WatchBoardRequest(kecamatan=kecamatan))

    async def _offices(self) -> bytes:
        return to_json(await self._calls(LIST_KECAMATAN, ListKecamatanRequest()))

    async def _board(self, request: Any, exchange: Exchange) -> None:
        async with self._boards.following(request.kecamatan) as board:
            await self._run("board", Whole(board.feed), exchange)

    async def _city(self, request: Any, exchange: Exchange) -> None:  # noqa: ARG002
        async with self._cities.following("") as city:
            await self._run("city", Whole(city.feed), exchange)

    def _satisfactions(self, kecamatan: str) -> AsyncIterable[WatchSatisfactionResponse]:
        return self._watch_satisfaction(WatchSatisfactionRequest(kecamatan=kecamatan))

    async def _satisfaction(self, request: Any, exchange: Exchange) -> None:
        async with self._surveys.following(request.kecamatan) as survey:
            await self._run("satisfaction", Whole(survey.feed), exchange)

    async def _ticket(self, request: GetTicketRequest, exchange: Exchange) -> Reply | None:
        """A client that comes back with the last frame there is need not come again (204)."""
        ticket: Ticket = (await self._calls(GET_TICKET, request)).ticket
        async with self._boards.following(ticket.kecamatan) as board:
            view = TicketView(board, ticket)
            present = view.look()
            if view.over() and present is not None and present.id == exchange.seen:
                return Reply(204, [(b"cache-control", b"no-store")])
            await self._run("ticket", view, exchange, lambda: self._outcome(request, view))
        return None

    async def _outcome(self, request: GetTicketRequest, view: TicketView) -> bytes:
        """How its day ended for a ticket whose board has gone on to the next."""
        if view.final() or not view.outlived():
            return b""
        with suppress(Problem):
            return ticket_frame((await self._calls(GET_TICKET, request)).ticket).data
        return b""

    async def _run(
        self,
        name: str,
        view: View,
        exchange: Exchange,
        last: Last = _nothing,
    ) -> None:
        exchange.started = True
        stream = sse.Stream(name, exchange.send, exchange.transport, self._backlog)
        await stream.run(view, exchange.seen, [*sse.HEADERS, *exchange.reply_headers])
        await stream.end(await last())
