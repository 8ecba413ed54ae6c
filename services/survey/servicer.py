"""SurveyService over gRPC: the three buttons and what they come to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import grpc

from services.chassis.errors import Problem
from services.redis_link.request import Request
from services.survey import asking, tables, view
from services.survey.daybook import Daybook
from services.survey.model import Served
from services.survey.queue_client import QueueClient
from services.survey.store import HOLDER, TABLET, Store
from tunggu.survey.v1 import survey_pb2 as pb
from tunggu.survey.v1 import survey_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]

WATCH_S = 1.0
"""Between two looks of a stream at the running day."""


class SurveyServicer(survey_pb2_grpc.SurveyServiceServicer):
    """Admission is the chassis' (roles) and `asking`'s (form); the rule is the script's."""

    def __init__(
        self, store: Store, queue: QueueClient, daybook: Daybook, draining: asyncio.Event
    ) -> None:
        self._store = store
        self._queue = queue
        self._daybook = daybook
        self._draining = draining

    async def CreateResponse(self, request: pb.CreateResponseRequest, context: Context) -> Any:
        answer, reasons = asking.answer_of(request)
        shown = asking.shown_of(request)
        served, ask, by = await self._asked(request)
        if await self._queue.is_over(served.code, served.day):
            raise Problem("ANSWER_TOO_LATE")
        recorded = await self._store.create_response(ask, served, by, answer, reasons, shown)
        self._queue.news(served.code, served.day)  # at least this ticket's completion
        return pb.CreateResponseResponse(response=view.response(recorded))

    async def _asked(self, request: pb.CreateResponseRequest) -> tuple[Served, Request, str]:
        """For which ticket, whose request, and who answers."""
        verb = "CreateResponse"
        if not request.ticket_id:
            code, counter = asking.code_of(request), asking.counter_of(request)
            served = await self._queue.just_served(code, counter)
            return served, asking.request(verb, request, code), TABLET
        for field in ("kecamatan", "counter", "ticket"):
            if getattr(request, field):
                asking.refuse(field)
        asking.citizen()
        served = await self._queue.served(request.ticket_id)
        return served, asking.request(verb, request, served.code, request.ticket_id), HOLDER

    async def GetSatisfaction(self, request: pb.GetSatisfactionRequest, context: Context) -> Any:
        code = asking.code_of(request)
        by = set(request.by)
        if not by <= {pb.BREAKDOWN_SERVICE, pb.BREAKDOWN_COUNTER}:
            asking.refuse("by")
        dates = await asking.period_of(request, code, self._daybook)
        shown = view.satisfaction(
            code,
            dates,
            await self._daybook.records(code, dates),
            by_service=pb.BREAKDOWN_SERVICE in by,
            by_counter=pb.BREAKDOWN_COUNTER in by,
        )
        return pb.GetSatisfactionResponse(satisfaction=shown)

    async def WatchSatisfaction(
        self, request: pb.WatchSatisfactionRequest, context: Context
    ) -> AsyncIterator[pb.WatchSatisfactionResponse]:
        code, before = asking.code_of(request), None
        while not self._draining.is_set():
            now = await self._running(code)
            if now != before:
                before = now
                yield pb.WatchSatisfactionResponse(satisfaction=now)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._draining.wait(), WATCH_S)

    async def _running(self, code: str) -> pb.Satisfaction:
        last = await self._daybook.last(code)
        dates = [last] if last else []
        return view.satisfaction(code, dates, await self._daybook.records(code, dates))

    async def ExportSatisfaction(
        self, request: pb.ExportSatisfactionRequest, context: Context
    ) -> Any:
        code = asking.code_of(request)
        dates = await asking.period_of(request, code, self._daybook)
        return pb.ExportSatisfactionResponse(
            body=tables.satisfaction(await self._daybook.records(code, dates)),
            content_type=tables.CONTENT_TYPE,
            filename=tables.filename("kepuasan-cepat", code, dates),
        )
